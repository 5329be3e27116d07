"""Label propagation over a graph of nearest neighbours (Poisson learning)."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from vaetui.cpu_threads import count_usable_cpus
from vaetui.engine import rng
from vaetui.engine.clusters import LatentVectors
from vaetui.engine.config import PropagationConfig
from vaetui.engine.events import Progress
from vaetui.engine.neighbours import find_nearest, find_neighbours
from vaetui.engine.pseudo_labels import LabelledSet, PseudoLabels
from vaetui.engine.slow_calls import run_in_background

if TYPE_CHECKING:
    import torch

ANCHORS_PER_IMAGE = 6
"""Graph images from which an image outside the graph takes its label."""
RBF_GAMMA = 4.0
"""Affinity of two neighbours: exp(-RBF_GAMMA d^2 / r^2), with r the distance of the farthest neighbour."""
COINCIDENCE_TOLERANCE = 1e-6
"""Distance, relative to the longest vector, up to which two vectors count as equal: some units of float32 rounding."""
CLASS_BALANCE = 0.5
"""Exponent of the summed weights of a class by which each of its labels is divided.

Rounds about uncertain images label some classes many times, and these would spread over the images of others.
"""
DIFFUSION_TIME = 200.0
"""Steps that a random walk from a label survives on average. On MNIST, walks that never end label 1 to 2 % worse."""
RESIDUAL_TOLERANCE = 1e-2
"""Norm of the residual, relative to that of the sources, at which the equation counts as solved."""
MAX_SOLVER_STEPS = 200
"""Most steps of conjugate gradients; about 30 reach the tolerance."""
SMOOTHING_STEPS = 2
"""Averages of the probabilities over neighbours: 90 % of the images then have 99.5 instead of 98.8 % right labels."""
BLOCK_LINKS = 1 << 18
"""Links of the graph that one thread multiplies at a time."""
MAX_QUERIES = 1 << 20
"""Images outside the graph whose nearest nodes are searched at a time, which bounds the memory of the search."""
CHUNK_NUMBERS = 1 << 22
"""Numbers of vectors or probabilities that are processed at a time, which bounds the memory."""
SOFTMAX_TEMPERATURE = 0.2
"""Temperature of the softmax over potentials, in standard deviations of all potentials."""
MARGIN_POWER = 3
"""Exponent of the margin between the two most probable classes, so that uncertain labels get little weight."""


@dataclass(frozen=True, slots=True, eq=False)
class KNNGraph:
    """A graph of the nearest neighbours of distinct images, and the position of all images relative to it."""

    adjacency: sparse.csr_array
    """Affinities of the S nodes, [S, S], symmetric."""
    anchor_weights: sparse.csr_array
    """Weights of the nodes for each of the N images, [N, S]; rows sum to 1. A node has itself only."""
    equal_nodes: NDArray[np.int64]
    """For each of the N images, the node with the same vector, from 0 to S - 1; -1 if there is none."""
    threads: int
    """Threads that multiply with the matrices; 0 for all CPUs in reach. They do not change the results."""


def build_knn_graph(
    vectors: LatentVectors,
    config: PropagationConfig,
    seed: int,
    threads: int,
    device: torch.device | None = None,
) -> Generator[Progress, None, KNNGraph]:
    """Link images to their nearest neighbours, [N, Z]; beyond `max_graph_images`, a random sample of them.

    Yields Progress and returns a KNNGraph. Of images with equal vectors the graph contains one, because a vector that
    is its own neighbour many times has no link to any other; the other images depend on that one alone. Images outside
    the sample depend on the nearest ones in it. An accelerator as `device` compares the vectors.
    """
    count, sample = len(vectors), np.arange(len(vectors))
    if count > config.max_graph_images:
        permutation = rng.derive_generator(seed, "sample").permutation(count)
        sample = np.sort(permutation[: config.max_graph_images])

    def find_nodes() -> tuple[NDArray[np.int64], NDArray[np.int64], float, LatentVectors]:
        sampled = vectors if len(sample) == count else vectors[sample]
        tolerance = COINCIDENCE_TOLERANCE * max(float(np.linalg.norm(sampled, axis=1).max()), 1e-12)
        first_positions, node_positions = _find_distinct_vectors(sampled, tolerance)
        is_distinct = len(first_positions) == len(sampled)
        return first_positions, node_positions, tolerance, sampled if is_distinct else sampled[first_positions]

    activity = "finding nearest neighbours"
    nodes, node_positions, tolerance, node_vectors = yield from run_in_background(activity, find_nodes)
    equal_nodes = np.full(count, -1)
    equal_nodes[sample] = node_positions
    neighbours = yield from find_neighbours(node_vectors, config.neighbours, seed, threads, device)

    def link_images() -> sparse.csr_array:
        links = _build_sparse(neighbours.indices, _compute_affinities(neighbours.distances), len(nodes))
        return links.maximum(links.T.tocsr())

    adjacency = yield from run_in_background("linking images", link_images)
    anchor_weights = yield from _link_to_nodes(vectors, node_vectors, equal_nodes, tolerance, seed, threads, device)
    return KNNGraph(adjacency, anchor_weights, equal_nodes, threads)


def _link_to_nodes(
    vectors: LatentVectors,
    node_vectors: LatentVectors,
    equal_nodes: NDArray[np.int64],
    tolerance: float,
    seed: int,
    threads: int,
    device: torch.device | None,
) -> Generator[Progress, None, sparse.csr_array]:
    """Return the weights of the nodes for N images, [N, S]; yields Progress.

    Images without an equal node, -1 in `equal_nodes` [N], get those of the nearest nodes. Nodes within the tolerance
    are added to `equal_nodes`.
    """
    outside, anchor_count = np.flatnonzero(equal_nodes < 0), min(ANCHORS_PER_IMAGE, len(node_vectors))
    sizes = np.ones(len(vectors), np.int64)
    sizes[outside] = anchor_count
    starts = np.concatenate([[0], np.cumsum(sizes)])
    columns, weights = np.zeros(starts[-1], np.int32), np.ones(starts[-1], np.float32)
    columns[starts[:-1]] = equal_nodes  # other values of images outside follow
    for start in range(0, len(outside), MAX_QUERIES):
        images = outside[start : start + MAX_QUERIES]
        anchors = yield from find_nearest(vectors[images], node_vectors, anchor_count, seed, threads, device)
        affinities, is_equal = _compute_affinities(anchors.distances), anchors.distances[:, 0] <= tolerance
        affinities[is_equal] = np.eye(anchor_count)[0]
        slots = starts[images][:, None] + np.arange(anchor_count)
        columns[slots], weights[slots] = anchors.indices, affinities / affinities.sum(axis=1, keepdims=True)
        equal_nodes[images[is_equal]] = anchors.indices[is_equal, 0]
    return sparse.csr_array((weights, columns, starts), shape=(len(vectors), len(node_vectors)))


def run_poisson_learning(
    graph: KNNGraph, labelled: LabelledSet, class_count: int, full_weight_images: float = 1.0
) -> Generator[Progress, None, NDArray[np.float32]]:
    """Propagate labels over the graph; all classes are equally probable if there are none.

    Yields Progress and returns class probabilities, [N, classes]. Labelled images are sources and sinks of a flow over
    the graph, which stays well-posed with very few labels (Calder et al. 2020, "Poisson learning"). The more labels a
    class has, the less each of them counts; so do labels that stand for fewer than `full_weight_images`. All other
    images then take the mean probabilities of their neighbours, so that a wrong label does not decide about those next
    to it.
    """
    images, rows = np.unique(labelled.indices, return_inverse=True)
    sources = np.zeros((len(images), class_count))  # only of labelled images: all others would be zeros
    weights = labelled.weights * np.minimum(labelled.image_counts / full_weight_images, 1)
    weights /= _count_equal_labelled_images(graph, labelled)
    class_sums = np.maximum(np.bincount(labelled.class_ids, weights, class_count), 1e-12)
    weights /= class_sums[labelled.class_ids] ** CLASS_BALANCE
    np.add.at(sources, (rows, labelled.class_ids), weights)
    total = max(float(weights.sum()), 1e-12)
    np.subtract.at(sources, rows, weights[:, None] * sources.sum(axis=0) / total)
    node_sources = graph.anchor_weights[images].T @ sources
    potentials = yield from _solve_poisson_equation(graph, node_sources)  # [S, classes]
    potentials /= SOFTMAX_TEMPERATURE * max(float(potentials.std(dtype=np.float64)), 1e-12)
    probabilities: NDArray[np.float32] = np.exp(potentials - potentials.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    nodes = graph.equal_nodes[images]
    nodes = nodes[nodes >= 0]
    labelled_probabilities = probabilities[nodes]
    for _ in range(SMOOTHING_STEPS):
        yield Progress("propagating labels", 1, 1)
        means = _multiply(graph.adjacency, probabilities, graph.threads)
        degrees = means.sum(axis=1, keepdims=True)
        probabilities = np.where(degrees > 0, means / np.maximum(degrees, 1e-12), probabilities)
    probabilities[nodes] = labelled_probabilities
    return (yield from run_in_background("propagating labels", lambda: _spread_to_images(graph, probabilities)))


def _spread_to_images(graph: KNNGraph, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the class probabilities of all images, [N, classes], from those of the graph, [S, classes]."""
    return np.asarray(graph.anchor_weights @ probabilities, np.float32)


def _solve_poisson_equation(
    graph: KNNGraph, sources: NDArray[np.float64]
) -> Generator[Progress, None, NDArray[np.float32]]:
    """Return the potentials u of sources b, both [S, classes], with (D - W + D / DIFFUSION_TIME) u = b.

    W is the adjacency and D its degrees. The last term ends the flow far from all sources. It makes the matrix
    positive definite: a component of the graph without labels gets 0, and one with labels of some classes only gets
    finite potentials. Conjugate gradients, all classes at once, solve the equation scaled by the roots of D on both
    sides, whose diagonal is constant.
    """
    degrees = np.maximum(graph.adjacency.sum(axis=1, dtype=np.float64), 1e-9)
    scales = (1 / np.sqrt(degrees)).astype(np.float32)[:, None]  # [S, 1]
    residual: NDArray[np.float32] = (sources * scales).astype(np.float32)
    solution, direction = np.zeros_like(residual), residual.copy()
    squares = _sum_squares(residual)  # [classes]
    target = RESIDUAL_TOLERANCE**2 * np.maximum(squares, np.finfo(np.float32).tiny)
    first_excess = excess = -2 * np.log(RESIDUAL_TOLERANCE)  # logarithm of the squared residual over its target
    for _ in range(MAX_SOLVER_STEPS):
        yield Progress("propagating labels", round(100 * (1 - excess / first_excess)), 100)
        if (squares <= target).all():
            break
        product = direction * np.float32(1 + 1 / DIFFUSION_TIME)
        product -= scales * _multiply(graph.adjacency, scales * direction, graph.threads)
        curvatures = np.einsum("ij,ij->j", direction, product, dtype=np.float64)
        lengths = np.divide(squares, curvatures, out=np.zeros_like(squares), where=curvatures > 0).astype(np.float32)
        solution += lengths * direction
        residual -= lengths * product
        squares, last_squares = _sum_squares(residual), squares
        growth = np.divide(squares, last_squares, out=np.zeros_like(squares), where=last_squares > 0)
        direction *= growth.astype(np.float32)
        direction += residual
        excess = min(excess, max(float(np.log(np.maximum(squares, 1e-300) / target).max()), 0.0))
    return np.asarray(solution * scales, np.float32)


def _multiply(matrix: sparse.csr_array, values: NDArray[np.float32], threads: int) -> NDArray[np.float32]:
    """Return the product of a sparse matrix [S, S] and values [S, classes], computed in blocks of rows by threads."""
    product = np.empty_like(values)
    borders = np.linspace(0, len(values), max(matrix.nnz // BLOCK_LINKS, 1) + 1).astype(int).tolist()

    def multiply_rows(start: int, stop: int) -> None:
        first, last = matrix.indptr[start], matrix.indptr[stop]
        arrays = matrix.data[first:last], matrix.indices[first:last], matrix.indptr[start : stop + 1] - first
        rows = sparse.csr_array(arrays, shape=(stop - start, matrix.shape[1]), copy=False)  # views, unlike a slice
        product[start:stop] = rows @ values

    with ThreadPoolExecutor(threads or count_usable_cpus()) as pool:
        list(pool.map(multiply_rows, borders[:-1], borders[1:]))
    return product


def _sum_squares(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the sums of squares of the columns, [classes]."""
    sums: NDArray[np.float64] = np.einsum("ij,ij->j", values, values, dtype=np.float64)
    return sums


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
    class_ids, weights = np.empty(len(probabilities), np.int64), np.empty(len(probabilities), np.float32)
    step = max(CHUNK_NUMBERS // probabilities.shape[1], 1)
    for start in range(0, len(probabilities), step):
        chunk = probabilities[start : start + step]
        second, first = np.partition(chunk, -2, axis=1)[:, -2:].T
        class_ids[start : start + step] = chunk.argmax(axis=1)
        weights[start : start + step] = np.clip(first - second, 0, 1) ** MARGIN_POWER
    return PseudoLabels(class_ids, weights)


def compute_uncertainty(
    probabilities: NDArray[np.float32], predicted: NDArray[np.uint8], confidences: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the uncertainty of each image, [N], from 0 to 2: 1 more where graph and classifier disagree.

    `probabilities` [N, classes] come from the graph; `predicted` and `confidences` [N] from the classifier.
    """
    differs = probabilities.argmax(axis=1) != predicted
    uncertainties: NDArray[np.float32] = differs + 1 - (probabilities.max(axis=1) + confidences) / 2
    return uncertainties


def _find_distinct_vectors(vectors: LatentVectors, tolerance: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the first of each group of equal vectors [S, z_dim], ascending, and the group of each.

    Vectors on both sides of a rounding boundary count as different, but there are few of them. Rounded vectors are
    compared by hashes of 64 bits, which collide for one in about 10 million sets of a million vectors.
    """
    factors = np.random.default_rng(0).integers(2**63, size=vectors.shape[1], dtype=np.int64) * 2 + 1
    hashes = np.empty(len(vectors), np.int64)
    step = max(CHUNK_NUMBERS // vectors.shape[1], 1)
    for start in range(0, len(vectors), step):
        chunk = vectors[start : start + step].astype(np.float64)
        hashes[start : start + step] = np.round(chunk / tolerance).astype(np.int64) @ factors  # modulo 2**64
    _, first_positions, groups = np.unique(hashes, return_index=True, return_inverse=True)
    order = np.argsort(first_positions)
    renumbered = np.empty_like(order)
    renumbered[order] = np.arange(len(order))
    return first_positions[order].astype(np.int64), renumbered[groups]


def _compute_affinities(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the affinities of neighbours at distances [N, K], nearest first."""
    radius = np.maximum(distances[:, -1:], 1e-12)
    affinities: NDArray[np.float32] = np.exp(-RBF_GAMMA * (distances / radius) ** 2)
    return affinities


def _build_sparse(columns: NDArray[np.int32], values: NDArray[np.float32], width: int) -> sparse.csr_array:
    """Return a sparse matrix [N, width] from the columns and values of its rows, 2 x [N, K]."""
    starts = np.arange(0, columns.size + 1, columns.shape[1]) if columns.size else np.zeros(len(columns) + 1, int)
    return sparse.csr_array((values.ravel(), columns.ravel(), starts), shape=(len(columns), width))
