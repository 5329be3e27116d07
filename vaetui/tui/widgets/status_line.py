"""The line of state on the training screen, and what for a while stands in its place; it does not know the time."""

from __future__ import annotations

from vaetui.tui.widgets.text_line import TextLine

MESSAGE_DURATION_S = 10.0
"""Seconds for which a sentence stands: time to read it twice."""


class StatusLine(TextLine):
    """What goes on, in one line; or what a key came to, in as many as it takes."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; color: $foreground 80%; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Begin without words."""
        super().__init__(id=id)
        self._message, self._expires_at = "", float("-inf")

    def show_message(self, message: str, now: float) -> None:
        """Let that sentence stand here for a while from that time on, in seconds; an empty one stands for none."""
        self._message, self._expires_at = message, now + MESSAGE_DURATION_S

    def show(self, text: str, now: float) -> bool:
        """Show that line, unless a sentence stands, and tell whether that changed the room for all else."""
        sentence = self._message if now < self._expires_at else ""
        rows = self.count_rows(len(sentence))
        before = 1 if self.styles.height is None else self.styles.height.value
        if before != rows:
            self.styles.height = rows
        self.set_text(sentence or text, wrap=rows > 1)
        return before != rows
