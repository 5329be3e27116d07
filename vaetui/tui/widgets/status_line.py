"""The status line of the training screen."""

from __future__ import annotations

from vaetui.tui.widgets.text_line import TextLine

MESSAGE_DURATION_S = 10.0
"""Seconds for which a message replaces the status: enough to read it twice."""


class StatusLine(TextLine):
    """The status in one line, or for a while a message in as many lines as it needs."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; color: $foreground 80%; }
    """

    _message, _expires_at = "", float("-inf")

    def show_message(self, message: str, now: float) -> None:
        """Set the message to show from `now`, in seconds, for `MESSAGE_DURATION_S`; "" removes it."""
        self._message, self._expires_at = message, now + MESSAGE_DURATION_S

    def show_status(self, text: str, now: float) -> bool:
        """Show the message, or `text` if it has expired, and return whether the height changed."""
        message = self._message if now < self._expires_at else ""
        rows = self.count_wrapped_rows(message)
        previous_rows = 1 if self.styles.height is None else self.styles.height.value
        if previous_rows != rows:
            self.styles.height = rows
        self.set_text(message or text, wrap=rows > 1)
        return previous_rows != rows
