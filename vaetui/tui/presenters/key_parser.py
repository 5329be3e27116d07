"""A state machine that turns the keys of the labelling screen into answers and commands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from vaetui.engine.answers import Answer, ClassAnswer, Split, Unreadable
from vaetui.engine.classes import ClassList
from vaetui.session.digit_keys import active_digits
from vaetui.session.views import DigitKeys
from vaetui.tui.presenters.cluster_text import format_digit_ranges, format_missing_class

ParserState: TypeAlias = Literal["class", "confidence", "parts", "leave"]
Action: TypeAlias = Answer | str
"""The result of a key: an answer for the focused cluster, or the name of a command."""

CONFIDENCE_HINT = "Enter: certain · 1-9: confidence 0.1-0.9 · Esc: cancel"
PARTS_HINT = "Enter: split · 2-10: change · Esc: cancel"
LEAVE_HINT = "g: train anyway · Esc: stay"


@dataclass(frozen=True, slots=True)
class Focus:
    """The facts about the focused cluster and its round that the parser needs."""

    name: str
    """The path of the cluster, such as "3.1"."""
    size: int
    """Images in the cluster."""
    unanswered_count: int
    """Clusters of the round without an answer."""


@dataclass(frozen=True, slots=True)
class KeyParser:
    """The input typed so far; handling a key returns a new parser."""

    classes: ClassList
    """The classes of the session."""
    digit_keys: DigitKeys
    """The classes that the digits choose."""
    default_parts: int = 4
    """Parts of a split if no number is typed."""
    state: ParserState = "class"
    """The input that the next key is part of."""
    typed_text: str = ""
    """The id of the chosen class, or the digits of the number of parts."""
    is_one_key_mode: bool = False
    """Whether a digit answers at once, without a confidence."""
    confidence: float = 1.0
    """The last confidence typed; one-key mode uses it."""
    hint: str = ""
    """The valid input, if the last key was invalid."""

    def handle_key(self, key: str, focus: Focus) -> tuple[KeyParser, Action | None]:
        """Return the parser after `key`, and the action to perform now."""
        parser = replace(self, hint="")
        match self.state:
            case "class":
                return parser._handle_class_key(key, focus)
            case "confidence":
                return parser._handle_confidence_key(key)
            case "parts":
                return parser._handle_parts_key(key, focus)
            case "leave":
                return parser._handle_leave_key(key)

    def choose_class(self, class_id: int) -> tuple[KeyParser, Action | None]:
        """Return the parser after a class was chosen by name, and the action to perform now."""
        parser = replace(self, hint="")
        if self.is_one_key_mode:
            return parser, ClassAnswer(class_id, self.confidence)
        return replace(parser, state="confidence", typed_text=str(class_id)), None

    def suggest_parts(self, size: int) -> int:
        """Return the number of parts that Enter would split a cluster of `size` images into."""
        return int(self.typed_text) if self.typed_text else min(self.default_parts, size)

    def _handle_class_key(self, key: str, focus: Focus) -> tuple[KeyParser, Action | None]:
        if key.isdigit():
            return self._choose_digit(int(key))
        parser, action = self, None
        match key:
            case "split" if focus.size < 2:
                parser = self._with_hint("A single image cannot be split")
            case "split":
                parser = replace(self, state="parts", typed_text="")
            case "unreadable":
                return self, Unreadable()
            case "go" if focus.unanswered_count:
                parser = replace(self, state="leave")
            case "one_key_mode":
                parser = replace(self, is_one_key_mode=not self.is_one_key_mode)
            case "accept":
                digits = format_digit_ranges(active_digits(self.digit_keys, self.classes))
                parser = self._with_hint(f"Type a class first ({digits})")
            case "other":
                parser = self._with_hint("Unknown key. ? lists all keys")
            case "cancel":
                pass
            case _:
                action = key
        return parser, action

    def _choose_digit(self, digit: int) -> tuple[KeyParser, Action | None]:
        class_id = self.digit_keys[digit] if digit < len(self.digit_keys) else None
        if class_id is None:
            return self._with_hint(format_missing_class(digit, active_digits(self.digit_keys, self.classes))), None
        if class_id not in self.classes.active:
            name, target = self.classes.names[class_id], self.classes.resolved_names[class_id]
            return self._with_hint(f'Class "{name}" was merged into "{target}"'), None
        return self.choose_class(class_id)

    def _handle_confidence_key(self, key: str) -> tuple[KeyParser, Action | None]:
        if key == "cancel":
            return self._reset(), None
        if key == "accept" or (key.isdigit() and key != "0"):
            confidence = 1.0 if key == "accept" else int(key) / 10
            return replace(self._reset(), confidence=confidence), ClassAnswer(int(self.typed_text), confidence)
        return self._with_hint(CONFIDENCE_HINT), None

    def _handle_parts_key(self, key: str, focus: Focus) -> tuple[KeyParser, Action | None]:
        if key == "accept":
            return self._confirm_split(focus)
        parser = self._with_hint(PARTS_HINT)
        if key == "cancel":
            parser = self._reset()
        elif key == "0" and self.typed_text == "1":
            parser = replace(self, typed_text="10")
        elif key.isdigit() and key != "0":
            parser = replace(self, typed_text=key)
        return parser, None

    def _confirm_split(self, focus: Focus) -> tuple[KeyParser, Action | None]:
        parts = self.suggest_parts(focus.size)
        if parts < 2:
            return self._with_hint("A split needs 2 to 10 parts: type 0 for 10, or 2-9"), None
        if parts > focus.size:
            return self._with_hint(f"The cluster has {focus.size} images: at most {focus.size} parts"), None
        return self._reset(), Split(parts)

    def _handle_leave_key(self, key: str) -> tuple[KeyParser, Action | None]:
        if key in ("go", "cancel"):
            return self._reset(), key if key == "go" else None
        return self._with_hint(LEAVE_HINT), None

    def _reset(self) -> KeyParser:
        return replace(self, state="class", typed_text="")

    def _with_hint(self, hint: str) -> KeyParser:
        return replace(self, hint=hint)


def format_question(parser: KeyParser, focus: Focus) -> tuple[str, str]:
    """Return the question for the state of `parser`, and the keys that answer it."""
    match parser.state:
        case "confidence":
            name = parser.classes.names[int(parser.typed_text)]
            typed = f"{parser.typed_text}_" if name == parser.typed_text else f"{parser.typed_text} {name}_"
            return f"Cluster {focus.name}: class? {typed}", CONFIDENCE_HINT
        case "parts":
            return f"Split into {parser.suggest_parts(focus.size)} parts?", PARTS_HINT
        case "leave":
            clusters = "1 cluster has" if focus.unanswered_count == 1 else f"{focus.unanswered_count} clusters have"
            return f"{clusters} no answer.", LEAVE_HINT
    if focus.unanswered_count == 0:
        return f"Cluster {focus.name}:", "all clusters have answers · g: train"
    if parser.is_one_key_mode:
        return f"Cluster {focus.name}: class at confidence {parser.confidence:.1f}?", "One-key mode on · a: off"
    return f"Cluster {focus.name}: class?", "0-9: class, then Enter: certain or 1-9: confidence"
