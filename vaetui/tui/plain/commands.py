"""Parse the lines typed in the plain dialogue into answers, class edits and commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from vaetui.engine.answers import (
    Answer,
    ClassAnswer,
    Cleared,
    ClusterAnswer,
    ClusterPath,
    NearestImageAnswer,
    Split,
    Unreadable,
    parse_path,
)
from vaetui.engine.classes import AddClass, ClassEdit, ClassList, MergeClass, RenameClass
from vaetui.errors import UserError
from vaetui.session.digit_keys import is_digit, list_active_digits
from vaetui.session.views import DigitKeys
from vaetui.tui.presenters.cluster_order import SORT_ORDERS, SortOrder
from vaetui.tui.presenters.cluster_text import format_unassigned_digit


@dataclass(frozen=True, slots=True)
class SelectCluster:
    """Show a cluster and ask for its class."""

    path: ClusterPath
    """Path of the cluster in the cluster tree."""


@dataclass(frozen=True, slots=True)
class ListClusters:
    """List the clusters of the round."""

    order: SortOrder = "number"
    """The order of the clusters."""
    is_open_only: bool = False
    """Whether only clusters without an answer are listed."""


@dataclass(frozen=True, slots=True)
class ListHistory:
    """List the answers of all rounds."""

    class_id: int | None = None
    """The class whose answers are listed; None for all answers."""


@dataclass(frozen=True, slots=True)
class CorrectAnswer:
    """Replace an answer of any round."""

    round_number: int
    """The round, from 1."""
    path: ClusterPath
    """Path of the cluster in the cluster tree of that round."""
    answer: ClusterAnswer
    """The new answer."""


@dataclass(frozen=True, slots=True)
class Export:
    """Write the labels to a file or a directory."""

    path: str
    """The path as typed."""


Command: TypeAlias = Answer | ClassEdit | SelectCluster | ListClusters | ListHistory | CorrectAnswer | Export | str
"""An answer, a class edit, what to show, correct or write, or one of the names in `COMMAND_ALIASES`."""
COMMAND_ALIASES = {
    "": "next",
    "n": "next",
    "y": "accept",
    "Y": "accept all",
    "u": "undo",
    "U": "redo",
    "m": "members",
    "i": "pictures",
    "classes": "classes",
    "v": "audit",
    "w": "review",
    "g": "go",
    "q": "leave",
    "?": "help",
}
"""Short form of each command, and its name; both can be typed."""
COMMAND_HELP = (
    ("7", "the class of digit key 7, certain"),
    ("7 8", "the class of digit key 7, confidence 0.8 (or 7 .8, or 7 0.8)"),
    ("owl, owl 8", "the class owl, certain or with confidence 0.8"),
    ('"7"', "the class named 7, while digit key 7 chooses another class"),
    ("only 7, only owl", "mixed cluster: the class is only that of its nearest image (or 7 only)"),
    ("y", "accept the class that the classifier predicts for most images"),
    ("Y", "accept it for all open clusters above 95 %; asks first"),
    ("s, s 3", "split the cluster into the suggested number of parts, or into 3"),
    ("x", "unreadable: ignored in training"),
    ("clear", "remove the answer of the cluster"),
    ("u, U", "undo, redo"),
    ("Enter, n", "next cluster without an answer"),
    ("c 3.1", "show cluster 3.1"),
    ("l, l open", "list all clusters with their answers, or those without one"),
    ("l size", "list by size; l doubt: least certain predictions first; l class"),
    ("history", "list the answers of all rounds; history owl: those of one class"),
    ("correct 1 3.1 owl 8", "answer cluster 3.1 of round 1 again (a class, only a class, x or clear)"),
    ("classes", "list the classes with their digit keys and number of answers"),
    ("add owl", "add a class owl"),
    ("rename cat as owl", "rename the class cat to owl; a digit key names a class, too"),
    ("merge cat into dog", "count the class cat as the class dog in all rounds"),
    ("m", "show the nearest members as pictures"),
    ("i", "leave out the pictures, or draw them again"),
    ("export labels.csv", "write the labels so far; the end of the name chooses the format"),
    ("v, audit", "check labels by hand: how many are right?"),
    ("w, review", "correct the labels of single images, the most doubtful first"),
    ("g", "continue training; asks first while clusters have no answer"),
    ("q", "quit; every answer is already saved"),
    ("?", "show this help"),
    (
        "go, undo",
        "words work too: accept, split, unreadable, next, redo, cluster, list, members, pictures, leave, help",
    ),
)
"""What can be typed, and its effect."""
CONFIDENCE_PATTERN = re.compile(r"(.*\S)\s+(?:(?:0?\.)?([1-9])|1\.0)")
"""A class, followed by a confidence: 8, .8, 0.8 or 1.0."""


def parse_command(line: str, default_parts: int, classes: ClassList, digit_keys: DigitKeys) -> Command:
    """Parse a typed line; a digit is the digit key of a class, every other text the name of a class or a command.

    A split without a number makes `default_parts` parts. Raises UserError if the line is not a command or refers
    to an unknown class.
    """
    text = line.strip()
    if (answer := _parse_class_answer(text, classes, digit_keys)) is not None:
        return answer
    if (nearest := _parse_nearest_answer(text, classes, digit_keys)) is not None:
        return nearest
    if (edit := _parse_class_edit(text, classes, digit_keys)) is not None:
        return edit
    if text in COMMAND_ALIASES or text in COMMAND_ALIASES.values():
        return COMMAND_ALIASES.get(text, text)
    if (command := _parse_marker(text) or _parse_longer_command(text, default_parts, classes, digit_keys)) is not None:
        return command
    subject, _ = _split_confidence(text)
    if is_digit(subject):
        digits = list_active_digits(digit_keys, classes)
        raise UserError(f"{format_unassigned_digit(subject, digits)}. classes lists all classes.")
    if subject.isdigit():
        raise UserError(f'There is no class "{subject}". Type a digit key or a class name; classes lists all classes.')
    raise UserError(f"Unknown command {text!r}. ? lists all commands.")


def find_class(text: str, classes: ClassList, digit_keys: DigitKeys) -> int | None:
    """Return the id of the class that a text refers to: by its digit key, by its name, or by its name in quotes."""
    class_id = classes.find_id(text)
    if is_digit(text):
        key_class_id = digit_keys[int(text)] if int(text) < len(digit_keys) else None
        return class_id if key_class_id is None and class_id in classes.active_ids else key_class_id
    if class_id is None and len(text) > 2 and text[0] == text[-1] == '"':
        return classes.find_id(text[1:-1])
    return class_id


def parse_typed_answer(text: str, classes: ClassList, digit_keys: DigitKeys) -> ClassAnswer | Unreadable:
    """Return the answer about a single image: its class, or that it is unreadable.

    Raises UserError for any other text and for a merged class.
    """
    if (class_id := find_class(text, classes, digit_keys)) is not None:
        classes.require_active(class_id)
        return ClassAnswer(class_id)
    if text in ("x", "unreadable"):
        return Unreadable()
    raise UserError(f"Unknown class {text!r}. Type a digit key or the name of a class.")


def _parse_marker(text: str) -> Unreadable | Cleared | None:
    """Parse an answer without a class."""
    if text in ("x", "unreadable"):
        return Unreadable()
    return Cleared() if text == "clear" else None


def _parse_longer_command(text: str, default_parts: int, classes: ClassList, digit_keys: DigitKeys) -> Command | None:
    """Parse a split, a cluster, a list, the history, a correction or an export; return None for any other line.

    Raises UserError if the history or a correction refers to an unknown class.
    """
    if split_match := re.fullmatch(r"s(?:plit)?(?:\s+([0-9]{1,3}))?", text):
        return Split(int(split_match[1] or default_parts))
    if cluster_match := re.fullmatch(r"(?:c|cluster|centre)\s+([0-9]+(?:\.[0-9]+)*)", text):
        return SelectCluster(parse_path(cluster_match[1]))
    verb, _, argument = text.partition(" ")
    words = argument.split()
    if verb in ("l", "list") and len(set(words)) == len(words) <= 2 and set(words) <= {"open", *SORT_ORDERS}:
        orders = [order for order in SORT_ORDERS if order in words]
        return ListClusters(orders[0] if orders else "number", "open" in words) if len(orders) <= 1 else None
    if verb == "history":
        return ListHistory(_require_class(argument.strip(), classes, digit_keys) if words else None)
    if verb == "export" and words:
        return Export(argument.strip())
    return _parse_correction(text, classes, digit_keys)


def _parse_correction(text: str, classes: ClassList, digit_keys: DigitKeys) -> CorrectAnswer | None:
    """Parse the correction of an answer. Raises UserError if it refers to an unknown class."""
    match = re.fullmatch(r"correct\s+([0-9]{1,6})\s+([0-9]+(?:\.[0-9]+)*)\s+(.+)", text)
    if match is None:
        return None
    answer = (
        _parse_class_answer(match[3], classes, digit_keys)
        or _parse_nearest_answer(match[3], classes, digit_keys)
        or _parse_marker(match[3])
    )
    if answer is None:
        raise UserError(f"Unknown class {match[3]!r}. classes lists all classes.")
    return CorrectAnswer(int(match[1]), parse_path(match[2]), answer)


def _require_class(text: str, classes: ClassList, digit_keys: DigitKeys) -> int:
    """Return the id of the class that a text refers to. Raises UserError if there is none."""
    if (class_id := find_class(text, classes, digit_keys)) is None:
        raise UserError(f"Unknown class {text!r}. classes lists all classes.")
    return class_id


def _parse_nearest_answer(text: str, classes: ClassList, digit_keys: DigitKeys) -> NearestImageAnswer | None:
    """Parse a class with "only" before or behind it, the class of the nearest image alone; None for any other line.

    Raises UserError if the class is unknown.
    """
    match = re.fullmatch(r"(?:only|o)\s+(.+)|(.*\S)\s+(?:only|o)", text)
    if match is None:
        return None
    subject = match[1] or match[2]
    class_id = find_class(subject, classes, digit_keys)
    if class_id is None and is_digit(subject):
        raise UserError(f"{format_unassigned_digit(subject, list_active_digits(digit_keys, classes))}.")
    if class_id is None and match[1]:
        raise UserError(f"Unknown class {subject!r}. classes lists all classes.")
    return None if class_id is None else NearestImageAnswer(class_id)


def _parse_class_answer(text: str, classes: ClassList, digit_keys: DigitKeys) -> ClassAnswer | None:
    """Parse a class with an optional confidence; the name of a class may end like a confidence."""
    if (class_id := find_class(text, classes, digit_keys)) is not None:
        return ClassAnswer(class_id, 1.0)
    subject, confidence = _split_confidence(text)
    class_id = find_class(subject, classes, digit_keys)
    return None if class_id is None else ClassAnswer(class_id, confidence)


def _split_confidence(text: str) -> tuple[str, float]:
    """Return the text before a confidence, and the confidence; 1 without one."""
    match = CONFIDENCE_PATTERN.fullmatch(text)
    return (text, 1.0) if match is None else (match[1], int(match[2]) / 10 if match[2] else 1.0)


def _parse_class_edit(text: str, classes: ClassList, digit_keys: DigitKeys) -> ClassEdit | None:
    """Parse an edit of the classes; return None for any other line.

    Raises UserError if the edit refers to an unknown class.
    """
    verb, _, arguments = text.partition(" ")
    if verb == "add" and arguments.strip():
        return AddClass(len(classes), arguments.strip())
    separator = {"rename": " as ", "merge": " into "}.get(verb, "")
    if not separator or separator not in arguments:
        return None
    # A class name may contain the separator: try every position.
    for position in (match.start() for match in re.finditer(separator, arguments)):
        class_id = find_class(arguments[:position].strip(), classes, digit_keys)
        target = arguments[position + len(separator) :].strip()
        target_id = find_class(target, classes, digit_keys)
        if class_id is not None and verb == "rename":
            return RenameClass(class_id, target)
        if class_id is not None and target_id is not None:
            return MergeClass(class_id, target_id)
    raise UserError(f"Unknown class in {text!r}. classes lists all classes.")
