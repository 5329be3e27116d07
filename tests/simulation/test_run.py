"""Simulated runs: reproducible, correctly measured, and equal to the same answers typed by a person."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from textual.pilot import Pilot

from tests.idx import write_idx, write_small_mnist
from tests.session.scripted_run import (
    create_session,
    create_with_scrambled_labels,
    list_answers,
    session_digest,
)
from tests.simulation.simulated_sessions import (
    ANNOTATOR_CONFIG,
    CLUSTER_COUNT,
    CONFIG,
    EPOCH_COUNT,
    READER,
    simulate_session,
)
from tests.tui.harness import wait_until
from vaetui.engine.answers import ClassAnswer, Split
from vaetui.engine.classes import NO_LABEL
from vaetui.engine.clusters import Indices, Pixels
from vaetui.engine.images import read_idx_array
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle, session_status
from vaetui.session.labelling_round import LabellingRound
from vaetui.simulation import run as run_module
from vaetui.simulation.annotators import Judgement, MembersAnnotator
from vaetui.simulation.result import SimulationResult
from vaetui.simulation.run import Simulation
from vaetui.simulation.stopwatch import Stopwatch
from vaetui.storage import locations
from vaetui.storage.answer_rows import AnswerRecord
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.tui.app import VaetuiApp
from vaetui.tui.presenters.focus_moves import find_cluster_or_ancestor
from vaetui.tui.presenters.labelling_presenter import LabellingPresenter
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.summary import SummaryScreen

pytestmark = pytest.mark.usefixtures("home")
ROUND_COUNT = 2


class SimulatedSession(NamedTuple):
    """A simulated session that tests may read and copy."""

    directory: Path
    """The session directory."""
    result: SimulationResult
    """The result of its run."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of IDX files with the digits 0 and 1 among the first 1,000 of MNIST, which form pure clusters."""
    directory = write_small_mnist(tmp_path_factory.mktemp("data"), train=1000, test=200)
    for prefix in ("train", "t10k"):
        images_file, labels_file = directory / f"{prefix}-images-idx3-ubyte", directory / f"{prefix}-labels-idx1-ubyte"
        images, labels = read_idx_array(images_file, 3), read_idx_array(labels_file, 1)
        write_idx(images_file, images[labels <= 1])
        write_idx(labels_file, labels[labels <= 1])
    return directory


@pytest.fixture(scope="module")
def simulated_template(data: Path, tmp_path_factory: pytest.TempPathFactory) -> SimulatedSession:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(tmp_path_factory.mktemp("home")))
        result = simulate_session("simulated", data)
        return SimulatedSession(locations.find_session("simulated"), result)


@pytest.fixture
def result(simulated_template: SimulatedSession, home: Path) -> SimulationResult:
    """The result of a run whose session is "simulated"."""
    (home / "sessions").mkdir(mode=0o700, parents=True)
    shutil.copytree(simulated_template.directory, home / "sessions/simulated")
    return simulated_template.result


def reproducible_values(result: SimulationResult) -> dict[str, Any]:
    """Return the values that do not depend on the time and the memory of the process."""
    return {key: value for key, value in result.to_dict().items() if key not in ("seconds", "peak_rss_mb")}


def test_a_second_run_with_the_same_seed_is_identical(data: Path, result: SimulationResult) -> None:
    repeated = simulate_session("repeated", data)
    assert result.label_accuracy["overall"] is not None
    assert reproducible_values(repeated) == reproducible_values(result)
    assert session_digest("repeated") == session_digest("simulated")


def test_a_run_with_another_seed_differs(data: Path, result: SimulationResult) -> None:
    other = simulate_session("other", data, config=replace(CONFIG, seed=1))
    assert reproducible_values(other) | {"seed": 0, "config": 0} != reproducible_values(result) | {"config": 0}


def test_a_second_run_of_the_centre_annotator_is_identical(data: Path) -> None:
    annotator_config = replace(ANNOTATOR_CONFIG, annotator="centre")
    results = [simulate_session(name, data, annotator_config) for name in ("first", "second")]
    assert results[0].label_accuracy["overall"] is not None
    assert reproducible_values(results[0]) == reproducible_values(results[1])
    assert session_digest("first") == session_digest("second")


def test_counts_and_accuracies_equal_those_of_the_session(result: SimulationResult) -> None:
    status = session_status.load_status("simulated")
    assert result.answers == sum(result.answers_by_round) == status["answers"]
    assert len(result.answers_by_round) == ROUND_COUNT
    assert all(0 < answers <= ANNOTATOR_CONFIG.answers_per_round for answers in result.answers_by_round)
    assert list(result.test_accuracy) == status["test_accuracy"]
    assert list(result.reading_accuracy) == status["reading_accuracy"]
    assert len(result.reading_accuracy_by_eval) == EPOCH_COUNT * CONFIG.training.evals_per_epoch
    assert None not in result.reading_accuracy_by_eval
    assert result.reading_accuracy_by_eval[2::3] == result.reading_accuracy
    assert result.pictures_shown >= ROUND_COUNT * CLUSTER_COUNT
    assert json.loads(json.dumps(result.to_dict()))["versions"]["vaetui"]


def test_the_seconds_of_the_parts_add_up_to_the_total(result: SimulationResult) -> None:
    parts = {part_name: seconds for part_name, seconds in result.seconds.items() if part_name != "total"}
    assert {"loading", "training", "measuring", "clustering", "annotating", "reading"} <= set(parts)
    assert 0.9 * result.seconds["total"] < sum(parts.values()) <= result.seconds["total"]


def test_label_accuracy_is_that_of_the_pseudo_labels_in_the_session(result: SimulationResult) -> None:
    session = lifecycle.resume("simulated")
    list(session.advance())
    assert session.true_labels is not None
    assert session.true_labels.train_labels is not None
    true_class_ids = session.true_labels.train_labels.class_ids
    directory = locations.find_session("simulated")
    repository = SessionRepository(directory)
    labelling_round = LabellingRound(ArtifactStore(directory, repository), repository, session.config, ROUND_COUNT)
    pseudo_labels = labelling_round.compute_pseudo_labels()
    repository.close()
    session.close()
    is_above = pseudo_labels.weights > 0.3
    row = result.label_accuracy["by_weight"][3]
    assert row["min_weight"] == 0.3
    assert row["coverage"] == pytest.approx(is_above.mean())
    assert row["accuracy"] == pytest.approx(np.mean(pseudo_labels.class_ids[is_above] == true_class_ids[is_above]))


def test_export_quality_is_that_of_the_label_table(result: SimulationResult) -> None:
    session = lifecycle.resume("simulated")
    rows = list(drain_events(session.build_label_table()).iter_rows())
    assert session.true_labels is not None
    assert session.true_labels.train_validation_labels is not None
    true_class_ids = session.true_labels.train_validation_labels.class_ids
    session.close()
    exported = result.exported
    assert exported is not None
    assert len(rows) == len(true_class_ids)
    assert exported.accuracy == pytest.approx(np.mean([row["label"] == true_class_ids[row["index"]] for row in rows]))
    assert exported.expected == pytest.approx(np.mean([row["uncalibrated_confidence"] for row in rows]), abs=1e-4)
    assert sum(calibration_bin.fraction for calibration_bin in exported.bins) == pytest.approx(1)
    assert exported.calibration_error >= abs(exported.accuracy - exported.expected) - 1e-6


def test_unlabelled_images_are_trained_on_and_left_out_of_the_accuracies(data: Path, tmp_path: Path) -> None:
    partial_data = tmp_path / "partial"
    shutil.copytree(data, partial_data)
    labels = read_idx_array(partial_data / "train-labels-idx1-ubyte", 1)
    is_labelled = np.arange(len(labels)) % 3 > 0
    write_idx(partial_data / "train-labels-idx1-ubyte", np.where(is_labelled, labels, NO_LABEL))
    test_count = len(read_idx_array(partial_data / "t10k-labels-idx1-ubyte", 1))
    write_idx(partial_data / "t10k-labels-idx1-ubyte", np.full(test_count, NO_LABEL, np.uint8))
    result = simulate_session("partial", partial_data)
    assert set(result.test_accuracy) == {None}
    assert None not in result.reading_accuracy
    assert result.label_accuracy["overall"] > 0.5
    session = lifecycle.resume("partial")
    list(session.advance())
    label_table = drain_events(session.build_label_table())
    assert session.true_labels is not None
    assert session.true_labels.test_labels is None
    assert session.true_labels.train_validation_labels is not None
    assert session.true_labels.train_validation_labels.is_labelled.tolist() == is_labelled.tolist()
    session.close()
    assert label_table.indices.tolist() == list(range(len(labels)))
    assert result.exported is not None
    correct = (label_table.class_ids == labels)[is_labelled & (label_table.class_ids >= 0)]
    assert result.exported.accuracy == pytest.approx(correct.mean())


def test_without_answers_there_is_no_export_quality(data: Path) -> None:
    assert simulate_session("silent", data, replace(ANNOTATOR_CONFIG, answers_per_round=0)).exported is None


@pytest.mark.usefixtures("result")
async def test_the_same_answers_typed_into_the_app_give_an_identical_session(data: Path) -> None:
    repository = SessionRepository(locations.find_session("simulated"))
    records_by_round = {
        round_number: repository.list_answers(round_number) for round_number in range(1, ROUND_COUNT + 1)
    }
    repository.close()
    assert any(isinstance(record.answer, Split) for records in records_by_round.values() for record in records)
    session = create_session("typed", data, CONFIG)
    app = VaetuiApp(session)

    def is_labelling(round_number: int) -> bool:
        return isinstance(app.screen, LabellingScreen) and session.round_number == round_number

    async with app.run_test(size=(80, 24)) as pilot:
        for round_number, records in records_by_round.items():
            await wait_until(pilot, partial(is_labelling, round_number))
            await wait_until(pilot, lambda: not app.event_worker.is_busy)
            assert isinstance(app.screen, LabellingScreen)
            for record in records:
                await type_answer(pilot, app.screen.presenter, record)
            await pilot.press("g")
            if session.phase == "labelling" and session.round_number == round_number:  # clusters without an answer
                await pilot.press("g")
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))
    session.close()
    assert list_answers("typed") == list_answers("simulated")
    assert session_digest("typed") == session_digest("simulated")


async def type_answer(pilot: Pilot[Any], presenter: LabellingPresenter, record: AnswerRecord) -> None:
    """Move the focus to a cluster, type the keys of the answer, and wait until the answer is shown."""
    offset = find_cluster_or_ancestor(presenter.round_view.clusters, record.path) - presenter.focus_index
    await pilot.press(*["l" if offset > 0 else "h"] * abs(offset))
    if isinstance(record.answer, ClassAnswer):
        confidence = record.answer.confidence
        await pilot.press(str(record.answer.class_id), "enter" if confidence == 1 else str(round(10 * confidence)))
    elif isinstance(record.answer, Split):
        await pilot.press("s", str(record.answer.parts), "enter")
    else:
        await pilot.press("x")

    def is_answered() -> bool:
        return any(view.path == record.path and view.answer == record.answer for view in presenter.round_view.clusters)

    await wait_until(pilot, is_answered)


def test_scrambled_labels_do_not_change_the_training_if_the_answers_are_replayed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judgements: list[Judgement] = []

    class RecordingAnnotator(MembersAnnotator):
        def judge(self, centre_image: Pixels, member_indices: Indices) -> Judgement:
            judgements.append(super().judge(centre_image, member_indices))
            return judgements[-1]

    class ReplayingAnnotator(MembersAnnotator):
        def judge(self, centre_image: Pixels, member_indices: Indices) -> Judgement:
            return judgements.pop(0)

    monkeypatch.setattr(run_module, "MembersAnnotator", RecordingAnnotator)
    true_result = simulate_session("true", data)
    scrambled_data = tmp_path / "scrambled"
    shutil.copytree(data, scrambled_data)
    monkeypatch.setattr(run_module, "MembersAnnotator", ReplayingAnnotator)
    session = create_with_scrambled_labels("scrambled", scrambled_data, CONFIG)
    scrambled_result = drain_events(Simulation(session, READER, ANNOTATOR_CONFIG, Stopwatch()).run_to_end())
    session.close()
    assert not judgements
    assert session_digest("scrambled") == session_digest("true")
    assert scrambled_result.test_accuracy == true_result.test_accuracy
    assert scrambled_result.label_accuracy != true_result.label_accuracy
