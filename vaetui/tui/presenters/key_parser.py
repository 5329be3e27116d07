"""A state machine that turns the keys of the labelling screen into answers and commands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from rich.cells import cell_len

from vaetui.engine.answers import Answer, ClassAnswer, NearestImageAnswer, Split, Unreadable
from vaetui.engine.classes import AddClass, ClassList
from vaetui.errors import format_count
from vaetui.session.digit_keys import list_active_digits
from vaetui.session.views import DigitKeys
from vaetui.tui.keymap import KeyFormatter, format_default_key
from vaetui.tui.presenters.cluster_text import (
    format_digit_ranges,
    format_open_clusters,
    format_unassigned_digit,
    truncate_class_name,
    truncate_name,
)

ParserState: TypeAlias = Literal["class", "confidence", "nearest", "parts", "leave", "accept_all"]
Action: TypeAlias = Answer | str
"""The result of a key: an answer for the focused cluster, or the name of a command."""
MAX_CLASS_CELLS, MIN_CLASS_CELLS = 26, 12
"""Most cells of the chosen class in the prompt, and the fewest for which the keys beside it are shortened."""
MAX_PROMPT_CELLS = 78
"""Cells of the prompt in a terminal of 80 columns."""
GAP_CELLS = 2
"""Cells between the question and the keys."""


@dataclass(frozen=True, slots=True)
class FocusedClusterInfo:
    """The facts about the focused cluster and its round that the parser needs."""

    name: str
    """The path of the cluster, such as "3.1"."""
    size: int
    """Images in the cluster."""
    unanswered_count: int
    """Clusters of the round without an answer."""
    guess: int | None = None
    """The class that Enter accepts; None if the cluster has an answer or no prediction."""
    guess_text: str = ""
    """The guess with its share, such as "9 · 63 %"."""
    is_answered: bool = False
    """Whether the cluster has an answer, or is split."""
    is_mixed: bool = False
    """Whether its members are photographs of several classes, as far as is known: then the keys that answer for the
    nearest image alone are shown."""
    sure_count: int = 0
    """Clusters of the round whose guesses can be accepted together."""
    sure_text: str = ""
    """Their classes with the number of clusters, such as "1: 5, 7: 1"."""


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
    new_class: AddClass | None = None
    """The chosen class, if it is new: it is added together with its first answer."""
    is_one_key_mode: bool = False
    """Whether a digit answers at once, with confidence 1."""
    offers_one_key_mode: bool = False
    """Whether the question is if one-key mode is wanted; any other key than its own is a no."""
    hint: str = ""
    """The valid input, if the last key was invalid."""
    needs_second_look: bool = False
    """Whether Enter only shows the question again: the last key was refused, so the user may not have read it."""
    format_key: KeyFormatter = format_default_key
    """Returns the name of the key of a binding."""

    @property
    def confidence_hint(self) -> str:
        """The keys that complete an answer."""
        return f"{self._key('sure')}: certain · 1-9: confidence 0.1-0.9 · {self._key('cancel')}: cancel"

    @property
    def short_confidence_hint(self) -> str:
        """The keys that complete an answer, for narrow terminals and long names."""
        return f"{self._key('sure')}: certain · 1-9: confidence · {self._key('cancel')}: cancel"

    def list_confidence_hints(self, is_mixed: bool) -> tuple[str, str]:
        """Return the keys that complete an answer, in a long and a short text; with the one for mixed clusters."""
        if not is_mixed:
            return self.confidence_hint, self.short_confidence_hint
        accept, nearest, cancel = map(self._key, ("sure", "nearest", "cancel"))
        long_text, short_text = (
            f"{accept}: certain · 1-9: confidence · {nearest}: {text} · {cancel}: cancel"
            for text in ("only the nearest image", "nearest")
        )
        return long_text, short_text

    @property
    def nearest_hint(self) -> str:
        """The keys that answer for the nearest image alone."""
        digits = format_digit_ranges(list_active_digits(self.digit_keys, self.classes))
        return f"{digits}: class of that image · {self._key('choose')}: find class · {self._key('cancel')}: cancel"

    @property
    def parts_hint(self) -> str:
        """The keys that complete a split."""
        return f"{self._key('sure')}: split · 2-10: change · {self._key('cancel')}: cancel"

    @property
    def leave_hint(self) -> str:
        """The keys that answer whether to train with clusters without an answer."""
        return f"{self._key('go')}: train anyway · {self._key('cancel')}: stay"

    @property
    def accept_all_hint(self) -> str:
        """The keys that answer whether to accept all guesses."""
        return f"{self._key('accept_all')}: accept · {self._key('cancel')}: cancel"

    def handle_key(self, key: str, focused: FocusedClusterInfo) -> tuple[KeyParser, Action | None]:
        """Return the parser after `key`, and the action to perform now."""
        parser = replace(self, hint="", needs_second_look=False, offers_one_key_mode=False)
        needs_second_look = self.offers_one_key_mode or (self.needs_second_look and self.state == "class")
        if key == "accept" and needs_second_look:
            return parser, None
        match self.state:
            case "class":
                result = parser._handle_key_of_class_question(key, focused)
            case "confidence":
                result = parser._handle_key_of_confidence_question(key, focused)
            case "nearest":
                result = parser._handle_key_of_nearest_question(key, focused)
            case "parts":
                result = parser._handle_key_of_split_question(key, focused)
            case "leave":
                result = parser._handle_key_of_yes_question(key, "go", self.leave_hint)
            case "accept_all":
                result = parser._handle_key_of_yes_question(key, "accept_all", self.accept_all_hint)
        return result

    def select_class(self, class_id: int, new_class: AddClass | None = None) -> tuple[KeyParser, Action | None]:
        """Return the parser after a class was chosen by name, and the action to perform now."""
        parser = replace(self, hint="", needs_second_look=False, new_class=new_class, offers_one_key_mode=False)
        if self.state == "nearest":
            return replace(parser, state="class"), NearestImageAnswer(class_id)
        if self.is_one_key_mode:
            return parser, ClassAnswer(class_id)
        return replace(parser, state="confidence", typed_text=str(class_id)), None

    def choose_part_count(self, size: int) -> int:
        """Return the number of parts that Enter would split a cluster of `size` images into."""
        return int(self.typed_text) if self.typed_text else min(self.default_parts, size)

    def format_chosen_class(self, max_cells: int = MAX_CLASS_CELLS) -> str:
        """Return the class whose confidence is asked for, with its digit if it has one."""
        if self.new_class is not None:
            return f"{truncate_name(self.new_class.name, max_cells - len(' (new)'))} (new)"
        class_id = int(self.typed_text)
        name = self.classes.names[class_id]
        digit = f"{self.digit_keys.index(class_id)}" if class_id in self.digit_keys else name
        start = "" if digit == name else f"{digit} "
        return f"{start}{truncate_class_name(class_id, self.classes, max_cells - len(start))}"

    def clear_input(self) -> KeyParser:
        """Return the parser without the input typed so far."""
        return replace(self, state="class", typed_text="", new_class=None)

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
            case "nearest":
                parser = replace(self, state="nearest", typed_text="")
            case "go" if focused.unanswered_count:
                parser = replace(self, state="leave")
            case "one_key_mode":
                return replace(self, is_one_key_mode=not self.is_one_key_mode), key
            case "accept":
                return self._accept_guess(focused)
            case "accept_all" if focused.sure_count:
                parser = replace(self, state="accept_all")
            case "accept_all":
                parser = self._with_hint("No open cluster is predicted with 95 % or more")
            case "other":
                parser = self._with_hint(f"Unknown key. {self.format_key('any.help')} lists all keys")
            case _ if key != "cancel":
                action = key
        return parser, action

    def _accept_guess(self, focused: FocusedClusterInfo) -> tuple[KeyParser, Action | None]:
        if focused.guess is not None:
            return self, ClassAnswer(focused.guess)
        if focused.unanswered_count == 0:
            return self._with_hint(f"All clusters have answers. {self._key('go')}: train"), None
        if focused.is_answered:
            return self._with_hint(f"Cluster {focused.name} has an answer. Type a class to change it"), None
        digits = format_digit_ranges(list_active_digits(self.digit_keys, self.classes))
        return self._with_hint(f"Type a class first ({digits})"), None

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

    def _handle_key_of_confidence_question(
        self, key: str, focused: FocusedClusterInfo
    ) -> tuple[KeyParser, Action | None]:
        if key in ("cancel", "clear"):
            return self.clear_input(), None
        if key == "accept" or (key.isdigit() and key != "0"):
            confidence = 1.0 if key == "accept" else int(key) / 10
            return replace(self, state="class", typed_text=""), ClassAnswer(int(self.typed_text), confidence)
        if key == "nearest":
            return replace(self, state="class", typed_text=""), NearestImageAnswer(int(self.typed_text))
        return self._with_hint(self.list_confidence_hints(focused.is_mixed)[0]), None

    def _handle_key_of_nearest_question(self, key: str, focused: FocusedClusterInfo) -> tuple[KeyParser, Action | None]:
        if key.isdigit():
            return self._select_digit_class(int(key))
        match key:
            case "cancel" | "clear" | "nearest":
                return self.clear_input(), None
            case "accept" if focused.guess is not None:
                return self.clear_input(), NearestImageAnswer(focused.guess)
            case "choose":
                return self, key
        return self._with_hint(self.nearest_hint), None

    def _handle_key_of_split_question(self, key: str, focused: FocusedClusterInfo) -> tuple[KeyParser, Action | None]:
        if key == "accept":
            return self._confirm_split(focused)
        parser = self._with_hint(self.parts_hint)
        if key == "cancel":
            parser = self.clear_input()
        elif key == "clear":
            parser = replace(self, typed_text="")
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
        return self.clear_input(), Split(parts)

    def _handle_key_of_yes_question(self, key: str, yes_key: str, hint: str) -> tuple[KeyParser, Action | None]:
        if key in (yes_key, "cancel"):
            return self.clear_input(), key if key == yes_key else None
        return self._with_hint(hint), None

    def _with_hint(self, hint: str) -> KeyParser:
        return replace(self, hint=hint, needs_second_look=True)

    def _key(self, name: str) -> str:
        return self.format_key(f"label.{name}")


def format_question(
    parser: KeyParser, focused: FocusedClusterInfo, max_cells: int = MAX_PROMPT_CELLS
) -> tuple[str, str]:
    """Return the question for the state of `parser`, and the keys that answer it, in `max_cells` if possible."""
    key = parser._key
    match parser.state:
        case "confidence" | "nearest":
            return _format_begun_question(parser, focused, max_cells)
        case "parts":
            return f"Split into {parser.choose_part_count(focused.size)} parts?", parser.parts_hint
        case "leave":
            return f"{format_open_clusters(focused.unanswered_count)}.", parser.leave_hint
        case "accept_all":
            return (
                f"Accept {format_count(focused.sure_count, 'cluster')} as predicted ({focused.sure_text})?",
                parser.accept_all_hint,
            )
    if focused.unanswered_count == 0:
        return f"All clusters have answers. {key('go')}: train", ""
    if parser.offers_one_key_mode:
        focused = replace(focused, guess=None, sure_count=0)
        question = f"Answer with one key? {key('one_key_mode')}: on · {key('cancel')}: no"
    else:
        guess = f" {key('sure')}: {focused.guess_text}" if focused.guess is not None else ""
        question = f"Cluster {focused.name}: class?{guess}"
    return question, _format_answer_keys(parser, focused, max_cells - cell_len(question) - GAP_CELLS)


def _format_begun_question(parser: KeyParser, focused: FocusedClusterInfo, max_cells: int) -> tuple[str, str]:
    """Return the question for the class of the nearest image, or for the confidence of the typed class.

    A long name is shortened for the keys, as far as it stays readable.
    """
    if parser.state == "nearest":
        guess = f" {parser._key('sure')}: {focused.guess_text}" if focused.guess is not None else ""
        return f"Cluster {focused.name}, nearest image: class?{guess}", parser.nearest_hint
    start = f"Cluster {focused.name}: class? "
    question = f"{start}{parser.format_chosen_class()}_"
    for hint in parser.list_confidence_hints(focused.is_mixed):
        if cell_len(question) + GAP_CELLS + cell_len(hint) <= max_cells:
            return question, hint
    start = start.replace(": class?", "?")
    if cell_len(question := f"{start}{parser.format_chosen_class()}_") + GAP_CELLS + cell_len(hint) <= max_cells:
        return question, hint
    room = max_cells - GAP_CELLS - cell_len(f"{start}_{hint}")
    return f"{start}{parser.format_chosen_class(min(max(room, MIN_CLASS_CELLS), MAX_CLASS_CELLS))}_", hint


def _format_answer_keys(parser: KeyParser, focused: FocusedClusterInfo, max_cells: int) -> str:
    """Return the keys that answer, shorter where the question already shows a guess or the room is short."""
    digits = format_digit_ranges(list_active_digits(parser.digit_keys, parser.classes))
    accept, nearest = parser._key("sure"), f"{parser._key('nearest')}: nearest image alone"
    if focused.sure_count > 1:
        return f"{parser._key('accept_all')}: accept {focused.sure_count} above 95 % · {digits}: class"
    if parser.is_one_key_mode:
        mode_off = f"{parser._key('one_key_mode')}: one-key mode off"
        return f"{digits}: class · {nearest} · {mode_off}" if focused.is_mixed else f"{digits}: class · {mode_off}"
    long_text, short_text = (
        f"{digits}: class, then {accept}{certain} or 1-9{confidence}"
        for certain, confidence in ((": certain", ": confidence"), ("", ""))
    )
    texts = [short_text] if focused.guess is not None else [long_text, short_text]
    if focused.is_mixed:
        texts = [*(f"{text} · {nearest}" for text in texts), f"{digits}: class · {nearest}", *texts]
    return next((text for text in texts if cell_len(text) <= max_cells), f"{digits}: class")
