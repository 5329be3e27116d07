"""Classes are added, renamed and merged while a round is asked: facts like answers, in one order with them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.session.scripted_run import NEIGHBOURS_CONFIG, SMALL_CONFIG, session_digest, create_session
from vaetui.runtime.runner import drain
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.classes import AddClass, ClassList, MergeClass, RenameClass
from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.session import lifecycle, summary, trainer
from vaetui.session.digit_keys import add_new_classes, assign_digit_keys
from vaetui.session.predictor import Predictor
from vaetui.session.session import Session
from vaetui.session.verification import verify_session

pytestmark = pytest.mark.usefixtures("home")
TEN = AddClass(10, "ten")


def asked(name: str, digits: Path, config: Config = SMALL_CONFIG) -> Session:
    session = create_session(name, digits, config)
    list(session.advance())
    return session


def rows(session: Session) -> int:
    """Count the classes that the classifier knows."""
    assert session._resources.trainer is not None
    return session._resources.trainer._state.vae.classifier.out_features


def test_a_class_is_added_and_answered_and_both_are_undone_in_order(digits: Path) -> None:
    session = asked("adding", digits)
    with pytest.raises(UserError, match="There is no class 10; the classes are 0 to 9"):
        session.answer((0,), ClassAnswer(10))
    session.edit_classes(TEN)
    session.answer((0,), ClassAnswer(10, 0.5))
    session.close()
    session = lifecycle.resume("adding")
    assert (session.classes.names[10], session.config.network.classes) == ("ten", 11)
    assert session.round_view().clusters[0].answer == ClassAnswer(10, 0.5)
    assert session.round_view().answer_count == 1
    assert session.answer_counts()[10] == 1
    assert session.undo() == (0,)
    assert session.round_view().undo_description == "the new class ten"
    assert session.undo() == ()
    assert (len(session.classes), session.config.network.classes, session.undo()) == (10, 10, None)
    session.close()
    session = lifecycle.resume("adding")
    assert len(session.classes) == 10
    assert session.round_view().redo_description == "the new class ten"
    assert (session.redo(), session.redo(), session.redo()) == ((), (0,), None)
    assert session.round_view().clusters[0].answer == ClassAnswer(10, 0.5)
    session.undo(), session.undo()
    session.answer((1,), ClassAnswer(3))
    assert session.redo() is None, "a new answer ends what could be redone"
    session.edit_classes(AddClass(10, "another"))
    session.undo()
    session.edit_classes(TEN)
    assert session.redo() is None, "and so does what is done to the classes"
    session.close()
    assert drain(verify_session("adding", repair=False)) == []


def test_what_was_done_to_the_classes_is_on_the_disk_at_once(digits: Path) -> None:
    session = asked("killed", digits)
    session.edit_classes(TEN)
    session.edit_classes(MergeClass(4, 9))
    session.undo()
    shutil.copytree(session.directory, session.directory.parent / "copied", ignore=shutil.ignore_patterns("lock"))
    session.edit_classes(RenameClass(9, "nine"))
    session.close()
    copied = lifecycle.resume("copied")
    assert (copied.classes.names[9:], copied.classes.aliases) == (("9", "ten"), {})
    assert copied.round_view().redo_description == "the merge of 4 into 9"
    copied.close()


def test_a_new_name_and_a_merge_are_undone_like_answers(digits: Path) -> None:
    session = asked("naming", digits)
    session.answer((0,), ClassAnswer(4))
    session.edit_classes(RenameClass(4, "four"))
    session.edit_classes(MergeClass(4, 9))
    assert session.round_view().undo_description == "the merge of four into 9"
    assert session.round_view().clusters[0].answer == ClassAnswer(9), "what was said counts as the other"
    assert (session.answer_counts()[4], session.answer_counts()[9]) == (0, 1)
    with pytest.raises(UserError, match="four counts as 9 since they were merged"):
        session.answer((1,), ClassAnswer(4))
    with pytest.raises(UserError, match="four counts as 9"):
        session.edit_classes(RenameClass(4, "vier"))
    session.undo()
    assert session.round_view().clusters[0].answer == ClassAnswer(4)
    assert session.round_view().undo_description == "the new name four"
    session.undo()
    assert session.classes.names[4] == "4"
    session.redo(), session.redo()
    assert session.classes.aliases == {"four": "9"}
    assert summary.load_status("naming")["aliases"] == {"four": "9"}
    assert summary.load_status("naming")["classes"][4] == "four"
    session.close()


def test_what_was_said_as_a_merged_class_weighs_and_spreads_as_the_other(digits: Path) -> None:
    for config, name in ((SMALL_CONFIG, "clusters"), (NEIGHBOURS_CONFIG, "neighbours")):
        session = asked(name, digits, config)
        for tile in session.round_view().clusters:
            session.answer(tile.path, ClassAnswer(4 if tile.path[0] % 2 else 7))
        before = drain(session.propagate())
        assert {4, 7} == {*np.unique(before.class_ids[before.weights > 0])}
        session.edit_classes(MergeClass(4, 9))
        after = drain(session.propagate())
        assert {9, 7} == {*np.unique(after.class_ids[after.weights > 0])}
        sure = before.weights > 0.5
        assert np.array_equal(np.where(before.class_ids == 4, 9, before.class_ids)[sure], after.class_ids[sure])
        labels = drain(session.label_table())
        assert 4 not in labels.class_ids
        assert labels.merged_class_ids == {4}
        assert 9 in labels.class_ids[labels.source_ids == 0]
        session.close()


def test_a_merge_counts_for_earlier_rounds_votes_truths_and_the_summary(digits: Path) -> None:
    session = asked("counting", digits)
    for tile in session.round_view().clusters:
        session.answer(tile.path, ClassAnswer(4 if tile.path[0] % 2 else 7))
    session.finish_round()
    list(session.advance())
    assert session.true_labels is not None
    assert session.true_labels.test is not None
    assert {kind for tile in session.round_view().clusters for kind, _ in tile.class_shares} >= {4, 7}
    before = session.true_labels.test.class_ids
    session.edit_classes(MergeClass(4, 9))
    session.edit_classes(MergeClass(0, 9))
    for tile in session.round_view().clusters:
        assert {kind for kind, _ in tile.class_shares}.isdisjoint({0, 4})
        assert sum(share for _, share in tile.class_shares) == pytest.approx(1)
    assert np.array_equal(session.true_labels.test.class_ids, np.where(np.isin(before, [0, 4]), 9, before))
    assert 4 not in drain(session.label_table()).class_ids, "only the round before has answers"
    session.answer((0,), Unreadable())
    session.finish_round()
    list(session.advance())
    assert session.phase == "finished"
    counts = dict(session.summary().class_counts)
    assert [*counts] == [1, 2, 3, 5, 6, 7, 8, 9]
    assert sum(counts.values()) == 576
    assert session.answer_counts()[9] > 0
    assert session.true_labels.validation is not None
    true = [int(kind) for kind in session.true_labels.validation.class_ids]
    assert session.record_reading(3, 0, true).accuracy == 1
    with pytest.raises(UserError, match="4 counts as 9 since they were merged"):
        session.record_reading(3, 0, [4])
    session.close()
    trained = Predictor("counting")
    pixels = np.zeros((20, 28, 28), np.uint8)
    assert {0, 4}.isdisjoint(drain(trained.predict(pixels)).class_ids.tolist())


def answer_all(session: Session) -> None:
    """Answer whatever is open."""
    for tile in session.round_view().clusters:
        if tile.answer is None:
            session.answer(tile.path, ClassAnswer(sum(tile.path) % len(session.classes)))


def go_through(session: Session) -> Iterator[str]:
    """Train, change the classes in every round and go on, from wherever the session stands; tells each act after it."""
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
        yield "amended"
        session.answer((0,), ClassAnswer(10 if session.round_number == 1 else 11))
        if session.round_number == 1:
            answer_all(session)
        session.finish_round()


def test_training_goes_on_with_one_more_row_and_the_checkpoint_of_before_still_loads(digits: Path) -> None:
    session = asked("growing", digits)
    session.edit_classes(TEN)
    session.answer((0,), ClassAnswer(10))
    assert rows(session) == 10
    session.close()
    session = lifecycle.resume("growing")
    list(session.advance())
    assert rows(session) == 10, "the networks learn of it when the round is over"
    session.close()
    assert Predictor("growing").vae.classifier.out_features == 10
    session = lifecycle.resume("growing")
    session.finish_round()
    list(session.advance())
    assert (rows(session), session.phase) == (11, "labelling")
    assert session._store.repairs == []
    kinds = {kind for tile in session.round_view().clusters for kind, _ in tile.class_shares}
    assert kinds <= set(range(11))
    session.close()
    trained = Predictor("growing")
    assert trained.vae.classifier.out_features == trained.config.network.classes == 11
    assert trained.vae.classifier.weight[10].detach().any()


@pytest.mark.parametrize("config", [SMALL_CONFIG, NEIGHBOURS_CONFIG], ids=lambda config: config.recipe)
def test_however_often_it_was_left_it_comes_to_the_same_bits(
    config: Config, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = create_session("whole", digits, config)
    list(go_through(whole))
    assert rows(whole) == 12
    whole.close()
    monkeypatch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)
    left = create_session("left", digits, config)
    stepped, amended = set[tuple[int, int]](), set[int]()
    while left.phase != "finished":
        acts = go_through(left)
        for act in acts:
            place = (len(left.training_curves().finished_epochs), len(left.training_curves().loss_points))
            if (act == "Stepped" and place not in stepped) or (act == "amended" and left.round_number not in amended):
                stepped.add(place)
                amended |= {left.round_number} if act == "amended" else set()
                acts.close()
                break
        left.close()
        left = lifecycle.resume("left")
        assert left._store.repairs == []
    left.close()
    assert (len(stepped) > 4, amended) == (True, {1, 2})
    assert session_digest("left") == session_digest("whole")


def test_pictures_of_a_class_that_the_networks_do_not_know_yet_are_refused(digits: Path) -> None:
    session = asked("naming", digits)
    session.edit_classes(AddClass(10, "owl"))
    with pytest.raises(UserError, match="owl is new: the networks learn it in the next epoch"):
        drain(session.samples(4, 10, 0))
    session.close()


@pytest.mark.parametrize("kept", [0, 1])
def test_where_checkpoints_are_lost_training_is_repeated_with_the_classes_of_then(digits: Path, kept: int) -> None:
    whole = create_session("whole", digits)
    list(go_through(whole))
    whole.close()
    expected = session_digest("whole")
    session = lifecycle.resume("whole")
    session.close()
    for path in sorted(session.directory.glob("checkpoint-*"))[kept:]:
        path.unlink()
    session = lifecycle.resume("whole")
    list(session.advance())
    session.close()
    assert session_digest("whole") == expected


def test_a_class_added_while_the_images_are_loaded_is_not_forgotten(digits: Path) -> None:
    asked("racing", digits).close()
    session = lifecycle.resume(
        "racing", device="cpu"
    )  # which the configuration keeps as soon as the networks are there
    loading = session.advance()
    next(loading)
    session.edit_classes(TEN)
    list(loading)
    assert len(session.classes) == session.config.network.classes == 11
    session.answer((0,), ClassAnswer(10))
    session.close()
    session = lifecycle.resume("racing")
    assert (session.config.network.classes, session.config.device) == (11, "cpu")
    session.close()


def test_a_new_class_takes_the_next_free_digit_and_no_other_digit_changes(digits: Path) -> None:
    session = asked("digits", digits)
    session.edit_classes(TEN)
    assert session.round_view().digit_keys == tuple(range(10)), "all digits are taken"
    session.edit_classes(MergeClass(3, 8))
    assert session.round_view().digit_keys == tuple(range(10)), "until the next round 3 stands for what was merged"
    session.finish_round()
    list(session.advance())
    assert session.round_view().digit_keys == (0, 1, 2, 10, 4, 5, 6, 7, 8, 9)
    session.close()


def test_digits_that_are_free_are_found() -> None:
    pets = ClassList.from_names(("cat", "dog", "cow", "hen"))
    assert assign_digit_keys(pets, {}) == (0, 1, 2, 3)
    less = pets.apply(MergeClass(1, 0))
    assert assign_digit_keys(less, {}) == (0, None, 2, 3)
    assert add_new_classes((0, None, 2, 3), [AddClass(4, "emu"), RenameClass(0, "tom"), AddClass(5, "owl")]) == (
        0,
        4,
        2,
        3,
        5,
    )
    assert assign_digit_keys(pets.apply(MergeClass(3, 0)), {3: 5}) == (0, 1, 2)
    many = ClassList.from_names([f"kind {at}" for at in range(12)])
    assert assign_digit_keys(many, {10: 1, 11: 2}) == (*range(8), 10, 11)
    assert assign_digit_keys(many.apply(MergeClass(11, 3)), {11: 2}) == tuple(range(10))
    assert add_new_classes(tuple(range(10)), [AddClass(12, "one more")]) == tuple(range(10))


def test_what_a_stranger_said_before_the_class_was_there_is_refused(digits: Path) -> None:
    session = asked("strange", digits)
    session.edit_classes(TEN)
    session.answer((0,), ClassAnswer(10))
    session._repository._database.apply_changes(("naming marked", ("undone", 1)))
    session.close()
    with pytest.raises(UserError, match="There is no class 10; the classes are 0 to 9"):
        lifecycle.resume("strange")
