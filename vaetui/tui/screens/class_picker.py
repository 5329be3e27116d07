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

from vaetui.engine.classes import Added, Classes, Naming
from vaetui.errors import Trouble
from vaetui.tui.screens.guarded import Guarded
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.footer import Keys
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.size_notice import Room
from vaetui.tui.widgets.text_line import Line

LETTERS = {
    **{letter: letter for letter in string.ascii_letters + string.digits},
    **{"space": " ", "minus": "-", "underscore": "_", "full_stop": ".", "plus": "+", "slash": "/"},
}
"""Keys that write, and what they write; letters of other alphabets do too, which no terminal's answer is made of."""
DEEDS = {"enter": "choose", "escape": "close", "backspace": "back", "up": "up", "down": "down"}
"""Other keys, and what they do."""
WORDS = {"choose": "take it", "close": "another way", "back": "delete", "up": "up", "down": "down"}
Taken: TypeAlias = int | Naming
"""A class that there is, or what is to be done to the classes."""


class NameScreen(Guarded):
    """The names that fit what is typed, the best of them first; last, where it may be one, a new name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"press('{key}')", "letter", show=False, id=f"name.{key}") for key in LETTERS),
        *(
            Binding(key, f"press('{deed}')", WORDS[deed], show=deed in ("choose", "close"), id=f"name.{deed}")
            for key, deed in DEEDS.items()
        ),
    ]
    WEIGHTY = frozenset([f"name.{key}" for key in LETTERS] + ["name.choose"])
    DEFAULT_CSS = """
    NameScreen #names { height: 1fr; padding: 1 2; }
    """

    def __init__(
        self,
        session: str,
        question: str,
        classes: Classes,
        offered: Sequence[int],
        take: Callable[[Taken], None],
        make: Callable[[str], Naming] | None = None,
    ) -> None:
        """Offer those of the classes, and what `make` would make of a new name; hand over what is taken."""
        super().__init__()
        self._session, self._question, self._known = session, question, classes
        self._offered, self._take, self._make = offered, take, make
        self._typed, self._at, self._hint = "", 0, ""

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        header = Header(self._session)
        header.say("a class by its name")
        yield header
        yield Line(id="names")
        yield Prompt()
        yield Keys()
        yield Room()

    def on_mount(self) -> None:
        """Offer all of them."""
        self._show()

    async def on_resize(self, event: Resize) -> None:
        """Offer as many as there is room for."""
        self._show()

    def press(self, key: str) -> None:
        """Write a letter, move, take or leave."""
        found, self._hint = self._found(), ""
        match key:
            case "choose" if found:
                self.dismiss()
                self._take(found[self._at][1])
                return
            case "close":
                self.dismiss()
                return
            case "up" | "down":
                self._at = max(0, min(self._at + (1 if key == "down" else -1), len(found) - 1))
            case "back":
                self._typed, self._at = self._typed[:-1], 0
            case _ if key in LETTERS:
                self._typed, self._at = self._typed + LETTERS[key], 0
        self._show()

    def unbound(self, key: str) -> None:
        """Write also letters that no list of keys can hold, as names may be in any script; or say which keys write."""
        letter = key_to_character(key)
        if letter is not None and letter.isprintable():
            self._typed, self._at, self._hint = self._typed + letter, 0, ""
        else:
            self._hint = "letters, digits, space and . - _ + / write a name"
        self._show()

    def _found(self) -> list[tuple[str, Taken]]:
        """Give what can be taken, as it is shown."""
        names = [self._known.names[label] for label in self._offered]
        found: list[tuple[str, Taken]] = [(names[at], self._offered[at]) for at in fitting(names, self._typed)]
        naming = self._naming()
        if naming is not None and not self._refusal(naming):
            found.append((f"new {'class' if isinstance(naming, Added) else 'name'}: {self._typed.strip()}", naming))
        return found

    def _naming(self) -> Naming | None:
        """Give what would be made of what is typed."""
        return self._make(self._typed.strip()) if self._make is not None and self._typed.strip() else None

    def _refusal(self, naming: Naming) -> str:
        """Say why that cannot be done; nothing where it can."""
        try:
            self._known.after(naming)
        except Trouble as trouble:
            return str(trouble)
        return ""

    def _show(self) -> None:
        found, naming = self._found(), self._naming()
        room = max(self.app.size.height - 5, 1)
        first = max(0, self._at - room + 1)
        words = Text()
        for at in range(first, min(first + room, len(found))):
            words.append(f" {found[at][0]} \n", "bold reverse" if at == self._at else "")
        self.query_one("#names", Line).say(words, wrap=False)
        hint = self._hint
        if not found and not hint and naming is not None:
            hint = self._refusal(naming)
        elif not found and not hint and self._offered:
            hint = "no class has these letters"
        self.query_one(Prompt).put(f"{self._question} {self._typed}_", "letters of it, then Enter; arrows move", hint)


def among_known(session: Session, take: Callable[[int], None]) -> NameScreen:
    """Ask for one of the classes of a session, and for no new one."""
    known = session.classes
    return NameScreen(session.name, "class?", known, known.offered, lambda taken: take(cast(int, taken)))


def fitting(names: Sequence[str], typed: str) -> list[int]:
    """Give the places of the names that hold what is typed, those first that begin with it."""
    wanted = typed.strip().casefold()
    found = [(not name.casefold().startswith(wanted), at) for at, name in enumerate(names) if wanted in name.casefold()]
    return [at for _, at in sorted(found)]
