"""The line of state on the training screen, and what for a while stands in its place; it does not know the time."""

from __future__ import annotations

from vaetui.tui.widgets.text_line import Line

STAY = 10.0
"""Seconds for which a sentence stands: time to read it twice."""


class Status(Line):
    """What goes on, in one line; or what a key came to, in as many as it takes."""

    DEFAULT_CSS = """
    Status { height: 1; padding: 0 1; color: $foreground 80%; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Begin without words."""
        super().__init__(id=id)
        self._sentence, self._until = "", float("-inf")

    def put(self, sentence: str, now: float) -> None:
        """Let that sentence stand here for a while from that time on, in seconds; an empty one stands for none."""
        self._sentence, self._until = sentence, now + STAY

    def show(self, line: str, now: float) -> bool:
        """Show that line, unless a sentence stands, and tell whether that changed the room for all else."""
        sentence = self._sentence if now < self._until else ""
        rows = self.rows_of(len(sentence))
        before = 1 if self.styles.height is None else self.styles.height.value
        if before != rows:
            self.styles.height = rows
        self.say(sentence or line, wrap=rows > 1)
        return before != rows
