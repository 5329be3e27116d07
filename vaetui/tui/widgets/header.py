"""The one-line header of every screen."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget


class Header(Widget):
    """The program and session name at the left, the text of the screen at the right."""

    DEFAULT_CSS = """
    Header { dock: top; height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    def __init__(self, session_name: str, text: str = "") -> None:
        """Create a header with `text` at the right."""
        super().__init__()
        self.session_name = session_name
        """The name shown at the left."""
        self._text = Text(text)
        self._pinned_text: Text | None = None

    def set_text(self, text: Text | str) -> None:
        """Set the text at the right, which a pinned text hides."""
        new_text = Text(text) if isinstance(text, str) else text
        if new_text != self._text:
            self._text = new_text
            self.refresh()

    def pin_text(self, text: Text | str | None) -> None:
        """Show `text` instead of the text of `set_text`, until None is pinned."""
        self._pinned_text = Text(text) if isinstance(text, str) else text
        self.refresh()

    def render(self) -> Text:
        """Return the line; a small width truncates the session name, not the text at the right."""
        right = self._pinned_text or self._text
        left = Text.assemble(("vaetui", "bold"), "  ", self.session_name)
        width = self.content_size.width
        left.truncate(max(width - right.cell_len - 2, 6), overflow="ellipsis")
        gap = max(width - left.cell_len - right.cell_len, 0)
        line = Text.assemble(left, " " * gap, right, no_wrap=True, overflow="crop")
        line.truncate(width, overflow="crop")
        return line
