"""Answers of earlier rounds: the history, corrections, and what is trained and exported after them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.session.conftest import FINISHED, RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, answer_round, session_digest
from vaetui.engine.answers import ClassAnswer, Cleared, Split, Unreadable
from vaetui.engine.classes import MergeClass
from vaetui.engine.config import Config
from vaetui.engine.events import HistoryEntry, HistoryLoaded, Notice
from vaetui.errors import UserError
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.label_evidence import estimate_confidences
from vaetui.session.session import Session
from vaetui.storage import file_names

pytestmark = pytest.mark.usefixtures("home")
CONFIGS = pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=lambda config: config.recipe)


def load_history(session: Session) -> list[HistoryEntry]:
    *_, last_event = session.load_history()
    assert isinstance(last_event, HistoryLoaded)
    return list(last_event.entries)


def list_history(session: Session) -> list[tuple[int, tuple[int, ...], object]]:
    return [(entry.round_number, entry.path, entry.answer) for entry in load_history(session)]


def export_class_ids(session: Session) -> np.ndarray:  # type: ignore[type-arg]
    return drain_events(session.build_label_table()).class_ids


def finish_round(session: Session) -> None:
    list(answer_round(session))
    session.close_round()
    list(session.advance())


def test_history_holds_the_answers_in_force_of_all_rounds_in_order(runs: RunTemplates) -> None:
    session = runs.open("history", round_number=2)
    first_round = load_history(session)
    assert {entry.round_number for entry in first_round} == {1}
    assert [entry.answer for entry in first_round].count(Split(3)) == 1
    assert Unreadable() in [entry.answer for entry in first_round]
    times = [entry.created_at for entry in first_round]
    assert times == sorted(times)
    session.record_answer((1,), ClassAnswer(4))
    session.record_answer((1,), ClassAnswer(5, 0.5))
    session.record_answer((0,), ClassAnswer(6))
    entries = load_history(session)
    assert [(entry.round_number, entry.path, entry.answer) for entry in entries[len(first_round) :]] == [
        (2, (1,), ClassAnswer(5, 0.5)),
        (2, (0,), ClassAnswer(6)),
    ]
    clusters = {cluster.path: cluster for cluster in session.round_view().clusters}
    assert entries[-1].size == clusters[(0,)].size
    assert np.array_equal(entries[-1].picture, clusters[(0,)].picture)
    earlier_round = session._rounds.load(1)
    for entry in first_round:
        cluster = earlier_round.find_cluster(entry.path)
        assert entry.size == len(cluster.members)
        assert np.array_equal(entry.picture, cluster.centre_image)
    session.edit_classes(MergeClass(5, 9))
    assert load_history(session)[-2].answer == ClassAnswer(9, 0.5), "merged classes are replaced"
    session.close()


def test_history_without_answers_is_empty_and_that_of_a_lost_round_is_left_out(runs: RunTemplates) -> None:
    session = runs.open("empty")
    assert load_history(session) == []
    session.close()
    directory = runs.copy("lost", round_number=2)
    for path in directory.glob("round-001*"):
        path.unlink()
    session = lifecycle.resume("lost")
    session.record_answer((0,), ClassAnswer(6))
    *notices, last_event = [event for event in session.load_history() if isinstance(event, Notice | HistoryLoaded)]
    assert isinstance(last_event, HistoryLoaded)
    assert [entry.round_number for entry in last_event.entries] == [2]
    assert [notice.message.split(".")[0] for notice in notices] == ["The answers of round 1 are not shown"]  # type: ignore[union-attr]
    with pytest.raises(UserError, match="round-001"):
        session.correct_answer(1, (1,), ClassAnswer(2))
    session.close()


@CONFIGS
def test_correction_of_an_earlier_round_is_a_step_of_the_current_one(config: Config, runs: RunTemplates) -> None:
    session = runs.open("corrected", config, round_number=2)
    before, view_before = list_history(session), session.round_view()
    session.record_answer((2,), ClassAnswer(1))
    session.correct_answer(1, (1,), ClassAnswer(8, 0.7))
    assert session.round_view().undo_description == "answer for cluster 1 of round 1"
    assert session.round_view().answered_leaf_count == view_before.answered_leaf_count + 1
    corrected = [item for item in before if item[1] != (1,)]
    assert list_history(session) == [*corrected, (2, (2,), ClassAnswer(1)), (1, (1,), ClassAnswer(8, 0.7))]
    session.close()
    session = lifecycle.resume("corrected")
    assert session.undo() == (), "the cluster is not one of this round"
    assert list_history(session) == [*before, (2, (2,), ClassAnswer(1))]
    assert session.round_view().redo_description == "answer for cluster 1 of round 1"
    assert session.redo() == ()
    assert list_history(session)[-1] == (1, (1,), ClassAnswer(8, 0.7))
    assert [session.undo(), session.undo(), session.undo()] == [(), (2,), None]
    session.correct_answer(2, (3,), Unreadable())
    assert session.undo() == (3,), "an answer for the current round is an ordinary one"
    session.close()


def test_splits_and_their_parts_are_corrected_too(runs: RunTemplates) -> None:
    session = runs.open("parts", round_number=2)
    session.correct_answer(1, (0, 1), ClassAnswer(9))
    assert (1, (0, 1), ClassAnswer(9)) in list_history(session)
    images = session.member_images((0, 1), "nearest", 3, round_number=1)
    part = session._rounds.load(1).find_cluster((0, 1))
    assert np.array_equal(images, session._resources.select_training_images(part.members[:3]))
    session.correct_answer(1, (0,), Cleared())
    assert [item for item in list_history(session) if item[1][0] == 0] == []
    with pytest.raises(UserError, match=r"There is no cluster 0\.1"):
        session.correct_answer(1, (0, 1), ClassAnswer(2))
    session.undo()
    assert (1, (0, 1), ClassAnswer(9)) in list_history(session)
    session.close()


def test_impossible_corrections_are_refused(runs: RunTemplates) -> None:
    session = runs.open("refused", round_number=2)
    before = list_history(session)
    for round_number, path, answer, message in (
        (3, (0,), ClassAnswer(1), "There is no round 3"),
        (0, (0,), ClassAnswer(1), "There is no round 0"),
        (1, (7,), ClassAnswer(1), "There is no cluster 7"),
        (1, (1,), ClassAnswer(10), "There is no class 10"),
    ):
        with pytest.raises(UserError, match=message):
            session.correct_answer(round_number, path, answer)
    session.close_round()
    with pytest.raises(UserError, match="while the networks are trained"):
        session.correct_answer(1, (1,), ClassAnswer(2))
    assert list_history(session) == before
    session.close()


def test_cleared_and_corrected_answers_count_in_an_export_at_once(runs: RunTemplates) -> None:
    session = runs.open("export", PROPAGATION_CONFIG, round_number=2)
    shown = session._rounds.load(1).member_indices((1,), "nearest", 8)
    train_indices = session._resources.images.train_val_split.train_indices  # type: ignore[union-attr]
    (old,) = {entry.answer.class_id for entry in load_history(session) if entry.path == (1,)}  # type: ignore[union-attr]
    assert set(export_class_ids(session)[train_indices[shown]].tolist()) == {old}
    session.correct_answer(1, (1,), ClassAnswer(9))
    assert set(export_class_ids(session)[train_indices[shown]].tolist()) == {9}
    session.undo()
    assert set(export_class_ids(session)[train_indices[shown]].tolist()) == {old}
    session.close()


def test_correction_to_a_class_counts_in_training_from_the_next_epoch_on(runs: RunTemplates) -> None:
    session = runs.open("trained", PROPAGATION_CONFIG, round_number=2)
    before = drain_events(session._propagator.propagate_answers(session.config, 1))
    shown = session._rounds.load(1).member_indices((1,), "nearest", 8)
    session.correct_answer(1, (1,), ClassAnswer(9))
    again = drain_events(session._propagator.propagate_answers(session.config, 1))
    assert np.array_equal(before.class_ids, again.class_ids), "what round 1 was trained on is not changed"
    assert np.array_equal(before.weights, again.weights)
    after = drain_events(session.propagate_answers())
    assert (after.class_ids[shown] == 9).mean() > 0.5 > (before.class_ids[shown] == 9).mean()
    session.close()


@CONFIGS
@pytest.mark.parametrize("is_undone", [False, True])
def test_epochs_repeated_after_damage_train_on_the_answers_of_their_time(
    config: Config, is_undone: bool, runs: RunTemplates
) -> None:
    """All checkpoints are lost after corrections; the run must end in the bits of a run without damage."""
    digests = []
    for name, is_damaged in (("whole", False), ("damaged", True)):
        session = runs.open(name, config, round_number=2)
        session.correct_answer(1, (1,), ClassAnswer(9))
        session.correct_answer(1, (2,), Cleared())
        if is_undone:
            session.undo(), session.undo()
        if is_damaged:
            directory = session.directory
            session.close()
            for path in directory.glob("checkpoint-*"):
                path.unlink()
            session = lifecycle.resume(name)
            list(session.advance())
        finish_round(session)
        session.close()
        digests.append(session_digest(name))
    assert digests[0] == digests[1]


@CONFIGS
def test_corrections_after_the_last_round_are_the_first_steps_of_an_added_one(
    config: Config, runs: RunTemplates
) -> None:
    session = runs.open("finished", config, FINISHED)
    assert session.phase == "finished"
    labels, answers = export_class_ids(session), list_history(session)
    session.correct_answer(2, (1,), ClassAnswer(9))
    session.correct_answer(1, (1,), ClassAnswer(9))
    changed = export_class_ids(session)
    assert not np.array_equal(labels, changed)
    assert session.undo() == ()
    session.close()
    session = lifecycle.resume("finished")
    assert session.redo() == ()
    assert list_history(session)[-1] == (1, (1,), ClassAnswer(9))
    session.add_round()
    with pytest.raises(UserError, match="while the networks are trained"):
        session.correct_answer(1, (1,), ClassAnswer(3))
    list(session.advance())
    assert (session.phase, session.round_number) == ("labelling", 3)
    assert session.round_view().undo_description == "answer for cluster 1 of round 1"
    session.record_answer((0,), ClassAnswer(2))
    assert [session.undo(), session.undo(), session.undo(), session.undo()] == [(0,), (), (), None]
    assert list_history(session) == answers
    session.close()


def test_finished_run_repeats_its_last_epoch_without_later_corrections(runs: RunTemplates) -> None:
    expected = runs.result(PROPAGATION_CONFIG)[0]
    session = runs.open("repeated", PROPAGATION_CONFIG, FINISHED)
    session.correct_answer(2, (1,), ClassAnswer(9))
    session.correct_answer(1, (1,), Unreadable())
    session.close()
    for path in session.directory.glob("checkpoint-*"):
        path.unlink()
    session = lifecycle.resume("repeated")
    list(session.advance())
    session.close()
    assert session_digest("repeated") == expected


def test_least_sure_images_are_predicted_as_the_class_and_have_no_answer(runs: RunTemplates) -> None:
    session = lifecycle.resume(runs.copy("unsure", PROPAGATION_CONFIG, FINISHED).name)
    assert [len(part) for part in session.least_sure_images(6, 5)] == [0, 0], "the images are not loaded"
    list(session.advance())
    name = file_names.predictions_name(len(session.training_curves().finished_epochs))
    predictions = load_predictions(session, name)
    estimates = estimate_confidences(
        *(session._store, session._repository, session._propagator, len(session.training_curves().finished_epochs)),
        *(predictions.class_ids, predictions.leads),
    )
    assert estimates is not None
    assert not np.allclose(estimates, predictions.confidences), "not the probabilities of the classifier"
    direct = session._propagator.label_from_answers(session.config, 2).weights > 0
    learned_ids = {class_id for class_id, count in enumerate(session.answer_counts()) if count}
    for class_id in range(10):
        images, confidences = session.least_sure_images(class_id, 5)
        candidates = np.flatnonzero((predictions.class_ids == class_id) & ~direct)
        if class_id not in learned_ids:
            candidates = candidates[:0]
        expected = np.sort(estimates[candidates])[:5]
        assert confidences == tuple(expected.tolist())
        assert len(images) == len(expected)
        order = candidates[np.argsort(estimates[candidates], kind="stable")[:5]]
        assert np.array_equal(images, session._resources.select_training_images(order))
    session.close()


def test_least_sure_images_of_answered_clusters_have_the_smallest_weights(runs: RunTemplates) -> None:
    session = runs.open("far", SMALL_CONFIG, FINISHED)
    labels = session._propagator.label_from_answers(session.config, 2)
    for class_id in np.unique(labels.class_ids[labels.weights > 0]).tolist():
        images, confidences = session.least_sure_images(class_id, 4)
        weights = np.sort(labels.weights[(labels.class_ids == class_id) & (labels.weights > 0)])
        assert confidences == tuple(weights[:4].tolist())
        assert len(images) == len(confidences)
    session.close()


def load_predictions(session: Session, name: str):  # type: ignore[no-untyped-def]
    from vaetui.storage import stored_arrays
    from vaetui.storage.stored_arrays import EpochPredictions

    return stored_arrays.load_arrays(session._store, name, EpochPredictions)
