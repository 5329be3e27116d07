"""How far answers agree with a classifier that had not heard them: told from what is recorded, without truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import run_vaetui
from tests.session.scripted_run import NEIGHBOURS_CONFIG, SMALL_CONFIG, answer_round, create_session, run_to_end
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.metrics import Agreement
from vaetui.session import summary
from vaetui.session.label_propagator import LabelPropagator
from vaetui.session.labelling_round import LabellingRound
from vaetui.session.session import Session
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.round_snapshots import EpochPredictions

pytestmark = pytest.mark.usefixtures("home")


def until_asked(session: Session, round: int) -> None:
    """Answer all rounds before that one, and wait for it."""
    list(session.advance())
    while session.round_number < round:
        list(answer_round(session))
        session.finish_round()
        list(session.advance())


@pytest.fixture
def asked(digits: Path) -> Iterator[Session]:
    """A session in its second round, of which nothing is answered."""
    session = create_session("asked", digits, NEIGHBOURS_CONFIG)
    until_asked(session, 2)
    yield session
    session.close()


def found(session: Session, epoch: int) -> EpochPredictions:
    return round_snapshots.load(session._store, file_names.predictions_name(epoch), EpochPredictions)


def test_answers_that_say_what_the_classifier_said_agree_with_it_wholly(asked: Session) -> None:
    called, shown = found(asked, 2), list[int]()
    earlier = set(asked._load_round(1).labelled_set().indices.tolist())
    for tile in asked.round_view().clusters:
        members = asked.current_round().members(tile.path, "nearest", 8)
        kinds = set(called.class_ids[members].tolist())
        if len(kinds) == 1:
            asked.answer(tile.path, ClassAnswer(kinds.pop()))
            shown += [index for index in members.tolist() if index not in earlier]
    assert shown
    asked.finish_round()
    (told,) = summary.load_agreements("asked")
    certainty = float(called.confidences[shown].mean())
    assert told == {"round": 2, "images": len(shown), "agreed": 1.0, "expected": pytest.approx(certainty)}


def test_answers_that_contradict_it_do_not_agree(asked: Session) -> None:
    called = found(asked, 2)
    for tile in asked.round_view().clusters:
        kinds = called.class_ids[asked.current_round().members(tile.path, "nearest", 8)]
        asked.answer(tile.path, ClassAnswer(next(kind for kind in range(10) if kind not in kinds)))
    asked.finish_round()
    (told,) = summary.load_agreements("asked")
    assert told["agreed"] == 0.0


def test_a_round_that_is_still_asked_tells_nothing_and_neither_does_the_first(asked: Session) -> None:
    list(answer_round(asked))
    assert summary.load_agreements("asked") == []


def test_images_that_an_earlier_round_named_are_left_out(digits: Path) -> None:
    session = create_session("again", digits, SMALL_CONFIG)  # whose rounds ask of all images, so that some are seen twice
    until_asked(session, 2)
    earlier = session._load_round(1).labelled_set().indices
    list(answer_round(session))
    seeds = session.current_round().labelled_set()
    new = ~np.isin(seeds.indices, earlier)
    assert not new.all()
    session.finish_round()
    list(session.advance())
    ((number, told),) = session.summary().agreements
    called = session._load_round(2).snapshot.predicted_class_ids[seeds.indices]
    assert (number, told) == (2, Agreement(int(new.sum()), float(np.mean((called == seeds.class_ids)[new])), None))
    session.close()


def test_the_summary_and_the_command_tell_the_same(digits: Path) -> None:
    session = create_session("told", digits, NEIGHBOURS_CONFIG)
    list(run_to_end(session))
    ((number, told),) = session.summary().agreements
    session.close()
    assert told.mean_confidence is not None
    assert 0 < told.mean_confidence <= 1
    shown = json.loads(run_vaetui("show", "told", "--json").stdout)
    assert shown["agreements"] == [
        {"round": number, "images": told.image_count, "agreed": told.agreement_rate, "expected": told.mean_confidence}
    ]
    printed = run_vaetui("show", "told").stdout
    assert f"of {told.image_count} in round 2 (expected {100 * told.mean_confidence:.1f} %)" in printed


def test_without_truth_the_command_shows_what_is_known_and_no_empty_accuracy(digits: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/train-images-idx3-ubyte").write_bytes((digits / "train-images-idx3-ubyte").read_bytes())
    session = create_session("bare", tmp_path / "bare", NEIGHBOURS_CONFIG)
    assert not session.has_test_labels
    list(run_to_end(session))
    session.close()
    shown = json.loads(run_vaetui("show", "bare", "--json").stdout)
    assert shown["expected"][0] is None, "what an untaught classifier expects means nothing"
    lines = dict(line.split(maxsplit=1) for line in run_vaetui("show", "bare").stdout.splitlines())
    assert "test" not in lines
    assert lines["expected"].split("  ")[0] == "–"
    assert len(lines["changed"].split("  ")) == shown["epoch"]


def test_true_labels_of_test_images_are_known_to_be_there_from_the_start(digits: Path) -> None:
    session = create_session("tested", digits)
    assert session.has_test_labels
    session.close()


def test_a_damaged_round_costs_the_figure_and_no_more(asked: Session) -> None:
    list(answer_round(asked))
    asked.finish_round()
    for name in (file_names.round_snapshot_name(2), file_names.mirror_name(file_names.round_snapshot_name(2))):
        (asked.directory / name).write_bytes(b"")
    assert summary.load_agreements("asked") == []


def test_a_round_that_is_over_is_read_once(asked: Session) -> None:
    list(answer_round(asked))
    asked.finish_round()
    read = list[int]()

    def round(number: int, last: int) -> LabellingRound:
        read.append(number)
        return asked._load_round(number, last)

    spreading = LabelPropagator(asked._repository, round)
    for _ in range(2):
        assert [len(spreading.round_evidence(number).predicted) > 0 for number in (1, 2)] == [True, True]
    assert read == [1, 2]
