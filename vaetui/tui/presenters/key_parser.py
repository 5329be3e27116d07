"""A state machine that turns the keys of the labelling screen into answers and commands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from vaetui.engine.answers import Answer, ClassAnswer, Split, Unreadable
from vaetui.engine.classes import ClassList
from vaetui.session.digit_keys import list_active_digits
from vaetui.session.views import DigitKeys
from vaetui.tui.presenters.cluster_text import format_digit_ranges, format_unassigned_digit

ParserState: TypeAlias = Literal["class", "confidence", "parts", "leave"]
Action: TypeAlias = Answer | str
"""The result of a key: an answer for the focused cluster, or the name of a command."""

CONFIDENCE_HINT = "Enter: certain · 1-9: confidence 0.1-0.9 · Esc: cancel"
PARTS_HINT = "Enter: split · 2-10: change · Esc: cancel"
LEAVE_HINT = "g: train anyway · Esc: stay"


@dataclass(frozen=True, slots=True)
class FocusedClusterInfo:
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

    def handle_key(self, key: str, focused: FocusedClusterInfo) -> tuple[KeyParser, Action | None]:
        """Return the parser after `key`, and the action to perform now."""
        parser = replace(self, hint="")
        match self.state:
            case "class":
                return parser._handle_key_of_class_question(key, focused)
            case "confidence":
                return parser._handle_key_of_confidence_question(key)
            case "parts":
                return parser._handle_key_of_split_question(key, focused)
            case "leave":
                return parser._handle_key_of_train_question(key)

    def select_class(self, class_id: int) -> tuple[KeyParser, Action | None]:
        """Return the parser after a class was chosen by name, and the action to perform now."""
        parser = replace(self, hint="")
        if self.is_one_key_mode:
            return parser, ClassAnswer(class_id, self.confidence)
        return replace(parser, state="confidence", typed_text=str(class_id)), None

    def choose_part_count(self, size: int) -> int:
        """Return the number of parts that Enter would split a cluster of `size` images into."""
        return int(self.typed_text) if self.typed_text else min(self.default_parts, size)

    def _handle_key_of_class_question(self, key: str, focused: FocusedClusterInfo) -> tuple[KeyParser, Action | None]:
        if key.isdigit():
            return self._select_digit_class(int(key))
        parser, action = self, None
        match key:
            case "split" if focused.size < 2:
                parser = self._with_hint("A single image cannot be split")
            case "split":
                parser = replace(self, state="parts", typed_text="")
            case "unreadable":
                return self, Unreadable()
            case "go" if focused.unanswered_count:
                parser = replace(self, state="leave")
            case "one_key_mode":
                parser = replace(self, is_one_key_mode=not self.is_one_key_mode)
            case "accept":
                digits = format_digit_ranges(list_active_digits(self.digit_keys, self.classes))
                parser = self._with_hint(f"Type a class first ({digits})")
            case "other":
                parser = self._with_hint("Unknown key. ? lists all keys")
            case "cancel":
                pass
            case _:
                action = key
        return parser, action

    def _select_digit_class(self, digit: int) -> tuple[KeyParser, Action | None]:
        class_id = self.digit_keys[digit] if digit < len(self.digit_keys) else None
        if class_id is None:
            return self._with_hint(
                format_unassigned_digit(digit, list_active_digits(self.digit_keys, self.classes))
            ), None
        if class_id not in self.classes.active_ids:
            name, target = self.classes.names[class_id], self.classes.resolved_names[class_id]
            return self._with_hint(f'Class "{name}" was merged into "{target}"'), None
        return self.select_class(class_id)

    def _handle_key_of_confidence_question(self, key: str) -> tuple[KeyParser, Action | None]:
        if key == "cancel":
            return self._clear_input(), None
        if key == "accept" or (key.isdigit() and key != "0"):
            confidence = 1.0 if key == "accept" else int(key) / 10
            return replace(self._clear_input(), confidence=confidence), ClassAnswer(int(self.typed_text), confidence)
        return self._with_hint(CONFIDENCE_HINT), None

    def _handle_key_of_split_question(self, key: str, focused: FocusedClusterInfo) -> tuple[KeyParser, Action | None]:
        if key == "accept":
            return self._confirm_split(focused)
        parser = self._with_hint(PARTS_HINT)
        if key == "cancel":
            parser = self._clear_input()
        elif key == "0" and self.typed_text == "1":
            parser = replace(self, typed_text="10")
        elif key.isdigit() and key != "0":
            parser = replace(self, typed_text=key)
        return parser, None

    def _confirm_split(self, focused: FocusedClusterInfo) -> tuple[KeyParser, Action | None]:
        parts = self.choose_part_count(focused.size)
        if parts < 2:
            return self._with_hint("A split needs 2 to 10 parts: type 0 for 10, or 2-9"), None
        if parts > focused.size:
            return self._with_hint(f"The cluster has {focused.size} images: at most {focused.size} parts"), None
        return self._clear_input(), Split(parts)

    def _handle_key_of_train_question(self, key: str) -> tuple[KeyParser, Action | None]:
        if key in ("go", "cancel"):
            return self._clear_input(), key if key == "go" else None
        return self._with_hint(LEAVE_HINT), None

    def _clear_input(self) -> KeyParser:
        return replace(self, state="class", typed_text="")

    def _with_hint(self, hint: str) -> KeyParser:
        return replace(self, hint=hint)


def format_question(parser: KeyParser, focused: FocusedClusterInfo) -> tuple[str, str]:
    """Return the question for the state of `parser`, and the keys that answer it."""
    match parser.state:
        case "confidence":
            class_id = int(parser.typed_text)
            name = parser.classes.names[class_id]
            digit = f"{parser.digit_keys.index(class_id)} " if class_id in parser.digit_keys else ""
            typed = name if digit.strip() in ("", name) else f"{digit}{name}"
            return f"Cluster {focused.name}: class? {typed}_", CONFIDENCE_HINT
        case "parts":
            return f"Split into {parser.choose_part_count(focused.size)} parts?", PARTS_HINT
        case "leave":
            clusters = "1 cluster has" if focused.unanswered_count == 1 else f"{focused.unanswered_count} clusters have"
            return f"{clusters} no answer.", LEAVE_HINT
    if focused.unanswered_count == 0:
        return f"Cluster {focused.name}:", "all clusters have answers · g: train"
    if parser.is_one_key_mode:
        return f"Cluster {focused.name}: class at confidence {parser.confidence:.1f}?", "One-key mode on · a: off"
    digits = format_digit_ranges(list_active_digits(parser.digit_keys, parser.classes))
    return f"Cluster {focused.name}: class?", f"{digits}: class, then Enter: certain or 1-9: confidence"
