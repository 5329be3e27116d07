"""What a typed line means in the plain dialogue, as pure values; it knows no session."""

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
    """Another centre is to be asked about."""

    path: ClusterPath
    """Its place in the tree."""


Command: TypeAlias = Answer | ClassEdit | SelectCluster | str
"""An answer, what is done to the classes, a centre to look at, or the name of a deed."""
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
COMMAND_HELP = (
    ("7", "this centre shows a 7; surely"),
    ("7 8", "this centre shows a 7; confidence 0.8 (or 7 .8, or 7 0.8)"),
    ("s, s 3", "split it, into as many parts as proposed or into 3"),
    ("x", "unreadable: no label"),
    ("u, U", "undo, redo"),
    ("Enter, n", "the next centre without an answer"),
    ("c 3.1", "centre 3.1"),
    ("l", "list all centres with their answers"),
    ("classes", "list the classes, with the answers so far"),
    ("add owl", "owl is one more class"),
    ("rename 7 as owl", "class 7 is called owl from now on"),
    ("merge 7 into 1", "class 7 counts as 1, in all rounds and from now on"),
    ("m", "the nearest members, as pictures"),
    ("g", "go on training; asks first when centres are open"),
    ("q", "leave; everything is saved already"),
    ("?", "these lines"),
    ("go, undo", "also the words: split, unreadable, next, redo, centre, list, members, leave"),
)
"""What may be typed, and what it does."""
CLASS_ANSWER_PATTERN = re.compile(r"(\d{1,3})(?:\s+(?:0?\.)?([1-9])|\s+1\.0)?")


def parse_command(line: str, default_parts: int, classes: ClassList | None = None) -> Command:
    """Read a typed line; `parts` is what a split without a number makes, and `classes` may be written by name.

    Raises Trouble for what means nothing.
    """
    words = line.strip()
    if label := CLASS_ANSWER_PATTERN.fullmatch(_replace_class_name(words, classes.names if classes else ())):
        return ClassAnswer(int(label[1]), int(label[2]) / 10 if label[2] else 1.0)
    if classes is not None and (naming := _parse_class_edit(words, classes)) is not None:
        return naming
    if words in COMMAND_ALIASES or words in COMMAND_ALIASES.values():
        return COMMAND_ALIASES.get(words, words)
    if words in ("x", "unreadable"):
        return Unreadable()
    if split := re.fullmatch(r"s(?:plit)?(?:\s+(\d{1,3}))?", words):
        return Split(int(split[1] or default_parts))
    if look := re.fullmatch(r"c(?:entre)?\s+(\d+(?:\.\d+)*)", words):
        return SelectCluster(parse_path(look[1]))
    raise UserError(f"{words!r} means nothing here; ? lists what may be typed.")


def _replace_class_name(text: str, class_names: Sequence[str]) -> str:
    """Write the digit of a class in the place of its name; the longest name that fits counts."""
    for digit, name in sorted(enumerate(class_names), key=lambda each: -len(each[1])):
        if text == name or text.startswith(f"{name} "):
            return f"{digit}{text[len(name) :]}"
    return text


def _parse_class_edit(text: str, classes: ClassList) -> ClassEdit | None:
    """Read what is done to the classes; None for another line.

    Raises Trouble for a class that there is not.
    """
    verb, _, rest = text.partition(" ")
    if verb == "add" and rest.strip():
        return AddClass(len(classes), rest.strip())
    between = {"rename": " as ", "merge": " into "}.get(verb, "")
    if not between or between not in rest:
        return None
    for at in (found.start() for found in re.finditer(between, rest)):
        label, other = _find_class_id(rest[:at], classes), rest[at + len(between) :].strip()
        into = _find_class_id(other, classes)
        if label is not None and verb == "rename":
            return RenameClass(label, other)
        if label is not None and into is not None:
            return MergeClass(label, into)
    raise UserError(f"There is no such class in {text!r}; classes lists them.")


def _find_class_id(text: str, classes: ClassList) -> int | None:
    """Give the number of a class that is named, or told by its number."""
    named = classes.find_id(text.strip())
    return int(text) if named is None and re.fullmatch(r"\s*\d{1,3}\s*", text) else named
