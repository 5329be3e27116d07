"""Spend answers on single images: on pages of one predicted class, or on the most doubtful images one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vaetui.engine.answers import AnsweredImage, ClassAnswer
from vaetui.engine.events import Event
from vaetui.session.review_views import PAGE_IMAGES, ReviewImage
from vaetui.session.session import Session
from vaetui.simulation.annotator_config import ReviewKind
from vaetui.simulation.annotators import ImageChecker
from vaetui.simulation.result import AnswerCounts
from vaetui.simulation.stopwatch import Stopwatch


@dataclass
class ReviewingAnnotator:
    """Checks single images by their true labels; every page, every correction and every single image is one answer.

    Of pages of one class, the class with the most expected errors has the first one, and every class has one before any
    has a second one.
    """

    session: Session
    checker: ImageChecker
    budget: int
    """Number of answers left."""
    kind: ReviewKind
    """What the answers are spent on."""
    stopwatch: Stopwatch
    counts: AnswerCounts = field(default_factory=AnswerCounts)
    """The answers given."""
    pictures_shown: int = 0
    """Number of images that the annotator has seen."""

    def answer(self) -> Iterator[Event]:
        """Spend the budget; yields the events of loading the labels."""
        if self.budget <= 0:
            return
        with self.stopwatch.measure_part("judging"):
            yield from self.session.load_labelling()
        with self.stopwatch.measure_part("annotating"):
            if self.kind == "images":
                self._answer_images()
            else:
                self._answer_pages()

    def _answer_images(self) -> None:
        images = self._keep_checkable(self.session.reviews.page(None, 2 * self.budget))[: self.budget]
        answers = [AnsweredImage(image.image_index, ClassAnswer(self._check(image))) for image in images]
        if answers:
            self.session.record_image_answers(answers, "review")
        self.counts.images += len(answers)
        self.budget -= len(answers)

    def _answer_pages(self) -> None:
        """Accept pages until the budget or the images are used up."""
        while self.budget:
            class_ids: list[int | None] = [None]
            if self.kind != "varied":
                class_ids = [review_class.class_id for review_class in self.session.reviews.classes()]
            pages = [self._accept_page(class_id) for class_id in class_ids if self.budget]
            if not any(pages):
                return

    def _choose_page(self, class_id: int | None) -> list[ReviewImage]:
        reviews = self.session.reviews
        if self.kind == "pages":
            return self._keep_checkable(reviews.page(class_id, PAGE_IMAGES))
        return self._keep_checkable(reviews.varied_page(class_id, PAGE_IMAGES))

    def _accept_page(self, class_id: int | None) -> bool:
        """Accept a page up to the first correction beyond the budget; return whether it had any image."""
        images = self._choose_page(class_id)
        if not images:
            return False
        answers: list[AnsweredImage] = []
        self.budget -= 1
        self.counts.pages += 1
        for image in images:
            checked_class_id = self._check(image)
            if checked_class_id != image.label_class_id:
                if not self.budget:
                    break
                self.budget -= 1
                self.counts.corrections += 1
            answers.append(AnsweredImage(image.image_index, ClassAnswer(checked_class_id), image.label_class_id))
        if answers:
            self.session.record_image_answers(answers, "review")
        return True

    def _check(self, image: ReviewImage) -> int:
        self.pictures_shown += 1
        return self.checker.check(image.image_index)

    def _keep_checkable(self, images: Sequence[ReviewImage]) -> list[ReviewImage]:
        """Return the images with a true label."""
        indices = np.array([image.image_index for image in images], np.int64)
        return [image for image, is_kept in zip(images, self.checker.find_checkable(indices), strict=True) if is_kept]
