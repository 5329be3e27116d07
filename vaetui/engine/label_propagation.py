"""Label propagation over a graph of nearest neighbours (Poisson learning)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from vaetui.engine import rng
from vaetui.engine.clusters import LatentVectors
from vaetui.engine.config import PropagationConfig
from vaetui.engine.events import Progress
from vaetui.engine.pseudo_labels import LabelledSet, PseudoLabels

ANCHORS_PER_IMAGE = 6
"""Graph images from which an image outside the graph takes its label."""
RBF_GAMMA = 4.0
"""Affinity of two neighbours: exp(-RBF_GAMMA d^2 / r^2), with r the distance of the farthest neighbour."""
COINCIDENCE_TOLERANCE = 1e-6
"""Distance, relative to the longest vector, up to which two vectors count as equal: some units of float32 rounding."""
DIFFUSION_STEPS = 200
"""Steps of the diffusion, as in all published measurements; other numbers are untested."""
STEPS_PER_REPORT = 20
"""Diffusion steps between two reports: about 0.1 s."""
CHUNK_NUMBERS = 1 << 20
"""Numbers in the vectors whose neighbours are searched at a time: 65,536 vectors of 16 numbers take about 0.5 s."""
SOFTMAX_TEMPERATURE = 0.3
"""Temperature of the softmax over potentials, in standard deviations of all potentials."""
MARGIN_POWER = 3
"""Exponent of the margin between the two most probable classes, so that uncertain labels get little weight."""


@dataclass(frozen=True, slots=True, eq=False)
class KNNGraph:
    """A graph of the nearest neighbours of a sample of images, and the position of all images relative to it."""

    adjacency: sparse.csr_array
    """Affinities of the S images of the sample, [S, S], symmetric."""
    anchor_weights: sparse.csr_array
    """Weights of the images of the sample for each of the N images, [N, S]; rows sum to 1."""
    equal_nodes: NDArray[np.int64]
    """For each of the N images, the image of the sample with the same vector, from 0 to S - 1; -1 if there is none."""


def build_knn_graph(
    vectors: LatentVectors, config: PropagationConfig, seed: int, threads: int
) -> Generator[Progress, None, KNNGraph]:
    """Link the images of a random sample to their nearest neighbours, and all images, [N, Z], to the sample.

    Yields Progress and returns a KNNGraph. The sample keeps the cost linear in N. Of images with equal vectors it
    contains one, because a vector that is its own neighbour many times has no link to any other; the other images
    depend on that one alone. The bits of the result depend on the number of threads.
    """
    count = len(vectors)
    sample = np.sort(rng.derive_generator(seed, "sample").permutation(count)[: config.max_graph_images])
    tolerance = COINCIDENCE_TOLERANCE * max(float(np.linalg.norm(vectors[sample], axis=1).max()), 1e-12)
    sample = sample[_find_distinct_vectors(vectors[sample], tolerance)]
    size = len(sample)
    neighbours = min(config.neighbours, size - 1)
    index = NearestNeighbors(n_neighbors=neighbours + 1, algorithm="brute").fit(vectors[sample])
    anchors = min(ANCHORS_PER_IMAGE, neighbours + 1)
    anchor_ids, anchor_affinities = np.empty((count, anchors), np.int32), np.empty((count, anchors))
    equal_nodes = np.empty(count, np.int64)
    sample_ids, sample_distances = np.empty((size, neighbours + 1), np.int32), np.empty((size, neighbours + 1))
    chunk_size = max(CHUNK_NUMBERS // vectors.shape[1], 1)
    for start in range(0, count, chunk_size):
        yield Progress("finding nearest neighbours", start, count)
        chunk = slice(start, start + chunk_size)
        with threadpool_limits(limits=threads):
            distances, ids = index.kneighbors(vectors[chunk])  # 2 x [P, neighbours + 1], nearest first
        anchor_ids[chunk] = ids[:, :anchors]
        anchor_affinities[chunk] = _compute_affinities(distances[:, :anchors])
        is_equal = distances[:, 0] <= tolerance
        anchor_affinities[chunk][is_equal] = np.eye(anchors)[0]
        equal_nodes[chunk] = np.where(is_equal, ids[:, 0], -1)
        first, last = np.searchsorted(sample, [chunk.start, chunk.stop])
        rows = sample[first:last] - start
        sample_ids[first:last], sample_distances[first:last] = ids[rows], distances[rows]
    is_self = sample_ids == np.arange(size)[:, None]
    is_self[~is_self.any(axis=1), -1] = True  # of many equal images, one may miss itself: drop its last neighbour
    neighbour_ids = sample_ids[~is_self].reshape(size, neighbours)
    neighbour_distances = sample_distances[~is_self].reshape(size, neighbours)
    links = _build_sparse(neighbour_ids, _compute_affinities(neighbour_distances), size)
    anchor_ids[sample, 0], anchor_affinities[sample] = np.arange(size), np.eye(anchors)[0]
    equal_nodes[sample] = np.arange(size)
    anchor_affinities /= anchor_affinities.sum(axis=1, keepdims=True)
    anchor_weights = _build_sparse(anchor_ids, anchor_affinities, size)
    return KNNGraph(links.maximum(links.T).tocsr(), anchor_weights, equal_nodes)


def run_poisson_learning(
    graph: KNNGraph, labelled: LabelledSet, class_count: int
) -> Generator[Progress, None, NDArray[np.float32]]:
    """Propagate labels over the graph; all classes are equally probable if there are none.

    Yields Progress and returns class probabilities, [N, classes]. Labelled images are sources and sinks of a flow over
    the graph, which stays well-posed with very few labels (Calder et al. 2020, "Poisson learning", algorithm 1).
    """
    sources = np.zeros((graph.anchor_weights.shape[0], class_count))  # [N, classes]
    weights = labelled.weights / _count_equal_labelled_images(graph, labelled)
    np.add.at(sources, (labelled.indices, labelled.class_ids), weights)
    total = max(float(weights.sum()), 1e-12)
    np.subtract.at(sources, labelled.indices, weights[:, None] * sources.sum(axis=0) / total)
    degrees = np.maximum(graph.adjacency.sum(axis=1), 1e-9)  # [S]
    transitions = sparse.diags_array(1 / degrees) @ graph.adjacency
    flow = (graph.anchor_weights.T @ sources) / degrees[:, None]  # [S, classes]
    potentials = np.zeros_like(flow)
    for step in range(DIFFUSION_STEPS):
        if step % STEPS_PER_REPORT == 0:
            yield Progress("propagating labels", step, DIFFUSION_STEPS)
        potentials = transitions @ potentials + flow
    potentials -= degrees @ potentials / degrees.sum()
    potentials /= SOFTMAX_TEMPERATURE * max(float(potentials.std()), 1e-12)
    exponentials = np.exp(potentials - potentials.max(axis=1, keepdims=True))
    probabilities = graph.anchor_weights @ (exponentials / exponentials.sum(axis=1, keepdims=True))  # [N, classes]
    return np.asarray(probabilities, np.float32)


def keep_labels_of_repeated_images(
    probabilities: NDArray[np.float32],
    graph: KNNGraph,
    labelled: LabelledSet,
    copy_counts: NDArray[np.float32] | None,
) -> NDArray[np.float32]:
    """Return class probabilities [N, classes] in which labelled images that occur more than once keep their last label.

    They are labelled images with copies, `copy_counts` [N] unless None, or with the vector of another image, which gets
    the same label. The graph contains each only once, so their many neighbours of another class could outweigh it.
    """
    is_equal = graph.equal_nodes >= 0
    groups = np.where(is_equal, graph.equal_nodes, graph.adjacency.shape[0] + np.arange(len(is_equal)))  # [N]
    group_sizes = np.bincount(groups, copy_counts)
    repeated_labels = np.flatnonzero(group_sizes[groups[labelled.indices]] > 1)
    if not len(repeated_labels):
        return probabilities
    last_labels = np.full(len(group_sizes), -1)
    last_labels[groups[labelled.indices[repeated_labels]]] = repeated_labels
    images = np.flatnonzero(last_labels[groups] >= 0)
    labels = last_labels[groups[images]]
    margins = (labelled.weights[labels] ** (1 / MARGIN_POWER)).astype(np.float32)  # the weight in `to_pseudo_labels`
    changed = probabilities.copy()
    changed[images] = ((1 - margins) / probabilities.shape[1])[:, None]
    changed[images, labelled.class_ids[labels]] += margins
    return changed


def _count_equal_labelled_images(graph: KNNGraph, labelled: LabelledSet) -> NDArray[np.int64]:
    """Return for each label, [M], how many labelled images have the vector of its image: together they count as one."""
    nodes = graph.equal_nodes[np.unique(labelled.indices)]
    counts = np.bincount(nodes[nodes >= 0], minlength=graph.adjacency.shape[0])
    label_nodes = graph.equal_nodes[labelled.indices]
    return np.where(label_nodes >= 0, counts[label_nodes], 1)


def to_pseudo_labels(probabilities: NDArray[np.float32]) -> PseudoLabels:
    """Return the most probable class of each image, weighted by its margin over the second, from [N, classes]."""
    second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
    return PseudoLabels(probabilities.argmax(axis=1), np.clip(first - second, 0, 1) ** MARGIN_POWER)


def compute_uncertainty(
    probabilities: NDArray[np.float32], predicted: NDArray[np.uint8], confidences: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the uncertainty of each image, [N], from 0 to 2: 1 more where graph and classifier disagree.

    `probabilities` [N, classes] come from the graph; `predicted` and `confidences` [N] from the classifier.
    """
    differs = probabilities.argmax(axis=1) != predicted
    uncertainties: NDArray[np.float32] = differs + 1 - (probabilities.max(axis=1) + confidences) / 2
    return uncertainties


def _find_distinct_vectors(vectors: LatentVectors, tolerance: float) -> NDArray[np.int64]:
    """Return the positions of the first ones of equal vectors among [S, z_dim], ascending.

    Vectors on both sides of a rounding boundary count as different, but there are few of them.
    """
    rounded = np.round(vectors.astype(np.float64) / tolerance).astype(np.int64)
    first_positions = np.unique(rounded, axis=0, return_index=True)[1]
    return np.sort(first_positions).astype(np.int64)


def _compute_affinities(distances: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the affinities of neighbours at distances [N, K], nearest first."""
    radius = np.maximum(distances[:, -1:].astype(np.float64), 1e-12)
    affinities: NDArray[np.float64] = np.exp(-RBF_GAMMA * (distances / radius) ** 2)
    return affinities


def _build_sparse(columns: NDArray[np.int32], values: NDArray[np.float64], width: int) -> sparse.csr_array:
    """Return a sparse matrix [N, width] from the columns and values of its rows, 2 x [N, K]."""
    rows = np.repeat(np.arange(len(columns)), columns.shape[1])
    return sparse.csr_array((values.ravel(), (rows, columns.ravel())), shape=(len(columns), width))
