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

from vaetui.tui.screens.guarded import Guarded
from vaetui.tui.widgets.footer import Keys
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.size_notice import Room

Figures: TypeAlias = Sequence[tuple[str, str]]
"""Names on a screen and what they mean."""
Display: TypeAlias = Callable[[Binding], str]
"""How a key is written."""

GROUPS = {
    **{"label": "labelling", "any": "everywhere", "summary": "after the run"},
    **{"reading": "reading test", "samples": "new pictures"},
}
"""What the first part of a binding's id is called; others are called by that part."""
COLUMN = 18
"""Width of the column of keys."""


class HelpScreen(Guarded):
    """Keys, what they do, what the figures mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "back", "back", id="help.back", tooltip="Go back"),
    ]
    WEIGHTY = frozenset(["help.back"])
    DEFAULT_CSS = """
    HelpScreen #keys { height: 1fr; padding: 1 2; scrollbar-size-vertical: 1; }
    HelpScreen #keys Static { width: 1fr; height: auto; }
    """

    def __init__(self, session: str, bindings: Iterable[ActiveBinding], figures: Figures = ()) -> None:
        """Explain these bindings and these figures."""
        super().__init__()
        self._session = session
        self._active = list(bindings)
        self._figures = figures

    def compose(self) -> ComposeResult:
        """Lay the groups out under each other; the arrows scroll where they do not fit."""
        header = Header(self._session)
        header.say("keys")
        yield header
        with VerticalScroll(id="keys"):
            for group, rows in grouped(self._active, self.app.get_key_display):
                yield Static(_section(group, rows))
            if self._figures:
                yield Static(_section("figures", self._figures))
        yield Keys()
        yield Room()

    def action_back(self) -> None:
        """Go back to the screen that asked."""
        self.dismiss()


def grouped(active: Iterable[ActiveBinding], display: Display) -> list[tuple[str, list[tuple[str, str]]]]:
    """Give what the keys do by group; keys that do the same stand together, system keys are left out."""
    groups: dict[str, dict[str, list[str]]] = {}
    for _, binding, _, tooltip in active:
        if binding.id is None or binding.system:
            continue
        group = binding.id.split(".")[0]
        does = tooltip or binding.tooltip or binding.description
        keys = groups.setdefault(GROUPS.get(group, group), {}).setdefault(does, [])
        # A digit may be written for all of them in the footer; here each stands for itself.
        keys.append(binding.key if binding.key.isdigit() else display(binding))
    rows = [(group, [(joined(keys), does) for does, keys in one.items()]) for group, one in groups.items()]
    return sorted(rows, key=lambda group: group[0] == "everywhere")


def joined(keys: Sequence[str]) -> str:
    """Write keys that do the same; three or more digits in a row become a span."""
    unique = list(dict.fromkeys(keys))
    digits = [key for key in unique if key.isdigit() and len(key) == 1]
    if len(digits) >= 3 and "".join(digits) in "0123456789":
        unique = [f"{digits[0]}-{digits[-1]}", *(key for key in unique if key not in digits)]
    return " ".join(unique)


def _section(heading: str, rows: Iterable[tuple[str, str]]) -> Group:
    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=COLUMN, no_wrap=True, style="bold")
    table.add_column()
    for left, right in rows:
        table.add_row(Text(f"  {left}"), Text(right))
    return Group(Text(heading, style="bold underline"), table, Text())
