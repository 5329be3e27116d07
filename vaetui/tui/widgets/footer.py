"""A one-line footer with the keys of the screen."""

from __future__ import annotations

from rich.text import Text
from textual.screen import Screen

from vaetui.tui.widgets.text_line import TextLine


class Footer(TextLine):
    """The active bindings that have `show` set.

    Textual's own footer is mounted after the first frame and causes a second layout, which sends all images
    twice and delays the response to the first key on a slow connection.
    """

    DEFAULT_CSS = """
    Footer { dock: bottom; height: 1; background: $footer-background; color: $footer-foreground; }
    """

    def on_mount(self) -> None:
        """Show the keys, and again whenever the bindings change."""
        self.show_keys(self.screen)
        self.screen.bindings_updated_signal.subscribe(self, self.show_keys)

    def on_resize(self) -> None:
        """Show the keys that fit the new width."""
        self.show_keys(self.screen)

    def show_keys(self, screen: Screen[object]) -> None:
        """Show each action once; if the width is too small, drop entries before the last, which opens the help."""
        style = f"bold {self.app.theme_variables.get('footer-key-foreground', '')}"
        text_by_action: dict[str, Text] = {}
        for _, binding, enabled, _ in screen.active_bindings.values():
            if binding.show and enabled and binding.action not in text_by_action:
                key = self.app.get_key_display(binding)
                text_by_action[binding.action] = Text.assemble(" ", (key, style), f" {binding.description}")
        entries = list(text_by_action.values())
        while len(entries) > 1 and sum(entry.cell_len for entry in entries) > self.app.size.width:
            del entries[-2]
        self.set_text(Text.assemble(*entries))
