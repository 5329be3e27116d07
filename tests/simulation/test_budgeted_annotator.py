"""A round is answered within its budget, and everything counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.session.scripted_run import SMALL_CONFIG
from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.engine.clusters import Indices, Pixels
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.simulation.annotators import Judgement, LabelNoise
from vaetui.simulation.budgeted_annotator import BudgetedAnnotator
from vaetui.simulation.stopwatch import Stopwatch


class Decided:
    """Has the same opinion of everything, or doubts the first few."""

    members = 3

    def __init__(self, doubts: int) -> None:
        self.doubts = doubts
        self.seen: list[int] = []

    def judge(self, picture: Pixels, nearest: Indices) -> Judgement:
        self.seen.append(len(nearest))
        self.doubts -= 1
        return Judgement(7, 0.4 if self.doubts >= 0 else 0.9)


@pytest.fixture(scope="module")
def asked(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    directory = tmp_path_factory.mktemp("asked")
    lifecycle.create_at(directory, str(digits), SMALL_CONFIG)
    session = lifecycle.resume_at(directory)
    list(session.advance())
    yield session
    session.close()


@pytest.fixture
def session(asked: Session) -> Iterator[Session]:
    """A round in which nothing stands."""
    yield asked
    while asked.undo() is not None:
        pass


def answered(session: Session, budget: int, doubts: int) -> tuple[BudgetedAnnotator, Decided]:
    annotator = Decided(doubts)
    round = BudgetedAnnotator(session, annotator, LabelNoise(10, 0.0, 0), budget, Stopwatch())
    list(round.answer_round())
    return round, annotator


def test_plain_clusters_are_labelled_when_there_are_answers_for_no_more(session: Session) -> None:
    round, annotator = answered(session, budget=5, doubts=0)
    assert [tile.answer for tile in session.round_view().clusters] == [ClassAnswer(7, 0.9)] * 5
    assert round.budget == 0
    assert round.pictures_shown == sum(annotator.seen) + 5


def test_with_too_few_answers_the_largest_clusters_are_labelled(session: Session) -> None:
    answered(session, budget=2, doubts=0)
    tiles = sorted(session.round_view().clusters, key=lambda tile: tile.size, reverse=True)
    assert [tile.answer for tile in tiles] == [ClassAnswer(7, 0.9)] * 2 + [None] * 3


def test_a_doubtful_cluster_is_split_and_the_plain_ones_keep_their_answers(session: Session) -> None:
    round, _ = answered(session, budget=9, doubts=1)
    tiles = session.round_view().clusters
    assert tiles[0].answer == Split(4)
    assert [tile.answer for tile in tiles[1:]] == [ClassAnswer(7, 0.9)] * 8
    assert round.budget == 0


def test_answers_that_are_left_split_what_is_most_in_doubt(session: Session) -> None:
    largest = max(session.round_view().clusters, key=lambda tile: tile.size).path  # all are equally sure
    answered(session, budget=8, doubts=0)
    split = {tile.path: tile.answer for tile in session.round_view().clusters if isinstance(tile.answer, Split)}
    assert split == {largest: Split(3)}


def test_of_several_doubtful_clusters_the_largest_is_split_first(session: Session) -> None:
    largest = max(session.round_view().clusters, key=lambda tile: tile.size).path
    answered(session, budget=3, doubts=5)
    split = [tile.path for tile in session.round_view().clusters if isinstance(tile.answer, Split)]
    assert split == [largest]


@pytest.mark.parametrize("budget", range(0, 14))
@pytest.mark.parametrize("doubts", [0, 2, 100])
def test_no_budget_is_ever_exceeded_and_all_of_it_is_counted(session: Session, budget: int, doubts: int) -> None:
    round, _ = answered(session, budget, doubts)
    assert round.budget >= 0
    assert session.round_view().answer_count == budget - round.budget


def test_what_is_doubtful_to_the_end_is_unreadable(session: Session) -> None:
    round, _ = answered(session, budget=2, doubts=100)
    answers = [tile.answer for tile in session.round_view().clusters]
    assert round.budget == 0
    assert answers.count(Unreadable()) == 2
