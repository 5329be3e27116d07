"""The screen that asks where a class ends: pages along the distance from its centre."""

from __future__ import annotations

from vaetui.tui.presenters.border_presenter import BorderPresenter
from vaetui.tui.presenters.review_draft import ReviewDraft
from vaetui.tui.review_keymap import BORDER_GLOSSARY, BORDER_KEYS
from vaetui.tui.screens.tile_screen import TileScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt


class BorderScreen(TileScreen):
    """A page of images of one class, and the question whether all of them fit."""

    BINDINGS = build_bindings(BORDER_KEYS)
    glossary = BORDER_GLOSSARY

    def __init__(self, session: Session, class_id: int, page_images: int, draft: ReviewDraft) -> None:
        """Search for the border of a class by pages of so many images. Raises UserError if there are no labels."""
        super().__init__(session, (), draft)
        self.presenter = BorderPresenter(session, class_id, page_images, draft)
        """The search and the marks of its page."""

    def on_mount(self) -> None:
        """Show the first page."""
        self.presenter.format_key = self._vaetui_app.format_key
        self._update_view()

    def handle_bound_key(self, key: str) -> None:
        """Pass a key to the presenter, or close."""
        if self._intercept_key(key, ("fits", "differs", "accept"), ("close", "accept", "fits")):
            return
        match self._pass_on(self.presenter.handle_key, key):
            case "close":
                self.dismiss()
                return
            case "zoom":
                self.is_zoomed = not self.is_zoomed and bool(self.presenter.image_indices)
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Show that the key is unknown; digits have no classes here."""
        self._hint = self.unknown_key_hint
        self._update_view()

    def _update_view(self) -> None:
        presenter, view = self.presenter, self._view
        self.query_one(Header).set_text(f"{self._pending_text}{presenter.format_heading(self._heading_cells)}")
        if not self._has_layout:
            self._await_layout()
            return
        indices = presenter.image_indices
        if indices and not view.load_colours(indices[0]):
            self._show_loading()
            return
        grid = view.compute_grid(has_digit_keys=False)
        presenter.resize(grid)
        view.show_lines(grid, (), "")
        start, end = presenter.part_bounds
        if self.is_zoomed and indices:
            view.show_full_size(indices[presenter.selection.index])
        else:
            captions = presenter.list_captions(grid.image_cells[0])
            view.show_page(grid, indices[start:end], captions, presenter.selection.index - start)
            presenter.note_shown()
        question, help_text = presenter.format_prompt(self.app.size.width - 2)
        hint, note = self._hint or presenter.hint, self._note or presenter.status_text
        self.query_one(Prompt).show_question(question, help_text, hint, note, cuts_note=not self._note)
