"""The screen before the first one, painted at once; it does not know what comes."""

from __future__ import annotations

from textual.app import ComposeResult

from vaetui.tui.screens.guarded import GuardedScreen
from vaetui.tui.widgets.header import Header


class StartScreen(GuardedScreen):
    """A header that says that something comes; it takes next to nothing to import and to lay out."""

    def __init__(self, session_name: str) -> None:
        """Show the name of that session."""
        super().__init__()
        self._session_name = session_name

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        header = Header(self._session_name)
        header.set_text("starting …")
        yield header
