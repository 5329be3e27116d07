"""What to answer next: clusters, a page of varied images, or the most suspicious images of a class.

The rules follow simulated runs on seven image sets (assets/results/budget.json): from the second round on, half of the
answers for clusters and half for varied images gave the best labels on average after 64 answers. They also repair an
accidental wrong answer for a whole cluster within the same round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vaetui.session.review_views import ReviewClass

AnswerKind = Literal["clusters", "varied page", "class page"]
MIN_EXPECTED_ERRORS = 1.0
"""Expected wrong labels of a class from which on its most suspicious images are worth a page."""


@dataclass(frozen=True, slots=True)
class AnswerAdvice:
    """What to answer next."""

    kind: AnswerKind
    """Clusters of the round, varied images of all classes, or the most suspicious images of a class."""
    class_id: int | None = None
    """That class; None for the other kinds."""
    expected_errors: float | None = None
    """Expected number of wrong labels in that class."""


def advise_in_round(
    round_number: int,
    uses_propagation: bool,
    cluster_count: int,
    cluster_answers: int,
    image_answers: int,
    unanswered_class_ids: Sequence[int] = (),
) -> AnswerAdvice | None:
    """Return what to answer next in a labelling round; None if the round has enough answers of both kinds.

    The first half of the clusters comes first, then varied images with as many answers, where a page is one answer and
    every correction is one more. Only clusters are answered in the first round, while a class has no answer, and where
    answers are not propagated over the graph.
    """
    clusters_only = round_number == 1 or not uses_propagation or bool(unanswered_class_ids)
    if cluster_answers < (cluster_count if clusters_only else cluster_count // 2):
        return AnswerAdvice("clusters")
    if clusters_only or image_answers >= cluster_count // 2:
        return None
    return AnswerAdvice("varied page")


def advise_after_last_round(classes: Sequence[ReviewClass]) -> AnswerAdvice | None:
    """Return the class to review next, the one with the most expected errors; None if hardly any are expected."""
    if not classes:
        return None
    worst = max(classes, key=lambda item: item.expected_errors)
    if worst.expected_errors < MIN_EXPECTED_ERRORS:
        return None
    return AnswerAdvice("class page", worst.class_id, worst.expected_errors)
