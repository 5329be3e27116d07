"""A session from its first epoch to its last, left and taken up again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.idx import write_idx
from tests.session.scripted_run import NEIGHBOURS_CONFIG, SMALL_CONFIG, answer_round, session_digest, create_session, run_to_end, list_answers, create_with_scrambled_labels
from vaetui.runtime.runner import drain
from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.engine.config import Config
from vaetui.engine.events import BatchesTrained, Clustered, ClusterSplit, EpochEnded, Finished, Loaded, Loading, Saved
from vaetui.engine.images import read_idx
from vaetui.errors import UserError
from vaetui.session import lifecycle, summary, trainer
from vaetui.session.labelling_round import LabellingRound
from vaetui.session.session import Session
from vaetui.session.views import SHOWN_MEMBERS

pytestmark = pytest.mark.usefixtures("home")


def asked(name: str, digits: Path) -> Session:
    session = create_session(name, digits)
    list(session.advance())
    assert session.phase == "labelling"
    return session


def test_a_whole_run_ends_with_every_epoch_measured(digits: Path) -> None:
    session = create_session("whole", digits)
    assert (session.phase, session.round_number, session.epochs) == ("training", 1, 3)
    acts = list(run_to_end(session))
    assert session.phase == "finished"
    assert acts.count("Clustered") == 2
    assert acts[-1] == "Finished"
    ended = session.training_curves().finished_epochs
    assert [it.epoch for it in ended] == [1, 2, 3]
    assert all(it.test_accuracy is not None and 0 <= it.test_accuracy <= 1 for it in ended)
    assert ended[0].label_coverage == 0 < ended[1].label_coverage < 1
    assert [it.answer_count for it in ended] == [0, 8, 16]
    steps = [step for step, _ in session.training_curves().loss_points]
    assert steps == [8, 9, 17, 18, 26, 27]
    summary = session.summary()
    assert sum(count for _, count in summary.class_counts) == 576
    assert summary.answer_count == 16
    assert summary.training_seconds > 0
    session.close()


def test_events_come_in_the_order_of_the_work(digits: Path) -> None:
    session = create_session("events", digits)
    kinds = [type(event) for event in session.advance()]
    first = {kind: kinds.index(kind) for kind in (Loading, BatchesTrained, Saved, EpochEnded, Clustered)}
    assert sorted(first.values()) == list(first.values())
    assert Finished not in kinds
    session.close()


@pytest.mark.parametrize("config", [SMALL_CONFIG, NEIGHBOURS_CONFIG], ids=lambda config: config.recipe)
def test_the_same_answers_give_the_same_bits_however_often_the_run_was_left(
    config: Config, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = create_session("whole", digits, config)
    list(run_to_end(whole))
    whole.close()

    monkeypatch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)
    left = create_session("left", digits, config)
    while left.phase != "finished":
        if left.phase == "training":
            going = left.advance()
            for event in going:
                if isinstance(event, BatchesTrained):
                    break  # leaves after the first report of each epoch
            going.close()
            left.close()
            left = lifecycle.resume("left")
            rest = left.advance()
            for event in rest:
                if isinstance(event, EpochEnded | Clustered):
                    break
            rest.close()
        else:
            acts = answer_round(left)
            next(acts), next(acts), acts.close()
            left.close()
            left = lifecycle.resume("left")
            list(answer_round(left))
            left.finish_round()
    left.close()
    assert left._store.repairs == []
    assert list_answers("left") == list_answers("whole")
    assert session_digest("left") == session_digest("whole")
    known = {key: value for key, value in summary.load_status("whole").items() if key in ("losses", "test_accuracy")}
    assert {key: summary.load_status("left")[key] for key in known} == known


def test_training_goes_on_at_the_batch_where_it_was_left(digits: Path) -> None:
    left = create_session("batch", digits)
    for before in (8, 9):  # of the nine of an epoch
        steps = left.advance()
        for event in steps:
            if isinstance(event, BatchesTrained):
                assert (event.epoch, event.step) == (1, before)
                break
        steps.close()
        assert left._store.repairs == []
        left.close()
        left = lifecycle.resume("batch")
    left.close()


@pytest.mark.parametrize("config", [SMALL_CONFIG, NEIGHBOURS_CONFIG], ids=lambda config: config.recipe)
def test_scrambling_the_training_labels_changes_nothing_learned(config: Config, digits: Path, tmp_path: Path) -> None:
    digests = []
    for name in ("true", "scrambled"):
        data = tmp_path / name
        shutil.copytree(digits, data)
        session = (create_with_scrambled_labels if name == "scrambled" else create_session)(name, data, config)
        list(run_to_end(session))
        session.close()
        digests.append(session_digest(name))
    assert digests[0] == digests[1]


def test_answers_and_splits_are_undone_and_redone_one_by_one_also_after_a_restart(digits: Path) -> None:
    session = asked("undoing", digits)
    session.answer((1,), ClassAnswer(4))
    session.answer((1,), ClassAnswer(4, 0.5))
    (parted,) = (event for event in session.split((2,), 3) if isinstance(event, ClusterSplit))
    assert parted.path == (2,)
    session.answer((2, 1), Unreadable())
    boards = [session.round_view()]
    session.close()
    session = lifecycle.resume("undoing")
    assert session.round_view().answer_count == 4
    assert session.round_view().undo_description == "the mark of centre 2.1"
    undone = []
    while (path := session.undo()) is not None:
        undone.append(path)
        boards.append(session.round_view())
    assert undone == [(2, 1), (2,), (1,), (1,)]
    assert [len(board.clusters) for board in boards] == [8, 8, 5, 5, 5]
    assert boards[3].clusters[1].answer == ClassAnswer(4)
    assert (boards[-1].answered_leaf_count, boards[-1].label_coverage) == (0, 0.0)
    session.close()
    session = lifecycle.resume("undoing")
    redone = []
    while (path := session.redo()) is not None:
        redone.append(path)
    assert redone == undone[::-1]
    again, before = session.round_view(), boards[0]
    assert [(tile.path, tile.answer, tile.size) for tile in again.clusters] == [
        (tile.path, tile.answer, tile.size) for tile in before.clusters
    ]
    session.close()


def test_a_new_answer_ends_what_could_be_redone(digits: Path) -> None:
    session = asked("ended", digits)
    session.answer((0,), ClassAnswer(1))
    session.undo()
    assert session.round_view().redo_description == "the answer of centre 0"
    session.answer((1,), ClassAnswer(2))
    assert session.redo() is None
    session.close()


def test_a_split_undone_and_made_differently_keeps_its_own_parts(digits: Path) -> None:
    session = asked("differently", digits)
    list(session.split((0,), 4))
    list(session.split((0, 1), 2))
    session.undo(), session.undo()
    list(session.split((0,), 3))
    list(session.split((0, 1), 2))
    tiles = {tile.path: tile for tile in session.round_view().clusters}
    assert tiles[(0,)].answer == Split(3)
    assert tiles[(0, 1)].leaf_counts == (0, 2)
    assert tiles[(0, 1, 0)].size + tiles[(0, 1, 1)].size == tiles[(0, 1)].size
    session.close()
    session = lifecycle.resume("differently")
    assert [(tile.path, tile.size) for tile in session.round_view().clusters] == [
        (path, tile.size) for path, tile in tiles.items()
    ]
    session.close()


def test_a_label_on_a_split_cluster_takes_the_place_of_its_parts(digits: Path) -> None:
    session = asked("whole-again", digits)
    list(session.split((0,), 2))
    session.answer((0, 0), ClassAnswer(3))
    session.answer((0,), ClassAnswer(8))
    board = session.round_view()
    assert len(board.clusters) == 5
    assert (board.answered_leaf_count, board.leaf_count, board.answer_count) == (1, 5, 3)
    session.undo()
    assert [tile.answer for tile in session.round_view().clusters[:3]] == [Split(2), ClassAnswer(3), None]
    session.close()


def test_what_cannot_be_answered_is_refused_and_nothing_recorded(digits: Path) -> None:
    session = asked("refused", digits)
    size = session.round_view().clusters[0].size
    for refused, complaint in (
        (lambda: session.answer((9,), ClassAnswer(1)), "no centre 9"),
        (lambda: session.answer((0,), ClassAnswer(10)), "no class 10; the classes are 0 to 9"),
        (lambda: session.split((0,), 1), "2 to 1,000 parts"),
        (lambda: session.split((0,), size + 1), f"{size} different images; they cannot become {size + 1}"),
    ):
        with pytest.raises(UserError, match=complaint):
            refused()
    assert session.round_view().answer_count == 0
    session.close()


def test_members_come_nearest_farthest_or_at_random(digits: Path) -> None:
    session = asked("members", digits)
    size = session.round_view().clusters[0].size
    nearest, farthest, some = (session.members((0,), which, size) for which in ("nearest", "farthest", "random"))
    assert np.array_equal(nearest, farthest[::-1])
    assert not np.array_equal(nearest, some)
    assert sorted(image.tobytes() for image in some) == sorted(image.tobytes() for image in nearest)
    session.close()
    session = lifecycle.resume("members")
    assert len(session.members((0,), "nearest", 6)) == 0
    list(session.advance())
    assert np.array_equal(session.members((0,), "nearest", 6), nearest[:6])
    session.close()


def test_one_more_round_can_be_added_to_a_finished_run(digits: Path) -> None:
    session = create_session("more", digits, replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, rounds=1)))
    list(run_to_end(session))
    session.add_round()
    assert (session.phase, session.rounds, session.epochs, session.round_number) == ("training", 2, 3, 2)
    session.close()
    session = lifecycle.resume("more")
    list(run_to_end(session))
    assert len(session.training_curves().finished_epochs) == 3
    session.close()


def test_every_training_image_is_exported_once(digits: Path) -> None:
    session = asked("exported", digits)

    def labels() -> list[tuple[int, str]]:
        rows = list(drain(session.label_table()).iter_rows())
        assert [row["index"] for row in rows] == list(range(640))
        assert all(0 <= row["confidence"] <= 1 for row in rows)
        assert sum(row["cluster"] is None for row in rows) == 64
        assert all((row["cluster"] is None) == (row["distance"] is None) for row in rows)
        assert all((row["weight"] > 0) == (row["source"] != "classifier") for row in rows)
        return [(row["label"], row["source"]) for row in rows]

    with pytest.raises(UserError, match="Nothing was answered yet"):
        labels()
    session.answer((1,), ClassAnswer(6))
    given = labels()
    size = session.round_view().clusters[1].size
    assert given.count((6, "answer")) == SHOWN_MEMBERS
    assert given.count((6, "propagated")) == size - SHOWN_MEMBERS
    assert sum(source == "classifier" for _, source in given) == 640 - size
    session.close()


def test_images_that_changed_are_recognised(digits: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(digits, data)
    asked("changed", data).close()
    images = read_idx(data / "train-images-idx3-ubyte", 3).copy()
    images[5, 5, 5] ^= 1
    write_idx(data / "train-images-idx3-ubyte", images)
    session = lifecycle.resume("changed")
    with pytest.raises(UserError, match="changed since the session was made"):
        list(session.advance())
    session.close()


def test_data_without_labels_or_tests_trains_as_well(digits: Path, tmp_path: Path) -> None:
    write_idx(tmp_path / "train-images.idx3-ubyte", read_idx(digits / "train-images-idx3-ubyte", 3))
    session = create_session("bare", tmp_path)
    list(run_to_end(session))
    assert [ended.test_accuracy for ended in session.training_curves().finished_epochs] == [None] * 3
    session.close()


def test_more_clusters_than_images_become_one_each_at_most(tmp_path: Path) -> None:
    write_idx(tmp_path / "train-images-idx3-ubyte", np.random.default_rng(0).integers(0, 255, (10, 9, 9), np.uint8))
    session = create_session("few", tmp_path, replace(SMALL_CONFIG, cluster=replace(SMALL_CONFIG.cluster, clusters=200)))
    list(session.advance())
    assert [tile.size for tile in session.round_view().clusters] == [1] * 9
    session.close()


def test_images_that_are_all_alike_make_one_cluster_that_cannot_be_split(tmp_path: Path) -> None:
    write_idx(tmp_path / "train-images-idx3-ubyte", np.full((40, 9, 9), 7, np.uint8))
    config = replace(SMALL_CONFIG, network=replace(SMALL_CONFIG.network, latent="mean"))
    session = create_session("alike", tmp_path, config)
    list(session.advance())
    assert [tile.size for tile in session.round_view().clusters] == [36]
    with pytest.raises(UserError, match="1 different images"):
        session.split((0,), 2)
    session.close()


def test_the_answers_of_the_last_round_are_exported_until_a_new_one_has_some(digits: Path) -> None:
    session = asked("kept", digits)
    for tile in session.round_view().clusters:
        session.answer(tile.path, ClassAnswer(1))
    session.finish_round()
    list(session.advance())
    assert (session.phase, session.round_number, session.round_view().answered_leaf_count) == ("labelling", 2, 0)
    assert (drain(session.label_table()).source_ids < 2).sum() == 576
    session.close()


def test_a_failure_in_training_writes_no_checkpoint(digits: Path) -> None:
    session = create_session("failing", digits)
    going = session.advance()
    while not isinstance(next(going), Loaded):
        pass
    assert session._resources.trainer is not None
    session._resources.trainer.config = replace(SMALL_CONFIG, loss=replace(SMALL_CONFIG.loss, beta=float("nan")))
    with pytest.raises(UserError, match="The loss is no number any more in epoch 1"):
        list(going)
    assert not list(session.directory.glob("checkpoint-*"))
    session.close()


def test_a_run_without_rounds_only_trains(digits: Path) -> None:
    session = create_session("silent", digits, replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, rounds=0)))
    assert session.round_number == 0
    list(session.advance())
    assert session.phase == "finished"
    assert session.summary().class_counts == ()
    session.close()


def test_a_lost_file_of_what_was_called_how_costs_a_figure_and_no_more(digits: Path) -> None:
    session = create_session("lost", digits, NEIGHBOURS_CONFIG)
    while session.phase != "labelling" or session.round_number < 2:
        list(session.advance())
        if session.round_number < 2:
            list(answer_round(session))
            session.finish_round()
    list(answer_round(session))
    session.finish_round()
    session.close()
    for path in session.directory.glob("found-002*"):
        path.unlink()
    session = lifecycle.resume("lost")
    list(session.advance())
    last = session.training_curves().finished_epochs[-1]
    assert (session.phase, last.prediction_churn) == ("finished", None)
    assert last.mean_confidence is not None
    session.close()


def test_answers_spread_from_neighbour_to_neighbour_over_all_rounds(digits: Path) -> None:
    session = create_session("near", digits, NEIGHBOURS_CONFIG)
    list(run_to_end(session))
    first, last = (LabellingRound(session._store, session._repository, NEIGHBOURS_CONFIG, round) for round in (1, 2))
    assert sum(tile.size for tile in first.round_view().clusters if len(tile.path) == 1) == 576
    asked_again = sum(tile.size for tile in last.round_view().clusters if len(tile.path) == 1)
    assert 0 < asked_again < 300, "only the doubtful are asked about"
    ended = session.training_curves().finished_epochs
    assert [it.label_coverage > 0.9 for it in ended] == [False, True, True]
    assert [it.prediction_churn is None for it in ended] == [True, True, False]
    assert all(it.mean_confidence is not None and 0.1 < it.mean_confidence <= 1 for it in ended)
    assert sum(count for _, count in session.summary().class_counts) == 576
    labels = drain(session.label_table())
    told = set(labels.indices[labels.source_ids == 0].tolist())
    assert (labels.source_ids != 1).all()
    assert 0 < len(told) <= 2 * 7 * SHOWN_MEMBERS
    assert (labels.cluster_ids < 0).any()
    session.close()


def test_digits_stand_for_the_classes_that_were_named_most_in_the_rounds_before(digits: Path) -> None:
    many = replace(SMALL_CONFIG, network=replace(SMALL_CONFIG.network, classes=26))
    session = create_session("many", digits, many)
    list(session.advance())
    assert session.round_view().digit_keys == tuple(range(10))
    for path, label in (((0,), 25), ((1,), 25), ((2,), 17)):
        session.answer(path, ClassAnswer(label))
    assert session.round_view().digit_keys == tuple(range(10)), "no key changes its meaning within a round"
    session.finish_round()
    list(session.advance())
    assert session.round_view().digit_keys == (*range(8), 17, 25)
    with pytest.raises(UserError, match="There is no class 26"):
        session.answer((0,), ClassAnswer(26))
    session.close()
