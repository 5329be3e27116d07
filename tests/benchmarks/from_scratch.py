"""Accuracy on photographs without pretrained weights, and what the features of patches know of the classes.

python -m tests.benchmarks.from_scratch DIRECTORY [SET ...] [--only PART]: photographs are files DIRECTORY/SET.npz with
x_train, y_train, x_test and y_test; the parts are features, steps and session. Each part is saved at its end in
assets/results/from-scratch.json, with its CPU seconds, because the machine may be shared. A session gets 64 answers of
the annotator "members", in four rounds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from tests.benchmarks.datasets import find_dataset
from tests.benchmarks.forked_runs import NoReader
from tests.benchmarks.results import RESULTS, describe_run, load_results, replace_json
from vaetui.data.photo_detection import shows_photographs
from vaetui.engine.config import BATCHES_PER_REPORT
from vaetui.engine.device_inputs import put_on_device
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import images_from_array, read_idx_array
from vaetui.engine.patch_features import PatchFeatures
from vaetui.engine.patch_vae import FEATURE_WIDTH, PatchVAE
from vaetui.engine.recipes import DEFAULT_RECIPE, PHOTOS_RECIPE, get_recipe
from vaetui.engine.train_state import create_train_state
from vaetui.engine.training import train_epoch
from vaetui.engine.vae import to_float_images
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.simulation.annotator_config import AnnotatorConfig, MixedAnswer, choose_review_answers
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.run import Simulation
from vaetui.simulation.stopwatch import Stopwatch
from vaetui.storage.data_record import DataRecord

RESULTS_NAME = "from-scratch"
ANSWERS_PER_ROUND = 16
NEIGHBOUR_IMAGES = 2_500
NEIGHBOURS = 5
SEED = 0
FEATURE_VARIANTS = {"mirror": True, "no mirror": False}


def load_images(directory: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images and labels of the training subset."""
    files = find_idx_files(directory)
    assert files.train_labels is not None
    return read_idx_array(files.train_images, 4), read_idx_array(files.train_labels, 1)


def measure_agreement(vectors: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Return how often one of the nearest other vectors, by angle, has the same class."""
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -np.inf)
    neighbours = np.argpartition(-similarities, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return round(float((labels[neighbours] == labels[:, None]).mean()), 4)


def measure_features(directory: Path) -> dict[str, Any]:
    """Return the agreement of neighbours by pixels, by their components and by features of patches."""
    images, labels = load_images(directory)
    sample, sample_labels = images[:NEIGHBOUR_IMAGES], labels[:NEIGHBOUR_IMAGES]
    pixels = sample.reshape(len(sample), -1).astype(np.float32)
    pixels -= pixels.mean(axis=0)
    figures: dict[str, Any] = {
        "pixels": measure_agreement(pixels, sample_labels),
        "50 components": measure_agreement(PCA(50, random_state=SEED).fit_transform(pixels), sample_labels),
    }
    filter_count = get_recipe(PHOTOS_RECIPE).network.patch_filters
    for name, mirror in FEATURE_VARIANTS.items():
        started_at = time.process_time()
        patch_features = PatchFeatures(images.shape[1:], filter_count, FEATURE_WIDTH, mirror=mirror)
        patch_features.fit(images_from_array(images), SEED)
        fit_seconds = time.process_time() - started_at
        batches = torch.split(to_float_images(torch.from_numpy(sample)), 128)
        vectors = torch.cat([patch_features(batch) for batch in batches]).numpy()
        seconds = time.process_time() - started_at - fit_seconds
        figures[name] = {
            "agreement": measure_agreement(vectors, sample_labels),
            "fit_cpu_seconds": round(fit_seconds, 1),
            "cpu_seconds_per_1000_images": round(1_000 * seconds / len(sample), 2),
        }
    return figures


def measure_step(directory: Path, recipe: str) -> float:
    """Return the CPU seconds of a step of unsupervised training, over the first report after one of warming up."""
    images = images_from_array(load_images(directory)[0])
    config = replace(get_recipe(recipe), device="cpu", threads=torch.get_num_threads())
    state = create_train_state(config, images.shape)
    if isinstance(state.vae, PatchVAE):
        state.vae.fit_to_images(images, SEED)
    reports = train_epoch(state, put_on_device(images, state.device, config.network), None, config, 1)
    next(reports)
    started_at = time.process_time()
    next(reports)
    return round((time.process_time() - started_at) / BATCHES_PER_REPORT, 3)


def measure_steps(directory: Path) -> dict[str, Any]:
    """Return the CPU seconds of a step by each recipe."""
    return {recipe: measure_step(directory, recipe) for recipe in (DEFAULT_RECIPE, PHOTOS_RECIPE)}


def run_session(directory: Path, seed: int, mixed: MixedAnswer) -> dict[str, Any]:
    """Return the figures of a simulated session with the recipe for photographs."""
    class_count = int(load_images(directory)[1].max()) + 1
    config = replace(get_recipe(PHOTOS_RECIPE), seed=seed, threads=torch.get_num_threads())
    config = replace(config, network=replace(config.network, classes=class_count))
    review_answers = choose_review_answers("members", ANSWERS_PER_ROUND, config)
    annotator_config = AnnotatorConfig("members", ANSWERS_PER_ROUND, 0.02, review_answers=review_answers, mixed=mixed)
    started_at, cpu_started_at = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="vaetui-") as scratch:
        lifecycle.create_at(Path(scratch), str(directory), config, DataRecord())
        with closing(lifecycle.resume_at(Path(scratch))) as session:
            simulation = Simulation(session, TrainedReader(NoReader(), 1.0), annotator_config, Stopwatch())
            result = drain_events(simulation.run_to_end())
    return {
        "seed": seed,
        "mixed": mixed,
        "test_accuracy": result.test_accuracy,
        "answers": result.answers,
        "exported_accuracy": None if result.exported is None else result.exported.accuracy,
        "seconds": round(time.perf_counter() - started_at),
        "cpu_seconds": round(time.process_time() - cpu_started_at),
        "threads": torch.get_num_threads(),
    }


def main() -> None:
    """Measure the sets that are named, and keep the figures of the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("sets", nargs="*", default=["cifar10", "blood32"])
    parser.add_argument("--only", action="append")
    arguments = parser.parse_args()
    for name in arguments.sets:
        directory = find_dataset(name, arguments.cache)
        measurements: dict[str, Callable[[], dict[str, Any]]] = {
            "features": partial(measure_features, directory),
            "steps": partial(measure_steps, directory),
            "session": partial(run_session, directory, SEED, "nearest"),
        }
        for measurement, measure in measurements.items():
            if arguments.only and measurement not in arguments.only:
                continue
            figures = measure() | describe_run()
            results = load_results(RESULTS_NAME)
            results.setdefault(name, {"photographs": shows_photographs(directory)})[measurement] = figures
            replace_json(RESULTS / f"{RESULTS_NAME}.json", results)
            print(name, measurement, figures, flush=True)


if __name__ == "__main__":
    main()
