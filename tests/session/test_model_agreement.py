"""Agreement of answers with the classifier before them, computed from recorded facts without ground truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import run_vaetui
from tests.session.conftest import FINISHED, RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, answer_round, create_session, run_to_end
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.metrics import Agreement
from vaetui.session import session_status
from vaetui.session.label_propagator import LabelPropagator
from vaetui.session.labelling_round import LabellingRound
from vaetui.session.session import Session
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.stored_arrays import EpochPredictions

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def session(runs: RunTemplates) -> Iterator[Session]:
    """A session in its second round, without answers in it."""
    session = runs.open("agreeing", PROPAGATION_CONFIG, round_number=2)
    yield session
    session.close()


def load_predictions(session: Session, epoch: int) -> EpochPredictions:
    return stored_arrays.load_arrays(session._store, file_names.predictions_name(epoch), EpochPredictions)


def test_answers_equal_to_the_predictions_agree_fully(session: Session) -> None:
    predictions, new_indices = load_predictions(session, 2), list[int]()
    earlier_indices = set(session._rounds.load(1).collect_labelled_set().indices.tolist())
    list(session.split_cluster((0,), 10))  # small parts, so that some of them have a single predicted class
    for cluster in session.round_view().clusters:
        members = session.require_current_round().member_indices(cluster.path, "nearest", 8)
        class_ids = set(predictions.class_ids[members].tolist())
        if cluster.leaf_counts is None and len(class_ids) == 1:
            session.record_answer(cluster.path, ClassAnswer(class_ids.pop()))
            new_indices += [index for index in members.tolist() if index not in earlier_indices]
    assert new_indices
    session.close_round()
    mean_confidence = float(predictions.confidences[new_indices].mean())
    assert session_status.load_agreements("agreeing") == [
        {
            "round": 2,
            "image_count": len(new_indices),
            "agreement_rate": 1.0,
            "mean_confidence": pytest.approx(mean_confidence),
        }
    ]


def test_answers_that_contradict_the_predictions_do_not_agree(session: Session) -> None:
    predictions = load_predictions(session, 2)
    for cluster in session.round_view().clusters:
        predicted = predictions.class_ids[session.require_current_round().member_indices(cluster.path, "nearest", 8)]
        other = next(class_id for class_id in range(10) if class_id not in predicted)
        session.record_answer(cluster.path, ClassAnswer(other))
    session.close_round()
    (agreement,) = session_status.load_agreements("agreeing")
    assert agreement["agreement_rate"] == 0.0


def test_first_and_unfinished_rounds_have_no_agreement(session: Session) -> None:
    list(answer_round(session))
    assert session_status.load_agreements("agreeing") == []


def test_images_labelled_in_an_earlier_round_are_left_out(runs: RunTemplates) -> None:
    session = runs.open("repeated", SMALL_CONFIG, round_number=2)  # without propagation, rounds show images again
    earlier_indices = session._rounds.load(1).collect_labelled_set().indices
    list(answer_round(session))
    labelled_set = session.require_current_round().collect_labelled_set()
    is_new = ~np.isin(labelled_set.indices, earlier_indices)
    assert not is_new.all()
    session.close_round()
    list(session.advance())
    predicted = session._rounds.load(2).snapshot.predicted_class_ids[labelled_set.indices]
    agreement_rate = float(np.mean((predicted == labelled_set.class_ids)[is_new]))
    assert session.summary().agreements == ((2, Agreement(int(is_new.sum()), agreement_rate, None)),)
    session.close()


def test_summary_and_show_command_report_the_same_agreement(runs: RunTemplates) -> None:
    session = runs.open("shown", PROPAGATION_CONFIG, FINISHED)
    ((round_number, agreement),) = session.summary().agreements
    session.close()
    assert agreement.mean_confidence is not None
    assert 0 < agreement.mean_confidence <= 1
    status = json.loads(run_vaetui("show", "shown", "--json").stdout)
    assert status["agreements"] == [{"round": round_number, **asdict(agreement)}]
    printed = run_vaetui("show", "shown").stdout
    assert f"of {agreement.image_count} in round 2" in printed
    assert f"(confidence {100 * agreement.mean_confidence:.0f} %)" in printed
    assert f"{100 * agreement.agreement_rate:.0f} % of " in printed


def test_show_without_true_labels_prints_churn_and_the_classes_without_an_answer(digits: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/train-images-idx3-ubyte").write_bytes((digits / "train-images-idx3-ubyte").read_bytes())
    session = create_session("bare", tmp_path / "bare", PROPAGATION_CONFIG)
    assert not session.has_test_labels
    list(run_to_end(session))
    session.close()
    status = json.loads(run_vaetui("show", "bare", "--json").stdout)
    assert set(status["mean_confidence"]) == set(status["expected_accuracy"]) == {None}
    assert status["unanswered_classes"]
    lines = dict(line.split("  ", maxsplit=1) for line in run_vaetui("show", "bare").stdout.splitlines())
    assert "test accuracy" not in lines
    assert "expected accuracy" not in lines, "seven clusters name fewer than ten classes"
    assert "No answer yet for: " in lines["answers"]
    assert len(lines["prediction churn"].strip().split("  ")) == status["epoch"]


def test_session_with_test_labels_reports_them_before_training(digits: Path) -> None:
    session = create_session("fresh", digits)
    assert session.has_test_labels
    session.close()


def test_damaged_round_only_loses_its_agreement(session: Session) -> None:
    list(answer_round(session))
    session.close_round()
    name = file_names.round_snapshot_name(2)
    for path in (session.directory / name, session.directory / file_names.second_copy_name(name)):
        path.write_bytes(b"")
    assert session_status.load_agreements("agreeing") == []


def test_finished_round_is_loaded_once(session: Session) -> None:
    list(answer_round(session))
    session.close_round()
    loaded_rounds = list[int]()

    def load_round(round_number: int, last_round: int | None) -> LabellingRound:
        loaded_rounds.append(round_number)
        return session._rounds.load(round_number, last_round)

    propagator = LabelPropagator(session._repository, session._store, load_round)
    for _ in range(2):
        assert [len(propagator.load_round_labels(number).predicted_class_ids) > 0 for number in (1, 2)] == [
            True,
            True,
        ]
    assert loaded_rounds == [1, 2]
