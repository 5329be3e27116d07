"""What a person said of one cluster, and what stands after many sayings; it does not know where they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

ClusterPath: TypeAlias = tuple[int, ...]
"""A cluster's place in the tree: (3,) is the fourth cluster, (3, 1) its second part."""


@dataclass(frozen=True, slots=True)
class ClassAnswer:
    """The cluster shows this class."""

    class_id: int
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


Answer: TypeAlias = ClassAnswer | Unreadable | Split
Answers: TypeAlias = Mapping[ClusterPath, Answer]


def effective_answers(answer_history: Iterable[tuple[ClusterPath, Answer]]) -> dict[ClusterPath, Answer]:
    """Fold sayings, oldest first, into what stands: the last word on a cluster ends all words on its parts."""
    answers: dict[ClusterPath, Answer] = {}
    for path, answer in answer_history:
        for other in [known for known in answers if known[: len(path)] == path]:
            del answers[other]
        answers[path] = answer
    return answers


def format_path(path: ClusterPath) -> str:
    """Write a path as a person reads it: 3.1 for (3, 1)."""
    return ".".join(str(part) for part in path)


def parse_path(text: str) -> ClusterPath:
    """Read what `written` wrote."""
    return tuple(int(part) for part in text.split("."))
