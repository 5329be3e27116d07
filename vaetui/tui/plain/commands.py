"""Parse the lines typed in the plain dialogue into answers, class edits and commands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vaetui.engine.answers import Answer, ClassAnswer, ClusterPath, Split, Unreadable, parse_path
from vaetui.engine.classes import AddClass, ClassEdit, ClassList, MergeClass, RenameClass
from vaetui.errors import UserError


@dataclass(frozen=True, slots=True)
class SelectCluster:
    """Show a cluster and ask for its class."""

    path: ClusterPath
    """Path of the cluster in the cluster tree."""


Command: TypeAlias = Answer | ClassEdit | SelectCluster | str
"""An answer, a class edit, a cluster to show, or one of the names in `COMMAND_ALIASES`."""
COMMAND_ALIASES = {
    "": "next",
    "n": "next",
    "u": "undo",
    "U": "redo",
    "m": "members",
    "l": "list",
    "classes": "classes",
    "g": "go",
    "q": "leave",
    "?": "help",
}
"""Short form of each command, and its name; both can be typed."""
COMMAND_HELP = (
    ("7", "class 7, certain"),
    ("7 8", "class 7, confidence 0.8 (or 7 .8, or 7 0.8)"),
    ("s, s 3", "split the cluster into the suggested number of parts, or into 3"),
    ("x", "unreadable: ignored in training"),
    ("u, U", "undo, redo"),
    ("Enter, n", "next cluster without an answer"),
    ("c 3.1", "show cluster 3.1"),
    ("l", "list all clusters with their answers"),
    ("classes", "list the classes with their number of answers"),
    ("add owl", "add a class owl"),
    ("rename 7 as owl", "rename class 7 to owl"),
    ("merge 7 into 1", "count class 7 as class 1 in all rounds"),
    ("m", "show the nearest members as pictures"),
    ("g", "continue training; asks first while clusters have no answer"),
    ("q", "quit; every answer is already saved"),
    ("?", "show this help"),
    ("go, undo", "words work too: split, unreadable, next, redo, cluster, list, members, leave, help"),
)
"""What can be typed, and its effect."""
CLASS_ANSWER_PATTERN = re.compile(r"(\d{1,3})(?:\s+(?:0?\.)?([1-9])|\s+1\.0)?")
"""A class number, and optionally a confidence: 8, .8, 0.8 or 1.0."""


def parse_command(line: str, default_parts: int, classes: ClassList | None = None) -> Command:
    """Parse a typed line; class names are accepted in place of class numbers if `classes` is passed.

    A split without a number makes `default_parts` parts. Raises UserError if the line is not a command or refers
    to an unknown class.
    """
    text = line.strip()
    numbered_text = _replace_class_name(text, classes.names if classes else ())
    if class_match := CLASS_ANSWER_PATTERN.fullmatch(numbered_text):
        return ClassAnswer(int(class_match[1]), int(class_match[2]) / 10 if class_match[2] else 1.0)
    if classes is not None and (edit := _parse_class_edit(text, classes)) is not None:
        return edit
    if text in COMMAND_ALIASES or text in COMMAND_ALIASES.values():
        return COMMAND_ALIASES.get(text, text)
    if text in ("x", "unreadable"):
        return Unreadable()
    if split_match := re.fullmatch(r"s(?:plit)?(?:\s+(\d{1,3}))?", text):
        return Split(int(split_match[1] or default_parts))
    if cluster_match := re.fullmatch(r"(?:c|cluster|centre)\s+(\d+(?:\.\d+)*)", text):
        return SelectCluster(parse_path(cluster_match[1]))
    raise UserError(f"Unknown command {text!r}. ? lists all commands.")


def _replace_class_name(text: str, class_names: Sequence[str]) -> str:
    """Replace a class name at the start of the text by its number; the longest matching name takes precedence."""
    for class_id, name in sorted(enumerate(class_names), key=lambda class_item: -len(class_item[1])):
        if text == name or text.startswith(f"{name} "):
            return f"{class_id}{text[len(name) :]}"
    return text


def _parse_class_edit(text: str, classes: ClassList) -> ClassEdit | None:
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
        class_id = _find_class_id(arguments[:position], classes)
        target = arguments[position + len(separator) :].strip()
        target_id = _find_class_id(target, classes)
        if class_id is not None and verb == "rename":
            return RenameClass(class_id, target)
        if class_id is not None and target_id is not None:
            return MergeClass(class_id, target_id)
    raise UserError(f"Unknown class in {text!r}. classes lists all classes.")


def _find_class_id(text: str, classes: ClassList) -> int | None:
    """Return the number of a class that is written by name or by number, or None."""
    class_id = classes.find_id(text.strip())
    return int(text) if class_id is None and re.fullmatch(r"\s*\d{1,3}\s*", text) else class_id
