"""Answering a round within a budget."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.session.scripted_run import SMALL_CONFIG
from vaetui.engine.answers import ClassAnswer, NearestImageAnswer, Split, Unreadable
from vaetui.engine.clusters import Indices, Pixels
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.session.views import ClusterView
from vaetui.simulation.annotator_config import MixedAnswer
from vaetui.simulation.annotators import Judgement, LabelNoise
from vaetui.simulation.budgeted_annotator import BudgetedAnnotator
from vaetui.simulation.stopwatch import Stopwatch


class FixedAnnotator:
    """Judges every cluster as a 7; the confidence of the first `uncertain_count` judgements is low."""

    member_count = 3

    def __init__(self, uncertain_count: int) -> None:
        """Start without judgements."""
        self.uncertain_count = uncertain_count
        self.member_counts: list[int] = []

    def judge(self, centre_image: Pixels, member_indices: Indices) -> Judgement:
        """Return the next judgement."""
        self.member_counts.append(len(member_indices))
        is_uncertain = len(self.member_counts) <= self.uncertain_count
        return Judgement(7, 0.4 if is_uncertain else 0.9)


@pytest.fixture(scope="module")
def shared_session(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    directory = tmp_path_factory.mktemp("session")
    lifecycle.create_at(directory, str(digits), SMALL_CONFIG)
    session = lifecycle.resume_at(directory)
    list(session.advance())
    yield session
    session.close()


@pytest.fixture
def session(shared_session: Session) -> Iterator[Session]:
    """A session with an unanswered round of five clusters."""
    yield shared_session
    while shared_session.undo() is not None:
        pass


def answer_round(
    session: Session, budget: int, uncertain_count: int, mixed: MixedAnswer = "split"
) -> tuple[BudgetedAnnotator, FixedAnnotator]:
    annotator = FixedAnnotator(uncertain_count)
    budgeted_annotator = BudgetedAnnotator(session, annotator, LabelNoise(10, 0.0, 0), budget, Stopwatch(), mixed)
    list(budgeted_annotator.answer_round())
    return budgeted_annotator, annotator


def largest_cluster(session: Session) -> ClusterView:
    return max(session.round_view().clusters, key=lambda cluster: cluster.size)


def test_confident_clusters_are_labelled_if_the_budget_equals_their_number(session: Session) -> None:
    budgeted_annotator, annotator = answer_round(session, budget=5, uncertain_count=0)
    assert [cluster.answer for cluster in session.round_view().clusters] == [ClassAnswer(7, 0.9)] * 5
    assert budgeted_annotator.budget == 0
    assert budgeted_annotator.pictures_shown == sum(annotator.member_counts) + 5


def test_a_small_budget_labels_the_largest_clusters(session: Session) -> None:
    answer_round(session, budget=2, uncertain_count=0)
    clusters = sorted(session.round_view().clusters, key=lambda cluster: cluster.size, reverse=True)
    assert [cluster.answer for cluster in clusters] == [ClassAnswer(7, 0.9)] * 2 + [None] * 3


def test_an_uncertain_cluster_is_split_and_the_confident_ones_are_labelled(session: Session) -> None:
    budgeted_annotator, _ = answer_round(session, budget=9, uncertain_count=1)
    clusters = session.round_view().clusters
    assert clusters[0].answer == Split(4)
    assert [cluster.answer for cluster in clusters[1:]] == [ClassAnswer(7, 0.9)] * 8
    assert budgeted_annotator.budget == 0


def test_spare_answers_split_the_largest_of_equally_confident_clusters(session: Session) -> None:
    largest_path = largest_cluster(session).path
    answer_round(session, budget=8, uncertain_count=0)
    splits = {
        cluster.path: cluster.answer for cluster in session.round_view().clusters if isinstance(cluster.answer, Split)
    }
    assert splits == {largest_path: Split(3)}


def test_the_largest_of_several_uncertain_clusters_is_split_first(session: Session) -> None:
    largest_path = largest_cluster(session).path
    answer_round(session, budget=3, uncertain_count=5)
    split_paths = [cluster.path for cluster in session.round_view().clusters if isinstance(cluster.answer, Split)]
    assert split_paths == [largest_path]


@pytest.mark.parametrize("budget", [0, 1, 2, 3, 6, 9, 13])
@pytest.mark.parametrize("uncertain_count", [0, 2, 100])
def test_the_budget_is_never_exceeded_and_equals_the_recorded_answers(
    session: Session, budget: int, uncertain_count: int
) -> None:
    budgeted_annotator, _ = answer_round(session, budget, uncertain_count)
    assert budgeted_annotator.budget >= 0
    assert session.round_view().answer_count == budget - budgeted_annotator.budget


def test_clusters_that_stay_uncertain_are_marked_as_unreadable(session: Session) -> None:
    budgeted_annotator, _ = answer_round(session, budget=2, uncertain_count=100)
    answers = [cluster.answer for cluster in session.round_view().clusters]
    assert budgeted_annotator.budget == 0
    assert answers.count(Unreadable()) == 2


def test_nearest_images_of_uncertain_clusters_are_named_after_the_confident_ones_are_labelled(session: Session) -> None:
    budgeted_annotator, annotator = answer_round(session, budget=4, uncertain_count=2, mixed="nearest")
    clusters = session.round_view().clusters
    assert [cluster.answer for cluster in clusters[2:]] == [ClassAnswer(7, 0.9)] * 3
    (named,) = [cluster for cluster in clusters if isinstance(cluster.answer, NearestImageAnswer)]
    assert named.size == max(cluster.size for cluster in clusters[:2]), "the larger one of the two"
    assert (budgeted_annotator.budget, budgeted_annotator.nearest_count) == (0, 1)
    assert annotator.member_counts == [3] * 5 + [1], "the last judgement was about the nearest image alone"
    members = session.require_current_round().member_indices(named.path, "nearest", 1)
    assert session._resources.images is not None
    training_indices = session._resources.images.train_val_split.train_indices
    assert named.answer == NearestImageAnswer(7, int(training_indices[members[0]]))


@pytest.mark.parametrize("budget", [0, 1, 3, 9])
def test_no_cluster_is_split_where_nearest_images_are_named(session: Session, budget: int) -> None:
    budgeted_annotator, _ = answer_round(session, budget, uncertain_count=3, mixed="nearest")
    clusters = session.round_view().clusters
    assert len(clusters) == 5
    assert session.round_view().answer_count == min(budget, 5) == budget - budgeted_annotator.budget
    assert budgeted_annotator.nearest_count == max(min(budget, 5) - 2, 0)


def test_nearest_image_whose_class_is_unclear_is_marked_as_unreadable(session: Session) -> None:
    budgeted_annotator, _ = answer_round(session, budget=9, uncertain_count=100, mixed="nearest")
    assert [cluster.answer for cluster in session.round_view().clusters] == [Unreadable()] * 5
    assert budgeted_annotator.nearest_count == 0
