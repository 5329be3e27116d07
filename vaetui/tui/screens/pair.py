"""The screen of two confused classes: their doubtful images side by side, which a key moves across."""

from __future__ import annotations

from typing import cast

from vaetui.errors import UserError
from vaetui.session.views import DigitKeys
from vaetui.tui.presenters.line_dialogue import LineDialogue
from vaetui.tui.presenters.pair_presenter import PairPresenter
from vaetui.tui.presenters.review_draft import ReviewDraft
from vaetui.tui.review_keymap import PAIR_GLOSSARY, PAIR_KEYS
from vaetui.tui.screens.tile_screen import TileScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt


class PairScreen(TileScreen):
    """Images of one class at the left and of the other at the right, and a prompt about the selected one."""

    BINDINGS = build_bindings(PAIR_KEYS)
    glossary = PAIR_GLOSSARY
    has_sides = True

    def __init__(self, session: Session, digit_keys: DigitKeys, draft: ReviewDraft) -> None:
        """Show the most confused classes of the session."""
        super().__init__(session, digit_keys, draft)
        self.presenter = PairPresenter(session, digit_keys, draft)
        """The pair, its page and the marks."""

    def on_mount(self) -> None:
        """Show the first pair."""
        self.presenter = PairPresenter(self.session, self._digit_keys, self.draft, self._vaetui_app.format_key)
        try:
            self.presenter.load()
        except UserError as error:
            self._hint = str(error)
        self._update_view()

    def handle_bound_key(self, key: str) -> None:
        """Pass a key to the presenter, and open a line for it or close."""
        if self._intercept_key(key, ("accept",), ("close", "accept")):
            return
        match self._pass_on(self.presenter.handle_key, key):
            case "close":
                self.dismiss()
                return
            case "choose" if self.presenter.selected_image is not None:
                self._open_class_line(self._relabel)
            case "list" if self.presenter.pairs:
                self.open_line(LineDialogue("Compare:", self.presenter.list_pair_choices(), on_choice=self._show_pair))
            case "zoom":
                self.is_zoomed = not self.is_zoomed and self.presenter.selected_image is not None
        self._update_view()

    def _relabel(self, class_id: int) -> None:
        self.presenter.relabel(class_id)
        self._update_view()

    def _show_pair(self, index: object) -> None:
        self.is_zoomed = False
        self.presenter.show_pair(cast(int, index))
        self._update_view()

    def _update_view(self) -> None:
        presenter, view = self.presenter, self._view
        self.query_one(Header).set_text(f"{self._pending_text}{presenter.format_heading(self._heading_cells)}")
        if not self._has_layout:
            self._await_layout()
            return
        presenter.resize(view.compute_grid(bool(self._digit_text)))
        first_image = next(iter(presenter.shown_images), None)
        if first_image is not None and not view.load_colours(first_image.image_index):
            self._show_loading()
            return
        grid = view.compute_grid(bool(self._digit_text))
        presenter.resize(grid)
        view.show_lines(grid, (), self._digit_text)
        if self.is_zoomed and presenter.selected_image is not None:
            view.show_full_size(presenter.selected_image.image_index)
        else:
            indices = [None if image is None else image.image_index for image in presenter.images]
            view.show_page(grid, indices, presenter.list_captions(grid.image_cells[0]), presenter.cursor)
            view.show_side_headings(presenter.format_side_headings(*view.side_cells))
        question, help_text = presenter.format_prompt(is_zoomed=self.is_zoomed)
        hint, note = self._hint or presenter.hint, self._note or presenter.status_text
        self.query_one(Prompt).show_question(question, help_text, hint, note, cuts_note=not self._note)
