"""The class picker: finds a class by typing part of its name, or takes a new name."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.keys import key_to_character

from vaetui.engine.classes import AddClass, ClassEdit
from vaetui.errors import UserError, is_printable_text
from vaetui.tui.keymap import create_binding
from vaetui.tui.presenters.focus_moves import find_neighbour_index
from vaetui.tui.presenters.layout import compute_visible_rows
from vaetui.tui.screens.prompt_screen import PromptScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.text_line import TextLine

CHARACTER_KEYS = {
    **{character: character for character in string.ascii_letters + string.digits},
    **{"space": " ", "minus": "-", "underscore": "_", "full_stop": ".", "plus": "+", "slash": "/"},
}
"""Keys that type a character and occur in replies of terminals, so the guard checks them; others need no binding."""
FILTER_HELP = "Type to filter · Enter: choose · Esc: cancel"
NEW_NAME_HELP = "Type a name · Enter: save · Esc: cancel"
ClassChoice: TypeAlias = int | ClassEdit
"""The id of an existing class, or an edit of the class list."""


class ClassPickerScreen(PromptScreen):
    """The names that match the typed text, best match first; last a new name, if one is allowed."""

    BINDINGS: ClassVar[list[BindingType]] = build_bindings(
        [
            *(create_binding("name", key, key, "letter") for key in CHARACTER_KEYS),
            create_binding("name", "choose", "enter", "choose", show=True),
            create_binding("name", "close", "escape", "cancel", show=True),
            create_binding("name", "back", "backspace", "delete"),
            create_binding("name", "up", "up", "up"),
            create_binding("name", "down", "down", "down"),
        ]
    )
    CONFIRMED_KEYS = frozenset([f"name.{key}" for key in CHARACTER_KEYS] + ["name.choose"])
    DEFAULT_CSS = """
    ClassPickerScreen #names { height: 1fr; padding: 1 2; }
    """

    def __init__(
        self,
        session: Session,
        question: str,
        class_ids: Sequence[int],
        choice_callback: Callable[[ClassChoice], None],
        edit_factory: Callable[[str], ClassEdit] | None = None,
    ) -> None:
        """Offer the classes `class_ids`, and the edit that `edit_factory` returns for the typed name.

        `choice_callback` receives the choice; it is not called if the user cancels.
        """
        super().__init__(session.name, "find a class" if class_ids else "name a class")
        self._question, self._class_list, self._class_ids = question, session.classes, class_ids
        self._choice_callback, self._edit_factory = choice_callback, edit_factory
        self._typed_text, self._cursor_row = "", 0

    def compose_body(self) -> ComposeResult:
        """Create the list of names and the prompt."""
        yield TextLine(id="names")
        yield Prompt()

    def handle_bound_key(self, key: str) -> None:
        """Type a character, move the cursor, choose or cancel."""
        choices, self._hint = self._find_choices()[0], ""
        match key:
            case "choose" if choices:
                self.dismiss()
                self._choice_callback(choices[self._cursor_row][1])
                return
            case "close":
                self.dismiss()
                return
            case "up" | "down":
                self._cursor_row = find_neighbour_index(self._cursor_row, key, 1, len(choices))
            case "back":
                self._typed_text, self._cursor_row = self._typed_text[:-1], 0
            case _ if key in CHARACTER_KEYS:
                self._typed_text, self._cursor_row = self._typed_text + CHARACTER_KEYS[key], 0
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Type a letter of any script, or show which characters are allowed."""
        letter = key_to_character(key)
        if letter is not None and is_printable_text(letter):
            self._typed_text, self._cursor_row, self._hint = self._typed_text + letter, 0, ""
        else:
            self._hint = "Type letters, digits, space or . - _ + /"
        self._update_view()

    def _find_choices(self) -> tuple[list[tuple[str, ClassChoice]], str]:
        """Return the rows of the list, their texts and what they choose, and why the typed name is no row, or ""."""
        names = [self._class_list.names[class_id] for class_id in self._class_ids]
        choices: list[tuple[str, ClassChoice]] = [
            (names[index], self._class_ids[index]) for index in find_matching_indices(names, self._typed_text)
        ]
        name = self._typed_text.strip()
        if name and self._edit_factory is not None:
            edit = self._edit_factory(name)
            try:
                self._class_list.with_edit(edit)
            except UserError as error:
                return choices, str(error)
            choices.append((f"new {'class' if isinstance(edit, AddClass) else 'name'}: {name}", edit))
        return choices, ""

    def _update_view(self) -> None:
        choices, refusal = self._find_choices()
        lines = Text()
        for row in compute_visible_rows(self._cursor_row, len(choices), self.app.size.height):
            lines.append(f" {choices[row][0]} \n", "bold reverse" if row == self._cursor_row else "")
        self.query_one("#names", TextLine).set_text(lines)
        hint, help_text = self._hint, FILTER_HELP if self._class_ids else NEW_NAME_HELP
        if not choices and not hint:
            hint = refusal or ("No class matches" if self._class_ids else "")
        self.query_one(Prompt).show_question(f"{self._question} {self._typed_text}_", help_text, hint)


def find_matching_indices(names: Sequence[str], query: str) -> list[int]:
    """Return the indices of the names that contain the query, ignoring case; names that start with it come first."""
    query = query.strip().casefold()
    matches = [
        (not name.casefold().startswith(query), index) for index, name in enumerate(names) if query in name.casefold()
    ]
    return [index for _, index in sorted(matches)]
