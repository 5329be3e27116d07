"""Measure the neighbour graph of all images against that of a sample: python -m tests.benchmarks.graph [SET ...].

A set is mnist, fashion or a number of augmented digits, such as 1000000; all three without arguments. The vectors are
those of the default recipe in the first round. For each set: the share of the exact neighbours that the search finds,
time and memory of each part, and the accuracy of labels that are propagated from 300 images, 8 % of them wrong.
Results of other sets in the file are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from tests.benchmarks.datasets import find_dataset
from tests.benchmarks.large_dataset import AUGMENTATION, CHUNK_IMAGES, Meter
from tests.benchmarks.results import load_results, save_results
from tests.idx import MNIST_DIRECTORY
from vaetui.engine.augmentation import augment
from vaetui.engine.clusters import LatentVectors, to_metric_space
from vaetui.engine.images import read_idx_array
from vaetui.engine.label_propagation import build_knn_graph, run_poisson_learning, to_pseudo_labels
from vaetui.engine.neighbours import find_neighbours
from vaetui.engine.pseudo_labels import LabelledSet
from vaetui.engine.recipes import DEFAULT_RECIPE, get_recipe
from vaetui.engine.vae import to_byte_images, to_float_images
from vaetui.session import lifecycle
from vaetui.session.predictor import Predictor

SETS = ("mnist", "fashion", "1000000")
THREADS = 2
NEIGHBOURS = 12
SAMPLED_IMAGES = 15_000
"""Images of the sampled graph."""
RECALL_QUERIES = 1_000
LABELLED_IMAGES, WRONG_SHARE, LABEL_DRAWS = 300, 0.08, 3
"""Labelled images, the share of wrong labels, and how often they are drawn."""
SESSION = "graph"


def train_first_round(source: Path) -> tuple[LatentVectors, NDArray[np.uint8]]:
    """Train the session SESSION on images up to its first round; return embeddings [N, z_dim] and true classes [N]."""
    config = get_recipe(DEFAULT_RECIPE)
    config = replace(config, seed=100, threads=THREADS, training=replace(config.training, rounds=1))
    with closing(lifecycle.create(SESSION, str(source), config)) as session:
        for _ in session.advance():
            pass
        assert session.true_labels is not None
        assert session.true_labels.train_labels is not None
        return session.require_current_round().embeddings, session.true_labels.train_labels.class_ids


def encode_augmented_digits(count: int) -> tuple[LatentVectors, NDArray[np.uint8]]:
    """Return the embeddings of augmented digits by the networks of SESSION, [N, z_dim], and their classes, [N]."""
    digits = torch.from_numpy(read_idx_array(MNIST_DIRECTORY / "train-images-idx3-ubyte.gz", 3))
    class_ids = read_idx_array(MNIST_DIRECTORY / "train-labels-idx1-ubyte.gz", 1)
    predictor, embeddings = Predictor(SESSION), []
    vae = predictor.vae.eval()
    for start in range(0, count, CHUNK_IMAGES):
        indices = torch.arange(start, min(start + CHUNK_IMAGES, count)) % len(digits)
        with torch.inference_mode():
            images = augment(to_float_images(digits[indices]), AUGMENTATION, 0, start)
            latents = vae.encode(to_float_images(to_byte_images(images))).mean.numpy()
        embeddings.append(to_metric_space(latents, predictor.config.cluster.distance_metric))
    return np.concatenate(embeddings), np.resize(class_ids, count)


def measure_set(vectors: LatentVectors, class_ids: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the figures of one set."""
    meter = Meter()
    with meter.part("finding neighbours"):
        found = meter.follow(find_neighbours(vectors, NEIGHBOURS, 0, THREADS), lambda _: False)
    assert found is not None
    figures: dict[str, Any] = {"images": len(vectors), "recall": measure_recall(vectors, found.indices)}
    del found
    config = get_recipe(DEFAULT_RECIPE).propagation
    for name, size in (("sample", SAMPLED_IMAGES), ("all images", len(vectors))):
        with meter.part(f"graph of {name}"):
            graph = meter.follow(
                build_knn_graph(vectors, replace(config, max_graph_images=size), 0, THREADS), lambda _: False
            )
        assert graph is not None
        draws = []
        for labelled in draw_labels(class_ids):
            with meter.part(f"propagation over {name}"):
                probabilities = meter.follow(run_poisson_learning(graph, labelled, 10), lambda _: False)
            assert probabilities is not None
            pseudo_labels = to_pseudo_labels(probabilities)
            is_right = pseudo_labels.class_ids == class_ids
            most_certain = np.argsort(-pseudo_labels.weights, kind="stable")[: int(0.9 * len(class_ids))]
            draws.append((float(is_right.mean()), float(is_right[most_certain].mean())))
        accuracies, certain_accuracies = zip(*draws, strict=True)
        figures[name] = {"accuracy": accuracies, "accuracy_of_most_certain_90_percent": certain_accuracies}
    return figures | {"parts": meter.parts, "longest_gap_s": round(meter.longest_gap, 2)}


def measure_recall(vectors: LatentVectors, indices: NDArray[np.int32]) -> float:
    """Return which share of the exact neighbours of a sample is among the found ones, [N, k]."""
    rows = np.random.default_rng(0).permutation(len(vectors))[:RECALL_QUERIES]
    search = NearestNeighbors(n_neighbors=NEIGHBOURS + 1, algorithm="brute").fit(vectors)
    exact = search.kneighbors(vectors[rows], return_distance=False)
    exact = exact[exact != rows[:, None]].reshape(len(rows), NEIGHBOURS)
    return float((exact[:, :, None] == indices[rows][:, None]).any(axis=2).mean())


def draw_labels(class_ids: NDArray[np.uint8]) -> Iterator[LabelledSet]:
    """Yield labels of random images, of which some are wrong."""
    for draw in range(LABEL_DRAWS):
        generator = np.random.default_rng(draw)
        images = generator.choice(len(class_ids), LABELLED_IMAGES, replace=False)
        labels = class_ids[images].astype(np.int64)
        wrong_count = round(WRONG_SHARE * LABELLED_IMAGES)
        labels[:wrong_count] = (labels[:wrong_count] + generator.integers(1, 10, wrong_count)) % 10
        yield LabelledSet(images, labels, *np.ones((2, LABELLED_IMAGES)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    arguments = parser.parse_args()
    for name in arguments.sets:
        with tempfile.TemporaryDirectory(prefix="graph-", dir=os.environ.get("VAETUI_SCRATCH")) as home:
            os.environ["VAETUI_HOME"] = home
            cached = arguments.cache / name
            source = MNIST_DIRECTORY if name.isdigit() else cached if cached.exists() else find_dataset(name, cached)
            vectors, class_ids = train_first_round(source)
            if name.isdigit():
                vectors, class_ids = encode_augmented_digits(int(name))
            figures = measure_set(vectors, class_ids)
        print(json.dumps({name: figures}, indent=1), flush=True)
        sets = load_results("graph").get("sets", {}) | {name: figures}
        save_results("graph", 100, {"sets": dict(sorted(sets.items()))})


if __name__ == "__main__":
    main()
