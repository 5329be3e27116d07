"""The search for the border of a class: the distance from its centre beyond which images no longer belong to it."""

from __future__ import annotations

import math
import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache


@dataclass(frozen=True, slots=True)
class BorderSearch:
    """A search that asks about pages of images, from near pages to far ones, whether all their images fit.

    Pages 1, 2, 4, 8, ... are shown until one does not fit. Then the border lies between the last fitting and the
    first unfitting page, which bisection narrows down: after an unfitting page it continues in the first quarter of
    what is left, after a fitting one in the middle (Schröder et al. 2020, "MorphoCluster").
    """

    class_id: int
    """The class."""
    image_indices: tuple[int, ...]
    """The images that are labelled with it, nearest to the centre first."""
    page_images: int
    """Number of images on a page."""
    seed: int = 0
    """Seed of the order within the pages."""
    misfits: tuple[frozenset[int] | None, ...] = ()
    """For each answered page the images that do not fit, in order; None where all fit, empty where unknown ones do."""

    @property
    def page_count(self) -> int:
        """Number of pages that the class has."""
        return math.ceil(len(self.image_indices) / self.page_images)

    @property
    def page_number(self) -> int | None:
        """Number of the page to ask about, from 1; None when the border has been found."""
        return self._replay()[0]

    @property
    def page(self) -> tuple[int, ...]:
        """The images of the page to ask about, in random order; empty when the border has been found."""
        if (page_number := self.page_number) is None:
            return ()
        images = list(self._list_page(page_number))
        random.Random(f"{self.seed} {self.class_id} {page_number}").shuffle(images)
        return tuple(images)

    @property
    def is_done(self) -> bool:
        """Whether the border has been found."""
        return self.page_number is None

    @property
    def most_pages_left(self) -> int:
        """Number of pages that remain to be asked about, at most."""
        page_number, last_good, first_bad = self._replay()
        if page_number is None:
            return 0
        if self._has_bad_page:
            return _count_bisecting_pages(first_bad - last_good, self.misfits[-1] is not None)
        most, count = 0, 0
        while last_good < self.page_count:
            count += 1
            most = max(most, count + _count_bisecting_pages(page_number - last_good, True))
            last_good, page_number = page_number, min(2 * page_number, self.page_count)
        return most

    @property
    def result(self) -> tuple[int, ...]:
        """The images beyond the border, nearest first; empty until it has been found, and if the whole class fits.

        They begin with the first image that does not fit on the first unfitting page.
        """
        page_number, last_good, _ = self._replay()
        if page_number is not None:
            return ()
        start = last_good * self.page_images
        marked = next((marks for number, marks in self._list_answers() if number == last_good + 1 and marks), None)
        if marked:
            start = min(self.image_indices.index(image_index, start) for image_index in marked)
        return self.image_indices[start:]

    def with_answer(self, fits: bool, misfits: Collection[int] = ()) -> BorderSearch:
        """Return the search after the answer for its page; `misfits` are images of the page that do not fit, if known.

        Raises ValueError when the border has been found, and for misfits that are not on the page.
        """
        page = self.page
        if not page or not set(misfits) <= set(page) or (fits and misfits):
            raise ValueError("not an answer for the page of the search")
        return replace(self, misfits=(*self.misfits, None if fits else frozenset(misfits)))

    def without_last_answer(self) -> BorderSearch:
        """Return the search before its last answer; itself if there is none."""
        return replace(self, misfits=self.misfits[:-1])

    @property
    def _has_bad_page(self) -> bool:
        return any(marks is not None for marks in self.misfits)

    def _list_page(self, page_number: int) -> tuple[int, ...]:
        return self.image_indices[(page_number - 1) * self.page_images : page_number * self.page_images]

    def _list_answers(self) -> list[tuple[int, frozenset[int] | None]]:
        """Return the answered pages with their misfits."""
        numbers = [replace(self, misfits=self.misfits[:count]).page_number for count in range(len(self.misfits))]
        return [(number, marks) for number, marks in zip(numbers, self.misfits, strict=True) if number is not None]

    def _replay(self) -> tuple[int | None, int, int]:
        """Return the page to ask about, the last fitting page (0 if none) and the first unfitting one."""
        last_good, first_bad = 0, self.page_count + 1
        number, has_bad_page = min(1, self.page_count), False
        for marks in self.misfits:
            if marks is None:
                last_good = number
            else:
                first_bad, has_bad_page = number, True
            gap = first_bad - last_good
            if not has_bad_page:
                number = min(2 * number, self.page_count)
            else:
                number = last_good + _choose_step(gap, marks is not None)
        return (None if first_bad - last_good <= 1 or not self.page_count else number), last_good, first_bad


def _choose_step(gap: int, is_after_bad_page: bool) -> int:
    """Return the page to ask about after the last fitting one, with the first unfitting page `gap` pages after it."""
    return max(gap // (4 if is_after_bad_page else 2), 1)


@cache
def _count_bisecting_pages(gap: int, is_after_bad_page: bool) -> int:
    """Return the largest number of pages that bisection asks about."""
    if gap <= 1:
        return 0
    step = _choose_step(gap, is_after_bad_page)
    return 1 + max(_count_bisecting_pages(step, True), _count_bisecting_pages(gap - step, False))
