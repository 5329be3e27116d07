"""What a typed line means in the plain dialogue, as pure values; it knows no session."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vaetui.engine.answers import Answer, Label, Path, Split, Unreadable, read_path
from vaetui.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Look:
    """Another centre is to be asked about."""

    path: Path
    """Its place in the tree."""


Order: TypeAlias = Answer | Look | str
"""An answer, a centre to look at, or the name of a deed."""
DEEDS = {
    "": "next",
    "n": "next",
    "u": "undo",
    "U": "redo",
    "m": "members",
    "l": "list",
    "g": "go",
    "q": "leave",
    "?": "help",
}
HELP = (
    ("7", "this centre shows a 7; surely"),
    ("7 8", "this centre shows a 7; confidence 0.8 (or 7 .8, or 7 0.8)"),
    ("s, s 3", "split it, into as many parts as proposed or into 3"),
    ("x", "unreadable: no label"),
    ("u, U", "undo, redo"),
    ("Enter, n", "the next centre without an answer"),
    ("c 3.1", "centre 3.1"),
    ("l", "list all centres with their answers"),
    ("m", "the nearest members, as pictures"),
    ("g", "go on training; asks first when centres are open"),
    ("q", "leave; everything is saved already"),
    ("?", "these lines"),
    ("go, undo", "also the words: split, unreadable, next, redo, centre, list, members, leave"),
)
"""What may be typed, and what it does."""
LABEL = re.compile(r"(\d{1,3})(?:\s+(?:0?\.)?([1-9])|\s+1\.0)?")


def read(line: str, parts: int, classes: Sequence[str] = ()) -> Order:
    """Read a typed line; `parts` is what a split without a number makes, and `classes` may be written by name.

    Raises Trouble for what means nothing.
    """
    words = _numbered(line.strip(), classes)
    if words in DEEDS.values():
        return words
    if words in DEEDS:
        return DEEDS[words]
    if words in ("x", "unreadable"):
        return Unreadable()
    if split := re.fullmatch(r"s(?:plit)?(?:\s+(\d{1,3}))?", words):
        return Split(int(split[1] or parts))
    if look := re.fullmatch(r"c(?:entre)?\s+(\d+(?:\.\d+)*)", words):
        return Look(read_path(look[1]))
    if label := LABEL.fullmatch(words):
        return Label(int(label[1]), int(label[2]) / 10 if label[2] else 1.0)
    raise Trouble(f"{words!r} means nothing here; ? lists what may be typed.")


def _numbered(words: str, classes: Sequence[str]) -> str:
    """Write the digit of a class in the place of its name; the longest name that fits counts."""
    for digit, name in sorted(enumerate(classes), key=lambda each: -len(each[1])):
        if words == name or words.startswith(f"{name} "):
            return f"{digit}{words[len(name) :]}"
    return words
