"""Reviews in memory: images whose labels follow from their index, some of them wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from vaetui.engine.answers import ClassAnswer
from vaetui.session.border_search import BorderSearch
from vaetui.session.review_views import (
    PROGRESS_PAGES,
    ConfusedPair,
    ReviewClass,
    ReviewImage,
    ReviewProgress,
)

if TYPE_CHECKING:
    from vaetui.engine.answers import AnsweredImage

IMAGES_PER_CLASS = 200


class ScriptedReviews:
    """Reviews of `IMAGES_PER_CLASS` images per class; image i is labelled with class i modulo the number of classes.

    The smaller the index, the more suspicious the image. The second class is the class after the label, and the images
    with the smallest indices of a class, one for each ten images and class id, are expected to be wrong.
    """

    def __init__(
        self,
        class_count: Callable[[], int],
        list_pages: Callable[[], list[list[AnsweredImage]]],
        images_per_class: int = IMAGES_PER_CLASS,
    ) -> None:
        """Review with the steps of review answers in force that `list_pages` returns, oldest first."""
        self._count_classes = class_count
        self._list_pages = list_pages
        self._images_per_class = images_per_class
        self.error_shares: Mapping[int, float] = {}
        """Share of wrong labels by class, in place of 0.1 of class 0 and less of each next class."""
        self.calls: list[str] = []
        """The methods called, with arguments, in order."""

    def classes(self) -> tuple[ReviewClass, ...]:
        """Return the classes, most expected errors first."""
        self.calls.append("classes")
        answers = self._collect_answers()
        classes = []
        for class_id in range(self._count_classes()):
            own = self._list_images(class_id)
            image_count = sum(index not in answers for index in own)
            image_count += sum(answer == ClassAnswer(class_id) for answer in answers.values())
            reviewed_count = sum(answer == ClassAnswer(class_id) for answer in answers.values())
            errors = sum(self._expect_error(index) for index in own if index not in answers)
            classes.append(ReviewClass(class_id, image_count, errors, reviewed_count))
        return tuple(sorted(classes, key=lambda item: (-item.expected_errors, item.class_id)))

    def page(self, class_id: int | None, count: int, skipped: int = 0) -> tuple[ReviewImage, ...]:
        """Return the images of a class, or of all, by index, without answered ones."""
        self.calls.append(f"page {class_id} {count} {skipped}")
        if class_id is None:
            images = [image for other_id in range(self._count_classes()) for image in self._list_open_images(other_id)]
            return tuple(sorted(images, key=lambda image: image.image_index))[skipped : skipped + count]
        return self._list_open_images(class_id)[skipped : skipped + count]

    def varied_page(self, class_id: int | None, count: int) -> tuple[ReviewImage, ...]:
        """Return every third image of a page."""
        return self.page(class_id, 3 * count)[::3]

    def pairs(self) -> tuple[ConfusedPair, ...]:
        """Return each class with the next one, fewer images for each."""
        count = self._count_classes()
        return tuple(ConfusedPair(class_id, class_id + 1, 60 - class_id % 50) for class_id in range(count - 1))

    def pair_page(
        self, class_a: int, class_b: int, count: int
    ) -> tuple[tuple[ReviewImage, ...], tuple[ReviewImage, ...]]:
        """Return at most `count` images of both classes."""
        self.calls.append(f"pair_page {class_a} {class_b} {count}")
        sides = [
            tuple(
                ReviewImage(image.image_index, image.label_class_id, other_id, image.confidence)
                for image in self._list_open_images(class_id)[:count]
            )
            for class_id, other_id in ((class_a, class_b), (class_b, class_a))
        ]
        return sides[0], sides[1]

    def border(self, class_id: int, page_images: int) -> BorderSearch:
        """Return the search among all images of a class, largest index first."""
        self.calls.append(f"border {class_id} {page_images}")
        return BorderSearch(class_id, tuple(reversed(self._list_images(class_id))), page_images)

    def progress(self) -> ReviewProgress:
        """Return the counts of the last pages."""
        pages = self._list_pages()
        last = pages[-PROGRESS_PAGES:]
        shown = [item for page in last for item in page]
        changed = sum(item.answer != ClassAnswer(item.shown_class_id or 0) for item in shown)
        return ReviewProgress(len(pages), len(last), len(shown), changed)

    def expected_errors_on_next_page(self, class_id: int, count: int) -> float:
        """Return the expected number of wrong labels on the next page."""
        return float(sum(self._expect_error(image.image_index) for image in self._list_open_images(class_id)[:count]))

    def _list_images(self, class_id: int) -> list[int]:
        class_count = self._count_classes()
        return list(range(class_id, class_count * self._images_per_class, class_count))

    def _list_open_images(self, class_id: int) -> tuple[ReviewImage, ...]:
        answers = self._collect_answers()
        second_class_id = (class_id + 1) % self._count_classes()
        return tuple(
            ReviewImage(index, class_id, second_class_id, 0.3 + 0.7 * position / self._images_per_class)
            for position, index in enumerate(self._list_images(class_id))
            if index not in answers
        )

    def _expect_error(self, image_index: int) -> bool:
        class_count = self._count_classes()
        class_id, position = image_index % class_count, image_index // class_count
        share = self.error_shares.get(class_id, 0.1 / (1 + class_id))
        return position < share * self._images_per_class

    def _collect_answers(self) -> dict[int, object]:
        return {item.image_index: item.answer for page in self._list_pages() for item in page}
