"""The help: the keys of a screen, collected from its active bindings, and its glossary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from vaetui.tui.key_bindings import format_key_list
from vaetui.tui.keymap import HELP_CONFIRMED_KEYS, HELP_KEYS, Glossary
from vaetui.tui.presenters.sections import format_section
from vaetui.tui.screens.key_guarded_screen import KeyGuardedScreen
from vaetui.tui.textual_bindings import build_bindings

GROUP_TITLES = {"label": "labelling", "any": "everywhere", "summary": "finished run", "reading": "reading test"}
"""Headings for the first part of a binding's id; other groups are headed by that part."""

NO_LINES: Mapping[str, str] = {}


class HelpScreen(KeyGuardedScreen):
    """Keys with their effects, and terms with their meanings."""

    BINDINGS = build_bindings(HELP_KEYS)
    CONFIRMED_KEYS = HELP_CONFIRMED_KEYS
    DEFAULT_CSS = """
    HelpScreen #keys { height: 1fr; padding: 1 2; scrollbar-size-vertical: 1; }
    HelpScreen #keys Static { width: 1fr; height: auto; }
    """

    def __init__(
        self,
        session_name: str,
        bindings: Iterable[ActiveBinding],
        glossary: Glossary = (),
        import_lines: Mapping[str, str] = NO_LINES,
    ) -> None:
        """Explain these bindings and terms, and list what was imported."""
        super().__init__(session_name, "keys")
        self._listed_bindings, self._glossary_rows, self._import_lines = list(bindings), glossary, import_lines

    def compose_body(self) -> ComposeResult:
        """Create one section per group; the arrow keys scroll them."""
        with VerticalScroll(id="keys"):
            for group, rows in group_bindings(self._listed_bindings, self.app.get_key_display):
                yield Static(format_section(group, rows))
            if self._glossary_rows:
                yield Static(format_section("terms", self._glossary_rows))
            if self._import_lines:
                yield Static(format_section("imported images", self._import_lines.items()))

    def handle_bound_key(self, key: str) -> None:
        """Scroll, or close the help."""
        scroll = self.query_one("#keys", VerticalScroll)
        match key:
            case "back":
                self.dismiss()
            case "down":
                scroll.scroll_down(animate=False)
            case "up":
                scroll.scroll_up(animate=False)
            case "page_down":
                scroll.scroll_page_down(animate=False)
            case "page_up":
                scroll.scroll_page_up(animate=False)
            case "first":
                scroll.scroll_home(animate=False)
            case "last":
                scroll.scroll_end(animate=False)


def group_bindings(
    bindings: Iterable[ActiveBinding], format_key: Callable[[Binding], str]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return rows of keys and effects by group; keys with the same effect share a row, system keys are left out."""
    groups: dict[str, dict[str, list[str]]] = {}
    for _, binding, _, tooltip in bindings:
        if binding.id is None or binding.system:
            continue
        group = binding.id.split(".")[0]
        effect = tooltip or binding.tooltip or binding.description
        keys = groups.setdefault(GROUP_TITLES.get(group, group), {}).setdefault(effect, [])
        # The key display of a digit may be 0-9 for the footer; here every digit is listed.
        keys.append(binding.key if binding.key.isdigit() else format_key(binding))
    rows = [
        (group, [(format_key_list(keys), effect) for effect, keys in effects.items()])
        for group, effects in groups.items()
    ]
    return sorted(rows, key=lambda row: row[0] == "everywhere")
