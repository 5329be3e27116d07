"""Tests of the search for exact copies."""

from __future__ import annotations

import numpy as np
import pytest

from vaetui.engine import duplicates
from vaetui.engine.clusters import Indices, Pixels
from vaetui.engine.duplicates import (
    ImageDigests,
    count_duplicates,
    restrict_first_copies,
    select_distinct,
)
from vaetui.engine.slow_calls import exhaust

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)
IDS = np.array([0, 1, 0, 2, 3, 1, 0, 4, 5, 5])
FIRST_COPIES = [0, 1, 0, 3, 4, 1, 0, 7, 8, 8]


def find_copies(images: Pixels) -> Indices:
    digests = ImageDigests()
    digests.add(images)
    return exhaust(digests.find_first_copies())


@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "colour"])
def test_every_copy_refers_to_the_first_equal_image(channels: tuple[int, ...]) -> None:
    images = IMAGES if not channels else np.stack([IMAGES, IMAGES[::-1], IMAGES], axis=-1)
    first_copies = find_copies(images[IDS])
    assert first_copies.tolist() == FIRST_COPIES
    assert first_copies.dtype == np.int64
    assert count_duplicates(first_copies) == 4


def test_images_that_differ_in_one_pixel_by_one_are_distinct() -> None:
    images = np.repeat(IMAGES[:1] // 2, 41, axis=0)
    images.reshape(41, -1)[np.arange(20), np.arange(20)] += 1  # the other 21 stay equal
    first_copies = find_copies(images)
    assert first_copies.tolist() == [*range(20), *[20] * 21]


def test_digests_added_in_parts_and_from_strided_arrays_give_the_same_copies() -> None:
    digests = ImageDigests()
    for start in range(0, 10, 4):
        digests.add(np.repeat(IMAGES, 2, axis=2)[IDS[start : start + 4], :, ::2])
    assert len(digests) == 10
    assert exhaust(digests.find_first_copies()).tolist() == FIRST_COPIES


def test_an_empty_batch_between_others_changes_nothing() -> None:
    images = np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4)
    digests = ImageDigests()
    for batch in (images[:0], images, images[:0], images[1:2]):
        digests.add(batch)
    assert len(digests) == 4
    assert exhaust(digests.find_first_copies()).tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize("ids", [[], [0]], ids=["none", "one"])
def test_no_or_one_image_has_no_copy(ids: list[int]) -> None:
    first_copies = find_copies(IMAGES[ids])
    assert first_copies.tolist() == ids
    assert count_duplicates(first_copies) == 0


def test_distinct_images_are_the_first_copies_in_order() -> None:
    distinct = select_distinct(np.array(FIRST_COPIES))
    assert distinct.indices.tolist() == [0, 1, 3, 4, 7, 8]
    assert distinct.positions.tolist() == IDS.tolist()
    assert distinct.has_copies
    assert not select_distinct(np.arange(5)).has_copies


def test_first_copies_of_a_subset_are_positions_in_the_subset() -> None:
    subset = np.array([2, 3, 5, 6, 8, 9])
    assert restrict_first_copies(np.array(FIRST_COPIES), subset).tolist() == [0, 1, 2, 0, 4, 4]


def test_values_of_distinct_images_are_expanded_to_all_copies() -> None:
    distinct, values = select_distinct(np.array(FIRST_COPIES)), np.arange(10.0)
    assert distinct.expand(distinct.select(values)).tolist() == FIRST_COPIES
    assert distinct.copy_first_values(values).tolist() == FIRST_COPIES
    assert distinct.copy_counts is not None
    assert distinct.copy_counts.tolist() == [3, 2, 1, 1, 1, 2]
    all_distinct = select_distinct(np.arange(10))
    assert (
        all_distinct.select(values) is all_distinct.expand(values) is all_distinct.copy_first_values(values) is values
    )
    assert all_distinct.copy_counts is None


def test_distinct_members_keep_their_order() -> None:
    distinct, members = select_distinct(np.array(FIRST_COPIES)), np.array([8, 6, 9, 3, 2, 0])
    restricted = distinct.restrict(members)
    assert members[restricted.indices].tolist() == [8, 3, 0]
    assert members[restricted.first_copies].tolist() == [8, 0, 8, 3, 0, 0]
    assert restricted.expand(np.array([5, 6, 7])).tolist() == [5, 7, 5, 6, 7, 7]
    assert len(select_distinct(np.arange(10)).restrict(members)) == 6


def test_copies_among_many_images_are_found_in_parts_that_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "REPORT_DIGESTS", 500)
    ids = np.random.default_rng(1).integers(0, 1_500, 4_000)
    digests = ImageDigests()
    digests.add(ids.astype("<u4").view(np.uint8).reshape(-1, 2, 2))
    progress = [step.completed for step in digests.find_first_copies()]
    assert progress == sorted(set(progress))
    assert len(progress) > 5
    first_copies = exhaust(digests.find_first_copies())
    _, firsts, inverse = np.unique(ids, return_index=True, return_inverse=True)
    assert np.array_equal(first_copies, firsts[inverse])
