"""Search for nearest neighbours: exact among few vectors, in overlapping cells of k-means among many.

A neighbour is packed into one number while the search goes on: the bits of its distance above its position, so that
sorting numbers sorts neighbours, and equal distances are ordered by position.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import ThreadpoolController

from vaetui.cpu_threads import count_usable_cpus
from vaetui.engine import rng
from vaetui.engine.clusters import Indices, LatentVectors
from vaetui.engine.events import Progress

if TYPE_CHECKING:
    import torch

    from vaetui.engine.device_search import DeviceSearch

MAX_EXACT_PAIRS = 400_000_000
"""Most pairs of vectors that are compared one by one, those of 20,000 vectors: about 1 s on one core."""
MAX_ACCELERATOR_EXACT_PAIRS = 40_000_000_000
"""The same on an accelerator, those of 200,000 vectors: 160 GB of products pass through its memory."""
BLOCK_PAIRS = 25_000_000
"""Most pairs that one thread compares at a time: about 0.07 s."""
BLOCKS_PER_REPORT = 2
"""Blocks that each thread compares between two reports."""
VECTORS_PER_CENTRE = 50
"""Vectors per cell that the centres are fitted to."""
LLOYD_STEPS = 5
"""Steps of k-means; the recall hardly depends on them."""
RECALL_SAMPLE = 500
"""Vectors whose exact neighbours decide in how many cells each vector is searched."""
TARGET_RECALL = 0.99
"""Share of the neighbours of the sample that the cells must contain."""
MAX_CELLS_PER_VECTOR = 8
"""Most cells of a vector: the time grows with the square. Only vectors without any structure need more."""
MAX_UNSTRUCTURED_PAIRS = 10_000_000_000
"""Most pairs that are compared one by one where the cells miss TARGET_RECALL: those of 100,000 vectors."""
MAX_RELATIVE_CELL_SIZE = 4
"""Members of the largest cell, relative to the mean; larger cells are cut, which bounds the time and memory of each."""
FARTHEST = np.uint64(2**64 - 1)
"""The packed neighbour in place of a missing one: farther than all others."""
HALF = np.uint64(32)
"""Bits of the distance and of the position."""

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")
Packed: TypeAlias = "NDArray[np.uint64]"
"""Neighbours, each as the bits of its distance and its position, [N, k]."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The k nearest vectors of each of N vectors."""

    indices: NDArray[np.int32]
    """Positions of the neighbours, nearest first, [N, k]."""
    distances: NDArray[np.float32]
    """Their Euclidean distances, ascending, [N, k]."""


Block: TypeAlias = "tuple[Indices, Indices | None]"
"""Queries, and the candidates that they are compared with; None for all."""


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """N queries, M candidates, and what to find."""

    queries: LatentVectors
    """[N, z_dim]."""
    candidates: LatentVectors
    """[M, z_dim]."""
    k: int
    """Neighbours of each query, at most as many as it has."""
    is_same: bool
    """Whether the queries are the candidates; none is then its own neighbour."""
    threads: int
    """Threads that compare blocks; 0 for all CPUs in reach. The result does not depend on them."""
    device: torch.device | None = None
    """The accelerator that compares blocks; None for the CPU."""
    device_search: DeviceSearch | None = None
    """Queries and candidates on the accelerator."""

    def search_block(self, block: Block) -> Packed:
        """Return the nearest of some candidates, or of all, for some queries, [R, <= k + 1], in any order."""
        rows, members = block
        if self.device_search is not None:
            positions, distances = self.device_search.search(rows, members, self.k + self.is_same)
        else:
            candidates = self.candidates if members is None else self.candidates[members]
            positions, distances = _search_brute(self.queries[rows], candidates, self.k + self.is_same)
        if members is not None:
            positions = members[positions]
        packed = _pack(positions, distances)
        if self.is_same:
            packed[positions == rows[:, None]] = FARTHEST
        return packed


def find_neighbours(
    vectors: LatentVectors, k: int, seed: int, threads: int, device: torch.device | None = None
) -> Generator[Progress, None, Neighbours]:
    """Find the k nearest other vectors of each of N vectors, [N, z_dim]; there are fewer if N is k or less.

    Yields Progress and returns Neighbours, which are exact up to about 20,000 vectors. Beyond, each vector is compared
    with those that share one of its nearest cells; the number of cells is chosen so that a sample of the vectors finds
    TARGET_RECALL of its neighbours. Up to about 100,000 vectors in which no number of cells reaches it, the result is
    exact. Time grows with N sqrt(N), memory with N. The seed draws the samples; threads do not change the result. An
    accelerator as `device` compares the vectors, up to about 200,000 exactly.
    """
    task = _create_task(vectors, vectors, max(min(k, len(vectors) - 1), 0), True, threads, device)
    return (yield from _search(task, seed))


def find_nearest(
    queries: LatentVectors,
    candidates: LatentVectors,
    k: int,
    seed: int,
    threads: int,
    device: torch.device | None = None,
) -> Generator[Progress, None, Neighbours]:
    """Find the k nearest of M candidates, [M, z_dim], for each of N queries, [N, z_dim], as `find_neighbours` does."""
    task = _create_task(queries, candidates, min(k, len(candidates)), False, threads, device)
    return (yield from _search(task, seed))


def _create_task(
    queries: LatentVectors,
    candidates: LatentVectors,
    k: int,
    is_same: bool,
    threads: int,
    device: torch.device | None,
) -> _Task:
    if device is None or device.type == "cpu":
        return _Task(queries, candidates, k, is_same, threads)
    # One thread: several would only wait for the accelerator in turn.
    return _Task(queries, candidates, k, is_same, 1, device, _create_device_search(queries, candidates, device))


def _create_device_search(queries: LatentVectors, candidates: LatentVectors, device: torch.device) -> DeviceSearch:
    from vaetui.engine.device_search import DeviceSearch  # imports torch

    return DeviceSearch(queries, candidates, device)


def _search(task: _Task, seed: int) -> Generator[Progress, None, Neighbours]:
    max_pairs = MAX_EXACT_PAIRS if task.device is None else MAX_ACCELERATOR_EXACT_PAIRS
    if task.k == 0 or len(task.queries) * len(task.candidates) <= max_pairs:
        packed = yield from _search_exactly(task, np.arange(len(task.queries)))
    else:
        packed = yield from _search_in_cells(task, seed)
    return _unpack(packed)


def _search_exactly(task: _Task, rows: Indices) -> Generator[Progress, None, Packed]:
    """Compare some queries, [R], with all candidates; yields Progress and returns their neighbours, [R, k]."""
    packed, stop = np.empty((len(rows), task.k), np.uint64), 0
    blocks = [(chunk, None) for chunk in _cut_rows(rows, len(task.candidates))] if task.k else []
    for results in _run_in_threads(task.search_block, blocks, task.threads):
        yield Progress("finding nearest neighbours", stop, len(rows))
        for block_neighbours in results:
            start, stop = stop, stop + len(block_neighbours)
            packed[start:stop] = np.sort(block_neighbours, axis=1)[:, : task.k]
    return packed


def _search_in_cells(task: _Task, seed: int) -> Generator[Progress, None, Packed]:
    """Compare queries with the candidates of their cells; yields Progress and returns their neighbours, [N, k]."""
    centres = yield from _fit_centres(task, seed)
    max_count = min(MAX_CELLS_PER_VECTOR, len(centres))
    row_cells = member_cells = yield from _find_nearest_centres(task, task.candidates, centres, max_count)
    if not task.is_same:
        row_cells = yield from _find_nearest_centres(task, task.queries, centres, max_count)
    cell_count = yield from _choose_cells_per_vector(task, row_cells, member_cells, seed)
    if cell_count is None:
        if len(task.queries) * len(task.candidates) <= MAX_UNSTRUCTURED_PAIRS:
            return (yield from _search_exactly(task, np.arange(len(task.queries))))
        cell_count = max_count
    members_by_cell = _group_by_cell(member_cells[:, :cell_count], len(centres))
    rows_by_cell = members_by_cell if task.is_same else _group_by_cell(row_cells[:, :cell_count], len(centres))
    max_members = MAX_RELATIVE_CELL_SIZE * len(task.candidates) * cell_count // len(centres)
    packed = np.full((len(task.queries), task.k), FARTHEST)
    compared, total = 0, len(task.queries) * cell_count

    def search(block: Block) -> tuple[Indices, Packed]:
        return block[0], task.search_block(block)

    blocks = (
        block
        for rows, members in zip(rows_by_cell, members_by_cell, strict=True)
        for block in _cut_cell(task, rows, members, max_members)
    )
    for results in _run_in_threads(search, blocks, task.threads):
        yield Progress("finding nearest neighbours", compared, total)
        for rows, block_neighbours in results:
            packed[rows] = _merge(packed[rows], block_neighbours)
            compared += len(rows)
    incomplete = np.flatnonzero(packed[:, -1] == FARTHEST)  # the cells of these queries have too few members
    packed[incomplete] = yield from _search_exactly(task, incomplete)
    return packed


def _fit_centres(task: _Task, seed: int) -> Generator[Progress, None, LatentVectors]:
    """Return about sqrt(M) centres of k-means on a sample of the candidates, [C, z_dim]."""
    count = round(len(task.candidates) ** 0.5)
    order = rng.derive_generator(seed, "cells").permutation(len(task.candidates))
    sample = task.candidates[order[: count * VECTORS_PER_CENTRE]]
    centres = sample[:count].copy()
    for step in range(LLOYD_STEPS):
        cells = (yield from _find_nearest_centres(task, sample, centres, 1, step, LLOYD_STEPS))[:, 0]
        sizes = np.bincount(cells, minlength=count)
        sums = np.stack([np.bincount(cells, column, count) for column in sample.T], axis=1)
        centres[sizes > 0] = sums[sizes > 0] / sizes[sizes > 0, None]
    return centres


def _find_nearest_centres(
    task: _Task, vectors: LatentVectors, centres: LatentVectors, count: int, step: int = 0, step_count: int = 1
) -> Generator[Progress, None, NDArray[np.int32]]:
    """Return the nearest of C centres for each of N vectors, nearest first, [N, count]; yields Progress.

    This is one of `step_count` equal steps for Progress.
    """
    cells, stop = np.empty((len(vectors), count), np.int32), 0
    chunks = _cut_rows(np.arange(len(vectors)), len(centres))
    device_search = None if task.device is None else _create_device_search(vectors, centres, task.device)

    def search(rows: Indices) -> NDArray[np.int64]:
        if device_search is not None:
            return device_search.search(rows, None, count)[0]
        return _search_brute(vectors[rows], centres, count)[0]

    for results in _run_in_threads(search, chunks, task.threads):
        yield Progress("finding cells of neighbours", step * len(vectors) + stop, step_count * len(vectors))
        for nearest in results:
            start, stop = stop, stop + len(nearest)
            cells[start:stop] = nearest
    return cells


def _choose_cells_per_vector(
    task: _Task, row_cells: NDArray[np.int32], member_cells: NDArray[np.int32], seed: int
) -> Generator[Progress, None, int | None]:
    """Return in how many cells a vector must be so that a sample finds TARGET_RECALL of its neighbours there.

    None if it needs more than MAX_CELLS_PER_VECTOR.
    """
    rows = np.sort(rng.derive_generator(seed, "recall").permutation(len(task.queries))[:RECALL_SAMPLE])
    exact = _unpack((yield from _search_exactly(task, rows))).indices  # [R, k]
    cells, neighbour_cells = row_cells[rows], member_cells[exact]  # [R, C], [R, k, C]
    for count in range(1, cells.shape[1] + 1):
        is_shared = cells[:, None, :count, None] == neighbour_cells[:, :, None, :count]
        if is_shared.any(axis=(2, 3)).mean() >= TARGET_RECALL:
            return count
    return None


def _group_by_cell(cells: NDArray[np.int32], count: int) -> list[Indices]:
    """Return the vectors in each of `count` cells, ascending, from the cells of each vector, [N, C]."""
    numbers = cells.ravel().astype(np.min_scalar_type(count))  # NumPy sorts numbers of 16 bits four times as fast
    order = np.argsort(numbers, kind="stable") // cells.shape[1]
    return np.split(order, np.cumsum(np.bincount(cells.ravel(), minlength=count))[:-1])


def _cut_cell(task: _Task, rows: Indices, members: Indices, max_members: int) -> Iterator[Block]:
    """Yield the queries and candidates of a cell in parts of bounded size.

    Candidates beyond `max_members` are cut into slices along the direction of their largest spread. Each query is
    compared with the slice around it, which extends beyond its borders by a quarter on each side.
    """
    if not len(rows) or not len(members):
        return
    if len(members) <= max_members:
        slices = [(rows, members)]
    else:
        vectors = task.candidates[members]
        mean = vectors.mean(axis=0)
        covariance = np.atleast_2d(np.cov((vectors - mean).T))  # a number for vectors of one dimension
        axis = np.linalg.eigh(covariance)[1][:, -1].astype(np.float32)
        heights, row_heights = (vectors - mean) @ axis, (task.queries[rows] - mean) @ axis
        order = np.argsort(heights, kind="stable")
        borders = np.arange(0, len(members), max_members * 2 // 3)
        parts = np.searchsorted(heights[order[borders[1:]]], row_heights, side="right")
        margin = max_members // 6
        slices = [
            (rows[parts == part], np.sort(members[order[max(start - margin, 0) : start + max_members - margin]]))
            for part, start in enumerate(borders)
        ]
    for slice_rows, slice_members in slices:
        for chunk in _cut_rows(slice_rows, len(slice_members)):
            yield chunk, slice_members


def _cut_rows(rows: Indices, candidate_count: int) -> list[Indices]:
    """Return parts of the queries that have at most BLOCK_PAIRS pairs with the candidates."""
    step = max(BLOCK_PAIRS // max(candidate_count, 1), 1)
    return [rows[start : start + step] for start in range(0, len(rows), step)]


def _run_in_threads(
    function: Callable[[InputT], OutputT], inputs: Iterable[InputT], threads: int
) -> Iterator[list[OutputT]]:
    """Yield the results of a function for the inputs, in order, some at a time. No thread computes between two yields.

    Each thread computes with one thread of OpenMP: on a machine with other work, threads of OpenMP that wait for each
    other after each block cost most of the time. Inputs and results do not depend on the number of BLAS threads.
    """
    controller, iterator = ThreadpoolController(), iter(inputs)  # finding the libraries takes some milliseconds
    count = threads or count_usable_cpus()

    def compute(value: InputT) -> OutputT:
        with controller.limit(limits=1, user_api="openmp"):
            return function(value)

    with ThreadPoolExecutor(count) as pool:
        while True:
            with controller.limit(limits=1, user_api="blas"):
                batch = list(itertools.islice(iterator, BLOCKS_PER_REPORT * count))
                results = list(map(compute, batch) if count == 1 else pool.map(compute, batch))
            if not results:
                return
            yield results


def _search_brute(
    queries: LatentVectors, candidates: LatentVectors, count: int
) -> tuple[NDArray[np.int64], NDArray[np.floating[Any]]]:
    """Return positions and distances of the nearest candidates of each query, 2 x [N, <= count], nearest first."""
    index = NearestNeighbors(n_neighbors=min(count, len(candidates)), algorithm="brute").fit(candidates)
    distances, positions = index.kneighbors(queries)
    return positions, distances


def _pack(positions: NDArray[np.int64], distances: NDArray[np.floating[Any]]) -> Packed:
    bits = np.ascontiguousarray(distances, np.float32).view(np.uint32).astype(np.uint64)
    return (bits << HALF) | positions.astype(np.uint64)


def _unpack(packed: Packed) -> Neighbours:
    positions = (packed & np.uint64(2**32 - 1)).astype(np.int32)
    return Neighbours(positions, (packed >> HALF).astype(np.uint32).view(np.float32))


def _merge(first: Packed, second: Packed) -> Packed:
    """Return the nearest of two sets of neighbours of the same queries, [R, k] and [R, M], as many as in the first."""
    by_position = _swap_halves(np.concatenate([first, second], axis=1))
    by_position.sort(axis=1)
    is_repeated = (by_position[:, 1:] >> HALF) == (by_position[:, :-1] >> HALF)
    by_position[:, 1:][is_repeated] = FARTHEST
    merged = _swap_halves(by_position)
    merged.sort(axis=1)
    return merged[:, : first.shape[1]]


def _swap_halves(packed: Packed) -> Packed:
    return (packed << HALF) | (packed >> HALF)
