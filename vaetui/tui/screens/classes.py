"""The screen that lists all classes and adds, renames and merges them."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.app import ComposeResult

from vaetui.engine.classes import AddClass, ClassEdit, MergeClass, RenameClass
from vaetui.tui.keymap import CLASSES_GLOSSARY, CLASSES_KEYS
from vaetui.tui.presenters.class_choices import create_class_choices, find_edit_error
from vaetui.tui.presenters.cluster_text import format_class_digit, truncate_name
from vaetui.tui.presenters.focus_moves import move_index
from vaetui.tui.presenters.labelling_presenter import LabellingPresenter
from vaetui.tui.presenters.layout import compute_visible_rows
from vaetui.tui.presenters.line_dialogue import LineDialogue
from vaetui.tui.screens.prompt_screen import PromptScreen
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.text_line import TextLine

FIXED_WIDTH_CELLS = 28
"""Cells of a row without the name."""


class ClassesScreen(PromptScreen):
    """All classes with their answer counts and digits, one of them selected, and a prompt."""

    BINDINGS = build_bindings(CLASSES_KEYS)
    DEFAULT_CSS = """
    ClassesScreen #headings { height: 2; padding: 1 1 0 1; color: $foreground 70%; }
    ClassesScreen #classes { height: 1fr; padding: 0 1; }
    """
    glossary = CLASSES_GLOSSARY

    def __init__(self, presenter: LabellingPresenter) -> None:
        """Show the classes of the presenter's session."""
        super().__init__(presenter.session.name)
        self._presenter, self._session, self._cursor_row = presenter, presenter.session, 0
        presenter.status_text = ""

    def compose_body(self) -> ComposeResult:
        """Create the list of classes and the prompt."""
        yield TextLine(id="headings")
        yield TextLine(id="classes")
        yield Prompt()

    def handle_bound_key(self, key: str) -> None:
        """Move the selection, edit the selected class, undo, redo or close."""
        presenter, class_id, classes = self._presenter, self._cursor_row, self._session.classes
        self._hint = presenter.status_text = presenter.error_text = ""
        match key:
            case "close":
                self.dismiss()
                return
            case "up" | "down":
                self._cursor_row = move_index(self._cursor_row, key, len(classes))
            case "undo" | "redo":
                presenter.handle_key(key, 1)
            case "add":
                self._open_name_line("New class?", lambda name: AddClass(len(classes), name))
            case "rename" | "merge" if class_id not in classes.active_ids:
                target_name = classes.resolved_names[class_id]
                self._hint = f'Class "{classes.names[class_id]}" was merged into "{target_name}"'
            case "rename":
                self._open_name_line(f"Rename {classes.names[class_id]} to?", lambda name: RenameClass(class_id, name))
            case "merge":
                target_ids = [target_id for target_id in classes.active_ids if target_id != class_id]
                self.open_line(
                    LineDialogue(
                        f"Merge {classes.names[class_id]} into?",
                        create_class_choices(classes, target_ids),
                        on_choice=lambda target_id: self._apply_edit(MergeClass(class_id, cast(int, target_id))),
                        help_text="part of its name",
                    )
                )
        self._update_view()

    def show_notice(self, text: str) -> None:
        """Show a notice in the prompt."""
        self._hint, self._presenter.status_text = "", text
        self._update_view()

    def _open_name_line(self, question: str, create_edit: Callable[[str], ClassEdit]) -> None:
        """Ask for the name of a class, and apply the edit that it makes."""
        classes = self._session.classes
        self.open_line(
            LineDialogue(
                question,
                on_choice=lambda name: self._apply_edit(create_edit(cast(str, name))),
                accepts_text=True,
                check=lambda name: find_edit_error(classes, create_edit(name)),
                help_text="its name",
            )
        )

    def _apply_edit(self, edit: ClassEdit) -> None:
        if self._presenter.edit_classes(edit):
            self._cursor_row = edit.target_id if isinstance(edit, MergeClass) else edit.class_id
        self._update_view()

    def _update_view(self) -> None:
        classes, presenter = self._session.classes, self._presenter
        self._cursor_row = min(self._cursor_row, len(classes) - 1)
        self.query_one(Header).set_text(f"{len(classes.active_ids)} classes")
        name_cells = max(min(max(map(cell_len, classes.names)), self.app.size.width - FIXED_WIDTH_CELLS), 1)
        self.query_one("#headings", TextLine).set_text(f" digit  {'name':<{name_cells}}  answers")
        lines, answer_counts = Text(), self._session.answer_counts()
        for class_id in compute_visible_rows(self._cursor_row, len(classes), self.app.size.height):
            digit, details = format_class_digit(presenter.round_view, class_id), f"{answer_counts[class_id]:>7,} "
            if class_id not in classes.active_ids:
                digit, details = "", f"merged into {classes.resolved_names[class_id]} "
            name = set_cell_size(truncate_name(classes.names[class_id], name_cells), name_cells)
            lines.append(f" {digit:>5}  {name}  {details}\n", "bold reverse" if class_id == self._cursor_row else "")
        self.query_one("#classes", TextLine).set_text(lines)
        help_text = "a: add · r: rename · m: merge"
        self.query_one(Prompt).show_question(
            "Classes:", help_text, self._hint or presenter.error_text, presenter.status_text
        )
