"""What the keys pressed so far mean while labelling, as pure values; it knows no screen and no session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from vaetui.engine.answers import Answer, Label, Split, Unreadable
from vaetui.engine.classes import Classes
from vaetui.session.views import Favourites
from vaetui.tui.presenters.cluster_text import digits

Waits: TypeAlias = Literal["class", "confidence", "parts", "leave"]
Deed: TypeAlias = Answer | str
"""What a key came to: an answer to the focused cluster, or the name of the key that is to act at once."""

FOR_CONFIDENCE = "Enter = sure, 1-9 = tenths, Esc = another class"
FOR_PARTS = "Enter splits, 2-10 = how many, Esc = not"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the focus is."""

    name: str
    """The focused cluster as a person reads it, such as 3.1."""
    size: int
    """Images in it."""
    open: int
    """Clusters of the round without an answer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The keys pressed so far: what is waited for, and what was said to a key that did not fit."""

    classes: Classes
    """What classes there are."""
    favourites: Favourites
    """The classes that the digits stand for."""
    parts: int = 4
    """Parts of a split when nothing is typed."""
    waits: Waits = "class"
    """What the next key is taken for."""
    typed: str = ""
    """The class, or the digits of the number of parts."""
    one_key: bool = False
    """Whether a digit alone answers."""
    confidence: float = 1.0
    """The last confidence used; one-key mode answers with it."""
    hint: str = ""
    """What would have worked instead of the last key; empty when it worked."""

    def press(self, key: str, spot: Spot) -> tuple[Entry, Deed | None]:
        """Give the entry after that key, and what is to be done now."""
        calm = replace(self, hint="")
        match self.waits:
            case "class":
                return calm._for_class(key, spot)
            case "confidence":
                return calm._for_confidence(key)
            case "parts":
                return calm._for_parts(key, spot)
            case "leave":
                return calm._for_leave(key)

    def choose(self, label: int) -> tuple[Entry, Deed | None]:
        """Give the entry after a class was named otherwise than by a digit, and what is to be done now."""
        calm = replace(self, hint="")
        if self.one_key:
            return calm, Label(label, self.confidence)
        return replace(calm, waits="confidence", typed=str(label)), None

    def suggested(self, size: int) -> int:
        """Give the number of parts that Enter would make of a cluster of that size."""
        return int(self.typed) if self.typed else min(self.parts, size)

    def _for_class(self, key: str, spot: Spot) -> tuple[Entry, Deed | None]:
        if key.isdigit():
            return self._named(int(key))
        following, deed = self, None
        match key:
            case "split" if spot.size < 2:
                following = self._no("one image cannot be split")
            case "split":
                following = replace(self, waits="parts", typed="")
            case "unreadable":
                return self, Unreadable()
            case "go" if spot.open:
                following = replace(self, waits="leave")
            case "one":
                following = replace(self, one_key=not self.one_key)
            case "accept":
                following = self._no(f"first a class: {self._digits()}")
            case "other":
                following = self._no("that key does nothing here: ? shows those that do")
            case "cancel":
                pass
            case _:
                deed = key
        return following, deed

    def _named(self, digit: int) -> tuple[Entry, Deed | None]:
        label = self.favourites[digit] if digit < len(self.favourites) else None
        if label is None:
            return self._no(f"there is no class {digit}: {self._digits()}"), None
        if label not in self.classes.offered:
            return self._no(f"{self.classes.names[label]} counts as {self.classes.called[label]}"), None
        return self.choose(label)

    def _for_confidence(self, key: str) -> tuple[Entry, Deed | None]:
        if key == "cancel":
            return self._rest(), None
        if key == "accept" or (key.isdigit() and key != "0"):
            confidence = 1.0 if key == "accept" else int(key) / 10
            return replace(self._rest(), confidence=confidence), Label(int(self.typed), confidence)
        if key == "0":
            return self._no("0 is no answer: Enter = sure, 1-9 = tenths, Esc"), None
        return self._no(FOR_CONFIDENCE), None

    def _for_parts(self, key: str, spot: Spot) -> tuple[Entry, Deed | None]:
        if key == "accept":
            return self._accepted(spot)
        following = self._no(FOR_PARTS)
        if key == "cancel":
            following = self._rest()
        elif key == "0" and self.typed == "1":
            following = replace(self, typed="10")
        elif key.isdigit() and key != "0":
            following = replace(self, typed=key)
        return following, None

    def _accepted(self, spot: Spot) -> tuple[Entry, Deed | None]:
        parts = self.suggested(spot.size)
        if parts < 2:
            return self._no("1 is no split: 0 makes it 10, 2-9 replaces it"), None
        if parts > spot.size:
            return self._no(f"it has {spot.size} images: at most {spot.size} parts"), None
        return self._rest(), Split(parts)

    def _for_leave(self, key: str) -> tuple[Entry, Deed | None]:
        if key == "go":
            return self._rest(), key
        if key == "cancel":
            return self._rest(), None
        return self._no("g goes on, Esc stays"), None

    def _rest(self) -> Entry:
        return replace(self, waits="class", typed="")

    def _no(self, hint: str) -> Entry:
        return replace(self, hint=hint)

    def _digits(self) -> str:
        there = [digit for digit, label in enumerate(self.favourites) if label in self.classes.offered]
        return f"{digits(there)} name one"
