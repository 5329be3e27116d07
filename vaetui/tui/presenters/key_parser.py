"""What the keys pressed so far mean while labelling, as pure values; it knows no screen and no session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from vaetui.engine.answers import Answer, ClassAnswer, Split, Unreadable
from vaetui.engine.classes import ClassList
from vaetui.session.views import DigitKeys
from vaetui.tui.presenters.cluster_text import format_digit_ranges

ParserState: TypeAlias = Literal["class", "confidence", "parts", "leave"]
Action: TypeAlias = Answer | str
"""What a key came to: an answer to the focused cluster, or the name of the key that is to act at once."""

CONFIDENCE_HINT = "Enter = sure, 1-9 = tenths, Esc = another class"
PARTS_HINT = "Enter splits, 2-10 = how many, Esc = not"


@dataclass(frozen=True, slots=True)
class Focus:
    """Where the focus is."""

    name: str
    """The focused cluster as a person reads it, such as 3.1."""
    size: int
    """Images in it."""
    unanswered_count: int
    """Clusters of the round without an answer."""


@dataclass(frozen=True, slots=True)
class KeyParser:
    """The keys pressed so far: what is waited for, and what was said to a key that did not fit."""

    classes: ClassList
    """What classes there are."""
    digit_keys: DigitKeys
    """The classes that the digits stand for."""
    default_parts: int = 4
    """Parts of a split when nothing is typed."""
    state: ParserState = "class"
    """What the next key is taken for."""
    typed_text: str = ""
    """The class, or the digits of the number of parts."""
    is_one_key_mode: bool = False
    """Whether a digit alone answers."""
    confidence: float = 1.0
    """The last confidence used; one-key mode answers with it."""
    hint: str = ""
    """What would have worked instead of the last key; empty when it worked."""

    def handle_key(self, key: str, focus: Focus) -> tuple[KeyParser, Action | None]:
        """Give the entry after that key, and what is to be done now."""
        calm = replace(self, hint="")
        match self.state:
            case "class":
                return calm._handle_class_key(key, focus)
            case "confidence":
                return calm._handle_confidence_key(key)
            case "parts":
                return calm._handle_parts_key(key, focus)
            case "leave":
                return calm._handle_leave_key(key)

    def choose_class(self, class_id: int) -> tuple[KeyParser, Action | None]:
        """Give the entry after a class was named otherwise than by a digit, and what is to be done now."""
        calm = replace(self, hint="")
        if self.is_one_key_mode:
            return calm, ClassAnswer(class_id, self.confidence)
        return replace(calm, state="confidence", typed_text=str(class_id)), None

    def suggest_parts(self, size: int) -> int:
        """Give the number of parts that Enter would make of a cluster of that size."""
        return int(self.typed_text) if self.typed_text else min(self.default_parts, size)

    def _handle_class_key(self, key: str, focus: Focus) -> tuple[KeyParser, Action | None]:
        if key.isdigit():
            return self._choose_digit(int(key))
        following, deed = self, None
        match key:
            case "split" if focus.size < 2:
                following = self._with_hint("one image cannot be split")
            case "split":
                following = replace(self, state="parts", typed_text="")
            case "unreadable":
                return self, Unreadable()
            case "go" if focus.unanswered_count:
                following = replace(self, state="leave")
            case "one":
                following = replace(self, is_one_key_mode=not self.is_one_key_mode)
            case "accept":
                following = self._with_hint(f"first a class: {self._describe_digits()}")
            case "other":
                following = self._with_hint("that key does nothing here: ? shows those that do")
            case "cancel":
                pass
            case _:
                deed = key
        return following, deed

    def _choose_digit(self, digit: int) -> tuple[KeyParser, Action | None]:
        label = self.digit_keys[digit] if digit < len(self.digit_keys) else None
        if label is None:
            return self._with_hint(f"there is no class {digit}: {self._describe_digits()}"), None
        if label not in self.classes.active:
            return self._with_hint(f"{self.classes.names[label]} counts as {self.classes.resolved_names[label]}"), None
        return self.choose_class(label)

    def _handle_confidence_key(self, key: str) -> tuple[KeyParser, Action | None]:
        if key == "cancel":
            return self._reset(), None
        if key == "accept" or (key.isdigit() and key != "0"):
            confidence = 1.0 if key == "accept" else int(key) / 10
            return replace(self._reset(), confidence=confidence), ClassAnswer(int(self.typed_text), confidence)
        if key == "0":
            return self._with_hint("0 is no answer: Enter = sure, 1-9 = tenths, Esc"), None
        return self._with_hint(CONFIDENCE_HINT), None

    def _handle_parts_key(self, key: str, focus: Focus) -> tuple[KeyParser, Action | None]:
        if key == "accept":
            return self._confirm_split(focus)
        following = self._with_hint(PARTS_HINT)
        if key == "cancel":
            following = self._reset()
        elif key == "0" and self.typed_text == "1":
            following = replace(self, typed_text="10")
        elif key.isdigit() and key != "0":
            following = replace(self, typed_text=key)
        return following, None

    def _confirm_split(self, focus: Focus) -> tuple[KeyParser, Action | None]:
        parts = self.suggest_parts(focus.size)
        if parts < 2:
            return self._with_hint("1 is no split: 0 makes it 10, 2-9 replaces it"), None
        if parts > focus.size:
            return self._with_hint(f"it has {focus.size} images: at most {focus.size} parts"), None
        return self._reset(), Split(parts)

    def _handle_leave_key(self, key: str) -> tuple[KeyParser, Action | None]:
        if key == "go":
            return self._reset(), key
        if key == "cancel":
            return self._reset(), None
        return self._with_hint("g goes on, Esc stays"), None

    def _reset(self) -> KeyParser:
        return replace(self, state="class", typed_text="")

    def _with_hint(self, hint: str) -> KeyParser:
        return replace(self, hint=hint)

    def _describe_digits(self) -> str:
        there = [digit for digit, label in enumerate(self.digit_keys) if label in self.classes.active]
        return f"{format_digit_ranges(there)} name one"
