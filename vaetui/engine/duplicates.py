"""Exact copies among images: images with equal pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Indices, Pixels
from vaetui.engine.events import Progress

REPORT_DIGESTS = 1 << 18
"""Digests compared between two reports: about 0.1 s."""
ScalarT = TypeVar("ScalarT", bound=np.generic)
DIGEST_BYTES = 16
"""Bytes of the BLAKE2b digest of an image: two different images of a set never share one in practice."""


class ImageDigests:
    """Digests of images that are added some at a time, 16 bytes per image, so that copies are found without pixels."""

    def __init__(self) -> None:
        """Start without images."""
        self._content = bytearray()

    def __len__(self) -> int:
        """Return the number of images added."""
        return len(self._content) // DIGEST_BYTES

    def add(self, images: Pixels) -> None:
        """Add images, [M, H, W] or [M, H, W, 3]; all images must have the same shape."""
        if not len(images):
            return  # none of a batch of files could be decoded
        view = np.ascontiguousarray(images).data.cast("B")
        image_bytes = images[0].nbytes
        for start in range(0, len(images) * image_bytes, image_bytes):
            content = view[start : start + image_bytes]
            self._content += hashlib.blake2b(content, digest_size=DIGEST_BYTES, usedforsecurity=False).digest()

    def find_first_copies(self) -> Generator[Progress, None, Indices]:
        """Return for each image the index of the first image with equal pixels, [N]: its own if none is earlier.

        Yields Progress. The digests are sorted in parts by their first byte, so that no step takes long.
        """
        halves = np.frombuffer(self._content, np.uint64).reshape(-1, 2)  # [N, 2]
        first_bytes = np.frombuffer(self._content, np.uint8)[::DIGEST_BYTES]
        order = np.argsort(first_bytes, kind="stable")  # a radix sort: linear in N
        ends = np.cumsum(np.bincount(first_bytes, minlength=256))
        first_copies, start, reported = np.arange(len(halves)), 0, 0
        for end in ends.tolist():
            images = order[start:end]  # ascending
            part = halves[images]
            images = images[np.lexsort((part[:, 1], part[:, 0]))]  # equal images adjacent, in order
            part = halves[images]
            is_first = np.ones(len(images), bool)
            is_first[1:] = (part[1:] != part[:-1]).any(axis=1)
            if not is_first.all():
                first_copies[images] = images[is_first][np.cumsum(is_first) - 1]
            start = end
            if end - reported >= REPORT_DIGESTS:
                yield Progress("comparing images", end, len(halves))
                reported = end
        return first_copies


@dataclass(frozen=True, slots=True, eq=False)
class DistinctImages:
    """The distinct ones among N images: clustering and propagation use each once, and all copies get the result."""

    first_copies: Indices
    """Index of the first copy of each image, [N]."""
    indices: Indices
    """Indices of the U distinct images, ascending, [U]."""
    positions: Indices
    """Position of each image's first copy in `indices`, [N]."""

    def __len__(self) -> int:
        """Return the number of distinct images."""
        return len(self.indices)

    @property
    def has_copies(self) -> bool:
        """Whether any image is a copy of another."""
        return len(self.indices) < len(self.first_copies)

    @property
    def copy_counts(self) -> NDArray[np.float32] | None:
        """Number of images that are equal to each distinct image, itself included, [U]; None if there are no copies."""
        return np.bincount(self.positions).astype(np.float32) if self.has_copies else None

    def select(self, values: NDArray[ScalarT]) -> NDArray[ScalarT]:
        """Return the values of the distinct images, [U, ...], from those of all images, [N, ...]."""
        return values[self.indices] if self.has_copies else values

    def expand(self, values: NDArray[ScalarT]) -> NDArray[ScalarT]:
        """Return the values of all images, [N, ...], from those of the distinct images, [U, ...]."""
        return values[self.positions] if self.has_copies else values

    def copy_first_values(self, values: NDArray[ScalarT]) -> NDArray[ScalarT]:
        """Return values of all images, [N, ...], in which each copy has the value of its first copy."""
        return values[self.first_copies] if self.has_copies else values

    def find_copies_of(self, indices: Indices) -> NDArray[np.bool_]:
        """Return for each image whether it is one of the first copies at `indices` or a copy of one, [N]."""
        is_member = np.zeros(len(self.first_copies), bool)
        is_member[indices] = True
        return self.copy_first_values(is_member)

    def restrict(self, members: Indices) -> DistinctImages:
        """Return the distinct ones among some images, [M], that include the first copy of each; order is kept.

        Indices and positions in the result refer to the order of `members`.
        """
        if not self.has_copies:
            return select_distinct(np.arange(len(members)))
        order = np.argsort(members, kind="stable")
        return select_distinct(order[np.searchsorted(members, self.first_copies[members], sorter=order)])


def count_duplicates(first_copies: Indices) -> int:
    """Return how many images are copies of an earlier one."""
    return int(np.count_nonzero(first_copies != np.arange(len(first_copies))))


def select_distinct(first_copies: Indices) -> DistinctImages:
    """Return the distinct images among N images with these first copies, [N]."""
    indices = np.flatnonzero(first_copies == np.arange(len(first_copies)))
    if len(indices) == len(first_copies):
        return DistinctImages(first_copies, first_copies, first_copies)  # one array, not three
    return DistinctImages(first_copies, indices, np.searchsorted(indices, first_copies))


def restrict_first_copies(first_copies: Indices, subset: Indices) -> Indices:
    """Return for each image of a subset, [M], the position in the subset of the first image with equal pixels, [M]."""
    if np.array_equal(first_copies, np.arange(len(first_copies))):
        return np.arange(len(subset))  # no copies: quick, for millions of images
    first_positions = np.empty(len(first_copies), np.int64)
    first_positions[first_copies[subset[::-1]]] = np.arange(len(subset))[::-1]  # the last assignment counts
    return first_positions[first_copies[subset]]
