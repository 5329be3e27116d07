"""How a stand-in for a person behaves; it loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

AnnotatorName: TypeAlias = Literal["members", "centre"]
ANNOTATOR_NAMES: tuple[AnnotatorName, ...] = get_args(AnnotatorName)


@dataclass(frozen=True, slots=True)
class AnnotatorConfig:
    """What is looked at, and how answers are given."""

    annotator: AnnotatorName
    """Who answers: one that reads the decoded centre alone, or one that knows the nearest members."""
    answers_per_round: int
    """Answers in a round, at most: labels, splits and "unreadable"."""
    error_rate: float
    """Probability that the key of another class is hit."""
