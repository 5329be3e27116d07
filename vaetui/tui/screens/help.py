"""The keys of a screen, made from its live bindings, and its figures; it does not know the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, TypeAlias

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from vaetui.tui.screens.guarded import GuardedScreen
from vaetui.tui.widgets.footer import Footer
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.size_notice import SizeNotice

Glossary: TypeAlias = Sequence[tuple[str, str]]
"""Names on a screen and what they mean."""
KeyFormatter: TypeAlias = Callable[[Binding], str]
"""How a key is written."""

GROUP_TITLES = {
    **{"label": "labelling", "any": "everywhere", "summary": "after the run"},
    **{"reading": "reading test", "samples": "new pictures"},
}
"""What the first part of a binding's id is called; others are called by that part."""
KEY_COLUMN_CELLS = 18
"""Width of the column of keys."""


class HelpScreen(GuardedScreen):
    """Keys, what they do, what the figures mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "back", "back", id="help.back", tooltip="Go back"),
    ]
    CONFIRMED_KEYS = frozenset(["help.back"])
    DEFAULT_CSS = """
    HelpScreen #keys { height: 1fr; padding: 1 2; scrollbar-size-vertical: 1; }
    HelpScreen #keys Static { width: 1fr; height: auto; }
    """

    def __init__(self, session_name: str, bindings: Iterable[ActiveBinding], glossary: Glossary = ()) -> None:
        """Explain these bindings and these figures."""
        super().__init__()
        self._session_name = session_name
        self._listed_bindings = list(bindings)
        self._glossary = glossary

    def compose(self) -> ComposeResult:
        """Lay the groups out under each other; the arrows scroll where they do not fit."""
        header = Header(self._session_name)
        header.set_text("keys")
        yield header
        with VerticalScroll(id="keys"):
            for group, rows in group_bindings(self._listed_bindings, self.app.get_key_display):
                yield Static(_format_section(group, rows))
            if self._glossary:
                yield Static(_format_section("figures", self._glossary))
        yield Footer()
        yield SizeNotice()

    def action_back(self) -> None:
        """Go back to the screen that asked."""
        self.dismiss()


def group_bindings(
    bindings: Iterable[ActiveBinding], format_key: KeyFormatter
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Give what the keys do by group; keys that do the same stand together, system keys are left out."""
    groups: dict[str, dict[str, list[str]]] = {}
    for _, binding, _, tooltip in bindings:
        if binding.id is None or binding.system:
            continue
        group = binding.id.split(".")[0]
        does = tooltip or binding.tooltip or binding.description
        keys = groups.setdefault(GROUP_TITLES.get(group, group), {}).setdefault(does, [])
        # A digit may be written for all of them in the footer; here each stands for itself.
        keys.append(binding.key if binding.key.isdigit() else format_key(binding))
    rows = [(group, [(join_keys(keys), does) for does, keys in one.items()]) for group, one in groups.items()]
    return sorted(rows, key=lambda group: group[0] == "everywhere")


def join_keys(keys: Sequence[str]) -> str:
    """Write keys that do the same; three or more digits in a row become a span."""
    unique = list(dict.fromkeys(keys))
    digits = [key for key in unique if key.isdigit() and len(key) == 1]
    if len(digits) >= 3 and "".join(digits) in "0123456789":
        unique = [f"{digits[0]}-{digits[-1]}", *(key for key in unique if key not in digits)]
    return " ".join(unique)


def _format_section(heading: str, rows: Iterable[tuple[str, str]]) -> Group:
    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=KEY_COLUMN_CELLS, no_wrap=True, style="bold")
    table.add_column()
    for left, right in rows:
        table.add_row(Text(f"  {left}"), Text(right))
    return Group(Text(heading, style="bold underline"), table, Text())
