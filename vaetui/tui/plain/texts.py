"""Sentences of the plain dialogue about clusters and answers: words in place of what the screens show as signs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaetui.engine.answers import ClassAnswer, format_path
from vaetui.engine.classes import ClassList
from vaetui.engine.events import HistoryEntry
from vaetui.errors import format_count
from vaetui.session.views import ClusterView, RoundView
from vaetui.tui.presenters.cluster_order import is_probably_mixed
from vaetui.tui.presenters.cluster_text import describe_answer, format_cluster_name, format_share

MAX_PREDICTED_CLASSES = 3
"""Most predicted classes in the sentence about a cluster."""
MIN_NAMED_SHARE = 0.05
"""Share of the members from which on a class that is not the most frequent one is named."""


def describe_progress(round_view: RoundView) -> str:
    """Return how many clusters of the round have an answer."""
    return f"{round_view.answered_leaf_count} of {format_count(round_view.leaf_count, 'cluster')} answered"


def describe_predictions(cluster: ClusterView, classes: ClassList) -> str:
    """Return what the classifier predicts for the members, as a sentence; "" without predictions."""
    shares = [
        f"{classes.names[class_id]} for {format_share(share)}"
        for index, (class_id, share) in enumerate(cluster.class_shares[:MAX_PREDICTED_CLASSES])
        if index == 0 or share >= MIN_NAMED_SHARE
    ]
    if not shares:
        return ""
    return f"The classifier predicts {', '.join([f'{shares[0]} of the images', *shares[1:]])}."


def format_class_question(cluster: ClusterView, classes: ClassList, has_features: bool) -> str:
    """Return the question for the class of a cluster, with the prediction that can be accepted."""
    guess = "" if cluster.guess is None else f" y: {classes.names[cluster.guess[0]]}"
    if has_features and is_probably_mixed(cluster):
        guess += " · only CLASS: its nearest image alone"
    return f"Cluster {format_cluster_name(cluster)}: class?{guess} (?: help)"


def describe_similar_cluster(cluster: ClusterView, clusters: Sequence[ClusterView], classes: ClassList) -> str:
    """Return which cluster with a class has the most similar picture, as a sentence; "" without such a cluster.

    Nearest images, which are shown together with a mean, are not compared: their pixels say little about their class.
    """
    if cluster.mean_picture is not None:
        return ""
    candidates = [
        (float(np.mean((other.picture.astype(float) - cluster.picture) ** 2)), other, other.answer)
        for other in clusters
        if isinstance(other.answer, ClassAnswer) and other.leaf_counts is None and other.path != cluster.path
    ]
    if not candidates:
        return ""
    _, nearest, answer = min(candidates, key=lambda candidate: candidate[0])
    return f"Most similar cluster with an answer: {format_cluster_name(nearest)} = {classes.names[answer.class_id]}."


def describe_history_entry(entry: HistoryEntry, classes: ClassList) -> str:
    """Return an answer of any round as a line."""
    answer, size = describe_answer(entry.answer, classes), format_count(entry.size, "image")
    return f"  round {entry.round_number}, cluster {format_path(entry.path)}: {answer}, {size}"
