"""State of a page of single images that are relabelled by keys: cursor, corrections and marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from vaetui.engine.answers import AnsweredImage, ClassAnswer, Unreadable
from vaetui.errors import UserError, format_count
from vaetui.session.digit_keys import list_active_digits
from vaetui.session.review_views import ReviewImage
from vaetui.session.views import DigitKeys
from vaetui.tui.keymap import KeyFormatter, format_default_key
from vaetui.tui.presenters.cluster_text import format_unassigned_digit
from vaetui.tui.presenters.focus_moves import move_index
from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.presenters.review_draft import Correction, PageMarks, ReviewDraft, ReviewStep, StepOrigin
from vaetui.tui.presenters.review_text import format_correction, format_page_confirmation, format_review_caption
from vaetui.tui.presenters.styled_text import Piece
from vaetui.tui.session_protocol import Session

PAGE_MOVE_KEYS = frozenset({"left", "right", "up", "down", "first", "last"})
"""Names of the keys that move the cursor on the page."""


class ImagePage:
    """Handles the keys of a page of images; subclasses choose the images and record the page."""

    undone_origins: tuple[StepOrigin, ...] = ("review", "pair", "border")
    """The origins of the steps that undo and redo change."""

    def __init__(
        self, session: Session, digit_keys: DigitKeys, draft: ReviewDraft, format_key: KeyFormatter = format_default_key
    ) -> None:
        """Start with an empty page."""
        self.session = session
        """The session whose images are reviewed."""
        self.digit_keys = digit_keys
        """The classes that the digits choose."""
        self.draft = draft
        """The marks, and the steps that can be undone."""
        self.images: Sequence[ReviewImage | None] = ()
        """The images on the page, row by row; None for an empty place."""
        self.grid = GridLayout((1, 1), 1, 1, 2)
        """The grid of the page."""
        self.cursor = 0
        """Position of the selected image."""
        self.hint = ""
        """Why the last key did nothing, or ""."""
        self.status_text = ""
        """The result of the last key."""
        self._format_key = format_key
        self._earlier_marks: list[tuple[PageMarks, int]] = []  # with the positions of the cursor

    @property
    def shows_labels(self) -> bool:
        """Whether the captions name the labels."""
        return False

    @property
    def shown_images(self) -> list[ReviewImage]:
        """The images on the page without empty places."""
        return [image for image in self.images if image is not None]

    @property
    def selected_image(self) -> ReviewImage | None:
        """The image at the cursor; None on an empty page."""
        return self.images[self.cursor] if self.cursor < len(self.images) else None

    @property
    def marked_images(self) -> list[ReviewImage]:
        """The marked images on the page."""
        return [image for image in self.shown_images if image.image_index in self.draft.marks.marked]

    @property
    def corrected_images(self) -> list[ReviewImage]:
        """The images on the page with a correction."""
        return [image for image in self.shown_images if self.find_correction(image) is not None]

    def find_correction(self, image: ReviewImage) -> Correction | None:
        """Return the correction of an image; None if it keeps its label."""
        correction = self.draft.marks.corrections.get(image.image_index)
        if isinstance(correction, ClassAnswer):
            class_id = self.session.classes.canonical[correction.class_id]
            return None if class_id == image.label_class_id else ClassAnswer(class_id)
        return correction

    def list_captions(self, max_cells: int) -> list[tuple[Piece, ...]]:
        """Return the captions of all places."""
        classes = self.session.classes
        return [
            ()
            if image is None
            else format_review_caption(
                image,
                self.find_correction(image),
                classes,
                max_cells,
                is_marked=image.image_index in self.draft.marks.marked,
                shows_label=self.shows_labels,
            )
            for image in self.images
        ]

    def describe_selected_image(self) -> str:
        """Return the label of the selected image and its correction, such as "cat → dog"."""
        image = self.selected_image
        if image is None:
            return ""
        return format_correction(image.label_class_id, self.find_correction(image), self.session.classes)

    def handle_page_key(self, key: str) -> bool:
        """Handle a key that moves, marks or relabels, and return whether it was one."""
        if key.isdigit():
            self._relabel_by_digit(int(key))
        elif key in PAGE_MOVE_KEYS:
            self._move(key)
        else:
            return self._handle_mark_key(key)
        return True

    def relabel(self, class_id: int) -> None:
        """Relabel the marked images, or the selected one and go on to the next."""
        self._correct(ClassAnswer(class_id))

    def undo_mark(self) -> bool:
        """Take the last correction or mark of this page back, and return whether there was one."""
        if not self._earlier_marks:
            return False
        self.draft.marks, self.cursor = self._earlier_marks.pop()
        return True

    def forget_earlier_marks(self) -> None:
        """Begin another page, whose marks alone can be undone one by one."""
        self._earlier_marks.clear()

    def clear_marked(self) -> bool:
        """Remove all marks of the page, and return whether there were any."""
        marked = self.marked_images
        if marked:
            self._remember_marks()
            for image in marked:
                self.draft.marks = self.draft.marks.with_toggled_mark(image.image_index)
        return bool(marked)

    def record_page(
        self, origin: Literal["review", "pair"], class_id: int, subject: str
    ) -> tuple[AnsweredImage, ...] | None:
        """Record an answer for every image of the page as one step, and return the answers; None if that is refused.

        `class_id` stands for the page in its step, `subject` in the texts about it.
        """
        answers = tuple(
            AnsweredImage(
                image.image_index,
                self.find_correction(image) or ClassAnswer(image.label_class_id),
                image.label_class_id,
            )
            for image in self.shown_images
        )
        try:
            self.session.record_image_answers(answers, origin)
        except UserError as error:
            self.hint = str(error)
            return None
        description = f"page of {format_count(len(answers), 'image')} of {subject}"
        indices = tuple(answer.image_index for answer in answers)
        self.draft.add_step(ReviewStep(description, origin, class_id, indices))
        self.forget_earlier_marks()
        self.status_text = format_page_confirmation(answers, subject, self._format_key(f"{origin}.undo"))
        return answers

    def undo_step(self) -> ReviewStep | None:
        """Undo the last recorded step of this review; None if there is none."""
        return self._move_step(self.draft.recorded_steps, self.draft.undone_steps, is_undo=True)

    def redo_step(self) -> ReviewStep | None:
        """Record the step undone last again; None if there is none."""
        return self._move_step(self.draft.undone_steps, self.draft.recorded_steps, is_undo=False)

    def _move_step(self, source: list[ReviewStep], target: list[ReviewStep], *, is_undo: bool) -> ReviewStep | None:
        verb = "undo" if is_undo else "redo"
        if not source or source[-1].origin not in self.undone_origins:
            self.hint = f"Nothing to {verb} here"
            return None
        try:
            path = self.session.undo() if is_undo else self.session.redo()
        except UserError as error:
            self.hint = str(error)
            return None
        if path is None:
            source.clear()
            self.hint = f"Nothing to {verb}"
            return None
        target.append(source.pop())
        self.draft.marks = self.draft.marks.without(target[-1].image_indices)
        self.forget_earlier_marks()
        self.status_text = f"{'Undid' if is_undo else 'Redid'}: {target[-1].description}"
        return target[-1]

    def _handle_mark_key(self, key: str) -> bool:
        image = self.selected_image
        if key not in ("mark", "mark_all", "second", "unreadable", "clear"):
            return False
        if image is None:
            self.hint = "There is no image here"
        elif key == "mark":
            self._remember_marks()
            self.draft.marks = self.draft.marks.with_toggled_mark(image.image_index)
            self._advance()
        elif key == "mark_all":
            self._mark_all()
        elif key == "second":
            self._correct_by_second_class()
        else:
            self._correct(Unreadable() if key == "unreadable" else None)
        return True

    def _mark_all(self) -> None:
        """Mark all images of the page without a correction, or remove all marks if there are any."""
        if self.clear_marked():
            return
        self._remember_marks()
        indices = [image.image_index for image in self.shown_images if self.find_correction(image) is None]
        self.draft.marks = replace(self.draft.marks, marked=self.draft.marks.marked | frozenset(indices))

    def _relabel_by_digit(self, digit: int) -> None:
        digits = list_active_digits(self.digit_keys, self.session.classes)
        class_id = self.digit_keys[digit] if digit in digits else None
        if class_id is None:
            self.hint = format_unassigned_digit(digit, digits)
        else:
            self.relabel(class_id)

    def _list_targets(self) -> list[ReviewImage]:
        """Return the images that a key relabels: the marked ones, else the selected one."""
        image = self.selected_image
        return self.marked_images or ([] if image is None else [image])

    def _correct(self, answer: Correction | None) -> None:
        """Correct the marked images or the selected one; None, or the label itself, removes the correction."""
        targets = self._list_targets()
        if not targets:
            self.hint = "There is no image here"
            return
        had_marks = bool(self.marked_images)
        self._apply(dict.fromkeys(targets, answer))
        if had_marks:
            self.status_text = f"{format_count(len(targets), 'image')}: {self._describe_answer(answer)}"
        else:
            self._advance()

    def _correct_by_second_class(self) -> None:
        targets = [image for image in self._list_targets() if image.second_class_id != image.label_class_id]
        if not targets:
            self.hint = "There is no second class for it"
            return
        had_marks = bool(self.marked_images)
        self._apply({image: ClassAnswer(image.second_class_id) for image in targets})
        if had_marks:
            self.status_text = f"{format_count(len(targets), 'image')}: second class"
        else:
            self._advance()

    def _apply(self, answers: dict[ReviewImage, Correction | None]) -> None:
        self._remember_marks()
        self.draft.marks = self.draft.marks.with_corrections(
            {
                image.image_index: None if answer == ClassAnswer(image.label_class_id) else answer
                for image, answer in answers.items()
            }
        )

    def _describe_answer(self, answer: Correction | None) -> str:
        if isinstance(answer, ClassAnswer):
            return self.session.classes.names[answer.class_id]
        return "unreadable" if answer is not None else "label kept"

    def _remember_marks(self) -> None:
        self._earlier_marks.append((self.draft.marks, self.cursor))

    def _move(self, key: str) -> None:
        if not self.images:
            return
        target = move_index(self.cursor, key, len(self.images), self.grid.columns)
        if target < len(self.images) and self.images[target] is not None:
            self.cursor = target
        elif key in ("first", "last"):
            self.cursor = self._find_image(range(target, -1, -1) if key == "last" else range(len(self.images)))

    def _advance(self) -> None:
        """Go on to the next image of the page; the last one keeps the cursor."""
        self.cursor = self._find_image(range(self.cursor + 1, len(self.images)))

    def _find_image(self, positions: Sequence[int]) -> int:
        """Return the first of the positions that has an image; the cursor itself if none has."""
        return next((position for position in positions if self.images[position] is not None), self.cursor)
