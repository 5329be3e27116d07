"""The classes, which are added, renamed and merged here; it decides nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, cast

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize

from vaetui.engine.classes import Added, Classes, Merged, Naming, Renamed
from vaetui.tui.classes_keys import FIGURES, KEYS, WEIGHTY
from vaetui.tui.presenters.cluster_text import cut, digit_of
from vaetui.tui.presenters.labelling import Desk
from vaetui.tui.screens.class_picker import NameScreen, Taken
from vaetui.tui.screens.guarded import Guarded
from vaetui.tui.widgets.footer import Keys
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.size_notice import Room
from vaetui.tui.widgets.text_line import Line
from vaetui.tui.worker import Following

FIGURED = 28
"""Cells of a row beside the name."""


class ClassesScreen(Guarded):
    """All classes with their figures, one of them marked, and one line that asks."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS
    WEIGHTY = WEIGHTY
    FIGURES = FIGURES
    DEFAULT_CSS = """
    ClassesScreen #heads { height: 2; padding: 1 1 0 1; color: $foreground 70%; }
    ClassesScreen #classes { height: 1fr; padding: 0 1; }
    """

    def __init__(self, desk: Desk) -> None:
        """Show the classes of the session on that desk."""
        super().__init__()
        self._desk, self._at, self._hint = desk, 0, ""
        desk.note = ""

    @property
    def _known(self) -> Classes:
        return self._desk.session.classes

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Header(self._desk.session.name)
        yield Line(id="heads")
        yield Line(id="classes")
        yield Prompt()
        yield Keys()
        yield Room()

    def on_mount(self) -> None:
        """Show all of them."""
        self._show()

    async def on_resize(self, event: Resize) -> None:
        """Show as many as there is room for."""
        self._show()

    def press(self, key: str) -> None:
        """Move, ask for a name, take back or go back."""
        desk, label, known = self._desk, self._at, self._known
        self._hint = desk.note = ""
        match key:
            case "close":
                self.dismiss()
                return
            case "up" | "down":
                self._at = max(0, min(self._at + (1 if key == "down" else -1), len(known) - 1))
            case "undo" | "redo":
                desk.press(key, 1)
            case "add":
                self._ask("new class?", (), lambda name: Added(len(known), name))
            case "rename" | "merge" if label not in known.offered:
                self._hint = f"{known.names[label]} counts as {known.called[label]}: go there"
            case "rename":
                self._ask(f"{known.names[label]} becomes?", (), lambda name: Renamed(label, name))
            case "merge":
                others = [other for other in known.offered if other != label]
                self._ask(f"{known.names[label]} counts as?", others)
        self._show()

    def unbound(self, key: str) -> None:
        """Say which keys do something."""
        self._hint = "that key does nothing here: a, r, m, u, Esc do, ? shows all"
        self._show()

    def tell(self, words: str) -> None:
        """Say that behind the question."""
        self._hint, self._desk.note = "", words
        self._show()

    def _ask(self, question: str, offered: Sequence[int], make: Callable[[str], Naming] | None = None) -> None:
        """Ask for one of those classes, or for a name."""
        cast(Following, self.app).veil()
        name = self._desk.session.name
        self.app.push_screen(NameScreen(name, question, self._known, offered, self._take, make))

    def _take(self, taken: Taken) -> None:
        """Do to the classes what was asked for."""
        naming = Merged(self._at, taken) if isinstance(taken, int) else taken
        if self._desk.amend(naming):
            self._at = naming.into if isinstance(naming, Merged) else naming.label
        self._show()

    def _show(self) -> None:
        known, desk = self._known, self._desk
        self._at = min(self._at, len(known) - 1)
        self.query_one(Header).say(f"{len(known.offered)} classes")
        wide = max(min(max(map(cell_len, known.names)), self.app.size.width - FIGURED), 1)
        self.query_one("#heads", Line).say(f" class  {'name':<{wide}}  answers  digit")
        room = max(self.app.size.height - 5, 1)
        first = max(0, self._at - room + 1)
        words, tally = Text(), desk.session.tally()
        for label in range(first, min(first + room, len(known))):
            figures = f"{tally[label]:>7,}  {digit_of(desk.board, label):>5} "
            if label not in known.offered:
                figures = f"counts as {known.called[label]} "
            row = f" {label:>5}  {set_cell_size(cut(known.names[label], wide), wide)}  {figures}"
            words.append(f"{row}\n", "bold reverse" if label == self._at else "")
        self.query_one("#classes", Line).say(words)
        help = "a adds one, r renames the marked one, m merges it into another"
        self.query_one(Prompt).put("classes:", help, self._hint, desk.note)
