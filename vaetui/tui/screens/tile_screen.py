"""Base class of the screens that show a page of single images, which can be accepted once it was on the screen."""

from __future__ import annotations

from collections.abc import Callable, Collection

from rich.text import Text
from textual.app import ComposeResult
from textual.events import Resize

from vaetui.errors import UserError
from vaetui.session.views import DigitKeys
from vaetui.tui.presenters.cluster_text import format_digit_keys
from vaetui.tui.presenters.review_draft import ReviewDraft
from vaetui.tui.screens.worker_screen import WorkerScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.image_page_view import EARLY_KEY_HINT, ImagePageView
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.tiled_images import LOADING_TEXT

PROGRAM_NAME_CELLS = 12
"""Cells of the header that the heading leaves to the name of the program and the beginning of that of the session."""
LAYOUT_POLL_S = 0.05
"""Seconds between two attempts to show the images before they have a place."""
RETRY_S = 0.2
"""Seconds between two attempts to show images while they are being loaded."""


class TileScreen(WorkerScreen):
    """Base class of a screen with a page of images and a prompt."""

    DEFAULT_CSS = """
    TileScreen { layout: vertical; overflow: hidden; }
    """
    has_sides = False
    """Whether the left and the right half of the images stand apart."""

    def __init__(self, session: Session, digit_keys: DigitKeys, draft: ReviewDraft) -> None:
        """Show images of the session, with the classes that the digits choose."""
        super().__init__(session, digit_keys)
        self.draft = draft
        """The marks, and the steps that can be undone."""
        self.is_zoomed = False
        """Whether the selected image is shown in full size."""

    def compose_body(self) -> ComposeResult:
        """Create the images and the prompt."""
        yield ImagePageView(self.session.select_images, has_sides=self.has_sides)
        yield Prompt()

    async def on_resize(self, event: Resize) -> None:
        """Show what fits the new size after the layout."""
        self.call_after_refresh(self._update_view)

    @property
    def _view(self) -> ImagePageView:
        return self.query_one(ImagePageView)

    @property
    def _digit_text(self) -> str:
        """The digits with the names of their classes; empty if all classes are named like their digits."""
        return format_digit_keys(self.session.classes, self._digit_keys, self.app.size.width - 2)

    @property
    def _heading_cells(self) -> int:
        """Cells of the header for its text."""
        return self.app.size.width - 2 - PROGRAM_NAME_CELLS - len(self._pending_text)

    @property
    def _has_layout(self) -> bool:
        """Whether the sizes of the widgets are known."""
        return bool(self._view.size)

    def _intercept_key(self, key: str, page_keys: Collection[str], zoom_keys: Collection[str]) -> bool:
        """Return whether the presenter must not get a key.

        One of `page_keys` is ignored, which is shown, while the page has just appeared; one of `zoom_keys` shows all
        images again after one in full size.
        """
        self._hint = self._note = ""
        if key in page_keys and not self._view.is_ready:
            self._hint = EARLY_KEY_HINT
        elif self.is_zoomed and key in zoom_keys:
            self.is_zoomed = False
        else:
            return False
        self._update_view()
        return True

    def _pass_on(self, handle_key: Callable[[str], str | None], key: str) -> str | None:
        """Return the action of a key, or None if the session refuses it, which is shown."""
        try:
            return handle_key(key)
        except UserError as error:
            self._hint = str(error)
            return None

    def _await_layout(self) -> None:
        """Try again soon: in too small a terminal there is no layout, and trying at once would never pause."""
        self.set_timer(LAYOUT_POLL_S, self._update_view)

    def _show_loading(self) -> None:
        """Show that the images are being loaded, and try again soon."""
        self.query_one(Prompt).set_text(Text(LOADING_TEXT, "bold"))
        self.set_timer(RETRY_S, self._update_view)
