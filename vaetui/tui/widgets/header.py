"""The one line on top of every screen; it does not know what is said in it."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget


class Header(Widget):
    """The program, the session's name, and at the right what the screen says."""

    DEFAULT_CSS = """
    Header {
        dock: top;
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $foreground;
    }
    """

    def __init__(self, session_name: str) -> None:
        """Show the name of that session."""
        super().__init__()
        self.session_name = session_name
        """The session's name."""
        self._text = Text()
        self._pinned_text: Text | None = None

    def set_text(self, text: Text | str) -> None:
        """Show this at the right, unless something is held there."""
        said = Text(text) if isinstance(text, str) else text
        if said != self._text:
            self._text = said
            self.refresh()

    def pin_text(self, text: Text | str | None) -> None:
        """Show this whatever is said, until None is held."""
        self._pinned_text = Text(text) if isinstance(text, str) else text
        self.refresh()

    def render(self) -> Text:
        """Draw the line; where room is short the session's name is cut, not the figures."""
        said = self._pinned_text or self._text
        left = Text.assemble(("vaetui", "bold"), "  ", self.session_name)
        width = self.content_size.width
        left.truncate(max(width - said.cell_len - 2, 6), overflow="ellipsis")
        gap = max(width - left.cell_len - said.cell_len, 0)
        line = Text.assemble(left, " " * gap, said, no_wrap=True, overflow="crop")
        line.truncate(width, overflow="crop")
        return line
