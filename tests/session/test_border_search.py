"""The search for the border of a class asks about few pages and finds the border."""

from __future__ import annotations

import math

import pytest

from vaetui.session.border_search import BorderSearch


def search_border(image_count: int, fitting_count: int, page_images: int = 32, *, marks: bool = False) -> BorderSearch:
    """Search among images 1000, 1001, ... of which the first ones fit, with an annotator who makes no errors."""
    search = BorderSearch(3, tuple(range(1000, 1000 + image_count)), page_images, seed=5)
    while not search.is_done:
        misfits = [image_index for image_index in search.page if image_index >= 1000 + fitting_count]
        left = search.most_pages_left
        search = search.with_answer(not misfits, misfits if marks else ())
        assert search.most_pages_left <= left - 1
    return search


@pytest.mark.parametrize("image_count", [1, 31, 32, 33, 320, 1203, 6000])
def test_an_annotator_without_errors_finds_the_page_of_the_border(image_count: int) -> None:
    for fitting_count in {0, 1, 32, 33, image_count // 3, image_count // 2, image_count - 1, image_count}:
        if fitting_count <= image_count:
            result = search_border(image_count, fitting_count).result
            whole_pages = 32 * (fitting_count // 32) if fitting_count < image_count else image_count
            assert result == tuple(range(1000 + whole_pages, 1000 + image_count)), fitting_count


def test_marked_images_place_the_border_within_the_page() -> None:
    for fitting_count in (0, 1, 40, 500, 639, 640):
        result = search_border(640, fitting_count, marks=True).result
        assert result == tuple(range(1000 + fitting_count, 1640))


def test_pages_double_and_then_bisect() -> None:
    search, numbers = BorderSearch(0, tuple(range(3200)), 32), []
    while (number := search.page_number) is not None:
        numbers.append(number)
        search = search.with_answer(number < 50)
    assert numbers == [1, 2, 4, 8, 16, 32, 64, 40, 52, 43, 47, 49, 50]
    assert search.result == tuple(range(49 * 32, 3200))


def test_the_number_of_pages_grows_with_the_logarithm_of_the_class() -> None:
    for image_count in (320, 3200, 32_000):
        pages = [len(search_border(image_count, share * image_count // 20).misfits) for share in range(21)]
        assert max(pages) <= 2.5 * math.log2(image_count / 32) + 3
        assert sum(pages) / len(pages) <= 2 * math.log2(image_count / 32) + 1


def test_a_page_holds_the_images_of_one_distance_in_random_order() -> None:
    search = BorderSearch(0, tuple(range(100)), 32)
    assert sorted(search.page) == list(range(32)) != list(search.page)
    assert search.page == BorderSearch(0, tuple(range(100)), 32).page


def test_undo_returns_to_the_page_before() -> None:
    first = BorderSearch(0, tuple(range(100)), 32)
    assert first.with_answer(True).without_last_answer() == first.without_last_answer() == first


def test_a_class_without_images_has_no_border() -> None:
    search = BorderSearch(0, (), 32)
    assert (search.is_done, search.page, search.result, search.most_pages_left) == (True, (), (), 0)


def test_an_answer_for_other_images_is_refused() -> None:
    with pytest.raises(ValueError, match="page"):
        BorderSearch(0, tuple(range(100)), 32).with_answer(False, [99])
