"""Search for the nearest vectors on an accelerator, by products of matrices."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaetui.engine.clusters import Indices, LatentVectors
from vaetui.engine.devices import send_array
from vaetui.engine.events import Progress

BLOCK_PAIRS = 1 << 26
"""Pairs of vectors compared at a time: their products take 256 MiB."""


class DeviceSearch:
    """N queries and M candidates on a device."""

    def __init__(self, queries: LatentVectors, candidates: LatentVectors, device: torch.device) -> None:
        """Copy the vectors, [N, z_dim] and [M, z_dim], to a device."""
        self._device = device
        self._candidates = send_array(np.require(candidates, np.float32, ["C", "W"]), device)
        is_same = queries is candidates
        self._queries = self._candidates if is_same else send_array(np.require(queries, np.float32, ["C", "W"]), device)

    @torch.inference_mode()
    def search(
        self, rows: Indices, members: Indices | None, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the nearest of some candidates, or of all, for some queries, and their distances, 2 x [R, <= count].

        Positions are those among `members`. The nearest come first.
        """
        queries = self._queries[send_array(rows, self._device)]
        candidates = self._candidates if members is None else self._candidates[send_array(members, self._device)]
        mean = candidates.mean(dim=0)  # the rounding errors of products grow with the lengths of the vectors
        queries, candidates = queries - mean, candidates - mean
        count = min(count, len(candidates))
        step = max(BLOCK_PAIRS // max(len(candidates), count * candidates.shape[1]), 1)
        half_squares = candidates.square().sum(dim=1) / 2  # [M]
        results = [_search_block(block, candidates, half_squares, count) for block in torch.split(queries, step)]
        positions, distances = (torch.cat(column) for column in zip(*results, strict=True))
        return positions.cpu().numpy(), distances.cpu().numpy()


def _search_block(queries: Tensor, candidates: Tensor, half_squares: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return positions and distances of the nearest candidates, 2 x [R, count]."""
    products = queries @ candidates.T  # [R, M]
    # Half the squared distance, but for a term that is common to all candidates of a query.
    positions = (half_squares - products).topk(count, dim=1, largest=False).indices
    # From the vectors: for near ones, the differences of the products are rounding errors.
    distances = (queries[:, None] - candidates[positions]).norm(dim=2)
    distances, order = distances.sort(dim=1, stable=True)
    return positions.gather(1, order), distances


def assign_to_centres(
    vectors: LatentVectors, centres: LatentVectors, device: torch.device, activity: str
) -> Generator[Progress, None, NDArray[np.int32]]:
    """Return the nearest of K centres, [K, z_dim], for each of N vectors, [N]; yields Progress with an activity."""
    search = DeviceSearch(vectors, centres, device)
    assignments, step = np.empty(len(vectors), np.int32), max(BLOCK_PAIRS // len(centres), 1)
    for start in range(0, len(vectors), step):
        yield Progress(activity, start, len(vectors))
        rows = np.arange(start, min(start + step, len(vectors)))
        assignments[rows] = search.search(rows, None, 1)[0][:, 0]
    return assignments
