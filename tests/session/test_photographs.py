"""Tests of sessions with the recipe for photographs, and of the command line that chooses it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import run_vaetui
from tests.data.drawing import colour_digits, load_digits
from tests.data.photographs import draw_photographs
from tests.idx import write_idx
from tests.session.scripted_run import run_to_end, session_digest, stop_within_epoch
from vaetui.engine import recipes
from vaetui.engine.recipes import PHOTOS_RECIPE, get_recipe
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.predictor import Predictor
from vaetui.session.session_status import load_status

PHOTOS_CONFIG = replace(
    get_recipe(PHOTOS_RECIPE),
    cluster=replace(get_recipe(PHOTOS_RECIPE).cluster, clusters=5, clusters_per_class=0.0),
    network=replace(get_recipe(PHOTOS_RECIPE).network, z_dim=16, hidden_units=32, patch_filters=16, channels=(4, 8)),
    training=replace(get_recipe(PHOTOS_RECIPE).training, rounds=2, batch_size=64, min_batches=1),
    threads=1,
)
"""Three epochs and two rounds of five clusters, by tiny networks."""
NEW_IMAGES = draw_photographs(20, seed=1)[0]

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of IDX files with 200 photographs."""
    directory = tmp_path_factory.mktemp("photographs")
    write_idx(directory / "train-images-idx4-ubyte", draw_photographs(200)[0])
    return directory


def test_centres_are_real_images_and_the_networks_still_decode_and_predict(photographs: Path) -> None:
    images = draw_photographs(200)[0]
    with closing(lifecycle.create("photos", str(photographs), PHOTOS_CONFIG)) as session:
        list(session.advance())
        assert (session.has_features, session.has_decoder) == (False, True)
        for cluster in session.round_view().clusters:
            assert (cluster.picture == images).all(axis=(1, 2, 3)).any(), "the centre is a real image"
            assert cluster.mean_picture is not None
            assert cluster.mean_picture.shape == cluster.picture.shape
        list(run_to_end(session))
        assert session.phase == "finished"
    predictor = Predictor("photos")
    predictions = drain_events(predictor.predict(NEW_IMAGES))
    assert predictions.class_ids.shape == (20,)
    assert np.isfinite(predictions.confidences).all()
    assert drain_events(predictor.generate_samples(3, None, 0)).shape == (3, 32, 32, 3)


def test_interrupted_session_ends_with_the_bits_of_an_uninterrupted_one(photographs: Path) -> None:
    with closing(lifecycle.create("whole", str(photographs), PHOTOS_CONFIG)) as session:
        list(run_to_end(session))
    with closing(lifecycle.create("parts", str(photographs), PHOTOS_CONFIG)) as session:
        stop_within_epoch(session)
    with closing(lifecycle.resume("parts")) as session:
        list(run_to_end(session))
    assert session_digest("parts") == session_digest("whole")


def write_array(path: Path, *, in_colour: bool) -> str:
    images = draw_photographs(60)[0] if in_colour else colour_digits(load_digits(60)[0])
    np.save(path, images)
    return str(path)


def create_by_command(data: str, *options: str) -> str:
    """Create a session without training; return its recipe."""
    process = run_vaetui("new", "own", "--data", data, "--rounds", "0", "--plain", *options, typed="")
    assert process.returncode == 0, process.stderr
    recipe: str = load_status("own")["recipe"]
    assert ("for colour photographs; --recipe propagation suits" in process.stdout) == (recipe == PHOTOS_RECIPE)
    return recipe


@pytest.fixture
def small_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the default recipes by tiny ones."""
    training = PHOTOS_CONFIG.training
    monkeypatch.setitem(recipes.RECIPES, PHOTOS_RECIPE, PHOTOS_CONFIG)
    propagation = replace(get_recipe("propagation"), training=training)
    monkeypatch.setitem(recipes.RECIPES, "propagation", propagation)


@pytest.mark.usefixtures("small_recipes")
def test_photographs_get_their_recipe_with_the_options_of_the_user(tmp_path: Path) -> None:
    options = ("--seed", "7", "--no-mirror", "--classes", "a,b,c")
    assert create_by_command(write_array(tmp_path / "own.npy", in_colour=True), *options) == PHOTOS_RECIPE
    with closing(lifecycle.resume("own")) as session:
        network = session.config.network
        assert (session.config.seed, network.patch_mirror, network.classes) == (7, False, 3)


@pytest.mark.usefixtures("small_recipes")
@pytest.mark.parametrize(
    ("in_colour", "options"), [(False, ()), (True, ("--recipe", "propagation"))], ids=["drawings", "chosen recipe"]
)
def test_other_images_and_a_chosen_recipe_keep_the_recipe(
    tmp_path: Path, in_colour: bool, options: tuple[str, ...]
) -> None:
    assert create_by_command(write_array(tmp_path / "own.npy", in_colour=in_colour), *options) == "propagation"
