"""The class picker: finds a class by typing part of its name, or takes a new name."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.keys import key_to_character

from vaetui.engine.classes import AddClass, ClassEdit, ClassList
from vaetui.errors import UserError
from vaetui.tui.screens.guarded import GuardedScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.footer import Footer
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.size_notice import SizeNotice
from vaetui.tui.widgets.text_line import TextLine

CHARACTER_KEYS = {
    **{letter: letter for letter in string.ascii_letters + string.digits},
    **{"space": " ", "minus": "-", "underscore": "_", "full_stop": ".", "plus": "+", "slash": "/"},
}
"""Keys that type a character and occur in replies of terminals, so the guard checks them; others need no binding."""
COMMAND_KEYS = {"enter": "choose", "escape": "close", "backspace": "back", "up": "up", "down": "down"}
"""Keys that do not type a character, and their names in `press`."""
COMMAND_DESCRIPTIONS = {"choose": "choose", "close": "cancel", "back": "delete", "up": "up", "down": "down"}
FILTER_HELP = "Type to filter · Enter: choose · Esc: cancel"
NEW_NAME_HELP = "Type a name · Enter: save · Esc: cancel"
ClassChoice: TypeAlias = int | ClassEdit
"""The id of an existing class, or an edit of the class list."""


class ClassPickerScreen(GuardedScreen):
    """The names that match the typed text, best match first; last a new name, if one is allowed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"press('{key}')", "letter", show=False, id=f"name.{key}") for key in CHARACTER_KEYS),
        *(
            Binding(
                key,
                f"press('{command}')",
                COMMAND_DESCRIPTIONS[command],
                show=command in ("choose", "close"),
                id=f"name.{command}",
            )
            for key, command in COMMAND_KEYS.items()
        ),
    ]
    CONFIRMED_KEYS = frozenset([f"name.{key}" for key in CHARACTER_KEYS] + ["name.choose"])
    DEFAULT_CSS = """
    ClassPickerScreen #names { height: 1fr; padding: 1 2; }
    """

    def __init__(
        self,
        session_name: str,
        question: str,
        classes: ClassList,
        class_ids: Sequence[int],
        choice_callback: Callable[[ClassChoice], None],
        edit_factory: Callable[[str], ClassEdit] | None = None,
    ) -> None:
        """Offer the classes `class_ids`, and the edit that `edit_factory` returns for the typed name.

        `choice_callback` receives the choice; it is not called if the user cancels.
        """
        super().__init__()
        self._session_name, self._question, self._class_list = session_name, question, classes
        self._class_ids, self._choice_callback, self._edit_factory = class_ids, choice_callback, edit_factory
        self._typed_text, self._cursor_row, self._hint = "", 0, ""

    def compose(self) -> ComposeResult:
        """Create the widgets."""
        header = Header(self._session_name)
        header.set_text("find a class" if self._class_ids else "name a class")
        yield header
        yield TextLine(id="names")
        yield Prompt()
        yield Footer()
        yield SizeNotice()

    def on_mount(self) -> None:
        """Show all names."""
        self._update_view()

    async def on_resize(self, event: Resize) -> None:
        """Show as many names as fit."""
        self._update_view()

    def press(self, key: str) -> None:
        """Type a character, move the cursor, choose or cancel."""
        choices, self._hint = self._find_choices(), ""
        match key:
            case "choose" if choices:
                self.dismiss()
                self._choice_callback(choices[self._cursor_row][1])
                return
            case "close":
                self.dismiss()
                return
            case "up" | "down":
                self._cursor_row = max(0, min(self._cursor_row + (1 if key == "down" else -1), len(choices) - 1))
            case "back":
                self._typed_text, self._cursor_row = self._typed_text[:-1], 0
            case _ if key in CHARACTER_KEYS:
                self._typed_text, self._cursor_row = self._typed_text + CHARACTER_KEYS[key], 0
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Type a letter of any script, or show which characters are allowed."""
        letter = key_to_character(key)
        if letter is not None and letter.isprintable():
            self._typed_text, self._cursor_row, self._hint = self._typed_text + letter, 0, ""
        else:
            self._hint = "Type letters, digits, space or . - _ + /"
        self._update_view()

    def _find_choices(self) -> list[tuple[str, ClassChoice]]:
        """Return the rows of the list: their texts and what they choose."""
        names = [self._class_list.names[class_id] for class_id in self._class_ids]
        choices: list[tuple[str, ClassChoice]] = [
            (names[index], self._class_ids[index]) for index in match_names(names, self._typed_text)
        ]
        edit = self._create_class_edit()
        if edit is not None and not self._find_edit_error(edit):
            choices.append(
                (f"new {'class' if isinstance(edit, AddClass) else 'name'}: {self._typed_text.strip()}", edit)
            )
        return choices

    def _create_class_edit(self) -> ClassEdit | None:
        name = self._typed_text.strip()
        return self._edit_factory(name) if self._edit_factory is not None and name else None

    def _find_edit_error(self, edit: ClassEdit) -> str:
        """Return why the edit is refused, or an empty string."""
        try:
            self._class_list.apply(edit)
        except UserError as error:
            return str(error)
        return ""

    def _update_view(self) -> None:
        choices, edit = self._find_choices(), self._create_class_edit()
        max_rows = max(self.app.size.height - 5, 1)
        first_row = max(0, self._cursor_row - max_rows + 1)
        lines = Text()
        for row in range(first_row, min(first_row + max_rows, len(choices))):
            lines.append(f" {choices[row][0]} \n", "bold reverse" if row == self._cursor_row else "")
        self.query_one("#names", TextLine).set_text(lines, wrap=False)
        hint = self._hint
        if not choices and not hint and edit is not None:
            hint = self._find_edit_error(edit)
        elif not choices and not hint and self._class_ids:
            hint = "No class matches"
        self.query_one(Prompt).show_question(
            f"{self._question} {self._typed_text}_", FILTER_HELP if self._class_ids else NEW_NAME_HELP, hint
        )


def create_class_picker(session: Session, choice_callback: Callable[[int], None]) -> ClassPickerScreen:
    """Create a picker that offers the active classes of a session, and no new name."""
    classes = session.classes
    return ClassPickerScreen(
        session.name, "Class?", classes, classes.active, lambda choice: choice_callback(cast(int, choice))
    )


def match_names(names: Sequence[str], query: str) -> list[int]:
    """Return the indices of the names that contain the query, ignoring case; names that start with it come first."""
    query = query.strip().casefold()
    matches = [
        (not name.casefold().startswith(query), index) for index, name in enumerate(names) if query in name.casefold()
    ]
    return [index for _, index in sorted(matches)]
