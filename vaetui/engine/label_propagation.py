"""Images become a graph of neighbours, over which a few labels spread to all; it does not know who gave them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from vaetui.engine import rng
from vaetui.engine.clusters import LatentVectors
from vaetui.engine.config import PropagationConfig
from vaetui.engine.events import Progress
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.seeds import LabelledSet

ANCHORS_PER_IMAGE = 6
"""Images of the sample from which any other image takes what they have."""
RBF_GAMMA = 4.0
"""The affinity of two neighbours is exp(-4 d^2 / r^2), with r the distance of the farthest neighbour."""
DIFFUSION_STEPS = 200
"""Steps of the walk: what all figures were measured with; another number was not tried."""
STEPS_PER_REPORT = 20
"""Steps between two reports: a tenth of a second."""
CHUNK_IMAGES = 1 << 16
"""Images whose neighbours are looked for at a time: half a second."""
SOFTMAX_TEMPERATURE = 0.3
"""How a potential becomes a probability: the temperature of the softmax, in standard deviations of all potentials."""
MARGIN_POWER = 3
"""Power of the lead that an image's label has over the second class: what is in doubt counts little."""


@dataclass(frozen=True, slots=True, eq=False)
class KNNGraph:
    """Which images lie together."""

    adjacency: sparse.csr_array
    """Affinities of the S images of the sample, [S, S]."""
    anchor_weights: sparse.csr_array
    """What share each of the N images has in those of the sample, [N, S]; a row sums to 1."""


def build_knn_graph(
    vectors: LatentVectors, config: PropagationConfig, seed: int, threads: int
) -> Generator[Progress, None, KNNGraph]:
    """Link each image of a sample with its nearest ones, and tie all others, [N, Z], to the sample.

    Yields its progress. The sample bounds the cost: it grows with N, not with its square. The bits depend on the
    number of threads.
    """
    count = len(vectors)
    sample = np.sort(rng.derive_generator(seed, "sample").permutation(count)[: config.max_graph_images])
    size = len(sample)
    neighbours = min(config.neighbours, size - 1)
    search = NearestNeighbors(n_neighbors=neighbours + 1, algorithm="brute").fit(vectors[sample])
    nearest = min(ANCHORS_PER_IMAGE, neighbours + 1)
    near, shares = np.empty((count, nearest), np.int32), np.empty((count, nearest))
    linked, reached = np.empty((size, neighbours + 1), np.int32), np.empty((size, neighbours + 1))
    for start in range(0, count, CHUNK_IMAGES):
        yield Progress("looking for neighbours", start, count)
        with threadpool_limits(limits=threads):
            far, which = search.kneighbors(
                vectors[start : start + CHUNK_IMAGES]
            )  # 2 x [P, neighbours + 1], nearest first
        near[start : start + CHUNK_IMAGES], shares[start : start + CHUNK_IMAGES] = (
            which[:, :nearest],
            _compute_affinities(far[:, :nearest]),
        )
        first, last = np.searchsorted(sample, [start, start + CHUNK_IMAGES])
        linked[first:last], reached[first:last] = (it[sample[first:last] - start] for it in (which, far))
    own = linked == np.arange(size)[:, None]
    own[~own.any(axis=1), -1] = True  # one of many equal images may not find itself: its last neighbour goes
    others, reached = (it[~own].reshape(size, neighbours) for it in (linked, reached))
    links = _build_sparse(others, _compute_affinities(reached), size)
    near[sample, 0], shares[sample] = np.arange(size), np.eye(nearest)[0]
    shares /= shares.sum(axis=1, keepdims=True)
    return KNNGraph(links.maximum(links.T).tocsr(), _build_sparse(near, shares, size))


def poisson_learning(
    graph: KNNGraph, labelled: LabelledSet, class_count: int
) -> Generator[Progress, None, NDArray[np.float32]]:
    """Give the probability of each class for each image, [N, classes]; all alike without seeds.

    Yields its progress. Poisson learning (Calder et al. 2020, algorithm 1): seeds are sources and sinks of a flow over
    the graph, which stays well-posed with very few of them.
    """
    sources = np.zeros((graph.anchor_weights.shape[0], class_count))  # [N, classes]
    np.add.at(sources, (labelled.indices, labelled.class_ids), labelled.weights)
    total = max(float(labelled.weights.sum()), 1e-12)
    np.subtract.at(sources, labelled.indices, labelled.weights[:, None] * sources.sum(axis=0) / total)
    degrees = np.maximum(graph.adjacency.sum(axis=1), 1e-9)  # [S]
    walk = sparse.diags_array(1 / degrees) @ graph.adjacency
    flow = (graph.anchor_weights.T @ sources) / degrees[:, None]  # [S, classes]
    potentials = np.zeros_like(flow)
    for step in range(DIFFUSION_STEPS):
        if step % STEPS_PER_REPORT == 0:
            yield Progress("spreading the answers", step, DIFFUSION_STEPS)
        potentials = walk @ potentials + flow
    potentials -= degrees @ potentials / degrees.sum()
    potentials /= SOFTMAX_TEMPERATURE * max(float(potentials.std()), 1e-12)
    odds = np.exp(potentials - potentials.max(axis=1, keepdims=True))
    probabilities = graph.anchor_weights @ (odds / odds.sum(axis=1, keepdims=True))  # [N, classes]
    found: NDArray[np.float32] = np.asarray(probabilities, np.float32)
    return found


def to_pseudo_labels(probabilities: NDArray[np.float32]) -> PseudoLabels:
    """Give each image its likeliest class, weighted by the lead over the second, from [N, classes]."""
    second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
    return PseudoLabels(probabilities.argmax(axis=1), np.clip(first - second, 0, 1) ** MARGIN_POWER)


def uncertainty(
    probabilities: NDArray[np.float32], predicted: NDArray[np.uint8], confidences: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Say how much graph, [N, classes], and classifier, 2 x [N], leave open of each image, [N]: most where they differ.

    From 0 for what both are sure of to 2.
    """
    differ = probabilities.argmax(axis=1) != predicted
    unsure: NDArray[np.float32] = differ + 1 - (probabilities.max(axis=1) + confidences) / 2
    return unsure


def _compute_affinities(distances: NDArray[np.float32]) -> NDArray[np.float64]:
    """Turn distances to neighbours [N, K], nearest first, into affinities."""
    reach = np.maximum(distances[:, -1:].astype(np.float64), 1e-12)
    affinities: NDArray[np.float64] = np.exp(-RBF_GAMMA * (distances / reach) ** 2)
    return affinities


def _build_sparse(columns: NDArray[np.int32], values: NDArray[np.float64], width: int) -> sparse.csr_array:
    """Make a sparse matrix [N, width] from the columns and values of its rows, 2 x [N, K]."""
    rows = np.repeat(np.arange(len(columns)), columns.shape[1])
    return sparse.csr_array((values.ravel(), (rows, columns.ravel())), shape=(len(columns), width))
