"""Classes are added, renamed and merged while a round is asked: facts like answers, in one order with them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.session.scripts import NEAR, SMALL, bits, made
from vaetui.cli.simulate_command import consumed
from vaetui.engine.answers import Label, Unreadable
from vaetui.engine.classes import Added, Classes, Merged, Renamed
from vaetui.engine.config import Config
from vaetui.errors import Trouble
from vaetui.session import lifecycle, summary, trainer
from vaetui.session.digit_keys import chosen, joining
from vaetui.session.predictor import Trained
from vaetui.session.session import Session
from vaetui.session.verification import inspect

pytestmark = pytest.mark.usefixtures("home")
TEN = Added(10, "ten")


def asked(name: str, digits: Path, config: Config = SMALL) -> Session:
    session = made(name, digits, config)
    list(session.advance())
    return session


def rows(session: Session) -> int:
    """Count the classes that the classifier knows."""
    assert session._workshop.learning is not None
    return session._workshop.learning._learner.vae.classifier.out_features


def test_a_class_is_added_and_answered_and_both_are_undone_in_order(digits: Path) -> None:
    session = asked("adding", digits)
    with pytest.raises(Trouble, match="There is no class 10; the classes are 0 to 9"):
        session.answer((0,), Label(10))
    session.amend(TEN)
    session.answer((0,), Label(10, 0.5))
    session.close()
    session = lifecycle.resume("adding")
    assert (session.classes.names[10], session.config.network.classes) == ("ten", 11)
    assert session.board().tiles[0].answer == Label(10, 0.5)
    assert session.board().answers == 1
    assert session.tally()[10] == 1
    assert session.undo() == (0,)
    assert session.board().undoable == "the new class ten"
    assert session.undo() == ()
    assert (len(session.classes), session.config.network.classes, session.undo()) == (10, 10, None)
    session.close()
    session = lifecycle.resume("adding")
    assert len(session.classes) == 10
    assert session.board().redoable == "the new class ten"
    assert (session.redo(), session.redo(), session.redo()) == ((), (0,), None)
    assert session.board().tiles[0].answer == Label(10, 0.5)
    session.undo(), session.undo()
    session.answer((1,), Label(3))
    assert session.redo() is None, "a new answer ends what could be redone"
    session.amend(Added(10, "another"))
    session.undo()
    session.amend(TEN)
    assert session.redo() is None, "and so does what is done to the classes"
    session.close()
    assert consumed(inspect("adding", repair=False)) == []


def test_what_was_done_to_the_classes_is_on_the_disk_at_once(digits: Path) -> None:
    session = asked("killed", digits)
    session.amend(TEN)
    session.amend(Merged(4, 9))
    session.undo()
    shutil.copytree(session.directory, session.directory.parent / "copied", ignore=shutil.ignore_patterns("lock"))
    session.amend(Renamed(9, "nine"))
    session.close()
    copied = lifecycle.resume("copied")
    assert (copied.classes.names[9:], copied.classes.aliases) == (("9", "ten"), {})
    assert copied.board().redoable == "the merge of 4 into 9"
    copied.close()


def test_a_new_name_and_a_merge_are_undone_like_answers(digits: Path) -> None:
    session = asked("naming", digits)
    session.answer((0,), Label(4))
    session.amend(Renamed(4, "four"))
    session.amend(Merged(4, 9))
    assert session.board().undoable == "the merge of four into 9"
    assert session.board().tiles[0].answer == Label(9), "what was said counts as the other"
    assert (session.tally()[4], session.tally()[9]) == (0, 1)
    with pytest.raises(Trouble, match="four counts as 9 since they were merged"):
        session.answer((1,), Label(4))
    with pytest.raises(Trouble, match="four counts as 9"):
        session.amend(Renamed(4, "vier"))
    session.undo()
    assert session.board().tiles[0].answer == Label(4)
    assert session.board().undoable == "the new name four"
    session.undo()
    assert session.classes.names[4] == "4"
    session.redo(), session.redo()
    assert session.classes.aliases == {"four": "9"}
    assert summary.show("naming")["aliases"] == {"four": "9"}
    assert summary.show("naming")["classes"][4] == "four"
    session.close()


def test_what_was_said_as_a_merged_class_weighs_and_spreads_as_the_other(digits: Path) -> None:
    for config, name in ((SMALL, "clusters"), (NEAR, "neighbours")):
        session = asked(name, digits, config)
        for tile in session.board().tiles:
            session.answer(tile.path, Label(4 if tile.path[0] % 2 else 7))
        before = consumed(session.spread())
        assert {4, 7} == {*np.unique(before.labels[before.weights > 0])}
        session.amend(Merged(4, 9))
        after = consumed(session.spread())
        assert {9, 7} == {*np.unique(after.labels[after.weights > 0])}
        sure = before.weights > 0.5
        assert np.array_equal(np.where(before.labels == 4, 9, before.labels)[sure], after.labels[sure])
        labels = consumed(session.labels())
        assert 4 not in labels.labels
        assert labels.merged == {4}
        assert 9 in labels.labels[labels.sources == 0]
        session.close()


def test_a_merge_counts_for_earlier_rounds_votes_truths_and_the_summary(digits: Path) -> None:
    session = asked("counting", digits)
    for tile in session.board().tiles:
        session.answer(tile.path, Label(4 if tile.path[0] % 2 else 7))
    session.go_on()
    list(session.advance())
    assert session.truths is not None
    assert session.truths.test is not None
    assert {kind for tile in session.board().tiles for kind, _ in tile.votes} >= {4, 7}
    before = session.truths.test.classes
    session.amend(Merged(4, 9))
    session.amend(Merged(0, 9))
    for tile in session.board().tiles:
        assert {kind for kind, _ in tile.votes}.isdisjoint({0, 4})
        assert sum(share for _, share in tile.votes) == pytest.approx(1)
    assert np.array_equal(session.truths.test.classes, np.where(np.isin(before, [0, 4]), 9, before))
    assert 4 not in consumed(session.labels()).labels, "only the round before has answers"
    session.answer((0,), Unreadable())
    session.go_on()
    list(session.advance())
    assert session.phase == "finished"
    counts = dict(session.summary().classes)
    assert [*counts] == [1, 2, 3, 5, 6, 7, 8, 9]
    assert sum(counts.values()) == 576
    assert session.tally()[9] > 0
    assert session.truths.validation is not None
    true = [int(kind) for kind in session.truths.validation.classes]
    assert session.read(3, 0, true).accuracy == 1
    with pytest.raises(Trouble, match="4 counts as 9 since they were merged"):
        session.read(3, 0, [4])
    session.close()
    trained = Trained("counting")
    pixels = np.zeros((20, 28, 28), np.uint8)
    assert {0, 4}.isdisjoint(consumed(trained.read(pixels)).predicted.tolist())


def answer_all(session: Session) -> None:
    """Answer whatever is open."""
    for tile in session.board().tiles:
        if tile.answer is None:
            session.answer(tile.path, Label(sum(tile.path) % len(session.classes)))


def go_through(session: Session) -> Iterator[str]:
    """Train, change the classes in every round and go on, from wherever the session stands; tells each act after it."""
    while True:
        for event in session.advance():
            yield type(event).__name__
        if session.phase == "finished":
            return
        if session.round == 1 and len(session.classes) == 10:
            session.amend(TEN)
        if session.round == 2 and len(session.classes) == 11:
            session.amend(Added(11, "eleven"))
        if session.round == 2 and not session.classes.aliases:
            session.amend(Merged(3, 11))
        yield "amended"
        session.answer((0,), Label(10 if session.round == 1 else 11))
        if session.round == 1:
            answer_all(session)
        session.go_on()


def test_training_goes_on_with_one_more_row_and_the_checkpoint_of_before_still_loads(digits: Path) -> None:
    session = asked("growing", digits)
    session.amend(TEN)
    session.answer((0,), Label(10))
    assert rows(session) == 10
    session.close()
    session = lifecycle.resume("growing")
    list(session.advance())
    assert rows(session) == 10, "the networks learn of it when the round is over"
    session.close()
    assert Trained("growing").vae.classifier.out_features == 10
    session = lifecycle.resume("growing")
    session.go_on()
    list(session.advance())
    assert (rows(session), session.phase) == (11, "labelling")
    assert session._vault.mended == []
    kinds = {kind for tile in session.board().tiles for kind, _ in tile.votes}
    assert kinds <= set(range(11))
    session.close()
    trained = Trained("growing")
    assert trained.vae.classifier.out_features == trained.config.network.classes == 11
    assert trained.vae.classifier.weight[10].detach().any()


@pytest.mark.parametrize("config", [SMALL, NEAR], ids=lambda config: config.recipe)
def test_however_often_it_was_left_it_comes_to_the_same_bits(
    config: Config, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made("whole", digits, config)
    list(go_through(whole))
    assert rows(whole) == 12
    whole.close()
    monkeypatch.setattr(trainer, "SAVE_SECONDS", 0.0)
    left = made("left", digits, config)
    stepped, amended = set[tuple[int, int]](), set[int]()
    while left.phase != "finished":
        acts = go_through(left)
        for act in acts:
            place = (len(left.curves().epochs), len(left.curves().points))
            if (act == "Stepped" and place not in stepped) or (act == "amended" and left.round not in amended):
                stepped.add(place)
                amended |= {left.round} if act == "amended" else set()
                acts.close()
                break
        left.close()
        left = lifecycle.resume("left")
        assert left._vault.mended == []
    left.close()
    assert (len(stepped) > 4, amended) == (True, {1, 2})
    assert bits("left") == bits("whole")


def test_pictures_of_a_class_that_the_networks_do_not_know_yet_are_refused(digits: Path) -> None:
    session = asked("naming", digits)
    session.amend(Added(10, "owl"))
    with pytest.raises(Trouble, match="owl is new: the networks learn it in the next epoch"):
        consumed(session.samples(4, 10, 0))
    session.close()


@pytest.mark.parametrize("kept", [0, 1])
def test_where_checkpoints_are_lost_training_is_repeated_with_the_classes_of_then(digits: Path, kept: int) -> None:
    whole = made("whole", digits)
    list(go_through(whole))
    whole.close()
    expected = bits("whole")
    session = lifecycle.resume("whole")
    session.close()
    for path in sorted(session.directory.glob("checkpoint-*"))[kept:]:
        path.unlink()
    session = lifecycle.resume("whole")
    list(session.advance())
    session.close()
    assert bits("whole") == expected


def test_a_class_added_while_the_images_are_loaded_is_not_forgotten(digits: Path) -> None:
    asked("racing", digits).close()
    session = lifecycle.resume(
        "racing", device="cpu"
    )  # which the configuration keeps as soon as the networks are there
    loading = session.advance()
    next(loading)
    session.amend(TEN)
    list(loading)
    assert len(session.classes) == session.config.network.classes == 11
    session.answer((0,), Label(10))
    session.close()
    session = lifecycle.resume("racing")
    assert (session.config.network.classes, session.config.device) == (11, "cpu")
    session.close()


def test_a_new_class_takes_the_next_free_digit_and_no_other_digit_changes(digits: Path) -> None:
    session = asked("digits", digits)
    session.amend(TEN)
    assert session.board().favourites == tuple(range(10)), "all digits are taken"
    session.amend(Merged(3, 8))
    assert session.board().favourites == tuple(range(10)), "until the next round 3 stands for what was merged"
    session.go_on()
    list(session.advance())
    assert session.board().favourites == (0, 1, 2, 10, 4, 5, 6, 7, 8, 9)
    session.close()


def test_digits_that_are_free_are_found() -> None:
    pets = Classes.named(("cat", "dog", "cow", "hen"))
    assert chosen(pets, {}) == (0, 1, 2, 3)
    less = pets.after(Merged(1, 0))
    assert chosen(less, {}) == (0, None, 2, 3)
    assert joining((0, None, 2, 3), [Added(4, "emu"), Renamed(0, "tom"), Added(5, "owl")]) == (0, 4, 2, 3, 5)
    assert chosen(pets.after(Merged(3, 0)), {3: 5}) == (0, 1, 2)
    many = Classes.named([f"kind {at}" for at in range(12)])
    assert chosen(many, {10: 1, 11: 2}) == (*range(8), 10, 11)
    assert chosen(many.after(Merged(11, 3)), {11: 2}) == tuple(range(10))
    assert joining(tuple(range(10)), [Added(12, "one more")]) == tuple(range(10))


def test_what_a_stranger_said_before_the_class_was_there_is_refused(digits: Path) -> None:
    session = asked("strange", digits)
    session.amend(TEN)
    session.answer((0,), Label(10))
    session._facts._base.change(("naming marked", ("undone", 1)))
    session.close()
    with pytest.raises(Trouble, match="There is no class 10; the classes are 0 to 9"):
        lifecycle.resume("strange")
