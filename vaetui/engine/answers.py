"""Answers that a person gives about clusters and single images; later answers replace earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

ClusterPath: TypeAlias = tuple[int, ...]
"""Position of a cluster in the tree: (3,) is the fourth cluster, (3, 1) its second sub-cluster."""

UNKNOWN_IMAGE = -1
"""Stands for the nearest image of a cluster in an answer that is not recorded yet."""


@dataclass(frozen=True, slots=True)
class ClassAnswer:
    """The cluster shows one class."""

    class_id: int
    """Class, from 0."""
    confidence: float = 1.0
    """p_c of equation 2, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class NearestImageAnswer:
    """The cluster mixes classes; the class is that of its nearest image alone, and the other members get no label."""

    class_id: int
    """Class of the image, from 0."""
    image_index: int = UNKNOWN_IMAGE
    """Index in the data set of the first distinct member of the cluster; the session fills it in on recording."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The decoded centre shows no class; the members get weight 0."""


@dataclass(frozen=True, slots=True)
class Split:
    """The cluster is replaced by sub-clusters, which get answers of their own."""

    parts: int
    """Number of sub-clusters."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """The cluster has no answer again."""


ClusterAnswer: TypeAlias = ClassAnswer | NearestImageAnswer | Unreadable | Cleared
"""An answer that a person enters for a cluster; a split is computed first."""
Answer: TypeAlias = ClusterAnswer | Split
Answers: TypeAlias = Mapping[ClusterPath, Answer]
ImageAnswer: TypeAlias = ClassAnswer | Unreadable | Cleared
"""An answer about a single image; it is certain; the confidence of a class is not used."""
ImageAnswerOrigin: TypeAlias = Literal["review", "pair", "audit"]
"""Where a person gave an answer about an image."""


@dataclass(frozen=True, slots=True)
class AnsweredImage:
    """An answer about a single image."""

    image_index: int
    """Index of the image in the data set, from 0."""
    answer: ImageAnswer
    """The answer."""
    shown_class_id: int | None = None
    """The label that was shown with the image; None for a blind answer."""


def find_answer_class(answer: Answer) -> int | None:
    """Return the class that an answer names for a cluster or its nearest image; None if it names none."""
    return answer.class_id if isinstance(answer, ClassAnswer | NearestImageAnswer) else None


def effective_answers(answer_history: Iterable[tuple[ClusterPath, Answer]]) -> dict[ClusterPath, Answer]:
    """Return the answers in force after a history, oldest first; none of them is `Cleared`.

    A later answer replaces the earlier one on the same cluster and discards those on its sub-clusters.
    """
    history = list(answer_history)
    return dict(history[index] for index in find_effective_indices(history))


def find_effective_indices(answer_history: Sequence[tuple[ClusterPath, Answer]]) -> list[int]:
    """Return the indices of the answers in force in a history that is ordered from oldest to newest, ascending."""
    indices: dict[ClusterPath, int] = {}
    paths_below: dict[ClusterPath, list[ClusterPath]] = {}
    for index, (path, answer) in enumerate(answer_history):
        for replaced in (path, *paths_below.pop(path, ())):
            indices.pop(replaced, None)
        if not isinstance(answer, Cleared):
            indices[path] = index
            for depth in range(1, len(path)):
                paths_below.setdefault(path[:depth], []).append(path)
    return list(indices.values())


def format_path(path: ClusterPath) -> str:
    """Return a path as text: 3.1 for (3, 1)."""
    return ".".join(str(index) for index in path)


def parse_path(text: str) -> ClusterPath:
    """Return the path that `format_path` wrote; raises ValueError if the text is not a path."""
    return tuple(int(index) for index in text.split("."))
