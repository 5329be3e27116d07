"""A question that is answered by typing: text with editing keys, and the choices that match it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vaetui.errors import is_printable_text

EMPTY_FIELD_HINT = "Type part of a name, or mark one with the arrows"
EMPTY_TEXT_HINT = "Type an answer first"
NO_MATCH_HINT = "No match"
PAGE_CHOICES = 5
"""Choices that PageUp and PageDown move by."""
CREATE_KEY = "ctrl+n"
"""The key that makes a new thing from the typed text."""
LINE_ALT_KEYS = frozenset({"alt+backspace"})
"""Keys with Alt that edit the text; others are Escape and a key."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the things that the user can choose."""

    label: str
    """The text that is matched and shown."""
    value: object
    """The value handed to the callback."""
    detail: str = ""
    """A text that is shown after the label and not matched."""


class LineDialogue:
    """The state of a line that asks a question: the typed text, the matching choices and the marked one.

    Enter chooses the marked choice. The first match is marked as soon as text is typed; while the field is empty,
    nothing is marked until the user moves to a choice, so that Enter alone never chooses.
    """

    def __init__(
        self,
        question: str,
        choices: Sequence[Choice] = (),
        *,
        on_choice: Callable[[object], None],
        create: Callable[[str], Choice | None] | None = None,
        accepts_text: bool = False,
        text: str = "",
        help_text: str = "",
        check: Callable[[str], str] = lambda _: "",
    ) -> None:
        """Ask `question` with `choices`; `on_choice` receives the value of the choice when the line has closed.

        With `accepts_text`, Enter hands over the typed text itself unless the user moved to a choice. `create` returns
        the choice that a second key (`CREATE_KEY`) makes from the typed text, or None. `check` returns why the typed
        text is refused, or "".
        """
        self.question = question
        """The question."""
        self.accepts_text = accepts_text
        """Whether Enter hands over the typed text."""
        self.help_text = help_text
        """A text about what to type."""
        self.text = ""
        """The text typed so far."""
        self.cursor = 0
        """Position of the cursor in the text, in characters."""
        self.hint = ""
        """Why the last key did nothing, or ""."""
        self.matches: Sequence[Choice] = choices
        """The choices that match the text, best match first."""
        self.marked_index: int | None = None
        """Index of the marked choice in `matches`."""
        self._choices, self._folded_labels = choices, [_fold(choice.label) for choice in choices]
        self._on_choice, self._create, self._check = on_choice, create, check
        self._result: Choice | None = None
        self._insert(text)

    @property
    def choice_count(self) -> int:
        """Number of all choices."""
        return len(self._choices)

    @property
    def new_choice(self) -> Choice | None:
        """The choice that `CREATE_KEY` makes from the typed text; None if it makes none."""
        text = self.text.strip()
        return self._create(text) if text and self._create is not None and not self._check(text) else None

    def handle_key(self, key: str, character: str | None) -> bool:
        """Handle a key, which typed `character` if it is not None, and return whether the line is over."""
        self.hint = ""
        if key == CREATE_KEY:
            return self._choose_new()
        match key:
            case "escape" | "ctrl+c":
                return True
            case "enter":
                return self._choose()
            case "up" | "shift+tab" | "down" | "tab" | "pageup" | "pagedown":
                self._move_mark(key)
            case "left" | "right" | "home" | "end" | "ctrl+a" | "ctrl+e":
                self._move_cursor(key)
            case "backspace" | "ctrl+h" | "delete" | "ctrl+u" | "ctrl+k" | "ctrl+w" | "alt+backspace":
                self._delete(key)
            case _ if character is not None and is_printable_text(character):
                self._insert(character)
        return False

    def paste(self, text: str) -> None:
        """Insert pasted text as one line; a line break in it never chooses."""
        self.hint = ""
        lines = ["".join(filter(is_printable_text, line.replace("\t", " "))) for line in text.splitlines()]
        lines = lines if len(lines) < 2 else [line.strip() for line in lines if line.strip()]
        self._insert(" ".join(lines))

    def finish(self) -> None:
        """Hand over the choice, if the user made one."""
        if self._result is not None:
            self._on_choice(self._result.value)

    def _choose(self) -> bool:
        if self.marked_index is not None:
            self._result = self.matches[self.marked_index]
        elif self.accepts_text and self.text.strip():
            self.hint = self._check(self.text.strip())
            self._result = None if self.hint else Choice(self.text, self.text.strip())
        elif self.text.strip():
            self.hint = NO_MATCH_HINT
        else:
            self.hint = EMPTY_TEXT_HINT if self.accepts_text else EMPTY_FIELD_HINT
        return self._result is not None

    def _choose_new(self) -> bool:
        self._result = self.new_choice
        if self._result is None and self._create is not None:
            text = self.text.strip()
            self.hint = (self._check(text) if text else EMPTY_TEXT_HINT) or NO_MATCH_HINT
        return self._result is not None

    def _move_mark(self, key: str) -> None:
        step = {"up": -1, "shift+tab": -1, "pageup": -PAGE_CHOICES, "pagedown": PAGE_CHOICES}.get(key, 1)
        if not self.matches:
            self.hint = NO_MATCH_HINT if self._choices else ""
        elif self.marked_index is None:
            self.marked_index = 0
        else:
            self.marked_index = min(max(self.marked_index + step, 0), len(self.matches) - 1)

    def _move_cursor(self, key: str) -> None:
        targets = {"left": self.cursor - 1, "right": self.cursor + 1, "home": 0, "ctrl+a": 0}
        self.cursor = min(max(targets.get(key, len(self.text)), 0), len(self.text))

    def _delete(self, key: str) -> None:
        start, end = self.cursor, self.cursor
        match key:
            case "backspace" | "ctrl+h":
                start -= 1
            case "delete":
                end += 1
            case "ctrl+u":
                start = 0
            case "ctrl+k":
                end = len(self.text)
            case "ctrl+w" | "alt+backspace":
                start = self.text[:start].rstrip().rfind(" ") + 1
        start = max(start, 0)
        self._set_text(self.text[:start] + self.text[end:], start)

    def _insert(self, text: str) -> None:
        self._set_text(self.text[: self.cursor] + text + self.text[self.cursor :], self.cursor + len(text))

    def _set_text(self, text: str, cursor: int) -> None:
        self.text, self.cursor = text, cursor
        self.matches = [self._choices[index] for index in find_matches(self._folded_labels, text)]
        self.marked_index = 0 if text.strip() and self.matches and not self.accepts_text else None


def find_matches(folded_labels: Sequence[str], text: str) -> list[int]:
    """Return the indices of the labels that contain every word of the text, best match first.

    A label that equals the text comes before one that starts with it, then those in which a word starts with it, and
    then all others; equally good ones keep their order. `folded_labels` are in lower case.
    """
    query = _fold(text.strip())
    words = query.split()
    ranks = [
        (_rank(label, query), index)
        for index, label in enumerate(folded_labels)
        if all(word in label for word in words)
    ]
    return [index for _, index in sorted(ranks)]


def _rank(label: str, query: str) -> int:
    if label == query:
        return 0
    if label.startswith(query):
        return 1
    return 2 if f" {query}" in label else 3


def _fold(text: str) -> str:
    """Return text such that names that differ only in case, or in how an accent is encoded, are equal."""
    return unicodedata.normalize("NFKC", text).casefold()
