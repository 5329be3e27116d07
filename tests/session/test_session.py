"""A session from its first epoch to its last, interrupted and resumed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.idx import write_idx
from tests.session.conftest import FINISHED, RunTemplates
from tests.session.scripted_run import (
    PROPAGATION_CONFIG,
    SMALL_CONFIG,
    answer_round,
    create_session,
    create_with_scrambled_labels,
    list_answers,
    run_to_end,
    session_digest,
)
from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.engine.classes import RenameClass
from vaetui.engine.config import Config
from vaetui.engine.events import (
    BatchesTrained,
    Clustered,
    ClusterSplit,
    EpochEnded,
    Loaded,
    Loading,
    Saved,
)
from vaetui.engine.images import read_idx_array
from vaetui.errors import UserError
from vaetui.export.label_table import ANSWER, CLASSIFIER, NO_CLASS_ID, NO_SOURCE_ID, PROPAGATED
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle, trainer
from vaetui.session.labelling_round import LabellingRound
from vaetui.session.session import Session
from vaetui.session.session_status import load_status
from vaetui.session.views import SHOWN_MEMBERS, RoundView
from vaetui.storage import file_names

pytestmark = pytest.mark.usefixtures("home")
CONFIGS = pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=lambda config: config.recipe)
METRICS = ("losses", "test_accuracy")


def describe_clusters(view: RoundView) -> list[tuple[object, ...]]:
    return [(cluster.path, cluster.answer, cluster.size) for cluster in view.clusters]


def test_whole_run_measures_every_epoch(digits: Path) -> None:
    session = create_session("whole", digits)
    assert (session.phase, session.round_number, session.epoch_count) == ("training", 1, 3)
    steps = list(run_to_end(session))
    assert session.phase == "finished"
    assert (steps.count("Clustered"), steps.count("Finished")) == (2, 1)
    assert steps[-1] == "Finished"
    first = {event.__name__: steps.index(event.__name__) for event in (Loading, BatchesTrained, Saved, EpochEnded)}
    assert sorted(first.values()) == list(first.values())
    assert steps.index("EpochEnded") < steps.index("Clustered") < steps.index("Finished")
    epochs = session.training_curves().finished_epochs
    assert [event.epoch for event in epochs] == [1, 2, 3]
    assert all(event.test_accuracy is not None and 0 <= event.test_accuracy <= 1 for event in epochs)
    assert epochs[0].label_coverage == 0 < epochs[1].label_coverage < 1
    assert [event.answer_count for event in epochs] == [0, 8, 16]
    assert [step for step, _ in session.training_curves().loss_points] == [8, 9, 17, 18, 26, 27]
    summary = session.summary()
    assert 0 < sum(count for _, count in summary.class_counts) <= 576
    assert summary.answer_count == 16
    assert summary.training_seconds > 0
    session.close()


@CONFIGS
def test_interrupted_run_with_the_same_answers_ends_in_the_same_bits(
    config: Config, runs: RunTemplates, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.copy("whole", config, FINISHED)
    monkeypatch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)
    session = create_session("interrupted", digits, config)
    while session.phase != "finished":
        if session.phase == "training":
            advance_to(session, BatchesTrained)  # the first training event of each epoch
            session.close()
            session = lifecycle.resume("interrupted")
            advance_to(session, EpochEnded, Clustered)
        else:
            steps = answer_round(session)
            next(steps), next(steps), steps.close()  # type: ignore[attr-defined]
            session.close()
            session = lifecycle.resume("interrupted")
            list(answer_round(session))
            session.close_round()
    session.close()
    assert session._store.repairs == []
    assert (session_digest("interrupted"), list_answers("interrupted")) == runs.result(config)
    whole, interrupted = load_status("whole"), load_status("interrupted")
    assert [interrupted[metric] for metric in METRICS] == [whole[metric] for metric in METRICS]


def advance_to(session: Session, *event_types: type) -> object:
    """Advance up to an event of one of the types, close the iterator, and return the event."""
    events = session.advance()
    try:
        return next((event for event in events if isinstance(event, event_types)), None)
    finally:
        events.close()


def test_training_resumes_at_the_batch_after_the_checkpoint(digits: Path) -> None:
    session = create_session("batch", digits)
    for step in (8, 9):  # of the nine of an epoch
        event = advance_to(session, BatchesTrained)
        assert isinstance(event, BatchesTrained)
        assert (event.epoch, event.step) == (1, step)
        assert session._store.repairs == []
        session.close()
        session = lifecycle.resume("batch")
    session.close()


@CONFIGS
def test_shuffled_training_labels_change_no_bit(
    config: Config, runs: RunTemplates, digits: Path, tmp_path: Path
) -> None:
    shutil.copytree(digits, tmp_path / "data")
    session = create_with_scrambled_labels("scrambled", tmp_path / "data", config)
    list(run_to_end(session))
    session.close()
    assert session_digest("scrambled") == runs.result(config)[0]


def test_undo_and_redo_after_restart_step_through_answers_and_splits(runs: RunTemplates) -> None:
    session = runs.open("undoing")
    session.record_answer((1,), ClassAnswer(4))
    session.record_answer((1,), ClassAnswer(4, 0.5))
    (split,) = (event for event in session.split_cluster((2,), 3) if isinstance(event, ClusterSplit))
    assert split.path == (2,)
    session.record_answer((2, 1), Unreadable())
    views = [session.round_view()]
    session.close()
    session = lifecycle.resume("undoing")
    assert session.round_view().answer_count == 3
    assert session.round_view().undo_description == "unreadable mark of cluster 2.1"
    undone_paths = []
    while (path := session.undo()) is not None:
        undone_paths.append(path)
        views.append(session.round_view())
    assert undone_paths == [(2, 1), (2,), (1,), (1,)]
    assert [len(view.clusters) for view in views] == [8, 8, 5, 5, 5]
    assert views[3].clusters[1].answer == ClassAnswer(4)
    assert (views[-1].answered_leaf_count, len(views[-1].unanswered_class_ids)) == (0, 10)
    session.close()
    session = lifecycle.resume("undoing")
    redone_paths = []
    while (path := session.redo()) is not None:
        redone_paths.append(path)
    assert redone_paths == undone_paths[::-1]
    assert describe_clusters(session.round_view()) == describe_clusters(views[0])
    session.close()


def test_new_answer_discards_undone_ones(runs: RunTemplates) -> None:
    session = runs.open("discarded")
    session.record_answer((0,), ClassAnswer(1))
    session.undo()
    assert session.round_view().redo_description == "answer for cluster 0"
    session.record_answer((1,), ClassAnswer(2))
    assert session.redo() is None
    session.close()


def test_split_made_again_differently_keeps_its_own_parts_after_restart(runs: RunTemplates) -> None:
    session = runs.open("differently")
    list(session.split_cluster((0,), 4))
    list(session.split_cluster((0, 1), 2))
    session.undo(), session.undo()
    list(session.split_cluster((0,), 3))
    list(session.split_cluster((0, 1), 2))
    view = session.round_view()
    clusters = {cluster.path: cluster for cluster in view.clusters}
    assert clusters[(0,)].answer == Split(3)
    assert clusters[(0, 1)].leaf_counts == (0, 2)
    assert clusters[(0, 1, 0)].size + clusters[(0, 1, 1)].size == clusters[(0, 1)].size
    session.close()
    session = lifecycle.resume("differently")
    assert describe_clusters(session.round_view()) == describe_clusters(view)
    session.close()


def test_answer_for_a_split_cluster_replaces_its_parts(runs: RunTemplates) -> None:
    session = runs.open("replaced")
    list(session.split_cluster((0,), 2))
    session.record_answer((0, 0), ClassAnswer(3))
    session.record_answer((0,), ClassAnswer(8))
    view = session.round_view()
    assert len(view.clusters) == 5
    assert (view.answered_leaf_count, view.leaf_count, view.answer_count) == (1, 5, 1)
    session.undo()
    assert [cluster.answer for cluster in session.round_view().clusters[:3]] == [Split(2), ClassAnswer(3), None]
    session.close()


def test_invalid_answers_and_splits_are_refused_and_not_recorded(runs: RunTemplates) -> None:
    session = runs.open("refused")
    size = session.round_view().clusters[0].size
    actions: list[tuple[Callable[[], object], str]] = [
        (lambda: session.record_answer((9,), ClassAnswer(1)), "There is no cluster 9 in this round"),
        (lambda: session.record_answer((0,), ClassAnswer(10)), "There is no class 10. Choose a class from 0 to 9"),
        (lambda: session.split_cluster((0,), 1), "2 to 1,000 parts"),
        (
            lambda: session.split_cluster((0,), size + 1),
            f"{size} different images; it cannot be split into {size + 1} parts",
        ),
    ]
    for action, message in actions:
        with pytest.raises(UserError, match=message):
            action()
    assert session.round_view().answer_count == 0
    session.close()


def test_members_are_ordered_and_available_once_the_images_are_loaded(runs: RunTemplates) -> None:
    session = runs.open("members")
    size = session.round_view().clusters[0].size
    nearest, farthest, random = (
        session.member_images((0,), order, size) for order in ("nearest", "farthest", "random")
    )  # type: ignore[arg-type]
    assert np.array_equal(nearest, farthest[::-1])
    assert not np.array_equal(nearest, random)
    assert sorted(image.tobytes() for image in random) == sorted(image.tobytes() for image in nearest)
    session.close()
    session = lifecycle.resume("members")
    assert len(session.member_images((0,), "nearest", 6)) == 0
    list(session.advance())
    assert np.array_equal(session.member_images((0,), "nearest", 6), nearest[:6])
    session.close()


def test_round_added_to_a_finished_run_is_trained(digits: Path) -> None:
    session = create_session("more", digits, replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, rounds=1)))
    list(run_to_end(session))
    session.add_round()
    assert (session.phase, session.round_count, session.epoch_count, session.round_number) == ("training", 2, 3, 2)
    session.close()
    session = lifecycle.resume("more")
    list(run_to_end(session))
    assert len(session.training_curves().finished_epochs) == 3
    session.close()


def test_label_table_contains_every_image_once(runs: RunTemplates) -> None:
    session = runs.open("exported")

    def read_labels() -> list[tuple[int, int]]:
        table = drain_events(session.build_label_table())
        assert table.indices.tolist() == list(range(640))
        assert 0 <= table.confidences.min() <= table.confidences.max() <= 1
        assert (table.cluster_ids < 0).sum() == 64
        assert np.array_equal(table.cluster_ids < 0, np.isnan(table.distances))
        assert np.array_equal(table.weights > 0, np.isin(table.source_ids, [ANSWER, PROPAGATED]))
        assert np.array_equal(table.confidences > 0, table.class_ids >= 0)
        return list(zip(table.class_ids.tolist(), table.source_ids.tolist(), strict=True))

    with pytest.raises(UserError, match="No labels yet"):
        read_labels()
    session.record_answer((1,), ClassAnswer(6))
    labels = read_labels()
    size = session.round_view().clusters[1].size
    assert labels.count((6, ANSWER)) == SHOWN_MEMBERS
    assert labels.count((6, PROPAGATED)) == size - SHOWN_MEMBERS
    assert labels.count((NO_CLASS_ID, NO_SOURCE_ID)) == 640 - size
    session.record_answer((2,), ClassAnswer(3))
    size += session.round_view().clusters[2].size
    session.close_round()
    list(session.advance())
    labels = read_labels()
    assert sum(source == CLASSIFIER for _, source in labels) == 640 - size
    assert {class_id for class_id, _ in labels} == {6, 3}
    session.close()


def test_answers_of_the_last_round_are_exported_until_the_new_round_has_some(runs: RunTemplates) -> None:
    session = runs.open("kept")
    for cluster in session.round_view().clusters:
        session.record_answer(cluster.path, ClassAnswer(1))
    session.close_round()
    list(session.advance())
    assert (session.phase, session.round_number, session.round_view().answered_leaf_count) == ("labelling", 2, 0)
    assert (drain_events(session.build_label_table()).source_ids < 2).sum() == 576
    session.close()


def test_changed_image_is_refused(digits: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(digits, data)
    session = create_session("changed", data)
    advance_to(session, Loaded)
    session.close()
    images = read_idx_array(data / "train-images-idx3-ubyte", 3).copy()
    images[5, 5, 5] ^= 1
    write_idx(data / "train-images-idx3-ubyte", images)
    session = lifecycle.resume("changed")
    with pytest.raises(UserError, match="changed since the session was created; restore the original file"):
        list(session.advance())
    session.close()


def test_images_without_labels_and_test_files_train_without_test_accuracy(digits: Path, tmp_path: Path) -> None:
    write_idx(tmp_path / "train-images.idx3-ubyte", read_idx_array(digits / "train-images-idx3-ubyte", 3))
    session = create_session("bare", tmp_path)
    list(run_to_end(session))
    assert [event.test_accuracy for event in session.training_curves().finished_epochs] == [None] * 3
    session.close()


def test_more_clusters_than_images_become_one_per_image(tmp_path: Path) -> None:
    write_idx(tmp_path / "train-images-idx3-ubyte", np.random.default_rng(0).integers(0, 255, (10, 9, 9), np.uint8))
    session = create_session(
        "few", tmp_path, replace(SMALL_CONFIG, cluster=replace(SMALL_CONFIG.cluster, clusters=200))
    )
    list(session.advance())
    assert [cluster.size for cluster in session.round_view().clusters] == [1] * 9
    session.close()


def test_failure_in_training_writes_no_checkpoint(digits: Path) -> None:
    session = create_session("failing", digits)
    events = session.advance()
    while not isinstance(next(events), Loaded):
        pass
    assert session._resources.trainer is not None
    session._resources.trainer.config = replace(SMALL_CONFIG, loss=replace(SMALL_CONFIG.loss, beta=float("nan")))
    with pytest.raises(UserError, match="The loss became NaN or infinite in epoch 1"):
        list(events)
    assert not list(session.directory.glob("checkpoint-*"))
    session.close()


def test_run_without_rounds_only_trains(digits: Path) -> None:
    session = create_session("silent", digits, replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, rounds=0)))
    assert session.round_number == 0
    list(session.advance())
    assert session.phase == "finished"
    assert session.summary().class_counts == ()
    session.close()


def test_missing_predictions_file_only_loses_one_metric(runs: RunTemplates) -> None:
    session = runs.open("lost", PROPAGATION_CONFIG, round_number=2)
    list(answer_round(session))
    session.close_round()
    session.close()
    name = file_names.predictions_name(2)
    for path in (session.directory / name, session.directory / file_names.second_copy_name(name)):
        path.unlink()
    session = lifecycle.resume("lost")
    list(session.advance())
    last = session._repository.list_epochs()[-1]
    assert (session.phase, last.prediction_churn) == ("finished", None)
    assert last.mean_confidence is not None
    session.close()


def test_graph_propagation_labels_all_images_and_asks_only_uncertain_ones(runs: RunTemplates) -> None:
    session = runs.open("propagated", PROPAGATION_CONFIG, FINISHED)
    first, last = (
        LabellingRound(session._store, session._repository, PROPAGATION_CONFIG, round_number) for round_number in (1, 2)
    )
    assert sum(cluster.size for cluster in first.build_round_view().clusters if len(cluster.path) == 1) == 576
    uncertain_count = sum(cluster.size for cluster in last.build_round_view().clusters if len(cluster.path) == 1)
    assert 0 < uncertain_count < 300
    epochs = session.training_curves().finished_epochs
    assert [event.label_coverage > 0.9 for event in epochs] == [False, True, True]
    epochs = tuple(session._repository.list_epochs())  # with the estimates of epochs that have not learned all classes
    assert [event.prediction_churn is None for event in epochs] == [True, True, False]
    assert all(event.mean_confidence is not None and 0.1 < event.mean_confidence <= 1 for event in epochs)
    assert 0 < sum(count for _, count in session.summary().class_counts) <= 576
    labels = drain_events(session.build_label_table())
    answered = set(labels.indices[labels.source_ids == 0].tolist())
    assert (labels.source_ids != 1).all()
    assert 0 < len(answered) <= 2 * 7 * SHOWN_MEMBERS
    assert (labels.cluster_ids < 0).any()
    session.close()


def test_digit_keys_follow_the_most_frequent_classes_of_earlier_rounds(digits: Path) -> None:
    config = replace(SMALL_CONFIG, network=replace(SMALL_CONFIG.network, classes=26))
    session = create_session("many", digits, config)
    list(session.advance())
    for class_id in range(10):
        session.edit_classes(RenameClass(class_id, f"kind {class_id}"))
    assert session.round_view().digit_keys == tuple(range(10))
    for path, class_id in (((0,), 25), ((1,), 25), ((2,), 17)):
        session.record_answer(path, ClassAnswer(class_id))
    assert session.round_view().digit_keys == tuple(range(10)), "the keys must not change within a round"
    session.close_round()
    list(session.advance())
    assert session.round_view().digit_keys == (*range(8), 17, 25)
    with pytest.raises(UserError, match="There is no class 26"):
        session.record_answer((0,), ClassAnswer(26))
    session.close()
