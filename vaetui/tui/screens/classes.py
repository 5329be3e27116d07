"""The classes, which are added, renamed and merged here; it decides nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, cast

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize

from vaetui.engine.classes import AddClass, ClassEdit, ClassList, MergeClass, RenameClass
from vaetui.tui.classes_keys import CLASSES_CONFIRMED_KEYS, CLASSES_GLOSSARY, CLASSES_KEYS
from vaetui.tui.presenters.cluster_text import format_class_digit, truncate_name
from vaetui.tui.presenters.labelling import LabellingPresenter
from vaetui.tui.screens.class_picker import ClassChoice, ClassPickerScreen
from vaetui.tui.screens.guarded import GuardedScreen
from vaetui.tui.widgets.footer import Footer
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.size_notice import SizeNotice
from vaetui.tui.widgets.text_line import TextLine
from vaetui.tui.worker import AppProtocol

FIXED_WIDTH_CELLS = 28
"""Cells of a row beside the name."""


class ClassesScreen(GuardedScreen):
    """All classes with their figures, one of them marked, and one line that asks."""

    BINDINGS: ClassVar[list[BindingType]] = CLASSES_KEYS
    CONFIRMED_KEYS = CLASSES_CONFIRMED_KEYS
    GLOSSARY = CLASSES_GLOSSARY
    DEFAULT_CSS = """
    ClassesScreen #heads { height: 2; padding: 1 1 0 1; color: $foreground 70%; }
    ClassesScreen #classes { height: 1fr; padding: 0 1; }
    """

    def __init__(self, presenter: LabellingPresenter) -> None:
        """Show the classes of the session on that desk."""
        super().__init__()
        self._presenter, self._cursor_row, self._hint = presenter, 0, ""
        presenter.status_text = ""

    @property
    def _class_list(self) -> ClassList:
        return self._presenter.session.classes

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Header(self._presenter.session.name)
        yield TextLine(id="heads")
        yield TextLine(id="classes")
        yield Prompt()
        yield Footer()
        yield SizeNotice()

    def on_mount(self) -> None:
        """Show all of them."""
        self._update_view()

    async def on_resize(self, event: Resize) -> None:
        """Show as many as there is room for."""
        self._update_view()

    def press(self, key: str) -> None:
        """Move, ask for a name, take back or go back."""
        desk, label, known = self._presenter, self._cursor_row, self._class_list
        self._hint = desk.status_text = ""
        match key:
            case "close":
                self.dismiss()
                return
            case "up" | "down":
                self._cursor_row = max(0, min(self._cursor_row + (1 if key == "down" else -1), len(known) - 1))
            case "undo" | "redo":
                desk.handle_key(key, 1)
            case "add":
                self._open_picker("new class?", (), lambda name: AddClass(len(known), name))
            case "rename" | "merge" if label not in known.active:
                self._hint = f"{known.names[label]} counts as {known.resolved_names[label]}: go there"
            case "rename":
                self._open_picker(f"{known.names[label]} becomes?", (), lambda name: RenameClass(label, name))
            case "merge":
                others = [other for other in known.active if other != label]
                self._open_picker(f"{known.names[label]} counts as?", others)
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Say which keys do something."""
        self._hint = "that key does nothing here: a, r, m, u, Esc do, ? shows all"
        self._update_view()

    def show_notice(self, text: str) -> None:
        """Say that behind the question."""
        self._hint, self._presenter.status_text = "", text
        self._update_view()

    def _open_picker(
        self, question: str, class_ids: Sequence[int], edit_factory: Callable[[str], ClassEdit] | None = None
    ) -> None:
        """Ask for one of those classes, or for a name."""
        cast(AppProtocol, self.app).defer_paint()
        name = self._presenter.session.name
        self.app.push_screen(
            ClassPickerScreen(name, question, self._class_list, class_ids, self._apply_choice, edit_factory)
        )

    def _apply_choice(self, choice: ClassChoice) -> None:
        """Do to the classes what was asked for."""
        naming = MergeClass(self._cursor_row, choice) if isinstance(choice, int) else choice
        if self._presenter.edit_classes(naming):
            self._cursor_row = naming.target_id if isinstance(naming, MergeClass) else naming.class_id
        self._update_view()

    def _update_view(self) -> None:
        known, desk = self._class_list, self._presenter
        self._cursor_row = min(self._cursor_row, len(known) - 1)
        self.query_one(Header).set_text(f"{len(known.active)} classes")
        wide = max(min(max(map(cell_len, known.names)), self.app.size.width - FIXED_WIDTH_CELLS), 1)
        self.query_one("#heads", TextLine).set_text(f" class  {'name':<{wide}}  answers  digit")
        room = max(self.app.size.height - 5, 1)
        first = max(0, self._cursor_row - room + 1)
        words, tally = Text(), desk.session.answer_counts()
        for label in range(first, min(first + room, len(known))):
            figures = f"{tally[label]:>7,}  {format_class_digit(desk.round_view, label):>5} "
            if label not in known.active:
                figures = f"counts as {known.resolved_names[label]} "
            row = f" {label:>5}  {set_cell_size(truncate_name(known.names[label], wide), wide)}  {figures}"
            words.append(f"{row}\n", "bold reverse" if label == self._cursor_row else "")
        self.query_one("#classes", TextLine).set_text(words)
        help = "a adds one, r renames the marked one, m merges it into another"
        self.query_one(Prompt).show_question("classes:", help, self._hint, desk.status_text)
