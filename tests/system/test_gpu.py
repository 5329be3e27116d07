"""Tests on the graphics card of this machine, which are skipped where there is none.

VAETUI_GPU_TESTS=cpu runs them on the CPU, which shows only that the tests themselves are right.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from tests.command_line import run_vaetui
from tests.data.drawing import colour_digits, load_digits
from tests.engine.trained_states import to_bits
from tests.features.tiny_models import save_tiny_model
from tests.idx import MNIST_DIRECTORY, write_small_mnist
from tests.session.scripted_run import PROPAGATION_CONFIG, create_session, run_to_end, session_digest
from tests.simulation.simulated_sessions import simulate_session
from vaetui.engine import kmeans
from vaetui.engine.config import Config, Device
from vaetui.engine.device_inputs import DeviceImages, put_on_device
from vaetui.engine.events import BatchesTrained
from vaetui.engine.images import Images, images_from_array, read_idx_array
from vaetui.engine.inference import Predictions, decode_latents, encode_and_classify
from vaetui.engine.kmeans import run_kmeans
from vaetui.engine.neighbours import find_neighbours
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.recipes import get_recipe
from vaetui.engine.train_state import TrainState, create_train_state, load_checkpoint_arrays, to_checkpoint_arrays
from vaetui.engine.training import train_epoch
from vaetui.engine.vector_vae import VectorVAE
from vaetui.engine.vectors import Vectors, vectors_from_array
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.simulation.annotator_config import AnnotatorConfig
from vaetui.storage import locations


def _find_device() -> Device:
    if os.environ.get("VAETUI_GPU_TESTS") == "cpu":
        return "cpu"
    return "cuda" if torch.cuda.is_available() else "mps"


NAME = _find_device()
HAS_DEVICE = NAME == "cpu" or torch.cuda.is_available() or torch.backends.mps.is_available()
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not HAS_DEVICE, reason="this machine has no graphics card that PyTorch can use"),
]
CPU = torch.device("cpu")
IMAGE_COUNT = 1_500
RECIPES = ("propagation", "photos", "features", "paper")


@pytest.fixture
def deterministic_only() -> Iterator[None]:
    """Let PyTorch refuse operations whose results differ between runs."""
    torch.use_deterministic_algorithms(NAME == "cuda")
    yield
    torch.use_deterministic_algorithms(False)


def make_config(recipe: str, device: Device = NAME) -> Config:
    config = replace(get_recipe(recipe), device=device, threads=1)
    return replace(config, training=replace(config.training, batch_size=128, min_batches=1))


def load_inputs(recipe: str) -> Images | Vectors:
    pixels = read_idx_array(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)[:IMAGE_COUNT]
    if recipe == "features":
        return vectors_from_array(pixels[:, ::2, ::2].reshape(IMAGE_COUNT, -1).astype(np.float16))
    return images_from_array(colour_digits(pixels) if recipe == "photos" else pixels)


def load_labels() -> PseudoLabels:
    labels = read_idx_array(MNIST_DIRECTORY / "t10k-labels-idx1-ubyte.gz", 1)[:IMAGE_COUNT]
    return PseudoLabels(labels.astype(np.int64), np.ones(IMAGE_COUNT, np.float32))


def create_state(config: Config, inputs: Images | Vectors) -> TrainState:
    state = create_train_state(config, inputs.shape, (28, 28))
    if isinstance(state.vae, VectorVAE):
        assert isinstance(inputs, Vectors)
        state.vae.fit_to_vectors(inputs, 0)
    elif isinstance(inputs, Images) and config.network.patch_filters:
        state.vae.fit_to_images(inputs, 0)  # type: ignore[union-attr]
    return state


def train(state: TrainState, config: Config, inputs: Images | Vectors, epoch: int = 1) -> list[BatchesTrained]:
    on_device = put_on_device(inputs, state.device, config.network)
    return list(train_epoch(state, on_device, load_labels(), config, epoch))


def predict(state: TrainState, config: Config, inputs: Images | Vectors) -> Predictions:
    on_device = put_on_device(inputs, state.device, config.network)
    return drain_events(encode_and_classify(state.vae, on_device, config, "test", 1))


@pytest.mark.usefixtures("deterministic_only")
@pytest.mark.parametrize("recipe", RECIPES)
def test_same_seed_gives_the_same_bits_and_the_loss_falls(recipe: str) -> None:
    config, inputs = make_config(recipe), load_inputs(recipe)
    states = [create_state(config, inputs) for _ in "ab"]
    assert states[0].device.type == NAME
    reports = [train(state, config, inputs) for state in states]
    assert to_bits(states[0]) == to_bits(states[1])
    assert reports[0][-1].losses.reconstruction < reports[0][0].losses.reconstruction
    assert reports[0][-1].losses.classification < reports[0][0].losses.classification
    predictions = [predict(state, config, inputs) for state in states]
    assert predictions[0].latents.tobytes() == predictions[1].latents.tobytes()
    assert predictions[0].leads.tobytes() == predictions[1].leads.tobytes()


@pytest.mark.parametrize("recipe", RECIPES)
def test_checkpoint_of_a_device_predicts_the_same_on_the_cpu_and_trains_on(recipe: str) -> None:
    config, inputs = make_config(recipe), load_inputs(recipe)
    state = create_state(config, inputs)
    train(state, config, inputs)
    arrays = to_checkpoint_arrays(state)
    on_cpu = create_state(replace(config, device="cpu"), inputs)
    load_checkpoint_arrays(on_cpu, arrays)
    back = create_state(config, inputs)
    load_checkpoint_arrays(back, to_checkpoint_arrays(on_cpu))
    assert to_bits(back) == to_bits(state)
    predictions, expected = predict(state, config, inputs), predict(on_cpu, config, inputs)
    assert np.allclose(predictions.latents, expected.latents, rtol=1e-3, atol=1e-3)
    assert (predictions.class_ids == expected.class_ids).mean() > 0.998
    assert np.allclose(predictions.confidences, expected.confidences, atol=1e-2)
    if recipe != "features":
        pictures = [
            decode_latents(networks.vae, expected.latents[:50, : config.network.z_dim]) for networks in (state, on_cpu)
        ]
        assert np.abs(pictures[0].astype(int) - pictures[1]).max() <= 1
    losses = [train(trained, config, inputs, epoch=2)[-1].losses for trained in (state, on_cpu)]
    assert np.allclose(losses[0], losses[1], rtol=0.05, atol=0.05)


def test_second_view_of_images_is_that_of_the_cpu() -> None:
    config, inputs = make_config("photos"), load_inputs("photos")
    reports = []
    for device in (NAME, "cpu"):
        device_config = replace(config, device=device, training=replace(config.training, learning_rate=0.0))
        reports.append(train(create_state(device_config, inputs), device_config, inputs))
    for report, expected in zip(*reports, strict=True):
        assert np.allclose(report.losses, expected.losses, rtol=1e-3, atol=1e-3)


def test_images_that_do_not_fit_give_the_bits_of_images_on_the_device() -> None:
    config, inputs = make_config("propagation"), load_inputs("propagation")
    assert isinstance(inputs, Images)
    states = [create_state(config, inputs) for _ in "ab"]
    for state, max_bytes in zip(states, (None, 0), strict=True):
        on_device = DeviceImages(inputs, state.device, max_bytes)
        assert on_device.is_resident == (max_bytes is None or NAME == "cpu")
        list(train_epoch(state, on_device, load_labels(), config, 1))
    assert to_bits(states[0]) == to_bits(states[1])


@pytest.mark.parametrize("recipe", ["propagation", "photos"])
def test_training_with_bfloat16_is_close_to_float32(recipe: str) -> None:
    if NAME == "cuda" and not torch.cuda.is_bf16_supported():
        pytest.skip("this graphics card does not compute with bfloat16")
    inputs, losses = load_inputs(recipe), []
    for precision in ("float32", "bfloat16"):
        config = replace(make_config(recipe), precision=precision)
        state = create_state(config, inputs)
        losses.append(train(state, config, inputs)[-1].losses)
        repeated = create_state(config, inputs)
        train(repeated, config, inputs)
        assert to_bits(state) == to_bits(repeated)
    assert np.allclose(losses[0], losses[1], rtol=0.1, atol=0.2)


def test_clusters_and_neighbours_are_those_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).standard_normal((19_000, 16)).astype(np.float32)
    monkeypatch.setattr(kmeans, "MAX_FIT_VECTORS", 2_000)
    device = torch.device(NAME)
    (assignments, centres), (expected, expected_centres) = (
        drain_events(run_kmeans(vectors, 40, 1, 0, device=place)) for place in (device, None)
    )
    assert np.array_equal(centres, expected_centres)
    assert (assignments == expected).mean() > 0.9999
    found = drain_events(find_neighbours(vectors, 12, 0, 1, device))
    rows = np.arange(0, 19_000, 100)
    distances, exact = NearestNeighbors(n_neighbors=13, algorithm="brute").fit(vectors).kneighbors(vectors[rows])
    assert (found.indices[rows] == exact[:, 1:]).mean() > 0.999
    assert np.allclose(found.distances[rows], distances[:, 1:], rtol=1e-4)
    repeated = drain_events(find_neighbours(vectors, 12, 0, 1, device))
    assert found.indices.tobytes() == repeated.indices.tobytes()


@pytest.mark.usefixtures("home")
def test_session_that_is_interrupted_gives_the_same_bits(digits: Path) -> None:
    config = replace(PROPAGATION_CONFIG, device=NAME)
    with closing(create_session("whole", digits, config)) as session:
        list(run_to_end(session))
    session = create_session("interrupted", digits, config)
    steps = 0
    for event in session.advance():
        steps += isinstance(event, BatchesTrained)
        if steps:
            break
    session.close()
    with closing(lifecycle.resume("interrupted")) as session:
        list(run_to_end(session))
    assert session_digest("interrupted") == session_digest("whole")


@pytest.mark.usefixtures("home")
def test_simulated_run_labels_most_images_right(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path / "data", train=3_000, test=1_000)
    recipe = get_recipe("propagation")
    config = replace(recipe, device=NAME, training=replace(recipe.training, rounds=2, min_batches=40))
    result = simulate_session("s", data, AnnotatorConfig("members", 40, 0.0), config)
    assert result.test_accuracy[-1] is not None
    assert result.test_accuracy[-1] > 0.7
    process = run_vaetui("export", "s", "--format", "csv", "-o", str(tmp_path / "labels.csv"))
    assert process.returncode == 0, process.stderr
    assert locations.find_session("s").exists()


@pytest.mark.usefixtures("home")
def test_embed_computes_the_vectors_of_the_cpu(tmp_path: Path) -> None:
    model = str(save_tiny_model("resnet", tmp_path / "tiny-model"))
    np.save(tmp_path / "images.npy", colour_digits(load_digits(200)[0]))
    outputs = []
    for device in (NAME, "cpu"):
        outputs.append(tmp_path / f"{device}-vectors-{len(outputs)}.npy")
        process = run_vaetui(
            "embed", str(tmp_path / "images.npy"), "--model", model, "--device", device, "-o", str(outputs[-1])
        )
        assert process.returncode == 0, process.stderr
    vectors, expected = (np.load(output, allow_pickle=False).astype(np.float32) for output in outputs)
    assert np.allclose(vectors, expected, rtol=1e-2, atol=1e-2)
