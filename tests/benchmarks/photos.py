"""Accuracy on photographs and other images by vectors of an image model, by networks trained on the images, and by PCA.

python -m tests.benchmarks.photos --cache DIRECTORY [--sets cifar10,blood32] [--methods pca,features,propagation]
python -m tests.benchmarks.photos --cache DIRECTORY --fit

Image sets are those of `tests.benchmarks.datasets`: DIRECTORY/NAME.npz for photographs. A method is a recipe;
"rotations", the recipe for vectors with vectors that are means over four quarter turns; or "pca", the clusters of 50
principal components of the pixels, each named by the majority of all its members. Each set, method, number of answers
and seed is a unit with a process of its own. Vectors are computed once, and finished units are kept
in the cache, so that an interrupted run goes on. The results file gets all finished units of the cache. --fit prints
the coefficients of the uncalibrated confidence that fit the finished units with vectors best.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from tests.benchmarks.audit import count_classes
from tests.benchmarks.calibration import find_source, find_true_classes, rate, store_sample
from tests.benchmarks.forked_runs import NoReader
from tests.benchmarks.results import replace_json, save_results
from tests.benchmarks.uncalibrated_fit import print_models
from vaetui.data.import_options import ImportOptions
from vaetui.engine.config import Config, Device, decodes_centres
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx_array
from vaetui.engine.recipes import FEATURES_RECIPE, get_recipe
from vaetui.export.label_table import ANSWER
from vaetui.features.embedded_file import load_embedded_file
from vaetui.features.embedding import import_and_embed
from vaetui.features.image_models import load_model
from vaetui.features.model_names import DEFAULT_MODEL, ROTATIONS_SUFFIX
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.simulation.annotator_config import AnnotatorConfig, choose_mixed_answer, choose_review_answers
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.run import RoundAnswered, Simulation
from vaetui.simulation.stopwatch import Stopwatch
from vaetui.storage.data_record import DataRecord
from vaetui.storage.feature_record import FeatureRecord

PCA_METHOD = "pca"
MODELS = {FEATURES_RECIPE: DEFAULT_MODEL, "rotations": f"{DEFAULT_MODEL}{ROTATIONS_SUFFIX}"}
"""Methods with vectors, and their image models."""
PCA_COMPONENTS = 50
ROUNDS = 4
ERROR_RATE = 0.02
KMEANS_RUNS = 3
"""k-means runs of the PCA method; the best counts."""


def main() -> None:
    """Measure the units that are missing, and write the figures of all that are finished."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="directory of image sets and finished units")
    parser.add_argument("--sets", default="cifar10,blood32", help="image sets, separated by commas")
    parser.add_argument("--methods", default=f"{PCA_METHOD},{FEATURES_RECIPE}", help='recipes and "pca"')
    parser.add_argument("--answers", default="64", help="answers of a run, separated by commas")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=int, default=1, help="units at a time")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of a unit; 0 uses all cores")
    parser.add_argument("--fit", action="store_true", help="fit the coefficients to the finished units")
    parser.add_argument("--unit", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    directory = arguments.cache / "photos"
    directory.mkdir(parents=True, exist_ok=True)
    if arguments.fit:
        print_models([path for method in MODELS for path in sorted(directory.glob(f"*-{method}-*.npz"))])
        return
    if arguments.unit:
        measure_unit(arguments.unit, arguments.cache, arguments.device, arguments.threads)
        return
    names, methods = arguments.sets.split(","), arguments.methods.split(",")
    for name in names:
        source = find_source(name, arguments.cache)
        for method in set(methods) & set(MODELS):
            embed_images(source, arguments.cache / f"{name}.{method}.npy", MODELS[method], arguments.device)
    units = [
        f"{name}:{method}:{answers}:{seed}"
        for seed in range(arguments.seeds)
        for answers in arguments.answers.split(",")
        for name in names
        for method in methods
    ]

    def run_unit(unit: str) -> None:
        path = find_unit_file(unit, arguments.cache)
        if not path.exists():
            options = ["--cache", str(arguments.cache), "--device", arguments.device]
            options += ["--threads", str(arguments.threads), "--unit", unit]
            subprocess.run([sys.executable, "-m", "tests.benchmarks.photos", *options], check=True)
        print(describe_unit(json.loads(path.read_text())), flush=True)

    with ThreadPoolExecutor(arguments.processes) as pool:
        list(pool.map(run_unit, units))
    results = [json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))]
    save_results("photos", 0, {"model": DEFAULT_MODEL, "error_rate": ERROR_RATE, "units": results})


def find_unit_file(unit: str, cache: Path) -> Path:
    """Return the file with the figures of a unit."""
    return cache / "photos" / f"{unit.replace(':', '-')}.json"


def embed_images(source: Path, path: Path, model_name: str, device: Device) -> FeatureRecord:
    """Compute the vectors of all images of a set, or load those of an earlier run; return their record."""
    embedded = load_embedded_file(path)
    if embedded is None:
        started_at, model = time.monotonic(), load_model(model_name, device)
        _, embedded = drain_events(import_and_embed(source, ImportOptions(), model, path))
        seconds = time.monotonic() - started_at
        print(f"{path.name}: {embedded.sidecar.image_count:,} images in {seconds:.0f} s", flush=True)
    sidecar = embedded.sidecar
    count = sidecar.image_count + sidecar.test_count
    return FeatureRecord(str(path.absolute()), count, sidecar.width, sidecar.sha256, sidecar.model)


def measure_unit(unit: str, cache: Path, device: Device, threads: int) -> None:
    """Measure one unit and keep its figures."""
    name, method, answers, seed = unit.split(":")
    source, path = find_source(name, cache), find_unit_file(unit, cache)
    if method == PCA_METHOD:
        figures = measure_pca(source, int(answers), int(seed))
    else:
        record = None
        if method in MODELS:
            record = embed_images(source, cache / f"{name}.{method}.npy", MODELS[method], device)
        directory = path.with_suffix("")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        config = build_config(method, source, int(answers), int(seed), device, threads)
        lifecycle.create_at(directory, str(source), config, DataRecord(features=record))
        with closing(lifecycle.resume_at(directory)) as session:
            figures = measure_session(session, int(answers), path.with_suffix(".npz"))
        shutil.rmtree(directory)
    replace_json(path, {"set": name, "method": method, "answers": int(answers), "seed": int(seed), **figures})


def build_config(method: str, source: Path, answers: int, seed: int, device: Device, threads: int) -> Config:
    """Return the configuration of a session that asks for some answers in each of its rounds."""
    recipe = get_recipe(FEATURES_RECIPE if method in MODELS else method)
    return replace(
        recipe,
        seed=seed,
        device=device,
        threads=threads,
        network=replace(recipe.network, classes=count_classes(source)),
        cluster=replace(recipe.cluster, clusters=answers // ROUNDS),
        training=replace(recipe.training, rounds=ROUNDS),
    )


def measure_pca(source: Path, answers: int, seed: int) -> dict[str, Any]:
    """Return the accuracy of clusters of principal components that are named by the majority of all their members."""
    files, started_at = find_idx_files(source), time.monotonic()
    assert files.train_labels is not None
    assert files.test_images is not None
    assert files.test_labels is not None
    images, test_images = (read_images(path) for path in (files.train_images, files.test_images))
    labels, test_labels = (read_idx_array(file, 1).astype(np.int64) for file in (files.train_labels, files.test_labels))
    pca = PCA(PCA_COMPONENTS, random_state=seed).fit(images)
    vectors, test_vectors = (pca.transform(array) for array in (images, test_images))
    kmeans = KMeans(answers, n_init=KMEANS_RUNS, random_state=seed).fit(vectors)
    names = np.array([np.bincount(labels[kmeans.labels_ == cluster]).argmax() for cluster in range(answers)])
    return {
        "test_accuracy": [float(np.mean(names[kmeans.predict(test_vectors)] == test_labels))],
        "label_accuracy": float(np.mean(names[kmeans.labels_] == labels)),
        "seconds": round(time.monotonic() - started_at, 1),
    }


def read_images(path: Path) -> NDArray[np.float32]:
    """Return the images of an IDX file, values from 0 to 1, [N, pixels]."""
    images = read_idx_array(path, 4 if "idx4" in path.name else 3)
    pixels: NDArray[np.float32] = (images.reshape(len(images), -1) / 255).astype(np.float32)
    return pixels


def measure_session(session: Session, answers: int, samples_path: Path) -> dict[str, Any]:
    """Answer a session to its end; return its figures, and keep samples of its labels as `calibration` does."""
    per_round = answers // ROUNDS
    review_answers = choose_review_answers("members", per_round, session.config)
    mixed = choose_mixed_answer("members", not decodes_centres(session.config.network))
    annotator_config = AnnotatorConfig("members", per_round, ERROR_RATE, review_answers, mixed=mixed)
    simulation = Simulation(session, TrainedReader(NoReader(), 0.0), annotator_config, Stopwatch())
    states: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    events = simulation.run_to_end()
    result = None
    while result is None:
        try:
            event = next(events)
        except StopIteration as end:
            result = end.value
            break
        if isinstance(event, RoundAnswered) and event.round_number > 1:
            states.append(measure_state(session, event.round_number - 1, arrays))
    states.append(measure_state(session, session.round_count, arrays))
    np.savez_compressed(samples_path, **arrays)
    return {
        "test_accuracy": [None if share is None else round(share, 5) for share in result.test_accuracy],
        "label_accuracy": states[-1]["accuracy"],
        "expected_accuracy": states[-1]["expected"],
        "states": states,
        "answers_by_kind": vars(result.answers_by_kind),
        "seconds": round(result.seconds["total"], 1),
        "training_seconds": round(result.seconds.get("training", 0.0), 1),
        "peak_mb": result.to_dict()["peak_rss_mb"],
    }


def measure_state(session: Session, rounds: int, arrays: dict[str, Any]) -> dict[str, Any]:
    """Return how many inferred labels are right after some rounds, and how many should be by their confidences."""
    labelling = drain_events(session.labellings.load())
    table, true_class_ids = labelling.label_table, find_true_classes(session)
    is_rated = (table.class_ids >= 0) & (table.source_ids != ANSWER) & (true_class_ids >= 0)
    is_right = table.class_ids == true_class_ids
    store_sample(session, labelling, is_rated, is_right, rounds, arrays)
    confidences = labelling.evidence.uncalibrated_confidences
    figures = rate(confidences[is_rated], is_right[is_rated])
    return {"rounds": rounds, "accuracy": round(float(is_right[is_rated].mean()), 5), **figures}


def describe_unit(figures: dict[str, Any]) -> str:
    """Return the figures of a unit as a line."""
    accuracies = ", ".join(f"{100 * share:.1f}" for share in figures["test_accuracy"])
    text = f"{figures['set']:10} {figures['method']:12} {figures['answers']} answers, seed {figures['seed']}: "
    text += f"new images {accuracies} %, labels {100 * figures['label_accuracy']:.1f} %"
    if "expected_accuracy" in figures:
        text += f" (expected {100 * figures['expected_accuracy']:.1f} %)"
    return f"{text}, {figures['seconds']:.0f} s"


if __name__ == "__main__":
    main()
