"""The keys of a screen in one line, made from its live bindings; it does not know what they do."""

from __future__ import annotations

from rich.text import Text
from textual.screen import Screen

from vaetui.tui.widgets.text_line import TextLine


class Footer(TextLine):
    """The bindings that ask to be shown.

    Textual's own footer comes after the first frame and lays the screen out again: all pictures are then sent
    twice, and over a slow line the first answer waits for that.
    """

    DEFAULT_CSS = """
    Footer { dock: bottom; height: 1; background: $footer-background; color: $footer-foreground; }
    """

    def on_mount(self) -> None:
        """Follow the bindings, which a keymap may change."""
        self.show_keys(self.screen)
        self.screen.bindings_updated_signal.subscribe(self, self.show_keys)

    def on_resize(self) -> None:
        """List what fits now."""
        self.show_keys(self.screen)

    def show_keys(self, screen: Screen[object]) -> None:
        """Write each key with its word, once for all keys of one action; the last leads to all others."""
        style = f"bold {self.app.theme_variables.get('footer-key-foreground', '')}"
        shown: dict[str, Text] = {}
        for _, binding, enabled, _ in screen.active_bindings.values():
            if binding.show and enabled and binding.action not in shown:
                key = self.app.get_key_display(binding)
                shown[binding.action] = Text.assemble(" ", (key, style), f" {binding.description}")
        words = list(shown.values())
        while len(words) > 1 and sum(word.cell_len for word in words) > self.app.size.width:
            del words[-2]
        self.set_text(Text.assemble(*words))
