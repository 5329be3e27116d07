"""A class is chosen by the letters of its name; it does not know what it is chosen for."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.keys import key_to_character

from vaetui.tui.guarded import Guarded
from vaetui.tui.header import Header
from vaetui.tui.keys import Keys
from vaetui.tui.line import Line
from vaetui.tui.prompt import Prompt
from vaetui.tui.room import Room

LETTERS = {
    **{letter: letter for letter in string.ascii_letters + string.digits},
    **{"space": " ", "minus": "-", "underscore": "_", "full_stop": ".", "plus": "+", "slash": "/"},
}
"""Keys that write, and what they write."""
DEEDS = {"enter": "choose", "escape": "close", "backspace": "back", "up": "up", "down": "down"}
"""Other keys, and what they do."""
WORDS = {"choose": "take it", "close": "another way", "back": "delete", "up": "up", "down": "down"}


class NameScreen(Guarded):
    """The names that fit what is typed, the best of them first."""

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

    def __init__(self, session: str, classes: Sequence[str], take: Callable[[int], None]) -> None:
        """Offer these classes, and hand over the place of the one that is taken."""
        super().__init__()
        self._session, self._offered, self._take = session, classes, take
        self._typed, self._at = "", 0

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
        found = fitting(self._offered, self._typed)
        match key:
            case "choose" if found:
                self.dismiss()
                self._take(found[self._at])
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
        """Write also letters that no list of keys can hold: names may be in any script."""
        letter = key_to_character(key)
        if letter is not None and letter.isprintable():
            self._typed, self._at = self._typed + letter, 0
            self._show()

    def _show(self) -> None:
        found = fitting(self._offered, self._typed)
        room = max(self.app.size.height - 5, 1)
        first = max(0, self._at - room + 1)
        words = Text()
        for at in range(first, min(first + room, len(found))):
            words.append(f" {self._offered[found[at]]} \n", "bold reverse" if at == self._at else "")
        self.query_one("#names", Line).say(words, wrap=False)
        hint = "" if found else "no class has these letters"
        self.query_one(Prompt).put(f"class? {self._typed}_", "letters of it, then Enter; arrows move", hint)


def fitting(classes: Sequence[str], typed: str) -> list[int]:
    """Give the places of the classes whose names hold what is typed, those first that begin with it."""
    wanted = typed.casefold()
    found = [
        (not name.casefold().startswith(wanted), at) for at, name in enumerate(classes) if wanted in name.casefold()
    ]
    return [at for _, at in sorted(found)]
