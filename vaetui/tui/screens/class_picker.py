"""A class is chosen, or named anew, by letters; it does not know what for."""

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
"""Keys that write, and what they write; letters of other alphabets do too, which no terminal's answer is made of."""
COMMAND_KEYS = {"enter": "choose", "escape": "close", "backspace": "back", "up": "up", "down": "down"}
"""Other keys, and what they do."""
COMMAND_DESCRIPTIONS = {"choose": "take it", "close": "another way", "back": "delete", "up": "up", "down": "down"}
ClassChoice: TypeAlias = int | ClassEdit
"""A class that there is, or what is to be done to the classes."""


class ClassPickerScreen(GuardedScreen):
    """The names that fit what is typed, the best of them first; last, where it may be one, a new name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"press('{key}')", "letter", show=False, id=f"name.{key}") for key in CHARACTER_KEYS),
        *(
            Binding(
                key, f"press('{deed}')", COMMAND_DESCRIPTIONS[deed], show=deed in ("choose", "close"), id=f"name.{deed}"
            )
            for key, deed in COMMAND_KEYS.items()
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
        """Offer those of the classes, and what `make` would make of a new name; hand over what is taken."""
        super().__init__()
        self._session_name, self._question, self._class_list = session_name, question, classes
        self._class_ids, self._choice_callback, self._edit_factory = class_ids, choice_callback, edit_factory
        self._typed_text, self._cursor_row, self._hint = "", 0, ""

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        header = Header(self._session_name)
        header.set_text("a class by its name")
        yield header
        yield TextLine(id="names")
        yield Prompt()
        yield Footer()
        yield SizeNotice()

    def on_mount(self) -> None:
        """Offer all of them."""
        self._update_view()

    async def on_resize(self, event: Resize) -> None:
        """Offer as many as there is room for."""
        self._update_view()

    def press(self, key: str) -> None:
        """Write a letter, move, take or leave."""
        found, self._hint = self._find_matches(), ""
        match key:
            case "choose" if found:
                self.dismiss()
                self._choice_callback(found[self._cursor_row][1])
                return
            case "close":
                self.dismiss()
                return
            case "up" | "down":
                self._cursor_row = max(0, min(self._cursor_row + (1 if key == "down" else -1), len(found) - 1))
            case "back":
                self._typed_text, self._cursor_row = self._typed_text[:-1], 0
            case _ if key in CHARACTER_KEYS:
                self._typed_text, self._cursor_row = self._typed_text + CHARACTER_KEYS[key], 0
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Write also letters that no list of keys can hold, as names may be in any script; or say which keys write."""
        letter = key_to_character(key)
        if letter is not None and letter.isprintable():
            self._typed_text, self._cursor_row, self._hint = self._typed_text + letter, 0, ""
        else:
            self._hint = "letters, digits, space and . - _ + / write a name"
        self._update_view()

    def _find_matches(self) -> list[tuple[str, ClassChoice]]:
        """Give what can be taken, as it is shown."""
        names = [self._class_list.names[label] for label in self._class_ids]
        found: list[tuple[str, ClassChoice]] = [
            (names[at], self._class_ids[at]) for at in match_names(names, self._typed_text)
        ]
        naming = self._create_class_edit()
        if naming is not None and not self._find_edit_error(naming):
            found.append(
                (f"new {'class' if isinstance(naming, AddClass) else 'name'}: {self._typed_text.strip()}", naming)
            )
        return found

    def _create_class_edit(self) -> ClassEdit | None:
        """Give what would be made of what is typed."""
        return (
            self._edit_factory(self._typed_text.strip())
            if self._edit_factory is not None and self._typed_text.strip()
            else None
        )

    def _find_edit_error(self, edit: ClassEdit) -> str:
        """Say why that cannot be done; nothing where it can."""
        try:
            self._class_list.apply(edit)
        except UserError as trouble:
            return str(trouble)
        return ""

    def _update_view(self) -> None:
        found, naming = self._find_matches(), self._create_class_edit()
        room = max(self.app.size.height - 5, 1)
        first = max(0, self._cursor_row - room + 1)
        words = Text()
        for at in range(first, min(first + room, len(found))):
            words.append(f" {found[at][0]} \n", "bold reverse" if at == self._cursor_row else "")
        self.query_one("#names", TextLine).set_text(words, wrap=False)
        hint = self._hint
        if not found and not hint and naming is not None:
            hint = self._find_edit_error(naming)
        elif not found and not hint and self._class_ids:
            hint = "no class has these letters"
        self.query_one(Prompt).show_question(
            f"{self._question} {self._typed_text}_", "letters of it, then Enter; arrows move", hint
        )


def create_class_picker(session: Session, choice_callback: Callable[[int], None]) -> ClassPickerScreen:
    """Ask for one of the classes of a session, and for no new one."""
    known = session.classes
    return ClassPickerScreen(
        session.name, "class?", known, known.active, lambda taken: choice_callback(cast(int, taken))
    )


def match_names(names: Sequence[str], query: str) -> list[int]:
    """Give the places of the names that hold what is typed, those first that begin with it."""
    wanted = query.strip().casefold()
    found = [(not name.casefold().startswith(wanted), at) for at, name in enumerate(names) if wanted in name.casefold()]
    return [at for _, at in sorted(found)]
