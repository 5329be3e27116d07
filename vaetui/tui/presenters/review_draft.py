"""What a review has not recorded yet, and the steps that it has recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.errors import format_count

Correction: TypeAlias = ClassAnswer | Unreadable
"""The answer for an image in place of its label."""
StepOrigin: TypeAlias = Literal["review", "pair", "border"]
"""The screen that recorded a step."""


@dataclass(frozen=True, slots=True)
class PageMarks:
    """Corrections and marks of images that are not recorded."""

    corrections: Mapping[int, Correction] = field(default_factory=dict)
    """Answers that differ from the label that is shown, by image index."""
    marked: frozenset[int] = frozenset()
    """Image indices of the marked images, which the next class key relabels together."""

    def with_corrections(self, corrections: Mapping[int, Correction | None]) -> PageMarks:
        """Return the marks after corrections, or after their removal for None; these images are no longer marked."""
        merged = {**self.corrections, **corrections}
        kept = {index: answer for index, answer in merged.items() if answer is not None}
        return PageMarks(kept, self.marked - frozenset(corrections))

    def with_toggled_mark(self, image_index: int) -> PageMarks:
        """Return the marks after an image was marked, or is no longer marked."""
        return replace(self, marked=self.marked ^ {image_index})

    def without(self, image_indices: Sequence[int]) -> PageMarks:
        """Return the marks without those of some images."""
        corrections = {index: item for index, item in self.corrections.items() if index not in image_indices}
        return PageMarks(corrections, self.marked - frozenset(image_indices))


@dataclass(frozen=True, slots=True)
class ReviewStep:
    """A recorded step of a review."""

    description: str
    """What was recorded, such as "page of 32 images of cat"."""
    origin: StepOrigin
    """The screen that recorded it."""
    class_id: int
    """The class that was reviewed; of a pair the first one."""
    image_indices: tuple[int, ...] = ()
    """The images of the page; empty for the border of a class."""


class ReviewDraft:
    """The marks of images that are not recorded, which stay when the review is closed, and what undo goes back to."""

    def __init__(self) -> None:
        """Start without marks."""
        self.marks = PageMarks()
        """The marks of all pages."""
        self.class_id: int | None = None
        """The class that was reviewed last; None for the one with the most expected errors."""
        self.recorded_steps: list[ReviewStep] = []
        """The steps since the review was opened, oldest first."""
        self.undone_steps: list[ReviewStep] = []
        """The steps that were undone, which redo records again, the last one first."""
        self._reported_marks: PageMarks | None = None
        self._epoch_count = 0

    def begin(self, epoch_count: int) -> None:
        """Begin a review after so many epochs, with an undo history of its own: others may have answered meanwhile.

        After another epoch it begins with the class with the most expected errors again; the marks stay.
        """
        self.recorded_steps.clear()
        self.undone_steps.clear()
        if epoch_count != self._epoch_count:
            self.class_id, self._epoch_count = None, epoch_count

    def add_step(self, step: ReviewStep) -> None:
        """Add a recorded step, after which nothing can be redone, and drop the marks of its images."""
        self.recorded_steps.append(step)
        self.undone_steps.clear()
        self.marks = self.marks.without(step.image_indices)

    def describe_marks(self, review_key: str) -> str:
        """Return how many corrections are not recorded and how to go on with them; "" if there are none."""
        text = self._count_corrections()
        return text and f"{text} kept, but not accepted yet. {review_key}: go on"

    def delays_leaving(self) -> bool:
        """Return whether corrections would be lost that the user was not asked about."""
        is_new = bool(self.marks.corrections) and self._reported_marks != self.marks
        self._reported_marks = self.marks
        return is_new

    def describe_loss(self, leave_key: str) -> str:
        """Return how many corrections would be lost."""
        return f"{self._count_corrections()} not accepted yet. {leave_key} again: leave without them"

    def _count_corrections(self) -> str:
        count = len(self.marks.corrections)
        return f"{format_count(count, 'correction')} {'is' if count == 1 else 'are'}" if count else ""
