"""A one-line footer with the keys of the screen, on as many pages as they need."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text
from textual.color import Color
from textual.screen import Screen

from vaetui.tui.presenters.screen_commands import SEPARATOR, FooterEntry, arrange_footer_pages
from vaetui.tui.textual_bindings import list_commands
from vaetui.tui.widgets.text_line import TextLine


class Footer(TextLine):
    """The active bindings that have `show` set.

    Textual's own footer is mounted after the first frame and causes a second layout, which sends all images
    twice and delays the response to the first key on a slow connection.
    """

    DEFAULT_CSS = """
    Footer { dock: bottom; height: 1; background: $footer-background; color: $footer-foreground; }
    """
    _pages: list[list[FooterEntry]]
    _page_index = 0

    def on_mount(self) -> None:
        """Show the keys, and again whenever the bindings change."""
        self.show_keys(self.screen)
        self.screen.bindings_updated_signal.subscribe(self, self.show_keys)

    def on_resize(self) -> None:
        """Show the keys that fit the new width."""
        self.show_keys(self.screen)

    def show_keys(self, screen: Screen[object]) -> None:
        """Arrange the keys on pages and show the current one, or the first if the pages have changed."""
        has_help = getattr(screen, "glossary", None) is not None
        commands = list_commands(screen.active_bindings.values(), has_help)
        self._pages = arrange_footer_pages(commands, self.app.size.width)
        if self._page_index >= len(self._pages):
            self._page_index = 0
        self._show_page()

    def turn_page(self) -> bool:
        """Show the next page, and after the last one the first; return whether there is more than one."""
        self._page_index = (self._page_index + 1) % len(self._pages)
        self._show_page()
        return len(self._pages) > 1

    def _show_page(self) -> None:
        # Rich has other names for the terminal's own colours than Textual.
        style = Style(color=Color.parse(self.app.theme_variables["footer-key-foreground"]).rich_color, bold=True)
        text = Text(" ")
        for index, entry in enumerate(self._pages[self._page_index]):
            text.append(SEPARATOR if index else "")
            text.append(entry.keys, style).append(f" {entry.description}")
        self.set_text(text)
