"""State of the review: the class that is reviewed, its page of most suspicious images, and what was accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from vaetui.errors import format_count
from vaetui.session.digit_keys import list_active_digits
from vaetui.session.expected_gain import expect_page_corrections
from vaetui.session.review_views import PAGE_IMAGES, ReviewClass, ReviewImage
from vaetui.tui.presenters.cluster_text import format_digit_ranges, truncate_class_name
from vaetui.tui.presenters.image_page import ImagePage
from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.presenters.line_dialogue import Choice
from vaetui.tui.presenters.review_text import (
    MAX_NAME_CELLS,
    format_class_detail,
    format_review_heading,
    list_stopping_lines,
)
from vaetui.tui.presenters.varied_images import VariedImages

VARIED_ID = -1
"""Stands for a class where a page shows varied images of all classes."""
ALL_CLASSES = "all classes"
"""What such a page shows."""
ReviewAction: TypeAlias = Literal["close", "choose", "list", "pairs", "border", "zoom"]
"""What the screen does after a key."""


class ReviewPresenter(ImagePage):
    """Handles the keys of the review, records accepted pages, and formats its texts."""

    review_classes: Sequence[ReviewClass] = ()
    """The classes with images, in the order in which the review goes through them."""
    skipped_count = 0
    """Images of the class before those on the page, which were looked at without accepting them."""
    stopping_lines: Sequence[str] = ()
    """What the last pages changed and what the next one is expected to hold, as alternatives, longest first."""
    has_just_recorded = False
    """Whether the last key recorded a page."""

    is_varied = False
    """Whether the page shows varied images of all classes in place of those of one class."""

    _class_order: Sequence[int] = ()
    _accepted_pages: Counter[int]
    _varied_images: VariedImages
    _varied_pages: dict[tuple[int, ...], list[ReviewImage]]

    @property
    def is_loaded(self) -> bool:
        """Whether the labels are loaded."""
        return bool(self.review_classes)

    @property
    def review_class(self) -> ReviewClass:
        """The class that is reviewed."""
        return next(item for item in self.review_classes if item.class_id == self.class_id)

    @property
    def class_id(self) -> int:
        """The id of the class that is reviewed."""
        class_id = self.draft.class_id
        known_ids = [item.class_id for item in self.review_classes]
        return class_id if class_id in known_ids else known_ids[0]

    @property
    def shows_labels(self) -> bool:
        """Whether the captions name the labels: the images have several."""
        return self.is_varied

    @property
    def border_class_id(self) -> int:
        """The class whose border a key asks about: that of the page, or of the selected one of varied images."""
        return self.selected_image.label_class_id if self.is_varied and self.selected_image else self.class_id

    @property
    def capacity(self) -> int:
        """Most images on the page."""
        return min(self.grid.capacity, PAGE_IMAGES)

    def load(self) -> None:
        """Show the page of the class that was reviewed last, else of the one with the most expected errors."""
        self._accepted_pages, self._varied_pages = Counter(), {}
        self._varied_images = VariedImages(lambda: self.session.reviews.varied_page(None, PAGE_IMAGES))
        self.review_classes = self.session.reviews.classes()
        self._class_order = [item.class_id for item in self.review_classes]
        if not self.is_loaded:
            self.hint = "No image has a label yet"
            return
        if self.draft.class_id is None or self.draft.class_id not in self._class_order:
            self.draft.class_id = self._find_open_class(self._class_order)
        self.show_page()

    def resize(self, grid: GridLayout) -> None:
        """Show as many images as fit a grid, with the selected one among them."""
        if grid == self.grid:
            return
        image = self.selected_image
        position = self.skipped_count + self.cursor
        self.grid = grid
        if self.is_loaded:
            self.skipped_count = position - position % self.capacity
            self.show_page(None if image is None else image.image_index)

    def show_page(self, selected_index: int | None = None) -> None:
        """Read the page again, with the cursor at an image or at the first one."""
        self._refresh_classes()
        self.images = self._read_images(self.capacity, self.skipped_count)
        while not self.images and self.skipped_count:
            self.skipped_count = max(self.skipped_count - self.capacity, 0)
            self.images = self._read_images(self.capacity, self.skipped_count)
        indices = [image.image_index for image in self.shown_images]
        self.cursor = indices.index(selected_index) if selected_index in indices else 0
        self.stopping_lines = self._describe_progress()

    def handle_key(self, key: str) -> ReviewAction | None:
        """Handle a key, and return what the screen has to do."""
        self.hint, self.status_text, self.has_just_recorded = "", "", False
        if not self.is_loaded:
            return "close" if key == "close" else None
        if self.handle_page_key(key):
            return None
        match key:
            case "accept":
                self.accept()
            case "undo" | "redo":
                self._undo_or_redo(key)
            case "next_class" | "previous_class":
                self._show_next_class(1 if key == "next_class" else -1)
            case "page_down" | "page_up":
                self._turn_page(1 if key == "page_down" else -1)
            case "varied":
                self.show_varied_images(not self.is_varied)
            case "close":
                return None if self.clear_marked() else "close"
            case "choose" | "list" | "pairs" | "border" | "zoom":
                return key
        return None

    def accept(self) -> None:
        """Record the page: the corrections, and the label of every other image."""
        if not self.images:
            self.hint = self._format_end()
            return
        if marked := self.marked_images:
            close_key = self._format_key("review.close")
            self.hint = f"{format_count(len(marked), 'image')} marked: type the class, or {close_key} to unmark"
            return
        images = self.shown_images
        answers = self.record_page("review", self._page_id, self._subject)
        if answers is None:
            return
        if self.is_varied:
            indices = tuple(answer.image_index for answer in answers)
            self._varied_pages[indices] = images
            self._varied_images.remove(indices)
        self._accepted_pages[self._page_id] += 1
        self.show_page()
        self.has_just_recorded = True

    def show_class(self, class_id: int) -> None:
        """Review another class, from its most suspicious images on, or varied images of all for `VARIED_ID`."""
        self.hint = self.status_text = ""
        if class_id == VARIED_ID:
            self.show_varied_images(True)
            return
        self.is_varied, self.draft.class_id, self.skipped_count = False, class_id, 0
        self.forget_earlier_marks()
        self.show_page()

    def show_varied_images(self, is_varied: bool) -> None:
        """Show varied images of all classes, or those of the class again."""
        self.is_varied, self.skipped_count = is_varied, 0
        self.forget_earlier_marks()
        self.show_page()

    def list_class_choices(self) -> list[Choice]:
        """Return the classes in the order of the review, with what a review of each would find, and the mixed page."""
        self._refresh_classes()
        choices = [
            Choice(self.session.classes.names[item.class_id], item.class_id, format_class_detail(item))
            for item in self.review_classes
        ]
        mixed = Choice(ALL_CLASSES, VARIED_ID, "a mixed page of images that teach the most")
        return [mixed, *choices] if self._advises_varied_images else [*choices, mixed]

    def format_heading(self, max_cells: int) -> str:
        """Return the class, its images and the page, in `max_cells` if possible."""
        if not self.is_loaded:
            return "review"
        number = self._accepted_pages[self._page_id] + self.skipped_count // self.capacity + 1
        if self.is_varied:
            return f"{ALL_CLASSES}: images that teach the most · page {number}"
        open_count = self.review_class.image_count - self.review_class.reviewed_count - self.skipped_count
        rest = 0 if len(self.images) < self.capacity else -(-max(open_count - len(self.images), 0) // self.capacity)
        return format_review_heading(self.review_class, self.session.classes, number, number + rest, max_cells)

    def format_prompt(self, *, is_zoomed: bool = False) -> tuple[str, str]:
        """Return the question about the selected or the marked images, and the keys that answer it.

        While one image is shown alone, the page cannot be accepted.
        """
        image, key = self.selected_image, self._format_key
        if image is None:
            return self._format_end(), ""
        digits = format_digit_ranges(list_active_digits(self.digit_keys, self.session.classes))
        has_others = not set(self.session.classes.active_ids) <= set(self.digit_keys)
        class_keys = f"{digits} or {key('review.choose')}" if has_others else digits
        unreadable = f"{key('review.unreadable')}: unreadable"
        if marked := self.marked_images:
            question = f"{format_count(len(marked), 'marked image')}: class?"
            return question, f"{class_keys}: all of them · {unreadable} · {key('review.close')}: unmark"
        position = f"Image {self.shown_images.index(image) + 1} of {len(self.shown_images)}"
        corrected = len(self.corrected_images)
        accept = f"accept, {corrected} corrected" if corrected else "all right"
        keys = [f"{key('review.accept')}: {'all images' if is_zoomed else accept}", f"{class_keys}: class"]
        if image.second_class_id != image.label_class_id:
            keys.append(f"{key('review.second')}: {self._format_name(image.second_class_id)}")
        keys += [f"{key('review.mark')}: mark", unreadable]
        return f"{position}: {self.describe_selected_image()}?", " · ".join(keys)

    def _describe_progress(self) -> list[str]:
        """Return the stopping lines; pages of the same class count for what is expected of the next one."""
        reviews, steps = self.session.reviews, self.draft.recorded_steps
        progress, page_images = reviews.progress(), len(self.images)
        expected_errors = sum(1 - image.confidence for image in self.shown_images)
        if not self.is_varied:
            expected_errors = reviews.expected_errors_on_next_page(self.class_id, self.capacity)
        last_step = steps[-1] if steps else None
        if last_step is not None and last_step.origin == "review" and last_step.class_id == self._page_id:
            expected_errors = expect_page_corrections(expected_errors, page_images, progress.shown, progress.changed)
        lines = list_stopping_lines(progress, min(expected_errors, page_images))
        if self._advises_varied_images and not self.is_varied:
            key = self._format_key("review.varied")
            lines = [f"{line} · {key}: a mixed page teaches more" for line in lines[:2]] + lines
        return lines

    def _format_end(self) -> str:
        key = self._format_key("review.next_class")
        return f"All images of {self._subject} are reviewed. {key}: next class"

    def _format_name(self, class_id: int) -> str:
        return truncate_class_name(class_id, self.session.classes, MAX_NAME_CELLS)

    @property
    def _advises_varied_images(self) -> bool:
        """Whether answers for varied images are better than corrections of the most suspicious ones.

        Networks that are trained on propagated answers learn more from them (assets/results/budget.json).
        """
        return self.session.phase == "labelling" and self.session.config.propagation.method == "graph"

    @property
    def _page_id(self) -> int:
        """The class of the page; `VARIED_ID` for varied images."""
        return VARIED_ID if self.is_varied else self.class_id

    @property
    def _subject(self) -> str:
        return ALL_CLASSES if self.is_varied else self._format_name(self.class_id)

    def _read_images(self, count: int, skipped: int) -> Sequence[ReviewImage]:
        if self.is_varied:
            return self._varied_images.read(count, skipped)
        return self.session.reviews.page(self.class_id, count, skipped)

    def _refresh_classes(self) -> None:
        """Read the numbers again; the order stays that of the beginning."""
        current = {item.class_id: item for item in self.session.reviews.classes()}
        known = [current[class_id] for class_id in self._class_order if class_id in current]
        self.review_classes = known + [item for item in current.values() if item.class_id not in self._class_order]

    def _find_open_class(self, class_ids: Iterable[int]) -> int | None:
        """Return the first of these classes with images without an answer of their own; None if none has any."""
        reviews = self.session.reviews
        return next(
            (id_ for id_ in class_ids if reviews.page(None if id_ == VARIED_ID else id_, 1)),
            None,
        )

    def _show_next_class(self, step: int) -> None:
        """Go to the next class in the order that has open images; the mixed page stands between last and first."""
        ids = [item.class_id for item in self.review_classes] + [VARIED_ID]
        start = ids.index(self._page_id)
        order = [ids[(start + step * distance) % len(ids)] for distance in range(1, len(ids))]
        if (target := self._find_open_class(order)) is None:
            self.hint = "No other class has images without an answer"
        else:
            self.show_class(target)

    def _turn_page(self, step: int) -> None:
        """Look at other pages of the class without accepting this one."""
        target = self.skipped_count + step * self.capacity
        if target < 0 or (step > 0 and not self._read_images(1, target)):
            self.hint = "This is the last page" if step > 0 else "This is the first page"
            return
        self.skipped_count = target
        self.forget_earlier_marks()
        self.show_page()

    def _undo_or_redo(self, key: str) -> None:
        """Take the last mark or the last page back, or record the page undone last again."""
        if key == "undo" and self.undo_mark():
            return
        step = self.undo_step() if key == "undo" else self.redo_step()
        if step is None:
            return
        if step.origin == "review":
            self._accepted_pages[step.class_id] += 1 if key == "redo" else -1
            self.skipped_count, self.is_varied = 0, step.class_id == VARIED_ID
            if not self.is_varied:
                self.draft.class_id = step.class_id
            elif key == "undo":
                self._varied_images.restore(self._varied_pages[step.image_indices])
            else:
                self._varied_images.remove(step.image_indices)
        self.show_page(step.image_indices[0] if step.image_indices and key == "undo" else None)
