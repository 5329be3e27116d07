"""State of the question where a class ends: pages along the distance from its centre, and what lies beyond."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from rich.cells import cell_len

from vaetui.errors import UserError, format_count
from vaetui.session.border_search import BorderSearch
from vaetui.tui.keymap import KeyFormatter, format_default_key
from vaetui.tui.presenters.cluster_text import truncate_class_name
from vaetui.tui.presenters.focus_moves import MOVE_KEYS
from vaetui.tui.presenters.image_selection import ImageSelection
from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.presenters.review_draft import ReviewDraft, ReviewStep
from vaetui.tui.presenters.review_text import MAX_NAME_CELLS, MIN_NAME_CELLS
from vaetui.tui.presenters.styled_text import Piece
from vaetui.tui.session_protocol import Session

KEY_CELLS = 62
"""Cells of the prompt without the name of the class."""
BorderAction: TypeAlias = Literal["close", "zoom"]
"""What the screen does after a key."""


class BorderPresenter:
    """Handles the keys of the search for the border of a class; nothing is recorded before it is confirmed."""

    def __init__(
        self,
        session: Session,
        class_id: int,
        page_images: int,
        draft: ReviewDraft,
        format_key: KeyFormatter = format_default_key,
    ) -> None:
        """Begin with the images that are nearest to the centre of the class."""
        self.session = session
        """The session whose images are reviewed."""
        self.class_id = class_id
        """The class."""
        self.search: BorderSearch = session.reviews.border(class_id, page_images)
        """The search, with the answers so far."""
        self.selection = ImageSelection(0)
        """The selected image among those of the page."""
        self.marked: frozenset[int] = frozenset()
        """Images of the page that do not fit."""
        self.hint = ""
        """Why the last key did nothing, or ""."""
        self.status_text = ""
        """The result of the last key."""
        self.format_key = format_key
        """Returns the name of the key of a binding."""
        self._draft = draft
        self._seen_positions: set[int] = set()
        self._grid = GridLayout((1, 1), 1, 1, 2)
        self._show_page()

    @property
    def is_done(self) -> bool:
        """Whether the border has been found, and only the confirmation is missing."""
        return self.search.is_done

    @property
    def image_indices(self) -> Sequence[int]:
        """The images to ask about; at the end the images beyond the border, nearest first."""
        return self.search.result if self.is_done else self.search.page

    @property
    def part_bounds(self) -> tuple[int, int]:
        """Start and end of the images that are on the screen."""
        return self.selection.page_bounds

    def resize(self, grid: GridLayout) -> None:
        """Show the part of the page that fits a grid and holds the selected image."""
        self._grid = grid
        self.selection = ImageSelection(
            len(self.image_indices), grid.columns, grid.rows, min(self.selection.index, self._last_position)
        )

    def note_shown(self) -> None:
        """Note that the images of this part are on the screen: only then the page can be answered."""
        self._seen_positions |= set(range(*self.part_bounds))

    def handle_key(self, key: str) -> BorderAction | None:
        """Handle a key, and return what the screen has to do."""
        self.hint = self.status_text = ""
        if key in MOVE_KEYS:
            self.selection = self.selection.move(key)
            return None
        match key:
            case "zoom":
                return key
            case "undo":
                self._undo_answer()
            case "close" if self.marked:
                self.marked = frozenset()
            case "close":
                return key
            case "fits" | "accept" | "differs" | "mark" if self.is_done:
                return self._confirm(key)
            case "mark" if self.image_indices:
                self.marked ^= {self.image_indices[self.selection.index]}
                self.selection = self.selection.move("right")
            case "fits" if self.marked:
                self.hint = f"{self._format_marked()}. {self._key('accept')}: go on · {self._key('close')}: unmark"
            case "fits" | "accept" | "differs":
                self._answer(key)
        return None

    def list_captions(self, max_cells: int) -> list[tuple[Piece, ...]]:
        """Return the captions of the images on the screen: those that do not fit are marked."""
        start, end = self.part_bounds
        text = " * does not fit "
        caption: tuple[Piece, ...] = ((text if len(text) <= max_cells else " * ", "open"),)
        return [caption if index in self.marked else () for index in self.image_indices[start:end]]

    def format_heading(self, max_cells: int = 200) -> str:
        """Return the class, with a name that fits, and the page along the distance from its centre."""
        if self.is_done:
            count, total = len(self.search.result), format_count(len(self.search.image_indices), "image")
            start, end = "", f": {count:,} of {total} beyond the border"
        else:
            start, end = "where does ", f" end? · page {self.search.page_number:,} of {self.search.page_count:,}"
            rest = f" · at most {self.search.most_pages_left} to see"
            end += rest * (cell_len(start + end + rest) + MIN_NAME_CELLS <= max_cells)
        return f"{start}{self._format_name(max_cells - cell_len(start + end))}{end}"

    def format_prompt(self, max_cells: int = 78) -> tuple[str, str]:
        """Return the question, and the keys that answer it; a long name leaves room for them."""
        name = self._format_name(max_cells - KEY_CELLS)
        if self.is_done:
            return self._format_result(name)
        accept_key, close_key = self._key("accept"), self._key("close")
        start, end = self.part_bounds
        count = len(self.image_indices)
        part = "" if end - start == count else f" ({start + 1}-{end} of {count})"
        if self.marked:
            return f"{self._format_marked()}{part}", f"{accept_key}: go on · {close_key}: unmark"
        keys = f"{self._key('fits')} {accept_key}: yes · {self._key('differs')}: no · {self._key('mark')}: mark misfits"
        return f"Do all of these fit {name}?{part}", f"{keys} · {close_key}: cancel"

    def _format_marked(self) -> str:
        return f"{format_count(len(self.marked), 'image')} {'does' if len(self.marked) == 1 else 'do'} not fit"

    def _format_name(self, max_cells: int = MAX_NAME_CELLS) -> str:
        cells = min(max(max_cells, MIN_NAME_CELLS), MAX_NAME_CELLS)
        return truncate_class_name(self.class_id, self.session.classes, cells)

    @property
    def _last_position(self) -> int:
        return max(len(self.image_indices) - 1, 0)

    def _key(self, name: str) -> str:
        return self.format_key(f"border.{name}")

    def _format_result(self, name: str) -> tuple[str, str]:
        count = len(self.search.result)
        if not count:
            return f"All images of {name} fit; nothing changes", f"{self._key('close')}: back"
        verb = "loses its label" if count == 1 else "lose their label"
        question = f"{format_count(count, 'image')} beyond the border {verb}:"
        return question, f"{self._key('accept')}: record · {self._key('close')}: keep them"

    def _show_page(self) -> None:
        self.marked, self._seen_positions = frozenset(), set()
        self.selection = ImageSelection(len(self.image_indices), self._grid.columns, self._grid.rows)

    def _answer(self, key: str) -> None:
        """Answer for the page, once all of it was on the screen; marked images do not fit."""
        fits = key != "differs" and not self.marked
        unseen = [position for position in range(len(self.image_indices)) if position not in self._seen_positions]
        if fits and unseen:
            self.selection = ImageSelection(len(self.image_indices), self._grid.columns, self._grid.rows, unseen[0])
            self.status_text = "More images of this page"
            return
        self.search = self.search.with_answer(fits, self.marked)
        self._show_page()

    def _undo_answer(self) -> None:
        if not self.search.misfits:
            self.hint = "This is the first page"
            return
        self.search = self.search.without_last_answer()
        self._show_page()
        self.status_text = "Undid: the last answer of this search"

    def _confirm(self, key: str) -> BorderAction | None:
        """Record the border, or close if nothing lies beyond it."""
        count = len(self.search.result)
        if not count:
            return "close"
        if key != "accept":  # y may have been typed for one page more
            self.hint = f"{self._key('accept')}: record · {self._key('close')}: keep them"
            return None
        try:
            self.session.record_border(self.class_id, self.search.result)
        except UserError as error:
            self.hint = str(error)
            return None
        description = f"border of {self._format_name()}, {format_count(count, 'image')} beyond it"
        self._draft.add_step(ReviewStep(description, "border", self.class_id))
        return "close"
