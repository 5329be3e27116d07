"""Answers that name the nearest image of a mixed cluster alone: what is labelled, counted, undone and recovered."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.idx import write_idx
from tests.session.conftest import FINISHED, RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, answer_round
from tests.session.test_copies import copy_runs, images  # noqa: F401
from tests.session.test_image_answers import export, list_members, read_rows, read_split, record
from tests.vectors import create_session_with_features
from vaetui.engine.answers import (
    AnsweredImage,
    ClassAnswer,
    Cleared,
    ClusterAnswer,
    ImageAnswer,
    NearestImageAnswer,
    Unreadable,
)
from vaetui.engine.classes import AddClass, MergeClass
from vaetui.engine.config import Config
from vaetui.engine.events import EpochEnded
from vaetui.errors import UserError
from vaetui.export.label_table import ANSWER, NO_CLASS_ID, UNREADABLE_ID
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.image_answers import load_image_labels
from vaetui.session.session import Session
from vaetui.session.verification import verify_session
from vaetui.storage import file_names
from vaetui.storage.repository import SessionRepository

pytestmark = pytest.mark.usefixtures("home")
CONFIGS = pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=lambda config: config.recipe)


def list_labels(session: Session) -> list[list[float]]:
    """Return classes, sources and weights of the export, and classes and weights of the next training."""
    table = export(session)
    columns: list[NDArray[np.generic]] = [table.class_ids, table.source_ids, table.weights]
    if session.phase == "labelling":
        pseudo_labels = drain_events(session.propagate_answers())
        columns += [pseudo_labels.class_ids, pseudo_labels.weights]
    return [column.tolist() for column in columns]


@CONFIGS
def test_nearest_image_alone_gets_the_class_as_seed_target_and_exported_answer(
    config: Config, runs: RunTemplates
) -> None:
    session = runs.open("nearest", config)
    train_indices, _ = read_split(session)
    members = list_members(session, 0)
    session.record_answer((0,), NearestImageAnswer(7))
    session.record_answer((1,), ClassAnswer(2))
    assert session.round_view().clusters[0].answer == NearestImageAnswer(7, members[0])
    table = export(session)
    assert read_rows(table, members[:1]) == [(7, 1, ANSWER)]
    assert table.weights[members[0]] == 1
    assert set(table.class_ids[members[1:]].tolist()) == {NO_CLASS_ID}, "no class is learned before any training"
    pseudo_labels = drain_events(session.propagate_answers())
    positions = np.searchsorted(train_indices, members)
    assert (pseudo_labels.class_ids[positions[0]], pseudo_labels.weights[positions[0]]) == (7, 1)
    if config.propagation.method == "cluster":
        assert not pseudo_labels.weights[positions[1:]].any()
    session.close()


@CONFIGS
def test_one_answer_is_counted_and_the_cluster_and_the_class_are_answered(config: Config, runs: RunTemplates) -> None:
    session = runs.open("counted", config)
    before = session.round_view()
    session.record_answer((0,), NearestImageAnswer(7))
    view = session.round_view()
    assert (view.answer_count, view.answered_leaf_count) == (before.answer_count + 1, before.answered_leaf_count + 1)
    assert before.unanswered_class_ids == tuple(range(10))
    assert view.unanswered_class_ids == tuple(class_id for class_id in range(10) if class_id != 7)
    assert view.undo_description == "answer for the nearest image of cluster 0"
    assert session.answer_counts()[7] == 1
    assert session._repository.count_answers() == 1
    assert session._repository.count_image_answers() == 0
    assert session._repository.find_last_answered_round() == 1
    image_labels = load_image_labels(session._repository, session._store)
    assert (image_labels.class_ids.tolist(), image_labels.origins) == ([7], ("nearest",))
    assert session.undo() == (0,)
    assert session.round_view().answer_count == before.answer_count
    assert session.redo() == (0,)
    assert session.round_view().clusters[0].answer == view.clusters[0].answer
    session.close()


@CONFIGS
def test_later_one_of_answers_about_the_cluster_and_about_its_nearest_image_counts(
    config: Config, runs: RunTemplates
) -> None:
    session = runs.open("order", config)
    nearest = list_members(session, 0)[0]

    def read() -> tuple[int, int]:
        class_id, _, source_id = read_rows(export(session), [nearest])[0]
        return class_id, source_id

    session.record_answer((0,), NearestImageAnswer(7))
    record(session, {nearest: ClassAnswer(4)})
    assert read() == (4, ANSWER), "a review after it"
    image_labels = load_image_labels(session._repository, session._store)
    assert (image_labels.image_indices.tolist(), image_labels.origins) == ([nearest], ("review",)), "one per image"
    session.record_answer((0,), NearestImageAnswer(5))
    assert read() == (5, ANSWER), "an answer after the review"
    record(session, {nearest: Unreadable()})
    assert read() == (NO_CLASS_ID, UNREADABLE_ID)
    record(session, {nearest: Cleared()})
    assert read() == (5, ANSWER), "the image has no other answer of its own any more"
    session.record_answer((0,), ClassAnswer(3))
    assert read() == (3, ANSWER), "the answer about the whole cluster replaces that about its nearest image"
    session.record_answer((0,), NearestImageAnswer(6))
    record(session, {nearest: ClassAnswer(1)})
    session.record_answer((0,), Cleared())
    assert read() == (1, ANSWER)
    session.close()


def test_splitting_the_cluster_takes_the_label_of_the_nearest_image_back(runs: RunTemplates) -> None:
    session = runs.open("split")
    nearest = list_members(session, 0)[0]
    session.record_answer((0,), NearestImageAnswer(7))
    session.record_answer((1,), ClassAnswer(2))
    list(session.split_cluster((0,), 3))
    assert read_rows(export(session), [nearest])[0][0] == NO_CLASS_ID
    session.record_answer((0, 1), NearestImageAnswer(8))
    part = session.require_current_round().find_cluster((0, 1)).members
    assert read_rows(export(session), [int(read_split(session)[0][part[0]])]) == [(8, 1, ANSWER)]
    for _ in range(2):
        session.undo()
    assert read_rows(export(session), [nearest]) == [(7, 1, ANSWER)]
    session.close()


@CONFIGS
def test_copies_of_the_nearest_image_follow_it_wherever_they_are(
    config: Config,
    copy_runs: RunTemplates,  # noqa: F811
    images: NDArray[np.uint8],  # noqa: F811
) -> None:
    session = copy_runs.open("copies", config)
    train_indices, _ = read_split(session)
    labelling_round = session.require_current_round()
    group_ids = np.unique(images.reshape(len(images), -1), axis=0, return_inverse=True)[1]
    for path in [cluster.path for cluster in session.round_view().clusters]:
        image_index = int(train_indices[labelling_round.member_indices(path, "nearest", 1)[0]])
        session.record_answer(path, NearestImageAnswer(path[0] + 1))
        copies = np.flatnonzero(group_ids == group_ids[image_index])
        answer = labelling_round.answers[path]
        assert isinstance(answer, NearestImageAnswer)
        assert answer.image_index == copies[0], "the first copy, in the training set or held out"
        table = export(session)
        assert read_rows(table, copies.tolist()) == [(path[0] + 1, 1, ANSWER)] * len(copies)
    labels = drain_events(session.propagate_answers())
    assert (labels.weights == 1).sum() >= len(labelling_round.tree)
    session.close()


def test_named_image_is_the_one_that_stands_for_the_centre_of_a_cluster_of_vectors(
    images: NDArray[np.uint8],  # noqa: F811
    tmp_path: Path,
) -> None:
    for prefix, chosen in (("train", images), ("t10k", images[:20])):
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte", chosen)
    session = create_session_with_features("vectors", tmp_path, tmp_path / "vectors.npy")
    list(session.advance())
    for cluster in session.round_view().clusters:
        session.record_answer(cluster.path, NearestImageAnswer(cluster.path[0]))
        answer = session.require_current_round().answers[cluster.path]
        assert isinstance(answer, NearestImageAnswer)
        assert np.array_equal(session.select_images([answer.image_index])[0], cluster.picture)
        assert np.array_equal(session.member_images(cluster.path, "nearest", 1)[0], cluster.picture)
    list_labels(session)
    session.close_round()
    (epoch,) = [event for event in session.advance() if isinstance(event, EpochEnded)]
    assert epoch.label_coverage > 0.5
    session.close()


def test_merged_class_counts_for_its_target_and_later_rounds_do_not_ask_about_the_image(runs: RunTemplates) -> None:
    session = runs.open("merged", PROPAGATION_CONFIG)
    train_indices, _ = read_split(session)
    session.edit_classes(AddClass(10, "ten"))
    for cluster in session.round_view().clusters:
        session.record_answer(cluster.path, NearestImageAnswer(10 if cluster.path == (0,) else cluster.path[0]))
    session.edit_classes(MergeClass(10, 2))
    nearest = list_members(session, 0)[0]
    assert read_rows(export(session), [nearest]) == [(2, 1, ANSWER)]
    assert session.answer_counts()[2] == 2
    answer = session.round_view().clusters[0].answer
    assert answer == NearestImageAnswer(2, nearest)
    named = [list_members(session, index)[0] for index in range(5)]
    session.close_round()
    (epoch,) = [event for event in session.advance() if isinstance(event, EpochEnded)]
    assert epoch.answer_count == 5
    assert epoch.label_coverage > 0.5, "the answers were propagated"
    assert not (session.require_current_round().snapshot.assignments[np.searchsorted(train_indices, named)] >= 0).any()
    assert {share[0] for view in session.round_view().clusters for share in view.class_shares} <= {1, 2, 3, 4}
    session.close()


@CONFIGS
def test_answer_of_an_earlier_round_is_corrected_to_its_nearest_image(config: Config, runs: RunTemplates) -> None:
    session = runs.open("corrected", config, round_number=2)
    list(answer_round(session))
    labelling_round = session._rounds.find(1)
    path = next(path for path, answer in labelling_round.answers.items() if isinstance(answer, ClassAnswer))
    nearest = int(read_split(session)[0][labelling_round.find_cluster(path).members[0]])
    count = session.round_view().answer_count
    session.correct_answer(1, path, NearestImageAnswer(8))
    assert session._rounds.find(1).answers[path] == NearestImageAnswer(8, nearest)
    assert read_rows(export(session), [nearest]) == [(8, 1, ANSWER)]
    assert session.round_view().answer_count == count
    assert session.round_view().undo_description == (
        f"answer for the nearest image of cluster {path[0]} of round 1"
        if len(path) == 1
        else f"answer for the nearest image of cluster {'.'.join(map(str, path))} of round 1"
    )
    session.undo()
    assert isinstance(session._rounds.find(1).answers[path], ClassAnswer)
    session.close()


def test_unknown_classes_clusters_and_other_images_are_refused_and_nothing_is_recorded(runs: RunTemplates) -> None:
    session = runs.open("refused")
    nearest, other = list_members(session, 0)[:2]
    session.edit_classes(MergeClass(4, 9))
    count = session._repository.next_action_id()
    for path, answer, message in (
        ((0,), NearestImageAnswer(10), "There is no class 10"),
        ((0,), NearestImageAnswer(4), 'was merged into "9"'),
        ((77,), NearestImageAnswer(1), "There is no cluster 77"),
        ((0,), NearestImageAnswer(1, other), f"Image {other} is not the nearest one of cluster 0. .* image {nearest}"),
    ):
        with pytest.raises(UserError, match=message):
            session.record_answers([((1,), ClassAnswer(1)), (path, answer)])
    assert session._repository.next_action_id() == count
    session.record_answer((0,), NearestImageAnswer(1, nearest))
    session.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (NearestImageAnswer(1, 640), "is damaged: it has an answer about image 640 of 640"),
        (NearestImageAnswer(200, 3), "There is no class 200"),
    ],
)
def test_forged_answers_are_refused_in_one_sentence(
    answer: NearestImageAnswer, message: str, runs: RunTemplates
) -> None:
    directory = runs.copy("forged", SMALL_CONFIG, FINISHED)
    with contextlib.closing(SessionRepository(directory, is_writable=True)) as repository:
        repository.record_step(3, [(2, (1,), answer)])
    with pytest.raises(UserError, match=message) as refusal:
        session = lifecycle.resume("forged")
        try:
            export(session)
        finally:
            session.close()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("answer", [NearestImageAnswer(1), NearestImageAnswer(-1, 3), NearestImageAnswer(256, 3)])
def test_answers_without_an_image_or_with_an_impossible_class_are_never_stored(
    answer: NearestImageAnswer, runs: RunTemplates
) -> None:
    directory = runs.copy("impossible", SMALL_CONFIG, FINISHED)
    with contextlib.closing(SessionRepository(directory, is_writable=True)) as repository:
        before = repository.list_effective_answers()
        with pytest.raises(UserError, match="Nothing was changed"):
            repository.record_step(3, [(2, (1,), answer)])
        assert repository.list_effective_answers() == before


def act_at_random(session: Session, draw: random.Random) -> Callable[[Session], None] | None:
    """Take a random step; return it as a function that takes the same step again, None for an undo or a redo."""
    leaves = [cluster for cluster in session.round_view().clusters if cluster.leaf_counts is None]
    path, class_id = draw.choice(leaves).path, draw.randrange(4)
    nearest = NearestImageAnswer(class_id)
    answers: list[ClusterAnswer] = [ClassAnswer(class_id, 0.8), Unreadable(), Cleared(), nearest, nearest, nearest]
    answer = draw.choice(answers)
    image_answers: list[ImageAnswer] = [ClassAnswer((class_id + 1) % 4), Unreadable(), Cleared()]
    image = AnsweredImage(list_members(session, path[0])[0], draw.choice(image_answers))
    kind = draw.choice(["answer"] * 4 + ["image"] * 3 + ["split", "undo", "undo", "redo"])
    if kind in ("undo", "redo"):
        session.undo() if kind == "undo" else session.redo()
        return None

    def act(target: Session) -> None:
        if kind == "answer":
            target.record_answer(path, answer)
        elif kind == "image":
            target.record_image_answers([image], "review")
        else:
            list(target.split_cluster(path, 2))

    act(session)
    return act


@pytest.mark.parametrize(("config", "seed"), [(SMALL_CONFIG, 0), (SMALL_CONFIG, 1), (PROPAGATION_CONFIG, 2)])
def test_labels_after_any_undo_and_redo_are_those_of_the_remaining_steps_and_of_the_journal_alone(
    config: Config, seed: int, runs: RunTemplates
) -> None:
    draw, session, straight = random.Random(seed), runs.open("random", config), runs.open("straight", config)
    done: list[tuple[int, Callable[[Session], None]]] = []  # steps with their ids
    for _ in range(40):
        next_id = session._repository.next_action_id()
        if (act := act_at_random(session, draw)) is not None and session._repository.next_action_id() > next_id:
            done.append((next_id, act))
    remaining = {action.step_id for action in session._require_recorder().undo_stack._actions}
    for step_id, act in done:
        if step_id in remaining:
            act(straight)
    labels = list_labels(session)
    assert labels == list_labels(straight)
    assert session._repository.count_answers() == straight._repository.count_answers()
    session.close()
    straight.close()
    file_names.database_path(session.directory).unlink()
    assert len(list(drain_events(verify_session("random", repair=True)))) == 1
    session = lifecycle.resume("random")
    list(session.advance())
    assert list_labels(session) == labels
    session.close()
