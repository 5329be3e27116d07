"""How a stand-in for a person behaves; it loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["members", "centre"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Habits:
    """What is looked at, and how answers are given."""

    annotator: Kind
    """Who answers: one that reads the decoded centre alone, or one that knows the nearest members."""
    answers: int
    """Answers in a round, at most: labels, splits and "unreadable"."""
    error_rate: float
    """Probability that the key of another class is hit."""
