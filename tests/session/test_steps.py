"""One act of a person is one step of undo, in every phase and after a restart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.session.conftest import FINISHED, RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG
from vaetui.engine.answers import Answer, ClassAnswer, Cleared, ClusterPath, Split, Unreadable
from vaetui.engine.classes import AddClass, MergeClass
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.session.session import Session

pytestmark = pytest.mark.usefixtures("home")
OWL = AddClass(10, "owl")


def list_answers(session: Session) -> dict[ClusterPath, Answer]:
    return {cluster.path: cluster.answer for cluster in session.round_view().clusters if cluster.answer is not None}


def reopen(session: Session) -> Session:
    session.close()
    return lifecycle.resume(session.name)


def describe_undo(session: Session) -> tuple[str | None, str | None]:
    view = session.round_view()
    return view.undo_description, view.redo_description


@pytest.mark.parametrize("is_reopened", [False, True])
def test_new_class_and_its_answer_are_one_step(runs: RunTemplates, is_reopened: bool) -> None:
    session = runs.open("owl")
    session.record_answer((1,), ClassAnswer(3))
    session.record_answers([((0,), ClassAnswer(10, 0.8))], OWL)
    assert session.classes.names[10] == "owl"
    assert describe_undo(session) == ("new class owl and answer for cluster 0", None)
    session = reopen(session) if is_reopened else session
    assert session.undo() == (0,)
    assert (len(session.classes), list_answers(session)) == (10, {(1,): ClassAnswer(3)})
    assert describe_undo(session) == ("answer for cluster 1", "new class owl and answer for cluster 0")
    session = reopen(session) if is_reopened else session
    assert session.redo() == (0,)
    assert session.classes.names[10] == "owl"
    assert list_answers(session) == {(0,): ClassAnswer(10, 0.8), (1,): ClassAnswer(3)}
    assert [session.undo(), session.undo(), session.undo()] == [(0,), (1,), None]
    session.close()


@pytest.mark.parametrize("is_reopened", [False, True])
def test_several_changes_of_the_confidence_of_one_answer_are_one_step(runs: RunTemplates, is_reopened: bool) -> None:
    session = runs.open("changed")
    session.record_answer((0,), Unreadable())
    session.record_answer((0,), ClassAnswer(4))
    for confidence in (0.9, 0.8, 0.9):
        session.record_answers([((0,), ClassAnswer(4, confidence))], extends_last_step=True)
    session = reopen(session) if is_reopened else session
    assert (list_answers(session), session.round_view().answer_count) == ({(0,): ClassAnswer(4, 0.9)}, 1)
    assert session.answer_counts()[4] == 1
    assert describe_undo(session) == ("answer for cluster 0", None)
    assert session.undo() == (0,)
    assert list_answers(session) == {(0,): Unreadable()}
    assert session.redo() == (0,)
    assert list_answers(session) == {(0,): ClassAnswer(4, 0.9)}
    session.undo()
    session.record_answers([((0,), ClassAnswer(5))], extends_last_step=True)
    assert session.redo() is None, "undone steps are discarded"
    assert session.undo() == (0,)
    assert list_answers(session) == {}
    session.close()


def test_first_answer_cannot_extend_a_step_and_is_one_of_its_own(runs: RunTemplates) -> None:
    session = runs.open("first")
    session.record_answers([((0,), ClassAnswer(4))], extends_last_step=True)
    assert [session.undo(), session.undo()] == [(0,), None]
    session.close()


@pytest.mark.parametrize("is_reopened", [False, True])
def test_answers_of_several_clusters_are_one_step(runs: RunTemplates, is_reopened: bool) -> None:
    session = runs.open("accepted")
    session.record_answer((2,), ClassAnswer(1))
    session.record_answers([((index,), ClassAnswer(index)) for index in (0, 3, 4)])
    session = reopen(session) if is_reopened else session
    assert describe_undo(session)[0] == "answers for 3 clusters"
    assert session.round_view().answer_count == 4
    assert session.undo() == (4,)
    assert list_answers(session) == {(2,): ClassAnswer(1)}
    session = reopen(session) if is_reopened else session
    assert session.redo() == (4,)
    assert list_answers(session) == {(index,): ClassAnswer(1 if index == 2 else index) for index in (0, 2, 3, 4)}
    session.close()


def test_step_with_an_impossible_part_is_refused_and_records_nothing(runs: RunTemplates) -> None:
    session = runs.open("refused")
    session.edit_classes(MergeClass(4, 9))
    for answers, new_class, message in (
        ([((0,), ClassAnswer(1)), ((9,), ClassAnswer(1))], None, "no cluster 9"),
        ([((0,), ClassAnswer(1)), ((1,), ClassAnswer(4))], None, 'merged into "9"'),
        ([((0,), ClassAnswer(10))], None, "no class 10"),
        ([((0,), ClassAnswer(10))], AddClass(10, "7"), "already exists"),
        ([((7,), ClassAnswer(10))], OWL, "no cluster 7"),
    ):
        with pytest.raises(UserError, match=message):
            session.record_answers(answers, new_class)  # type: ignore[arg-type]
    assert (list_answers(session), len(session.classes), session.undo(), session.undo()) == ({}, 10, (), None)
    session.close()


def test_clearing_removes_answers_and_splits_and_is_undone(runs: RunTemplates) -> None:
    session = runs.open("cleared")
    list(session.split_cluster((0,), 2))
    session.record_answer((0, 1), ClassAnswer(3))
    session.record_answer((1,), Unreadable())
    before = list_answers(session)
    session.record_answers([((0,), Cleared()), ((1,), Cleared()), ((2,), Cleared())])
    assert list_answers(session) == {}
    assert session.round_view().leaf_count == 5
    session = reopen(session)
    assert list_answers(session) == {}
    assert describe_undo(session)[0] == "answers for 2 clusters", "a cluster without an answer is not changed"
    session.undo()
    assert list_answers(session) == before == {(0,): Split(2), (0, 1): ClassAnswer(3), (1,): Unreadable()}
    session.record_answer((0, 1), Cleared())
    assert describe_undo(session)[0] == "clearing of cluster 0.1"
    session.record_answer((3,), Cleared())
    assert describe_undo(session)[0] == "clearing of cluster 0.1", "nothing changed"
    session.close()


def test_unanswered_classes_follow_the_answers_of_all_rounds(runs: RunTemplates) -> None:
    session = runs.open("open", round_number=2)
    everything = set(range(10))
    answered = {class_id for class_id, count in enumerate(session.answer_counts()) if count}
    assert set(session.round_view().unanswered_class_ids) == everything - answered
    missing = min(everything - answered)
    session.record_answer((0,), ClassAnswer(missing, 0.0))
    assert missing in session.round_view().unanswered_class_ids, "an answer without confidence names no class"
    session.record_answer((0,), ClassAnswer(missing, 0.1))
    assert missing not in session.round_view().unanswered_class_ids
    session.record_answer((0,), Cleared())
    assert missing in session.round_view().unanswered_class_ids
    session.edit_classes(MergeClass(missing, min(answered)))
    assert missing not in session.round_view().unanswered_class_ids
    session.record_answers([((1,), Unreadable())], OWL)
    assert 10 in session.round_view().unanswered_class_ids
    session.close()


@pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=lambda config: config.recipe)
def test_predictions_name_only_answered_classes_that_were_learned(runs: RunTemplates, config: object) -> None:
    session = runs.open("guesses", config)  # type: ignore[arg-type]
    assert all(cluster.guess is None for cluster in session.round_view().clusters), "nothing was learned"
    for index in range(5):
        session.record_answer((index,), ClassAnswer(3 if index % 2 else 8))
    session.close_round()
    list(session.advance())
    view = session.round_view()
    assert {class_id for cluster in view.clusters for class_id, _ in cluster.class_shares} <= {3, 8}
    for cluster in view.clusters:
        shares = [share for _, share in cluster.class_shares]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 1 + 1e-9
        assert cluster.guess == (cluster.class_shares[0] if cluster.class_shares else None)
        members = session.require_current_round().find_cluster(cluster.path).members
        predicted = session.require_current_round().snapshot.predicted_class_ids[members]
        assert dict(cluster.class_shares) == {
            class_id: pytest.approx(float((predicted == class_id).mean()))
            for class_id in (3, 8)
            if (predicted == class_id).any()
        }
    session.record_answer((0,), ClassAnswer(5))
    assert 5 not in dict(session.round_view().clusters[1].class_shares)
    entries = [(index,) for index in (0, 2, 4)]
    for path in entries:
        session.correct_answer(1, path, ClassAnswer(3))
    assert all(cluster.guess is None for cluster in session.round_view().clusters), "one class is left"
    session.close()


def test_one_key_mode_is_kept_in_the_session(runs: RunTemplates) -> None:
    session = runs.open("mode")
    assert session.one_key_mode is None
    session.set_one_key_mode(True)
    session = reopen(session)
    assert session.one_key_mode is True
    session.set_one_key_mode(False)
    assert reopen(session).one_key_mode is False


def test_answers_before_a_run_with_another_number_of_rounds_stay_in_their_round(runs: RunTemplates) -> None:
    config = replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, rounds=1))
    session = runs.open("added", config, FINISHED)
    with pytest.raises(UserError, match="No round is waiting"):
        session.record_answer((0,), ClassAnswer(1))
    assert session.undo() is None, "the steps of an ended round stay"
    session.close()
