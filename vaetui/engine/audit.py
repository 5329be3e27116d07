"""Audits: a random sample of the labels for a person to check.

The labels that nobody gave for the image itself are divided into strata by the rank of their doubt. Images of the most
doubtful stratum are checked blind, one at a time; images of the others on pages of one predicted class, where a wrong
label costs one key and the others nothing. Small classes share a page. A few images of a page are planted errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.audit_plans import PAGE_IMAGES, AuditPlan

STRATUM_NAMES = ("most doubtful", "doubtful", "others")
"""The strata, most doubtful first; the images of the first are checked blind."""
STRATUM_SHARES = (0.1, 0.2)
"""Shares of the labels in the first two strata."""
PLANTED_SHARE = 0.04
"""Share of planted errors among the images of pages: 4 of a quick and 13 of a full audit."""
PURE_PAGE_TOLERANCE = 0.25
"""How far the number of images of a class may be changed so that they fill whole pages."""
PLANTED_STRATUM = 255
"""Stratum of planted errors, which are outside the estimate."""


@dataclass(frozen=True, slots=True, eq=False)
class AuditPopulation:
    """The labels that an audit judges, for all images [A]."""

    class_ids: NDArray[np.int64]
    """The label of each image, below 0 without one, [A]."""
    doubts: NDArray[np.float32]
    """The doubt of each label, [A]; only its rank counts."""
    is_answered: NDArray[np.bool_]
    """Whether a person gave the label for the image itself; such labels count as right, [A]."""
    is_shown: NDArray[np.bool_]
    """Whether a person saw the image, by itself or in a cluster, and gave it the class of its label, [A]."""
    second_class_ids: NDArray[np.int64]
    """The second most probable class, [A]; if possible, an image is not planted among images of this class."""
    class_count: int
    """Number of classes."""


@dataclass(frozen=True, slots=True, eq=False)
class AuditSample:
    """The images of an audit in the order of display, M of them: blind images, then pages."""

    image_indices: NDArray[np.int64]
    """The images, [M]; none appears twice."""
    pages: NDArray[np.int32]
    """The page of each, from 0; -1 for a blind image, [M]."""
    class_ids: NDArray[np.int64]
    """The label that is checked, [M]; of a planted error, the wrong class that is shown."""
    strata: NDArray[np.uint8]
    """The stratum, as an index of STRATUM_NAMES, or PLANTED_STRATUM, [M]."""
    weights: NDArray[np.float64]
    """Number of labels that each image stands for: the inverse of its chance of being drawn; 0 if planted, [M]."""
    answered_class_ids: NDArray[np.int64]
    """The class that a person gave a planted error before; -1 for the other images, [M]."""
    ranks: NDArray[np.float64]
    """Rank of the doubt among the labels that can be drawn, from 0 (most doubtful) to 1; 0 if planted, [M]."""
    cell_sizes: NDArray[np.int64]
    """Number of labels that can be drawn by stratum and class, [3, C]."""
    answered_sizes: NDArray[np.int64]
    """Number of labels that a person gave for the image itself by class, [C]."""

    @property
    def is_planted(self) -> NDArray[np.bool_]:
        """Whether each image is a planted error, [M]."""
        return np.asarray(self.strata == PLANTED_STRATUM)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.image_indices)


def draw_audit(plan: AuditPlan, population: AuditPopulation, generator: np.random.Generator) -> AuditSample:
    """Draw the images of an audit; with fewer labels than the plan has images, all of them.

    Raises ValueError if there is no label to check.
    """
    class_ids, class_count = population.class_ids, population.class_count
    candidates = np.flatnonzero((class_ids >= 0) & ~population.is_answered)
    if not len(candidates):
        raise ValueError("no label to check")
    strata = _divide_into_strata(candidates, population.doubts, plan.blind_images, generator)
    cell_sizes = np.stack([np.bincount(class_ids[stratum], minlength=class_count) for stratum in strata])
    blind_indices = generator.choice(strata[0], min(plan.blind_images, len(strata[0])), replace=False)
    blind_count = len(blind_indices)
    tiles = _draw_tiles(plan, population, strata[1:], cell_sizes[1:], generator)
    _plant_errors(tiles, population, blind_indices, generator)
    tiles = tiles.select(np.flatnonzero(tiles.image_indices >= 0))
    image_indices = np.concatenate([blind_indices, tiles.image_indices])
    ranks = np.zeros(len(class_ids))
    ranks[np.concatenate(strata)] = (np.arange(len(candidates)) + 0.5) / len(candidates)
    return AuditSample(
        image_indices=image_indices,
        pages=np.concatenate([np.full(blind_count, -1), tiles.pages]).astype(np.int32),
        class_ids=np.concatenate([class_ids[blind_indices], tiles.class_ids]),
        strata=np.concatenate([np.zeros(blind_count), tiles.strata]).astype(np.uint8),
        weights=np.concatenate([np.full(blind_count, len(strata[0]) / max(blind_count, 1)), tiles.weights]),
        answered_class_ids=np.where(
            np.concatenate([np.zeros(blind_count, bool), tiles.strata == PLANTED_STRATUM]), class_ids[image_indices], -1
        ),
        ranks=ranks[image_indices],
        cell_sizes=cell_sizes,
        answered_sizes=np.bincount(class_ids[(class_ids >= 0) & population.is_answered], minlength=class_count),
    )


def _divide_into_strata(
    candidates: NDArray[np.int64], doubts: NDArray[np.float32], blind_count: int, generator: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Return the candidates of each stratum, most doubtful first; ties are broken at random."""
    ranked = candidates[np.lexsort((generator.random(len(candidates)), -doubts[candidates]))]
    first_end = max(round(STRATUM_SHARES[0] * len(ranked)), min(blind_count, len(ranked)))
    second_end = max(round(sum(STRATUM_SHARES) * len(ranked)), first_end)
    return np.split(ranked, [first_end, second_end])


def _draw_systematically(indices: NDArray[np.int64], count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw one index at random from each of `count` consecutive runs of equal length, in random order."""
    if not count:
        return indices[:0]
    positions = (np.arange(count) + generator.random()) * len(indices) / count
    return generator.permutation(indices[np.minimum(positions.astype(np.int64), len(indices) - 1)])


@dataclass(slots=True, eq=False)
class _Tiles:
    """The images of the pages in the order of display, [T]."""

    class_ids: NDArray[np.int64]
    """The class that is shown with each image."""
    pages: NDArray[np.int32]
    """The page of each."""
    strata: NDArray[np.uint8]
    """The stratum of each, PLANTED_STRATUM for a planted error."""
    image_indices: NDArray[np.int64]
    """The images; -1 where none was found."""
    weights: NDArray[np.float64]
    """Number of labels that each stands for."""

    def select(self, rows: NDArray[np.int64]) -> _Tiles:
        """Return some of the tiles."""
        return _Tiles(*(getattr(self, field.name)[rows] for field in fields(self)))


def _draw_tiles(
    plan: AuditPlan,
    population: AuditPopulation,
    strata: Sequence[NDArray[np.int64]],
    cell_sizes: NDArray[np.int64],
    generator: np.random.Generator,
) -> _Tiles:
    """Draw the images of the pages from two strata with the given sizes by class, [2, C]; planted errors are left out.

    Each class has about as many images as its share of the two strata.
    """
    tile_limit, size, class_sizes = plan.pages * PAGE_IMAGES, int(cell_sizes.sum()), cell_sizes.sum(0)
    planted_count = round(PLANTED_SHARE * min(tile_limit, size))
    can_plant, stratum_shares = _find_plantable_classes(population), cell_sizes / np.maximum(class_sizes, 1)
    is_complete = size + planted_count <= tile_limit
    if is_complete:  # all labels are checked
        expected_tiles = class_sizes + planted_count * class_sizes * can_plant / max((class_sizes * can_plant).sum(), 1)
        tile_counts = _round_at_random(expected_tiles, generator)
    else:
        expected_tiles = _fill_whole_pages(class_sizes * min(tile_limit / size, 1), class_sizes)
        tile_counts = np.minimum(_round_at_random(expected_tiles, generator), class_sizes)
    tile_class_ids, tile_pages = _arrange_pages(tile_counts)
    can_plant_tiles = np.flatnonzero(can_plant[tile_class_ids])
    tile_strata = np.ones(len(tile_class_ids), np.uint8)
    planted_count = min(planted_count, len(can_plant_tiles))
    if is_complete:
        for class_id in np.flatnonzero(tile_counts > class_sizes).tolist():
            class_tiles = np.flatnonzero(tile_class_ids == class_id)
            surplus = int(tile_counts[class_id] - class_sizes[class_id])
            tile_strata[generator.choice(class_tiles, surplus, replace=False)] = PLANTED_STRATUM
        real_shares = class_sizes / np.maximum(expected_tiles, 1e-12)
    else:
        tile_strata[generator.choice(can_plant_tiles, planted_count, replace=False)] = PLANTED_STRATUM
        real_shares = 1 - can_plant * planted_count / max(len(can_plant_tiles), 1)
    image_indices, weights = np.full(len(tile_class_ids), -1), np.zeros(len(tile_class_ids))
    expected_counts = expected_tiles * real_shares * stratum_shares
    for class_id in np.flatnonzero(tile_counts).tolist():
        rows = generator.permutation(np.flatnonzero((tile_class_ids == class_id) & (tile_strata != PLANTED_STRATUM)))
        sizes = cell_sizes[:, class_id].tolist()
        first_count = int(len(rows) * stratum_shares[0, class_id] + generator.random())
        first_count = min(max(first_count, len(rows) - sizes[1]), sizes[0])
        for number, cell_rows in enumerate(np.split(rows, [first_count])):
            if len(cell_rows):
                members = strata[number][population.class_ids[strata[number]] == class_id]
                image_indices[cell_rows] = _draw_systematically(members, len(cell_rows), generator)
                tile_strata[cell_rows] = number + 1
                weights[cell_rows] = sizes[number] / expected_counts[number, class_id]
    return _Tiles(tile_class_ids, tile_pages, tile_strata, image_indices, weights)


def _plant_errors(
    tiles: _Tiles, population: AuditPopulation, blind_indices: NDArray[np.int64], generator: np.random.Generator
) -> None:
    """Fill the tiles of planted errors with images that a person gave another class, as far as there are any."""
    is_free = population.is_shown & (population.class_ids >= 0)
    if is_free.any():  # the others may not show the class that was answered for their cluster
        is_free &= population.is_answered | (population.doubts <= np.median(population.doubts[is_free]))
    is_free[blind_indices] = False
    is_free[tiles.image_indices[tiles.image_indices >= 0]] = False
    for row in np.flatnonzero(tiles.strata == PLANTED_STRATUM).tolist():
        class_id = tiles.class_ids[row]
        choices = np.flatnonzero(is_free & (population.class_ids != class_id))
        for is_preferred in (population.second_class_ids != class_id, population.is_answered):
            if is_preferred[choices].any():
                choices = choices[is_preferred[choices]]
        if len(choices):
            tiles.image_indices[row] = image_index = generator.choice(choices)
            is_free[image_index] = False


def _find_plantable_classes(population: AuditPopulation) -> NDArray[np.bool_]:
    """Return for each class whether there are images that a person gave another class, [C]."""
    shown_class_ids = population.class_ids[population.is_shown & (population.class_ids >= 0)]
    counts = np.bincount(shown_class_ids, minlength=population.class_count)
    return np.asarray(counts.sum() > counts)


def _fill_whole_pages(counts: NDArray[np.float64], limits: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the expected numbers of images by class, changed so that many classes fill whole pages; the sum is kept.

    The numbers of the other classes are all multiplied by the same factor close to 1.
    """
    pages = np.maximum(np.round(counts / PAGE_IMAGES), 1)
    whole = pages * PAGE_IMAGES
    is_whole = (np.abs(whole - counts) <= PURE_PAGE_TOLERANCE * counts) & (whole <= limits)
    while True:
        rest, expected_rest = counts.sum() - whole[is_whole].sum(), counts[~is_whole].sum()
        if not is_whole.any() or abs(rest - expected_rest) <= PURE_PAGE_TOLERANCE * expected_rest:
            break
        excess = np.where(is_whole, (whole - counts) * np.sign(expected_rest - rest), -np.inf)
        if excess.max() <= 1e-9:
            break
        is_whole[excess.argmax()] = False
    factor = rest / expected_rest if expected_rest > 0 else 1.0
    return np.where(is_whole, whole, np.minimum(counts * factor, limits))


def _round_at_random(counts: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.int64]:
    """Return whole numbers next to `counts`, whose expectations are these and whose sum differs by less than 1."""
    ends = np.floor(np.cumsum(counts) + generator.random() + 1e-9).astype(np.int64)
    return np.diff(ends, prepend=0)


def _arrange_pages(tile_counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return class and page of each tile: pages of one class, then pages of several, [T] each."""
    class_ids = np.arange(len(tile_counts))
    whole_counts = tile_counts // PAGE_IMAGES * PAGE_IMAGES
    tile_class_ids = np.repeat(np.tile(class_ids, 2), np.concatenate([whole_counts, tile_counts - whole_counts]))
    return tile_class_ids, (np.arange(len(tile_class_ids)) // PAGE_IMAGES).astype(np.int32)
