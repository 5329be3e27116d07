"""The configuration of a simulated annotator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

AnnotatorName: TypeAlias = Literal["members", "centre"]
ANNOTATOR_NAMES: tuple[AnnotatorName, ...] = get_args(AnnotatorName)


@dataclass(frozen=True, slots=True)
class AnnotatorConfig:
    """What the annotator judges and how it answers."""

    annotator: AnnotatorName
    """"members" judges the nearest members by their true labels, "centre" reads the decoded centre."""
    answers_per_round: int
    """Maximum number of answers per round: labels, splits and "unreadable"."""
    error_rate: float
    """Probability that an answer names a wrong class."""
