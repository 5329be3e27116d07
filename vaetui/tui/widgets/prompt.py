"""The line of a screen that asks a question and confirms answers."""

from __future__ import annotations

from rich.text import Text

from vaetui.tui.widgets.text_line import TextLine


class Prompt(TextLine):
    """A question, followed by a hint, the result of the last key, or the keys that answer it."""

    DEFAULT_CSS = """
    Prompt { height: 1; padding: 0 1; background: $surface; }
    """

    def show_question(self, question: str, help_text: str, hint: str = "", note: str = "") -> None:
        """Show the question and the first of `hint`, `note` and `help_text` that is not empty."""
        text = Text.assemble((question, "bold"), "  ")
        if hint:
            text.append(f"! {hint}", "bold")
        else:
            text.append(note or help_text, "" if note else "dim")
        width, rows = self.app.size.width - 2, 1
        if text.cell_len > width and (hint or note):
            # Error messages can be whole sentences; they replace the question and wrap.
            text = Text(f"! {hint or note}", "bold")
            rows = self.count_wrapped_rows(text.cell_len)
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows
        self.set_text(text, wrap=rows > 1)
