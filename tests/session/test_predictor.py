"""Samples by the newest checkpoint of a session, also while it is trained."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.session.conftest import RunTemplates
from tests.session.scripted_run import create_session, run_to_end, session_digest
from vaetui.engine.events import BatchesTrained, Event, SamplesGenerated
from vaetui.errors import UserError
from vaetui.session import trainer

pytestmark = pytest.mark.usefixtures("home")


def test_samples_generated_during_training_change_no_bit(runs: RunTemplates, digits: Path) -> None:
    session, is_finished, events = create_session("sampled", digits), threading.Event(), list[Event]()
    has_sampled = threading.Event()

    def generate_samples() -> None:
        while not is_finished.is_set():
            epochs = session.training_curves().finished_epochs
            if epochs:
                events.extend(session.generate_samples(10, 2 if epochs[-1].label_coverage else None, len(events)))
                has_sampled.set()

    thread = threading.Thread(target=generate_samples)
    thread.start()
    steps = []
    for step in run_to_end(session):
        steps.append(step)
        if step in ("answer (1,)", "EpochEnded") and session.training_curves().finished_epochs:
            has_sampled.clear()
            assert has_sampled.wait(120), "no samples beside training"
    is_finished.set()
    thread.join()
    session.close()
    assert steps[-1] == "Finished"
    assert sum(isinstance(event, SamplesGenerated) for event in events) > 2
    assert session_digest("sampled") == runs.result()[0]


def test_samples_are_available_after_the_first_checkpoint(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)
    session = create_session("early", digits)
    with pytest.raises(UserError, match="early has no checkpoint yet"):
        list(session.generate_samples(4, None, 0))
    events = session.advance()
    while not isinstance(next(events), BatchesTrained):
        pass
    next(events)  # saves a checkpoint
    assert session.training_curves().finished_epochs == ()
    *_, samples = session.generate_samples(4, None, 0)
    assert isinstance(samples, SamplesGenerated)
    assert samples.images.shape == (4, 28, 28)
    with pytest.raises(UserError, match="early has not learned any class yet"):
        list(session.generate_samples(4, 3, 0))
    events.close()
    session.close()
