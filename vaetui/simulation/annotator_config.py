"""The configuration of a simulated annotator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from vaetui.engine.audit_plans import PlanName
from vaetui.engine.config import Config

AnnotatorName: TypeAlias = Literal["members", "centre"]
ANNOTATOR_NAMES: tuple[AnnotatorName, ...] = get_args(AnnotatorName)
ReviewKind: TypeAlias = Literal["pages", "varied", "class-varied", "images"]
REVIEW_KINDS: tuple[ReviewKind, ...] = get_args(ReviewKind)
MixedAnswer: TypeAlias = Literal["split", "nearest"]
MIXED_ANSWERS: tuple[MixedAnswer, ...] = get_args(MixedAnswer)


@dataclass(frozen=True, slots=True)
class AnnotatorConfig:
    """What the annotator judges and how it answers."""

    annotator: AnnotatorName
    """"members" judges the nearest members by their true labels, "centre" reads the decoded centre."""
    answers_per_round: int
    """Maximum number of answers per round: labels, splits and "unreadable"."""
    error_rate: float
    """Probability that an answer, or a check of a single image, names a wrong class."""
    review_answers: int = 0
    """Number of the answers of each round from the second on that are spent on review."""
    review_kind: ReviewKind = "varied"
    """"pages" accepts pages of the most suspicious images of one predicted class, "varied" pages of doubtful images of
    all classes that differ from each other, "class-varied" such pages of one class; "images" labels the most doubtful
    images one by one."""
    audit_plan: PlanName | None = None
    """The audit of the labels at the end, "quick" or "full"; None for no audit."""
    mixed: MixedAnswer = "split"
    """What becomes of a cluster whose members do not agree: "split" splits it, "nearest" names its nearest image."""


def choose_mixed_answer(annotator: AnnotatorName, shows_images: bool) -> MixedAnswer:
    """Return what becomes of a mixed cluster by default.

    Where centres are real images, of vectors and of photographs, answers about nearest images measured as accurate as
    splits, and the annotator looks at half as many images; an annotator that reads decoded centres sees no image.
    """
    return "nearest" if annotator == "members" and shows_images else "split"


def choose_review_answers(annotator: AnnotatorName, answers_per_round: int, config: Config) -> int:
    """Return how many answers of a round are spent on review by default.

    Half of them in recipes that propagate answers over the graph, which measured best over seven image sets
    (tests/benchmarks/budget.py). None where questions turn to smaller groups as labels get surer: there, answers for
    clusters measured as accurate or better. None in the paper's method and for an annotator that sees no images.
    """
    if annotator != "members" or config.propagation.method != "graph" or config.cluster.uncertainty_factor:
        return 0
    return answers_per_round // 2
