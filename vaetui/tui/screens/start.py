"""The screen of the first frame, shown while the first real screen is imported."""

from __future__ import annotations

from textual.app import ComposeResult

from vaetui.tui.screens.vaetui_screen import VaetuiScreen
from vaetui.tui.widgets.header import Header


class StartScreen(VaetuiScreen):
    """A header only: it is quick to import and to lay out."""

    def compose(self) -> ComposeResult:
        """Create the header."""
        yield Header(self._session_name, "starting …")
