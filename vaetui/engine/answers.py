"""What a person said of one cluster, and what stands after many sayings; it does not know where they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[int, ...]
"""A cluster's place in the tree: (3,) is the fourth cluster, (3, 1) its second part."""


@dataclass(frozen=True, slots=True)
class Label:
    """The cluster shows this class."""

    label: int
    """The class, from 0."""
    confidence: float = 1.0
    """p_c of equation 2, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The centre shows no class: its members get weight 0."""


@dataclass(frozen=True, slots=True)
class Split:
    """The cluster is to be asked in parts."""

    parts: int
    """How many."""


Answer: TypeAlias = Label | Unreadable | Split
Answers: TypeAlias = Mapping[Path, Answer]


def standing(said: Iterable[tuple[Path, Answer]]) -> dict[Path, Answer]:
    """Fold sayings, oldest first, into what stands: the last word on a cluster ends all words on its parts."""
    answers: dict[Path, Answer] = {}
    for path, answer in said:
        for other in [known for known in answers if known[: len(path)] == path]:
            del answers[other]
        answers[path] = answer
    return answers


def written(path: Path) -> str:
    """Write a path as a person reads it: 3.1 for (3, 1)."""
    return ".".join(str(part) for part in path)


def read_path(text: str) -> Path:
    """Read what `written` wrote."""
    return tuple(int(part) for part in text.split("."))
