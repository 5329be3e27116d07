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
from vaetui.engine.clusters import Vectors
from vaetui.engine.config import SpreadConfig
from vaetui.engine.events import Progressed
from vaetui.engine.pseudo_labels import Weights
from vaetui.engine.seeds import Seeds

NEAREST = 6
"""Images of the sample from which any other image takes what they have."""
FADING = 4.0
"""The affinity of two neighbours is exp(-4 d^2 / r^2), with r the distance of the farthest neighbour."""
STEPS = 200
"""Steps of the walk: what all figures were measured with; another number was not tried."""
REPORT = 20
"""Steps between two reports: a tenth of a second."""
PIECE = 1 << 16
"""Images whose neighbours are looked for at a time: half a second."""
SHARP = 0.3
"""How a potential becomes a probability: the temperature of the softmax, in standard deviations of all potentials."""
LEAD = 3
"""Power of the lead that an image's label has over the second class: what is in doubt counts little."""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Which images lie together."""

    links: sparse.csr_array
    """Affinities of the S images of the sample, [S, S]."""
    anchors: sparse.csr_array
    """What share each of the N images has in those of the sample, [N, S]; a row sums to 1."""


def connect(places: Vectors, config: SpreadConfig, seed: int, threads: int) -> Generator[Progressed, None, Graph]:
    """Link each image of a sample with its nearest ones, and tie all others, [N, Z], to the sample.

    Yields its progress. The sample bounds the cost: it grows with N, not with its square. The bits depend on the
    number of threads.
    """
    count = len(places)
    sample = np.sort(rng.generator(seed, "sample").permutation(count)[: config.sample])
    size = len(sample)
    neighbours = min(config.neighbours, size - 1)
    search = NearestNeighbors(n_neighbors=neighbours + 1, algorithm="brute").fit(places[sample])
    nearest = min(NEAREST, neighbours + 1)
    near, shares = np.empty((count, nearest), np.int32), np.empty((count, nearest))
    linked, reached = np.empty((size, neighbours + 1), np.int32), np.empty((size, neighbours + 1))
    for start in range(0, count, PIECE):
        yield Progressed("looking for neighbours", start, count)
        with threadpool_limits(limits=threads):
            far, which = search.kneighbors(places[start : start + PIECE])  # 2 x [P, neighbours + 1], nearest first
        near[start : start + PIECE], shares[start : start + PIECE] = which[:, :nearest], _affinities(far[:, :nearest])
        first, last = np.searchsorted(sample, [start, start + PIECE])
        linked[first:last], reached[first:last] = (it[sample[first:last] - start] for it in (which, far))
    own = linked == np.arange(size)[:, None]
    own[~own.any(axis=1), -1] = True  # one of many equal images may not find itself: its last neighbour goes
    others, reached = (it[~own].reshape(size, neighbours) for it in (linked, reached))
    links = _matrix(others, _affinities(reached), size)
    near[sample, 0], shares[sample] = np.arange(size), np.eye(nearest)[0]
    shares /= shares.sum(axis=1, keepdims=True)
    return Graph(links.maximum(links.T).tocsr(), _matrix(near, shares, size))


def spread(graph: Graph, seeds: Seeds, classes: int) -> Generator[Progressed, None, NDArray[np.float32]]:
    """Give the probability of each class for each image, [N, classes]; all alike without seeds.

    Yields its progress. Poisson learning (Calder et al. 2020, algorithm 1): seeds are sources and sinks of a flow over
    the graph, which stays well-posed with very few of them.
    """
    sources = np.zeros((graph.anchors.shape[0], classes))  # [N, classes]
    np.add.at(sources, (seeds.indices, seeds.labels), seeds.weights)
    total = max(float(seeds.weights.sum()), 1e-12)
    np.subtract.at(sources, seeds.indices, seeds.weights[:, None] * sources.sum(axis=0) / total)
    degrees = np.maximum(graph.links.sum(axis=1), 1e-9)  # [S]
    walk = sparse.diags_array(1 / degrees) @ graph.links
    flow = (graph.anchors.T @ sources) / degrees[:, None]  # [S, classes]
    potentials = np.zeros_like(flow)
    for step in range(STEPS):
        if step % REPORT == 0:
            yield Progressed("spreading the answers", step, STEPS)
        potentials = walk @ potentials + flow
    potentials -= degrees @ potentials / degrees.sum()
    potentials /= SHARP * max(float(potentials.std()), 1e-12)
    odds = np.exp(potentials - potentials.max(axis=1, keepdims=True))
    probabilities = graph.anchors @ (odds / odds.sum(axis=1, keepdims=True))  # [N, classes]
    found: NDArray[np.float32] = np.asarray(probabilities, np.float32)
    return found


def settle(probabilities: NDArray[np.float32]) -> Weights:
    """Give each image its likeliest class, weighted by the lead over the second, from [N, classes]."""
    second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
    return Weights(probabilities.argmax(axis=1), np.clip(first - second, 0, 1) ** LEAD)


def doubt(
    probabilities: NDArray[np.float32], predicted: NDArray[np.uint8], certainty: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Say how much graph, [N, classes], and classifier, 2 x [N], leave open of each image, [N]: most where they differ.

    From 0 for what both are sure of to 2.
    """
    differ = probabilities.argmax(axis=1) != predicted
    unsure: NDArray[np.float32] = differ + 1 - (probabilities.max(axis=1) + certainty) / 2
    return unsure


def _affinities(distances: NDArray[np.float32]) -> NDArray[np.float64]:
    """Turn distances to neighbours [N, K], nearest first, into affinities."""
    reach = np.maximum(distances[:, -1:].astype(np.float64), 1e-12)
    affinities: NDArray[np.float64] = np.exp(-FADING * (distances / reach) ** 2)
    return affinities


def _matrix(columns: NDArray[np.int32], values: NDArray[np.float64], width: int) -> sparse.csr_array:
    """Make a sparse matrix [N, width] from the columns and values of its rows, 2 x [N, K]."""
    rows = np.repeat(np.arange(len(columns)), columns.shape[1])
    return sparse.csr_array((values.ravel(), (rows, columns.ravel())), shape=(len(columns), width))
