"""A question that is answered by y or n."""

from __future__ import annotations

from collections.abc import Callable

from vaetui.tui.presenters.line_dialogue import Choice, LineDialogue

YES_OR_NO_HINT = "y or n"


class YesNoDialogue(LineDialogue):
    """Asks whether to do something; only y does it, and neither Enter nor pasted text answers."""

    def __init__(self, question: str, on_yes: Callable[[], None]) -> None:
        """Ask the question; `on_yes` is called after y."""
        super().__init__(question, on_choice=lambda _: on_yes())

    def handle_key(self, key: str, character: str | None) -> bool:
        """Handle a key, and return whether the question is answered."""
        self.hint = ""
        if key in ("escape", "ctrl+c") or character in ("n", "N"):
            return True
        if character in ("y", "Y"):
            self._result = Choice("y", True)
            return True
        self.hint = YES_OR_NO_HINT
        return False

    def paste(self, text: str) -> None:
        """Ignore pasted text."""
        self.hint = YES_OR_NO_HINT
