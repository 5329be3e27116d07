"""Simulated runs: repeatable, honest, and no other than what a person's keys would make."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.session.scripted_run import session_digest, create_session, list_answers, create_with_scrambled_labels
from tests.simulation.driven import HABITS, SHORT, simulated
from tests.tui.harness import wait_until
from vaetui.runtime.runner import drain
from vaetui.engine.answers import ClassAnswer, Split
from vaetui.engine.clusters import Indices, Pixels
from vaetui.session import lifecycle, summary
from vaetui.simulation import run as running
from vaetui.simulation.annotators import Judgement, MembersAnnotator
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.run import Simulation
from vaetui.simulation.stopwatch import Stopwatch
from vaetui.storage import locations as sessions
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.summary import SummaryScreen

pytestmark = pytest.mark.usefixtures("home")


def apart_from_times(outcome: dict[str, Any]) -> dict[str, Any]:
    """What two runs must have in common: all but seconds, and the memory that the process happened to hold."""
    return {key: value for key, value in outcome.items() if key not in ("seconds", "peak_rss_mb")}


@pytest.mark.parametrize("annotator", ["members", "centre"])
def test_two_runs_with_one_seed_come_to_the_same(digits: Path, shelved: TrainedReader, annotator: Any) -> None:
    habits = replace(HABITS, annotator=annotator)
    first, second = (simulated(name, digits, shelved, habits).to_dict() for name in ("first", "second"))
    assert first["label_accuracy"]["overall"] is not None
    assert apart_from_times(first) == apart_from_times(second)
    assert session_digest("first") == session_digest("second")
    other = simulated("other", digits, shelved, habits, replace(SHORT, seed=1)).to_dict()
    assert apart_from_times(other) != apart_from_times(first)


def test_everything_is_counted_and_measured(digits: Path, shelved: TrainedReader) -> None:
    outcome = simulated("run", digits, shelved)
    told = summary.load_status("run")
    assert outcome.answers == sum(outcome.answers_by_round) == told["answers"]
    assert len(outcome.answers_by_round) == 2
    assert all(0 < answers <= HABITS.answers_per_round for answers in outcome.answers_by_round)
    assert list(outcome.test_accuracy) == told["test_accuracy"]
    assert list(outcome.reading_accuracy) == told["reading_accuracy"]
    assert len(outcome.reading_accuracy_by_eval) == 6 * SHORT.training.evals_per_epoch
    assert None not in outcome.reading_accuracy_by_eval
    assert outcome.reading_accuracy_by_eval[2::3] == outcome.reading_accuracy
    assert outcome.pictures_shown >= 2 * 12
    parts = {part: seconds for part, seconds in outcome.seconds.items() if part != "total"}
    assert {"loading", "training", "measuring", "clustering", "annotating", "reading"} <= set(parts)
    assert 0.9 * outcome.seconds["total"] < sum(parts.values()) <= outcome.seconds["total"]
    assert json.loads(json.dumps(outcome.to_dict()))["versions"]["vaetui"]


def test_the_quality_of_labels_is_that_of_the_weights_in_the_session(digits: Path, shelved: TrainedReader) -> None:
    outcome = simulated("run", digits, shelved)
    directory = sessions.find_session("run")
    session = lifecycle.resume("run")
    list(session.advance())
    assert session.true_labels is not None
    truth = session.true_labels.train
    assert truth is not None
    from vaetui.session.labelling_round import LabellingRound

    facts = SessionRepository(directory)
    weights = LabellingRound(ArtifactStore(directory, facts), facts, session.config, 2).pseudo_labels()
    facts.close()
    session.close()
    chosen = weights.weights > 0.3
    row = outcome.label_accuracy["by_weight"][3]
    assert row["share"] == pytest.approx(chosen.mean())
    assert row["accuracy"] == pytest.approx(np.mean(weights.class_ids[chosen] == truth.class_ids[chosen]))


def test_the_labels_to_take_away_are_those_of_the_export(digits: Path, shelved: TrainedReader) -> None:
    exported = simulated("run", digits, shelved).exported
    session = lifecycle.resume("run")
    rows = list(drain(session.label_table()).iter_rows())
    assert session.true_labels is not None
    truth = session.true_labels.training_set
    assert truth is not None
    session.close()
    assert exported is not None
    assert len(rows) == len(truth.class_ids)
    assert exported.accuracy == pytest.approx(np.mean([row["label"] == truth.class_ids[row["index"]] for row in rows]))
    assert exported.expected == pytest.approx(np.mean([row["confidence"] for row in rows]), abs=1e-4)
    assert sum(it.fraction for it in exported.bins) == pytest.approx(1)
    assert exported.calibration_error >= abs(exported.accuracy - exported.expected) - 1e-6


def test_nothing_answered_is_nothing_to_take_away(digits: Path, shelved: TrainedReader) -> None:
    mute = simulated("mute", digits, shelved, replace(HABITS, answers_per_round=0))
    assert mute.exported is None


async def test_the_same_answers_typed_into_the_app_end_in_the_same_bits(
    digits: Path, shelved: TrainedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VaetuiApp, "MIN_KEY_GAP_S", 0.0)
    simulated("simulated", digits, shelved)
    typed = list_answers("simulated")
    facts = SessionRepository(sessions.find_session("simulated"))
    rounds = {round: facts.list_answers(round) for round in (1, 2)}
    facts.close()
    assert any(isinstance(it.answer, Split) for round in rounds.values() for it in round)
    session = create_session("typed", digits, SHORT)
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        for round, sayings in rounds.items():
            asked = lambda round=round: isinstance(app.screen, LabellingScreen) and session.round_number == round  # noqa: E731
            await wait_until(pilot, asked, seconds=100)
            await wait_until(pilot, lambda: not app.event_worker.is_busy)
            screen = app.screen
            assert isinstance(screen, LabellingScreen)
            for saying in sayings:
                paths = [tile.path for tile in screen.presenter.round_view.clusters]
                while (away := paths.index(saying.path) - screen.presenter.focus_index) != 0:
                    await pilot.press("l" if away > 0 else "h")
                if isinstance(saying.answer, ClassAnswer):
                    tenths = round_to_key(saying.answer.confidence)
                    await pilot.press(str(saying.answer.class_id), tenths)
                elif isinstance(saying.answer, Split):
                    await pilot.press("s", str(saying.answer.parts), "enter")
                    await wait_until(pilot, lambda: not app.event_worker.is_busy)
                else:
                    await pilot.press("x")
            await pilot.press("g")
            if session.phase == "labelling":
                await pilot.press("g")
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen), seconds=100)
    session.close()
    assert list_answers("typed") == typed
    assert session_digest("typed") == session_digest("simulated")


def round_to_key(confidence: float) -> str:
    return "enter" if confidence == 1 else str(round(10 * confidence))


def test_scrambled_labels_change_nothing_learned_when_the_answers_are_replayed(
    digits: Path, tmp_path: Path, shelved: TrainedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    opinions: list[Judgement] = []

    class Recording(MembersAnnotator):
        def judge(self, picture: Pixels, nearest: Indices) -> Judgement:
            opinions.append(super().judge(picture, nearest))
            return opinions[-1]

    class Replaying(MembersAnnotator):
        def judge(self, picture: Pixels, nearest: Indices) -> Judgement:
            return opinions.pop(0)

    monkeypatch.setattr(running, "MembersAnnotator", Recording)
    true = simulated("true", digits, shelved)
    data = tmp_path / "scrambled"
    shutil.copytree(digits, data)
    monkeypatch.setattr(running, "MembersAnnotator", Replaying)
    session = create_with_scrambled_labels("scrambled", data, SHORT)
    outcome = drain(Simulation(session, shelved, HABITS, Stopwatch()).run())
    session.close()
    assert not opinions
    assert session_digest("scrambled") == session_digest("true")
    assert outcome.test_accuracy == true.test_accuracy
    assert outcome.label_accuracy != true.label_accuracy
