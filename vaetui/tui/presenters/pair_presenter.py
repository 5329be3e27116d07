"""State of the comparison of two confused classes: their images side by side, and those that move across."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from rich.cells import cell_len

from vaetui.errors import format_count
from vaetui.session.digit_keys import list_active_digits
from vaetui.session.review_views import PAGE_IMAGES, ConfusedPair, ReviewImage
from vaetui.tui.presenters.cluster_text import format_digit_ranges, truncate_class_name
from vaetui.tui.presenters.image_page import ImagePage
from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.presenters.line_dialogue import Choice
from vaetui.tui.presenters.review_draft import StepOrigin
from vaetui.tui.presenters.review_text import MAX_NAME_CELLS, MIN_NAME_CELLS
from vaetui.tui.presenters.styled_text import Piece, count_cells, format_class

PairAction: TypeAlias = str
"""What the screen does after a key: "close", "choose", "list" or "zoom"."""


class PairPresenter(ImagePage):
    """Handles the keys of the comparison; images of the first class are at the left, of the second at the right."""

    undone_origins: tuple[StepOrigin, ...] = ("pair",)
    pairs: Sequence[ConfusedPair] = ()
    """The pairs of classes, most confused first."""
    index = 0
    """Position of the pair that is shown."""

    @property
    def pair(self) -> ConfusedPair | None:
        """The pair that is shown; None if no classes are confused."""
        return self.pairs[self.index] if self.pairs else None

    @property
    def side_columns(self) -> int:
        """Columns of images of one class."""
        return max(self.grid.columns // 2, 1)

    def load(self) -> None:
        """Show the most confused pair."""
        self.pairs = self.session.reviews.pairs()
        self.show_page()

    def resize(self, grid: GridLayout) -> None:
        """Show as many images as fit a grid with an even number of columns."""
        if grid != self.grid:
            image = self.selected_image
            self.grid = grid
            self.show_page(None if image is None else image.image_index)

    def show_page(self, selected_index: int | None = None) -> None:
        """Read the page again, with the cursor at an image or at the first one."""
        self.images, self.cursor = (), 0
        if self.pair is None:
            return
        side_count = min(self.side_columns * self.grid.rows, PAGE_IMAGES // 2)
        sides = self.session.reviews.pair_page(self.pair.class_a, self.pair.class_b, side_count)
        self.images = arrange_sides(*sides, self.side_columns)
        positions = {image.image_index: index for index, image in enumerate(self.images) if image is not None}
        self.cursor = positions.get(
            -1 if selected_index is None else selected_index, min(positions.values(), default=0)
        )

    def handle_key(self, key: str) -> PairAction | None:
        """Handle a key, and return what the screen has to do."""
        self.hint = self.status_text = ""
        if key == "mark":
            self._move_across()
        elif not self.handle_page_key(key):
            match key:
                case "accept":
                    self.accept()
                case "undo" | "redo":
                    self._undo_or_redo(key)
                case "next" | "previous":
                    self._show_next_pair(1 if key == "next" else -1)
                case _:
                    return key
        return None

    def accept(self) -> None:
        """Record the page: the class of each image, moved or not."""
        if self.pair is None or not self.shown_images:
            self.hint = self._format_end()
            return
        names = " and ".join(self._format_name(class_id) for class_id in (self.pair.class_a, self.pair.class_b))
        if self.record_page("pair", self.pair.class_a, names) is not None:
            self.show_page()

    def show_pair(self, index: int) -> None:
        """Show another pair."""
        self.hint = self.status_text = ""
        self.index = index
        self.forget_earlier_marks()
        self.show_page()

    def list_pair_choices(self) -> list[Choice]:
        """Return the pairs with the number of images between their classes."""
        names = self.session.classes.names
        return [
            Choice(f"{names[pair.class_a]} / {names[pair.class_b]}", index, format_count(pair.count, "image"))
            for index, pair in enumerate(self.pairs)
        ]

    def format_heading(self, max_cells: int = 200) -> str:
        """Return the pair and its position, such as "cat / dog: 60 images in doubt · pair 1 of 9", with short names."""
        if self.pair is None:
            return "confused classes"
        facts = f": {format_count(self.pair.count, 'image')} in doubt · pair {self.index + 1} of {len(self.pairs)}"
        name_cells = min(max((max_cells - cell_len(facts) - len(" / ")) // 2, MIN_NAME_CELLS), MAX_NAME_CELLS)
        names = " / ".join(
            truncate_class_name(class_id, self.session.classes, name_cells)
            for class_id in (self.pair.class_a, self.pair.class_b)
        )
        return f"{names}{facts}"

    def format_side_headings(self, side_cells: int, gap_cells: int) -> list[Piece]:
        """Return the names of both classes, each in the middle of its side."""
        if self.pair is None:
            return []
        pieces: list[Piece] = []
        for class_id in (self.pair.class_a, self.pair.class_b):
            name = format_class(class_id, self.session.classes, side_cells)
            before = (side_cells - count_cells(name)) // 2
            after = side_cells - count_cells(name) - before
            pieces += [(" " * before, ""), *name, (" " * after, ""), (" " * gap_cells, "")]
        return pieces[:-1]

    def format_prompt(self, *, is_zoomed: bool = False) -> tuple[str, str]:
        """Return the question about the selected image, and the keys that answer it."""
        image, key = self.selected_image, self._format_key
        if image is None:
            return self._format_end(), ""
        digits = format_digit_ranges(list_active_digits(self.digit_keys, self.session.classes))
        corrected = len(self.corrected_images)
        accept = f"accept, {corrected} corrected" if corrected else "all right"
        is_moved = self.find_correction(image) is not None
        move = "keep here" if is_moved else f"to {self._format_name(image.second_class_id)}"
        keys = [
            f"{key('pair.accept')}: {'all images' if is_zoomed else accept}",
            f"{key('pair.mark')}: {move}",
            f"{digits}: class",
        ]
        keys += [f"{key('pair.unreadable')}: unreadable", f"{key('pair.next')}: next pair"]
        return f"{self.describe_selected_image()}?", " · ".join(keys)

    def _format_end(self) -> str:
        if self.pair is None:
            return "No two classes are confused with each other"
        return f"No image of this pair is left in doubt. {self._format_key('pair.next')}: next pair"

    def _format_name(self, class_id: int) -> str:
        return truncate_class_name(class_id, self.session.classes, MAX_NAME_CELLS)

    def _move_across(self) -> None:
        """Move the selected image to the other class, or back."""
        image = self.selected_image
        if image is None:
            self.hint = "There is no image here"
        elif self.find_correction(image) is None:
            self.relabel(image.second_class_id)
        else:
            self._correct(None)

    def _show_next_pair(self, step: int) -> None:
        target = self.index + step
        if not 0 <= target < len(self.pairs):
            self.hint = "This is the last pair" if step > 0 else "This is the first pair"
        else:
            self.show_pair(target)

    def _undo_or_redo(self, key: str) -> None:
        if key == "undo" and self.undo_mark():
            return
        step = self.undo_step() if key == "undo" else self.redo_step()
        if step is not None:
            self.show_page(step.image_indices[0] if step.image_indices and key == "undo" else None)


def arrange_sides(
    left: Sequence[ReviewImage], right: Sequence[ReviewImage], side_columns: int
) -> list[ReviewImage | None]:
    """Return the images of both sides row by row, each side in `side_columns` columns, with None for empty places."""
    rows = -(-max(len(left), len(right)) // side_columns)
    places: list[ReviewImage | None] = []
    for row in range(rows):
        for side in (left, right):
            part = list(side[row * side_columns : (row + 1) * side_columns])
            places += [*part, *[None] * (side_columns - len(part))]
    return places
