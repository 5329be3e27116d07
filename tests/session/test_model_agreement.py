"""How far answers agree with a classifier that had not heard them: told from what is recorded, without truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_main import call
from tests.session.scripts import NEAR, SMALL, answer_round, made, run
from vaetui.engine.answers import Label
from vaetui.engine.metrics import Agreement
from vaetui.session import summary
from vaetui.session.label_propagator import Spreading
from vaetui.session.labelling_round import Labelling
from vaetui.session.session import Session
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.round_snapshots import Found

pytestmark = pytest.mark.usefixtures("home")


def until_asked(session: Session, round: int) -> None:
    """Answer all rounds before that one, and wait for it."""
    list(session.advance())
    while session.round < round:
        list(answer_round(session))
        session.go_on()
        list(session.advance())


@pytest.fixture
def asked(digits: Path) -> Iterator[Session]:
    """A session in its second round, of which nothing is answered."""
    session = made("asked", digits, NEAR)
    until_asked(session, 2)
    yield session
    session.close()


def found(session: Session, epoch: int) -> Found:
    return round_snapshots.load(session._vault, file_names.found(epoch), Found)


def test_answers_that_say_what_the_classifier_said_agree_with_it_wholly(asked: Session) -> None:
    called, shown = found(asked, 2), list[int]()
    earlier = set(asked._round(1).seeds().indices.tolist())
    for tile in asked.board().tiles:
        members = asked.asked().members(tile.path, "nearest", 8)
        kinds = set(called.predicted[members].tolist())
        if len(kinds) == 1:
            asked.answer(tile.path, Label(kinds.pop()))
            shown += [index for index in members.tolist() if index not in earlier]
    assert shown
    asked.go_on()
    (told,) = summary.calibration("asked")
    certainty = float(called.certainty[shown].mean())
    assert told == {"round": 2, "images": len(shown), "agreed": 1.0, "expected": pytest.approx(certainty)}


def test_answers_that_contradict_it_do_not_agree(asked: Session) -> None:
    called = found(asked, 2)
    for tile in asked.board().tiles:
        kinds = called.predicted[asked.asked().members(tile.path, "nearest", 8)]
        asked.answer(tile.path, Label(next(kind for kind in range(10) if kind not in kinds)))
    asked.go_on()
    (told,) = summary.calibration("asked")
    assert told["agreed"] == 0.0


def test_a_round_that_is_still_asked_tells_nothing_and_neither_does_the_first(asked: Session) -> None:
    list(answer_round(asked))
    assert summary.calibration("asked") == []


def test_images_that_an_earlier_round_named_are_left_out(digits: Path) -> None:
    session = made("again", digits, SMALL)  # whose rounds ask of all images, so that some are seen twice
    until_asked(session, 2)
    earlier = session._round(1).seeds().indices
    list(answer_round(session))
    seeds = session.asked().seeds()
    new = ~np.isin(seeds.indices, earlier)
    assert not new.all()
    session.go_on()
    list(session.advance())
    ((number, told),) = session.summary().agreements
    called = session._round(2).photograph.predicted[seeds.indices]
    assert (number, told) == (2, Agreement(int(new.sum()), float(np.mean((called == seeds.labels)[new])), None))
    session.close()


def test_the_summary_and_the_command_tell_the_same(digits: Path) -> None:
    session = made("told", digits, NEAR)
    list(run(session))
    ((number, told),) = session.summary().agreements
    session.close()
    assert told.expected is not None
    assert 0 < told.expected <= 1
    shown = json.loads(call("show", "told", "--json").stdout)
    assert shown["agreements"] == [
        {"round": number, "images": told.images, "agreed": told.agreed, "expected": told.expected}
    ]
    printed = call("show", "told").stdout
    assert f"of {told.images} in round 2 (expected {100 * told.expected:.1f} %)" in printed


def test_without_truth_the_command_shows_what_is_known_and_no_empty_accuracy(digits: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/train-images-idx3-ubyte").write_bytes((digits / "train-images-idx3-ubyte").read_bytes())
    session = made("bare", tmp_path / "bare", NEAR)
    assert not session.tested
    list(run(session))
    session.close()
    shown = json.loads(call("show", "bare", "--json").stdout)
    assert shown["expected"][0] is None, "what an untaught classifier expects means nothing"
    lines = dict(line.split(maxsplit=1) for line in call("show", "bare").stdout.splitlines())
    assert "test" not in lines
    assert lines["expected"].split("  ")[0] == "–"
    assert len(lines["changed"].split("  ")) == shown["epoch"]


def test_true_labels_of_test_images_are_known_to_be_there_from_the_start(digits: Path) -> None:
    session = made("tested", digits)
    assert session.tested
    session.close()


def test_a_damaged_round_costs_the_figure_and_no_more(asked: Session) -> None:
    list(answer_round(asked))
    asked.go_on()
    for name in (file_names.photograph(2), file_names.copy(file_names.photograph(2))):
        (asked.directory / name).write_bytes(b"")
    assert summary.calibration("asked") == []


def test_a_round_that_is_over_is_read_once(asked: Session) -> None:
    list(answer_round(asked))
    asked.go_on()
    read = list[int]()

    def round(number: int, last: int) -> Labelling:
        read.append(number)
        return asked._round(number, last)

    spreading = Spreading(asked._facts, round)
    for _ in range(2):
        assert [len(spreading.heard(number).called) > 0 for number in (1, 2)] == [True, True]
    assert read == [1, 2]
