"""Advice after the first round: which vectors to train on where the clusters mix classes."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.answers import Answer, ClassAnswer
from vaetui.session.views import RoundView

MIN_ANSWERED_CLUSTERS = 5
"""Fewest answered clusters whose share is meaningful."""
MAX_MIXED_SHARE = 0.25
"""Largest share of the clusters that may be split, unreadable or named by their nearest image without advice.

In simulated first rounds, 0 of 16 answered clusters were mixed for MNIST and the digits of scikit-learn, 1 of 14 for
Fashion-MNIST, 6 of 16 for CIFAR-10, and 8 of 8 for blood cells by networks that were not made for photographs.
"""
MAX_MIXED_SHARE_OF_VECTORS = 0.5
"""The same in a session that trains on vectors, whose user has followed the advice already."""
FEATURES_ADVICE = (
    "Many clusters of the first round mix classes: networks trained on these images alone hardly tell them apart. "
    "Train a new session on vectors of a pretrained image model: vaetui new --features efficientnet-lite0."
)
"""Advice in a session that trains on images."""
OTHER_FEATURES_ADVICE = (
    "Most clusters of the first round mix classes. Vectors of a larger image model may tell them apart better: vaetui "
    "new --features dinov2-small."
)
"""Advice in a session that trains on vectors."""


def advise_features(round_view: RoundView, has_features: bool) -> str | None:
    """Return advice if many answered clusters of the first round mix classes; None otherwise and in later rounds.

    A cluster mixes classes if it was split, marked as unreadable, or named by its nearest image alone. Parts of a split
    cluster count with it. Answers of later rounds are about doubtful images, so mixed clusters are usual there.
    """
    if round_view.round_number != 1:
        return None
    answers = [cluster.answer for cluster in round_view.clusters if len(cluster.path) == 1 and cluster.answer]
    return advise_for_answers(answers, has_features)


def advise_for_answers(answers: Sequence[Answer], has_features: bool) -> str | None:
    """Return advice if many of the answers for the clusters of the first round, without parts, are about mixed ones."""
    mixed_count = sum(not isinstance(answer, ClassAnswer) for answer in answers)
    max_share = MAX_MIXED_SHARE_OF_VECTORS if has_features else MAX_MIXED_SHARE
    if len(answers) < MIN_ANSWERED_CLUSTERS or mixed_count <= max_share * len(answers):
        return None
    return OTHER_FEATURES_ADVICE if has_features else FEATURES_ADVICE
