"""The screen of the first frame, shown while the first real screen is imported."""

from __future__ import annotations

from textual.app import ComposeResult

from vaetui.tui.screens.guarded import GuardedScreen
from vaetui.tui.widgets.header import Header


class StartScreen(GuardedScreen):
    """A header only: it is quick to import and to lay out."""

    def __init__(self, session_name: str) -> None:
        """Show the name of the session."""
        super().__init__()
        self._session_name = session_name

    def compose(self) -> ComposeResult:
        """Create the header."""
        header = Header(self._session_name)
        header.set_text("starting …")
        yield header
