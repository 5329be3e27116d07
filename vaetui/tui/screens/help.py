"""The help: the keys of a screen by task, how the method works, and the terms on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from vaetui.tui.binding_tables import Glossary
from vaetui.tui.keymap import HELP_KEYS
from vaetui.tui.presenters.help_text import HelpSearch, HelpSection, build_help_sections, filter_sections
from vaetui.tui.presenters.screen_commands import ScreenCommand
from vaetui.tui.presenters.sections import format_paragraph, format_wrapped_section
from vaetui.tui.screens.vaetui_screen import VaetuiScreen
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header

MARGIN_CELLS = 5
"""Cells of a line beside the text: padding and the scrollbar."""
NO_LINES: Mapping[str, str] = {}


class HelpScreen(VaetuiScreen):
    """Keys with their effects, and terms with their meanings, which a search line filters."""

    BINDINGS = build_bindings(HELP_KEYS)
    DEFAULT_CSS = """
    HelpScreen #scroll { height: 1fr; padding: 0 2; scrollbar-size-vertical: 1; }
    HelpScreen #text { width: 1fr; height: auto; }
    """

    def __init__(
        self,
        session_name: str,
        commands: Iterable[ScreenCommand],
        glossary: Glossary = (),
        import_lines: Mapping[str, str] = NO_LINES,
    ) -> None:
        """Explain these commands and terms, and list what was imported."""
        super().__init__(session_name, "keys")
        self._sections = build_help_sections(commands, glossary, import_lines)
        self._search_text = ""
        self._width = 0

    def compose_body(self) -> ComposeResult:
        """Create the text in a container that scrolls; keys go to the screen, so that they can be rebound."""
        with VerticalScroll(id="scroll", can_focus=False):
            self._width = self.app.size.width
            yield Static(self._format_sections(), id="text")

    async def on_resize(self, event: Resize) -> None:
        """Break the lines for the new width."""
        await super().on_resize(event)
        if self.app.size.width != self._width:
            self._width = self.app.size.width
            self.query_one("#text", Static).update(self._format_sections())

    def handle_bound_key(self, key: str) -> None:
        """Scroll, search, show everything again after a search, or close the help."""
        scroll = self.query_one("#scroll", VerticalScroll)
        match key:
            case "close" if self._search_text:
                self._show_matches("")
            case "close":
                self.dismiss()
            case "search":
                self.open_line(HelpSearch(self._show_matches, self._search_text))
            case "down":
                scroll.scroll_relative(y=1, animate=False)
            case "up":
                scroll.scroll_relative(y=-1, animate=False)
            case "page_down":
                scroll.scroll_relative(y=max(scroll.size.height - 1, 1), animate=False)
            case "page_up":
                scroll.scroll_relative(y=-max(scroll.size.height - 1, 1), animate=False)
            case "first":
                scroll.scroll_to(y=0, animate=False)
            case "last":
                scroll.scroll_to(y=scroll.max_scroll_y, animate=False)

    def on_unbound_key(self, key: str) -> None:
        """Show that the key does nothing here."""
        self.query_one(Header).set_text(self.unknown_key_hint)

    def _show_matches(self, text: str) -> None:
        """Show the lines with these words, from the first one on."""
        self._search_text = text.strip()
        self.query_one("#text", Static).update(self._format_sections())
        self.query_one("#scroll", VerticalScroll).scroll_to(y=0, animate=False)
        self.query_one(Header).set_text(f'lines with "{self._search_text}"' if self._search_text else "keys")

    def _format_sections(self) -> Text:
        sections = filter_sections(self._sections, self._search_text)
        if not sections:
            return Text("No line contains these words.", "dim")
        width = self.app.size.width - MARGIN_CELLS
        return Text("").join(_format_section(section, width) for section in sections)


def _format_section(section: HelpSection, width: int) -> Text:
    """Return rows of two columns, or a paragraph if the left column is empty."""
    if any(left for left, _ in section.rows):
        return format_wrapped_section(section.heading, section.rows, width)
    return format_paragraph(section.heading, (right for _, right in section.rows), width)
