"""Base class of the screens with a prompt."""

from __future__ import annotations

from textual.events import Resize

from vaetui.tui.screens.vaetui_screen import VaetuiScreen

RESERVED_ROWS = 3
"""Rows of header, prompt and footer."""


class PromptScreen(VaetuiScreen):
    """Base class of a screen that shows its whole state at once, with a hint in its prompt."""

    _hint = ""

    def on_mount(self) -> None:
        """Show the state."""
        self._update_view()

    async def on_resize(self, event: Resize) -> None:
        """Show what fits the new size; handlers of subclasses run before."""
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Show that the key is unknown."""
        self._hint = self.unknown_key_hint
        self._update_view()

    def _update_view(self) -> None:
        """Show the state in the widgets, which skip what has not changed."""
        raise NotImplementedError
