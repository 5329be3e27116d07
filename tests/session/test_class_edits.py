"""Classes are added, renamed and merged during a round, in one history with the answers."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, create_session, session_digest
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.classes import AddClass, MergeClass, RenameClass
from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle, session_status, trainer
from vaetui.session.predictor import Predictor
from vaetui.session.session import Session
from vaetui.session.verification import verify_session

pytestmark = pytest.mark.usefixtures("home")
CONFIGS = pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=lambda config: config.recipe)
TEN = AddClass(10, "ten")
NO_CLASS_10 = r"There is no class 10\. Choose a class from 0 to 9"


def count_network_classes(session: Session) -> int:
    """Return the number of outputs of the classifier."""
    assert session._resources.trainer is not None
    return session._resources.trainer._state.vae.classifier.out_features


def predicted_classes(session: Session) -> set[int]:
    """Return all classes in the class shares of the clusters."""
    return {class_id for cluster in session.round_view().clusters for class_id, _ in cluster.class_shares}


def answer_by_parity(session: Session) -> None:
    """Answer clusters with odd numbers by class 4 and the others by class 7."""
    for cluster in session.round_view().clusters:
        session.record_answer(cluster.path, ClassAnswer(4 if cluster.path[0] % 2 else 7))


def run_with_class_edits(session: Session) -> Generator[str, None, None]:
    """Run a session with class edits in both rounds, from any state; yield each step after it is done."""
    while True:
        for event in session.advance():
            yield type(event).__name__
        if session.phase == "finished":
            return
        if session.round_number == 1 and len(session.classes) == 10:
            session.edit_classes(TEN)
        if session.round_number == 2 and len(session.classes) == 11:
            session.edit_classes(AddClass(11, "eleven"))
        if session.round_number == 2 and not session.classes.aliases:
            session.edit_classes(MergeClass(3, 11))
        yield "classes edited"
        session.record_answer((0,), ClassAnswer(10 if session.round_number == 1 else 11))
        if session.round_number == 1:
            for cluster in session.round_view().clusters:
                if cluster.answer is None:
                    session.record_answer(cluster.path, ClassAnswer(sum(cluster.path) % len(session.classes)))
        session.close_round()


def test_undo_steps_through_added_class_and_its_answer_in_order(runs: RunTemplates) -> None:
    session = runs.open("adding")
    with pytest.raises(UserError, match=NO_CLASS_10):
        session.record_answer((0,), ClassAnswer(10))
    session.edit_classes(TEN)
    session.record_answer((0,), ClassAnswer(10, 0.5))
    session.close()
    session = lifecycle.resume("adding")
    assert (session.classes.names[10], session.config.network.classes) == ("ten", 11)
    assert session.round_view().clusters[0].answer == ClassAnswer(10, 0.5)
    assert session.round_view().answer_count == 1
    assert session.answer_counts()[10] == 1
    assert session.undo() == (0,)
    assert session.round_view().undo_description == "new class ten"
    assert session.undo() == ()
    assert (len(session.classes), session.config.network.classes, session.undo()) == (10, 10, None)
    session.close()
    session = lifecycle.resume("adding")
    assert len(session.classes) == 10
    assert session.round_view().redo_description == "new class ten"
    assert (session.redo(), session.redo(), session.redo()) == ((), (0,), None)
    assert session.round_view().clusters[0].answer == ClassAnswer(10, 0.5)
    session.undo(), session.undo()
    session.record_answer((1,), ClassAnswer(3))
    assert session.redo() is None, "a new answer must discard undone actions"
    session.edit_classes(AddClass(10, "another"))
    session.undo()
    session.edit_classes(TEN)
    assert session.redo() is None, "a new class edit must discard undone actions"
    session.close()
    assert drain_events(verify_session("adding", repair=False)) == []


def test_class_edits_are_on_the_disk_at_once(runs: RunTemplates) -> None:
    session = runs.open("original")
    session.edit_classes(TEN)
    session.edit_classes(MergeClass(4, 9))
    session.undo()
    shutil.copytree(session.directory, session.directory.parent / "copied", ignore=shutil.ignore_patterns("lock*"))
    session.edit_classes(RenameClass(9, "nine"))
    session.close()
    copy = lifecycle.resume("copied")
    assert (copy.classes.names[9:], copy.classes.aliases) == (("9", "ten"), {})
    assert copy.round_view().redo_description == "merge of 4 into 9"
    copy.close()


def test_rename_and_merge_are_undone_like_answers(runs: RunTemplates) -> None:
    session = runs.open("editing")
    session.record_answer((0,), ClassAnswer(4))
    session.edit_classes(RenameClass(4, "four"))
    session.edit_classes(MergeClass(4, 9))
    assert session.round_view().undo_description == "merge of four into 9"
    assert session.round_view().clusters[0].answer == ClassAnswer(9), "answers of a merged class count for its target"
    assert (session.answer_counts()[4], session.answer_counts()[9]) == (0, 1)
    with pytest.raises(UserError, match='Class "four" was merged into "9"'):
        session.record_answer((1,), ClassAnswer(4))
    with pytest.raises(UserError, match='Class "four" was merged into "9"'):
        session.edit_classes(RenameClass(4, "vier"))
    session.undo()
    assert session.round_view().clusters[0].answer == ClassAnswer(4)
    assert session.round_view().undo_description == "new name four"
    session.undo()
    assert session.classes.names[4] == "4"
    session.redo(), session.redo()
    assert session.classes.aliases == {"four": "9"}
    status = session_status.load_status("editing")
    assert status["aliases"] == {"four": "9"}
    assert status["classes"][4] == "four"
    session.close()


@CONFIGS
def test_answers_of_a_merged_class_are_propagated_as_its_target(config: Config, runs: RunTemplates) -> None:
    session = runs.open("merged", config)
    answer_by_parity(session)
    before = drain_events(session.propagate_answers())
    assert {4, 7} == {*np.unique(before.class_ids[before.weights > 0])}
    session.edit_classes(MergeClass(4, 9))
    after = drain_events(session.propagate_answers())
    assert {9, 7} == {*np.unique(after.class_ids[after.weights > 0])}
    is_certain = before.weights > 0.5
    expected = np.where(before.class_ids == 4, 9, before.class_ids)
    assert np.array_equal(expected[is_certain], after.class_ids[is_certain])
    labels = drain_events(session.build_label_table())
    assert 4 not in labels.class_ids
    assert labels.merged_class_ids == {4}
    assert 9 in labels.class_ids[labels.source_ids == 0]
    session.close()


def test_merge_applies_to_earlier_rounds_predictions_true_labels_and_summary(runs: RunTemplates) -> None:
    session = runs.open("merged")
    answer_by_parity(session)
    session.close_round()
    list(session.advance())
    assert session.true_labels is not None
    assert session.true_labels.test_labels is not None
    before = session.true_labels.test_labels.class_ids
    session.edit_classes(MergeClass(4, 9))
    session.edit_classes(MergeClass(0, 9))
    assert predicted_classes(session).isdisjoint({0, 4})
    for cluster in session.round_view().clusters:
        assert sum(share for _, share in cluster.class_shares) <= 1 + 1e-9
    assert np.array_equal(session.true_labels.test_labels.class_ids, np.where(np.isin(before, [0, 4]), 9, before))
    assert 4 not in drain_events(session.build_label_table()).class_ids, "only the earlier round has answers"
    session.record_answer((0,), Unreadable())
    session.close_round()
    list(session.advance())
    assert session.phase == "finished"
    counts = dict(session.summary().class_counts)
    assert [*counts] == [1, 2, 3, 5, 6, 7, 8, 9]
    assert sum(counts.values()) <= 576
    assert session.answer_counts()[9] > 0
    assert session.true_labels.validation_labels is not None
    class_ids = [int(class_id) for class_id in session.true_labels.validation_labels.class_ids]
    assert session.record_reading(3, 0, class_ids).accuracy == 1
    with pytest.raises(UserError, match='Class "4" was merged into "9"'):
        session.record_reading(3, 0, [4])
    session.close()
    predictions = drain_events(Predictor("merged").predict(np.zeros((20, 28, 28), np.uint8)))
    assert {0, 4}.isdisjoint(predictions.class_ids.tolist())


def test_networks_learn_an_added_class_in_the_next_epoch(runs: RunTemplates) -> None:
    session = runs.open("growing")
    session.edit_classes(TEN)
    session.record_answer((0,), ClassAnswer(10))
    assert count_network_classes(session) == 10
    session.close()
    session = lifecycle.resume("growing")
    list(session.advance())
    assert count_network_classes(session) == 10
    with pytest.raises(UserError, match="Class ten is new; the networks learn it in the next epoch"):
        list(session.generate_samples(4, 10, 0))
    session.close()
    assert Predictor("growing").vae.classifier.out_features == 10
    session = lifecycle.resume("growing")
    session.close_round()
    list(session.advance())
    assert (count_network_classes(session), session.phase) == (11, "labelling")
    assert session._store.repairs == []
    assert predicted_classes(session) <= set(range(11))
    session.close()
    predictor = Predictor("growing")
    assert predictor.vae.classifier.out_features == predictor.config.network.classes == 11
    assert predictor.vae.classifier.weight[10].detach().any()


@CONFIGS
def test_interrupted_run_with_class_edits_ends_in_the_same_bits(
    config: Config, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = create_session("whole", digits, config)
    list(run_with_class_edits(whole))
    assert count_network_classes(whole) == 12
    whole.close()
    expected = session_digest("whole")

    monkeypatch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)
    session = create_session("interrupted", digits, config)
    interruptions = set[tuple[str, int, int]]()
    while session.phase != "finished":
        steps = run_with_class_edits(session)
        for step in steps:
            curves = session.training_curves()
            position = (step, len(curves.finished_epochs), len(curves.loss_points) if step == "BatchesTrained" else 0)
            if step in ("BatchesTrained", "classes edited") and position not in interruptions:
                interruptions.add(position)
                steps.close()
                break
        session.close()
        session = lifecycle.resume("interrupted")
        assert session._store.repairs == []
    session.close()
    assert sum(step == "BatchesTrained" for step, *_ in interruptions) > 4
    assert sum(step == "classes edited" for step, *_ in interruptions) == 2
    assert session_digest("interrupted") == expected


@pytest.mark.parametrize("checkpoint_count", [0, 1])
def test_epochs_of_lost_checkpoints_are_repeated_with_their_classes(checkpoint_count: int, digits: Path) -> None:
    session = create_session("whole", digits)
    list(run_with_class_edits(session))
    session.close()
    expected = session_digest("whole")
    for path in sorted(session.directory.glob("checkpoint-*"))[checkpoint_count:]:
        path.unlink()
    session = lifecycle.resume("whole")
    list(session.advance())
    session.close()
    assert session_digest("whole") == expected


def test_class_added_while_the_images_load_is_kept(runs: RunTemplates) -> None:
    runs.copy("loading")
    session = lifecycle.resume("loading", device="cpu")  # loading the networks records the device
    events = session.advance()
    next(events)
    session.edit_classes(TEN)
    list(events)
    assert len(session.classes) == session.config.network.classes == 11
    session.record_answer((0,), ClassAnswer(10))
    session.close()
    session = lifecycle.resume("loading")
    assert (session.config.network.classes, session.config.device) == (11, "cpu")
    session.close()


def test_digit_keys_change_only_with_the_next_round(runs: RunTemplates) -> None:
    session = runs.open("keys")
    session.edit_classes(TEN)
    assert session.round_view().digit_keys == tuple(range(10)), "all digits are in use"
    session.edit_classes(MergeClass(3, 8))
    assert session.round_view().digit_keys == tuple(range(10)), "a merged class keeps its digit until the next round"
    session.close_round()
    list(session.advance())
    assert session.round_view().digit_keys == (0, 1, 2, 10, 4, 5, 6, 7, 8, 9)
    session.close()


def test_answer_with_a_class_that_was_never_added_is_refused(runs: RunTemplates) -> None:
    session = runs.open("inconsistent")
    session.edit_classes(TEN)
    session.record_answer((0,), ClassAnswer(10))
    session._repository._database.apply_changes(("set_class_edit_state", ("undone", 1)))
    session.close()
    with pytest.raises(UserError, match=NO_CLASS_10):
        lifecycle.resume("inconsistent")


def test_next_round_has_more_clusters_after_classes_were_added_and_fewer_after_they_were_merged(digits: Path) -> None:
    cluster = replace(PROPAGATION_CONFIG.cluster, clusters=5, clusters_per_class=0.8)
    training = replace(PROPAGATION_CONFIG.training, rounds=3)
    session = create_session("growing", digits, replace(PROPAGATION_CONFIG, cluster=cluster, training=training))
    counts = []
    for edits in ([AddClass(10 + index, f"class {index}") for index in range(5)], [MergeClass(4, 9), MergeClass(5, 9)]):
        list(session.advance())
        counts.append(len(session.round_view().clusters))
        answer_by_parity(session)
        for edit in edits:
            session.edit_classes(edit)
        session.close_round()
    list(session.advance())
    assert [*counts, len(session.round_view().clusters)] == [8, 12, 11], "0.8 for each of 10, 15 and 13 classes"
    session.close()
