"""Answers about single images and borders of classes: what is exported, trained and propagated, and undone."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.session.conftest import FINISHED, RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, answer_round, create_session, session_digest
from tests.session.test_copies import copy_runs, images  # noqa: F401
from vaetui.engine import label_propagation
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Cleared, ImageAnswer, Unreadable
from vaetui.engine.classes import AddClass, MergeClass
from vaetui.engine.config import Config
from vaetui.engine.duplicates import select_distinct
from vaetui.engine.events import EpochEnded
from vaetui.engine.pseudo_labels import LabelledSet
from vaetui.errors import UserError
from vaetui.export.label_table import ANSWER, BEYOND_BORDER_ID, NO_CLASS_ID, UNREADABLE_ID, LabelTable
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.image_answers import NOT_ANSWERED, ImageLabelMap
from vaetui.session.session import Session
from vaetui.session.verification import verify_session
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import EpochPredictions

pytestmark = pytest.mark.usefixtures("home")
CONFIGS = pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=lambda config: config.recipe)


def export(session: Session) -> LabelTable:
    return drain_events(session.build_label_table())


def read_split(session: Session) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the data-set indices of training and held-out images."""
    assert session._resources.images is not None
    split = session._resources.images.train_val_split
    return split.train_indices, split.validation_indices


def record(session: Session, answers: dict[int, ImageAnswer], shown_class_id: int | None = None) -> None:
    items = [AnsweredImage(index, answer, shown_class_id) for index, answer in answers.items()]
    session.record_image_answers(items, "review")


def list_members(session: Session, index: int) -> Sequence[int]:
    """Return the data-set indices of the members of a cluster of the current round, nearest first."""
    members = session.require_current_round().tree[index].members
    return read_split(session)[0][members].tolist()


def read_rows(table: LabelTable, indices: Sequence[int]) -> list[tuple[int, float, int]]:
    chosen = np.array(indices)
    columns = table.class_ids[chosen], table.confidences[chosen], table.source_ids[chosen]
    return list(zip(*(column.tolist() for column in columns), strict=True))


@CONFIGS
def test_answers_about_images_are_exported_whatever_their_clusters_say(config: Config, runs: RunTemplates) -> None:
    session = runs.open("own", config, round_number=2)
    held_out = read_split(session)[1][:3].tolist()
    shown, far = list_members(session, 0)[0], list_members(session, 0)[-1]
    unreadable = list_members(session, 1)[0]
    answers: dict[int, ImageAnswer] = {shown: ClassAnswer(7), far: ClassAnswer(8), held_out[0]: ClassAnswer(9)}
    record(session, {**answers, unreadable: Unreadable(), held_out[1]: Unreadable()})
    for index in range(len(session.round_view().clusters)):
        session.record_answer((index,), ClassAnswer(2))
    table = export(session)
    assert read_rows(table, list(answers)) == [(7, 1, ANSWER), (8, 1, ANSWER), (9, 1, ANSWER)]
    assert read_rows(table, [unreadable, held_out[1]]) == [(NO_CLASS_ID, 0, UNREADABLE_ID)] * 2
    assert read_rows(table, [list_members(session, 0)[1]])[0][::2] == (2, ANSWER)
    assert table.weights[[*answers, unreadable]].tolist() == [1, 1, 1, 0]
    record(session, {shown: ClassAnswer(3), unreadable: Cleared(), held_out[0]: Cleared()})
    again = export(session)
    assert [row[::2] for row in read_rows(again, [shown, unreadable])] == [(3, ANSWER), (2, ANSWER)]
    assert again.source_ids[held_out[0]] != ANSWER
    session.close()


@CONFIGS
def test_answers_about_images_are_targets_of_weight_1_and_replace_those_of_their_clusters_as_seeds(
    config: Config, runs: RunTemplates, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = runs.open("targets", config, round_number=2)
    train_indices, held_out = read_split(session)
    list(answer_round(session))
    before = drain_events(session.propagate_answers())
    shown, far, unreadable = (list_members(session, 1)[position] for position in (0, -1, 1))
    record(
        session,
        {shown: ClassAnswer(7), far: ClassAnswer(8), unreadable: Unreadable(), int(held_out[0]): ClassAnswer(9)},
    )
    seeds: list[LabelledSet] = []
    run_poisson_learning = label_propagation.run_poisson_learning

    def spy(graph: label_propagation.KNNGraph, labelled: LabelledSet, class_count: int, *options: float):  # type: ignore[no-untyped-def]
        seeds.append(labelled)
        return (yield from run_poisson_learning(graph, labelled, class_count, *options))

    monkeypatch.setattr(label_propagation, "run_poisson_learning", spy)
    labels = drain_events(session.propagate_answers())
    positions = np.searchsorted(train_indices, [shown, far, unreadable])
    assert labels.class_ids[positions[:2]].tolist() == [7, 8]
    assert labels.weights[positions].tolist() == [1, 1, 0]
    if config.propagation.method == "cluster":
        is_other = ~np.isin(np.arange(len(train_indices)), positions)
        assert np.array_equal(labels.class_ids[is_other], before.class_ids[is_other])
        assert np.array_equal(labels.weights[is_other], before.weights[is_other])
    else:
        (labelled,) = seeds
        own = {position: labelled.class_ids[labelled.indices == position].tolist() for position in positions.tolist()}
        assert list(own.values()) == [[7], [8], []], "once each, without the class of the cluster"
        assert labelled.weights[np.isin(labelled.indices, positions)].tolist() == [1, 1]
    session.close()


def test_many_answers_about_images_do_not_outweigh_those_about_clusters() -> None:
    distinct_images = select_distinct(np.arange(100))
    clusters = LabelledSet(np.arange(12), np.repeat([0, 1, 2], 4), np.full(12, 0.5), np.repeat([9.0, 4.0, 1.0], 4))
    class_ids = np.full(100, NOT_ANSWERED)
    class_ids[40:80], class_ids[80:82], class_ids[3] = 1, 2, 5
    labelled = ImageLabelMap(class_ids).replace_labels(clusters, distinct_images)
    mean_total = (1.5 + 2 + 2) / 3  # of the classes 0, 1 and 2, without image 3
    totals = np.bincount(labelled.class_ids, labelled.weights)
    assert totals.tolist() == pytest.approx([1.5, 2 + mean_total, 2 + mean_total, 0, 0, 1])
    assert labelled.weights[labelled.indices >= 80].tolist() == pytest.approx([mean_total / 2] * 2)
    assert labelled.weights[labelled.indices == 3].tolist() == [1]
    own_counts = labelled.image_counts[np.isin(labelled.indices, np.flatnonzero(class_ids >= 0))]
    assert own_counts.tolist() == [4] * 43, "as many as the median label of a cluster"
    nothing = LabelledSet(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))
    alone = ImageLabelMap(class_ids).replace_labels(nothing, distinct_images)
    assert np.bincount(alone.class_ids, alone.weights).tolist() == pytest.approx([0, 43 / 3, 2, 0, 0, 1])


@CONFIGS
def test_copies_follow_an_answer_about_any_of_them(
    config: Config,
    copy_runs: RunTemplates,  # noqa: F811
    images: NDArray[np.uint8],  # noqa: F811
) -> None:
    session = copy_runs.open("copies", config)
    _, group_ids, counts = np.unique(images.reshape(len(images), -1), axis=0, return_inverse=True, return_counts=True)
    train_indices, held_out = read_split(session)
    pairs = [np.flatnonzero(group_ids == group_id) for group_id in np.flatnonzero(counts == 2)]
    is_held_out = np.isin(np.arange(len(images)), held_out)
    mixed = next(pair for pair in pairs if is_held_out[pair].sum() == 1)
    pure = next(pair for pair in pairs if not is_held_out[pair].any())
    blanks = np.flatnonzero(~images.any(axis=(1, 2)))
    for cluster in session.round_view().clusters:
        session.record_answer(cluster.path, ClassAnswer(1))
    held_out_copy = int(mixed[is_held_out[mixed]][0])
    record(session, {held_out_copy: ClassAnswer(5), int(pure[1]): ClassAnswer(6), int(blanks[-1]): Unreadable()})
    table = export(session)
    assert read_rows(table, mixed.tolist()) == [(5, 1, ANSWER)] * 2
    assert read_rows(table, pure.tolist()) == [(6, 1, ANSWER)] * 2
    assert read_rows(table, blanks.tolist()) == [(NO_CLASS_ID, 0, UNREADABLE_ID)] * len(blanks)
    labels = drain_events(session.propagate_answers())
    for group, class_id, weight in ((mixed, 5, 1), (pure, 6, 1), (blanks, 0, 0)):
        positions = np.flatnonzero(np.isin(train_indices, group))
        assert labels.class_ids[positions].tolist() == [class_id] * len(positions)
        assert labels.weights[positions].tolist() == [weight] * len(positions)
    assert session._repository.count_image_answers() == 3
    record(session, {int(pure[0]): ClassAnswer(7)})
    assert read_rows(export(session), pure.tolist()) == [(7, 1, ANSWER)] * 2, "the answer about a copy is replaced"
    assert session._repository.count_image_answers() == 3
    record(session, {int(pure[1]): Cleared()})
    assert session._repository.count_image_answers() == 2
    assert set(export(session).class_ids[pure].tolist()) <= {1, NO_CLASS_ID}
    session.close()


@CONFIGS
def test_images_beyond_a_border_lose_the_label_of_that_class_only(config: Config, runs: RunTemplates) -> None:
    session = runs.open("border", config, round_number=2)
    train_indices, held_out = read_split(session)
    list(answer_round(session))
    before = export(session)
    class_id = int(np.bincount(before.class_ids[before.class_ids >= 0]).argmax())
    own = list_members(session, 2)[-1]
    record(session, {own: ClassAnswer(class_id)})
    before, labels_before = export(session), drain_events(session.propagate_answers())
    session.record_border(class_id, np.arange(0, len(before), 2).tolist())  # type: ignore[arg-type]
    after, labels = export(session), drain_events(session.propagate_answers())
    is_beyond = np.arange(len(before)) % 2 == 0
    is_lost = is_beyond & (before.class_ids == class_id) & (before.source_ids != ANSWER)
    assert is_lost.sum() > 10
    assert is_lost[held_out].any() == (before.class_ids[held_out] == class_id).any()
    assert np.array_equal(after.class_ids, np.where(is_lost, NO_CLASS_ID, before.class_ids))
    assert set(after.source_ids[is_lost].tolist()) == {BEYOND_BORDER_ID}
    assert np.array_equal(after.source_ids[~is_lost], before.source_ids[~is_lost])
    assert not after.confidences[is_lost].any()
    assert read_rows(after, [own]) == [(class_id, 1, ANSWER)]
    is_shown = np.isin(train_indices, np.flatnonzero(before.source_ids == ANSWER))
    loses = is_beyond[train_indices] & (labels_before.class_ids == class_id) & ~is_shown & (labels_before.weights > 0)
    assert loses.any()
    assert not labels.weights[loses].any()
    assert np.array_equal(labels.weights[~loses], labels_before.weights[~loses])
    assert session.round_view().undo_description == f"border of class {class_id}"
    session.undo()
    assert np.array_equal(export(session).class_ids, before.class_ids)
    session.redo()
    session.close()
    session = lifecycle.resume("border")
    assert np.array_equal(export(session).class_ids, after.class_ids)
    session.close()
    assert drain_events(verify_session("border", repair=False)) == []


def test_merged_and_added_classes_count_for_their_targets(runs: RunTemplates) -> None:
    session = runs.open("classes", PROPAGATION_CONFIG, round_number=2)
    list(answer_round(session))
    first, second, third = (list_members(session, 2)[position] for position in (-1, -2, -3))
    session.edit_classes(AddClass(10, "owl"))
    record(session, {first: ClassAnswer(10), second: ClassAnswer(4)})
    assert read_rows(export(session), [first, second]) == [(10, 1, ANSWER), (4, 1, ANSWER)]
    session.record_border(4, [third])
    session.edit_classes(MergeClass(4, 9))
    session.edit_classes(MergeClass(10, 2))
    table = export(session)
    assert read_rows(table, [first, second]) == [(2, 1, ANSWER), (9, 1, ANSWER)]
    assert table.class_ids[third] != 9
    labels = drain_events(session.propagate_answers())
    positions = np.searchsorted(read_split(session)[0], [first, second])
    assert labels.class_ids[positions].tolist() == [2, 9]
    counts = session.answer_counts()
    assert (counts[10], counts[4]) == (0, 0)
    assert min(counts[2], counts[9]) > 0
    with pytest.raises(UserError, match='was merged into "9"'):
        record(session, {first: ClassAnswer(4)})
    session.close_round()
    (epoch,) = [event for event in session.advance() if isinstance(event, EpochEnded)]
    assert epoch.epoch == 3
    assert read_rows(export(session), [first, second]) == [(2, 1, ANSWER), (9, 1, ANSWER)]
    session.close()


@CONFIGS
def test_a_finished_run_exports_corrections_at_once_and_trains_on_them_in_an_added_round(
    config: Config, runs: RunTemplates
) -> None:
    runs.copy("finished", config, FINISHED)
    session = lifecycle.resume("finished")
    list(session.advance())
    digest = session_digest("finished")
    index = int(read_split(session)[0][5])
    class_id = (int(export(session).class_ids[index]) + 1) % 10
    record(session, {index: ClassAnswer(class_id)}, shown_class_id=(class_id + 9) % 10)
    assert read_rows(export(session), [index]) == [(class_id, 1, ANSWER)]
    session.close()
    newest = max(session.directory.glob("checkpoint-*"))
    newest.write_bytes(b"damaged")
    session = lifecycle.resume("finished")
    list(session.advance())
    assert session_digest("finished") == digest, "the epoch is repeated with the answers of its time"
    assert session.undo() == ()
    assert session.redo() == ()
    session.add_round()
    list(session.advance())
    list(answer_round(session))
    labels = drain_events(session.propagate_answers())
    assert (labels.class_ids[5], labels.weights[5]) == (class_id, 1)
    assert read_rows(export(session), [index]) == [(class_id, 1, ANSWER)]
    session.close()


@pytest.mark.parametrize("is_reopened", [False, True])
def test_images_clusters_and_borders_are_undone_in_one_sequence(runs: RunTemplates, is_reopened: bool) -> None:
    session = runs.open("sequence")
    page = {index: ClassAnswer(4) for index in list_members(session, 3)[:32]}
    other = next(index for index in range(640) if index not in page)

    def reopen() -> None:
        nonlocal session
        if is_reopened:
            session.close()
            session = lifecycle.resume(session.name)

    def describe() -> tuple[str | None, str | None]:
        view = session.round_view()
        return view.undo_description, view.redo_description

    session.record_answer((0,), ClassAnswer(1))
    record(session, {**page, min(page): ClassAnswer(9)}, shown_class_id=4)
    session.record_border(4, [1, 2, 3])
    session.record_answer((1,), ClassAnswer(2))
    record(session, {other: Unreadable()})
    reopen()
    counts = []
    descriptions = []
    while (description := describe()[0]) is not None:
        descriptions.append(description)
        counts.append(session.round_view().answer_count)
        path = session.undo()
        assert path == {"answer for cluster 0": (0,), "answer for cluster 1": (1,)}.get(description, ())
        assert describe()[1] == description
        reopen()
    assert descriptions == [
        f"unreadable mark of image {other}",
        "answer for cluster 1",
        "border of class 4",
        "page of 32 images",
        "answer for cluster 0",
    ]
    assert counts == [6, 5, 4, 3, 1], "a page counts as one answer for its rest and one for each correction"
    assert session._repository.list_image_answers() == []
    for description in reversed(descriptions):
        assert describe()[1] == description
        assert session.redo() is not None
        reopen()
    assert session.round_view().answer_count == 6
    assert len(session._repository.list_image_answers()) == 33
    assert [session.undo(), session.undo()] == [(), (1,)]
    record(session, {other: ClassAnswer(3)})
    assert session.redo() is None, "undone steps are discarded"
    assert session.answer_counts() == (0, 1, 0, 1, 1, 0, 0, 0, 0, 1)
    session.close()


def test_impossible_answers_are_refused_and_nothing_is_recorded(runs: RunTemplates) -> None:
    session = runs.open("refused")
    session.edit_classes(MergeClass(4, 9))
    for index, answer, shown_class_id, message in (
        (640, ClassAnswer(1), None, r"There is no image 640. Choose one from 0 to 639."),
        (-1, Unreadable(), None, "There is no image -1"),
        (3, ClassAnswer(10), None, "There is no class 10"),
        (3, ClassAnswer(4), None, 'was merged into "9"'),
        (3, ClassAnswer(1), 77, "There is no class 77"),
    ):
        page = [AnsweredImage(2, ClassAnswer(1)), AnsweredImage(index, answer, shown_class_id)]
        with pytest.raises(UserError, match=message):
            session.record_image_answers(page, "pair")
    for class_id, index, message in ((10, 3, "no class 10"), (4, 3, "merged into"), (1, 640, "no image 640")):
        with pytest.raises(UserError, match=message):
            session.record_border(class_id, [2, index])
    record(session, {})
    record(session, {3: Cleared()})
    session.record_border(1, [])
    assert session.undo() == ()
    assert session.undo() is None
    assert not list(session.directory.glob("border-*"))
    list(answer_round(session))
    session.close_round()
    events = session.advance()
    next(events)
    for call in (lambda: record(session, {3: ClassAnswer(1)}), lambda: session.record_border(1, [3])):
        with pytest.raises(UserError, match="cannot be corrected while the networks are trained"):
            call()
    events.close()
    session.close()


def test_answers_about_images_alone_are_enough_for_labels_and_for_training(runs: RunTemplates) -> None:
    session = runs.open("alone", PROPAGATION_CONFIG)
    train_indices, held_out = read_split(session)
    class_ids = {  # like images have like classes, so that the networks predict both
        int(train_indices[member]): cluster.path[0] % 2
        for cluster in session.require_current_round().tree
        for member in cluster.members[:2]
    }
    record(session, {index: ClassAnswer(class_id) for index, class_id in class_ids.items()})
    table = export(session)
    assert read_rows(table, list(class_ids)) == [(class_id, 1, ANSWER) for class_id in class_ids.values()]
    assert (table.class_ids >= 0).sum() == len(class_ids)
    view = session.round_view()
    assert (view.answer_count, view.unanswered_class_ids) == (10, tuple(range(2, 10)))
    session.close_round()
    (epoch,) = [event for event in session.advance() if isinstance(event, EpochEnded)]
    assert epoch.answer_count == 10
    assert epoch.label_coverage > 0.5
    table = export(session)
    assert set(table.class_ids.tolist()) == {0, 1}, "the networks have learned two classes"
    assert session.training_curves().unanswered_class_ids == tuple(range(2, 10))
    view = session.round_view()
    assert {class_id for cluster in view.clusters for class_id, _ in cluster.class_shares} == {0, 1}
    assert (table.class_ids[held_out] >= 0).all()
    session.close()


def test_images_with_an_answer_are_not_asked_about_again(runs: RunTemplates) -> None:
    session = runs.open("asked", PROPAGATION_CONFIG)
    train_indices, _ = read_split(session)
    list(answer_round(session))
    uncertain = train_indices[: len(train_indices) // 2]
    record(session, {int(index): Unreadable() if index % 3 else ClassAnswer(1) for index in uncertain})
    session.close_round()
    list(session.advance())
    queried = session.require_current_round().snapshot.assignments >= 0
    assert queried.any()
    assert not queried[: len(uncertain)].any()
    session.close()


def test_least_sure_images_and_the_summary_leave_out_unreadable_images(runs: RunTemplates) -> None:
    runs.copy("summary", PROPAGATION_CONFIG, FINISHED)
    session = lifecycle.resume("summary")
    list(session.advance())
    counts = dict(session.summary().class_counts)
    class_id = max(counts, key=lambda class_id: counts[class_id])
    table, train_indices = export(session), read_split(session)[0]
    name = file_names.predictions_name(len(session._history.finished_epochs))
    predicted_class_ids = stored_arrays.load_arrays(session._store, name, EpochPredictions).class_ids
    is_candidate = (predicted_class_ids == class_id) & (table.source_ids[train_indices] != ANSWER)
    chosen = train_indices[is_candidate].tolist()
    assert len(chosen) > 5
    assert session.least_sure_images(class_id, 3)[1]
    record(session, {index: Unreadable() for index in chosen[1:3]})
    assert dict(session.summary().class_counts)[class_id] == counts[class_id] - 2
    session.record_border(class_id, chosen[3:])
    assert dict(session.summary().class_counts)[class_id] == counts[class_id] - len(chosen) + 1
    pictures, confidences = session.least_sure_images(class_id, 3)
    assert np.array_equal(pictures, session.select_images(chosen[:1]))
    assert len(confidences) == 1
    session.close()


def test_images_of_the_data_set_and_digit_keys_are_available_after_the_last_round(
    runs: RunTemplates, digits: Path
) -> None:
    runs.copy("selected", SMALL_CONFIG, FINISHED)
    session = lifecycle.resume("selected")
    assert session.select_images([3, 1]).shape == (0, 28, 28)
    list(session.advance())
    held_out = int(read_split(session)[1][0])
    pictures = session.select_images([3, held_out, 3])
    all_pixels = np.frombuffer((digits / "train-images-idx3-ubyte").read_bytes()[16:], np.uint8).reshape(-1, 28, 28)
    assert np.array_equal(pictures, all_pixels[[3, held_out, 3]])
    assert session.select_images([]).shape == (0, 28, 28)
    with pytest.raises(UserError, match="numbered from 0 to 639"):
        session.select_images([640])
    assert session.digit_keys() == tuple(range(10))
    session.close()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (AnsweredImage(640, ClassAnswer(1)), "is damaged: it has an answer about image 640 of 640"),
        (AnsweredImage(3, ClassAnswer(200)), "There is no class 200"),
    ],
)
def test_forged_answers_are_refused_in_one_sentence(image: AnsweredImage, message: str, runs: RunTemplates) -> None:
    directory = runs.copy("forged", SMALL_CONFIG, FINISHED)
    with contextlib.closing(SessionRepository(directory, is_writable=True)) as repository:
        repository.record_step(3, images=[(image, "review")])
    with pytest.raises(UserError, match=message) as refusal:
        session = lifecycle.resume("forged")
        try:
            export(session)
        finally:
            session.close()
    assert "\n" not in str(refusal.value)
    (finding,) = drain_events(verify_session("forged", repair=False))
    assert (finding.file_name, finding.is_lost) == (file_names.DATABASE_NAME, True)
    assert message in finding.problem


def test_lost_border_is_restored_from_its_second_copy_or_reported(runs: RunTemplates) -> None:
    session = runs.open("lost", PROPAGATION_CONFIG, round_number=2)
    list(answer_round(session))
    session.record_border(1, [3, 4, 5])
    before = export(session).class_ids
    session.close()
    names = sorted(path.name for path in session.directory.glob("border-*"))
    assert len(names) == 2
    mirror, path = (session.directory / name for name in names)
    path.unlink()
    session = lifecycle.resume("lost")
    assert np.array_equal(export(session).class_ids, before)
    session.close()
    assert path.exists()
    path.write_bytes(mirror.read_bytes()[:-1] + b"x")
    (finding,) = drain_events(verify_session("lost", repair=False))
    assert finding.file_name == path.name
    path.unlink()
    mirror.unlink()
    session = lifecycle.resume("lost")
    with pytest.raises(UserError, match="is missing or damaged, and so is its second copy"):
        export(session)
    session.close()
    assert all(finding.is_lost for finding in drain_events(verify_session("lost", repair=False)))


def test_border_of_another_session_is_refused(runs: RunTemplates) -> None:
    session = runs.open("foreign")
    session.record_answer((0,), ClassAnswer(1))
    session.record_border(1, [3, 4, 5])
    name = file_names.border_name(2)
    store = session._store
    content = store.read(name, 10_000)
    session._repository.record_files(store.write(name, content.replace(b"\x05" + b"\0" * 7, b"\xff" * 8)))
    session.close()
    session = lifecycle.resume("foreign")
    with pytest.raises(UserError, match=r"does not fit the session \("):
        export(session)
    session.close()


def test_answer_of_a_session_without_images_of_its_own_changes_nothing(digits: Path) -> None:
    session = create_session("empty", digits)
    with pytest.raises(UserError, match="cannot be corrected while the networks are trained"):
        record(session, {3: ClassAnswer(1)})
    session.close()
