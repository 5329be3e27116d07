"""New pictures by a session's newest checkpoint, beside its training and without any effect on it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.session.scripted_run import SMALL_CONFIG, session_digest, create_session, run_to_end
from vaetui.engine.events import BatchesTrained, Event, SamplesGenerated
from vaetui.errors import UserError
from vaetui.session import trainer

pytestmark = pytest.mark.usefixtures("home")


def test_training_comes_to_the_same_bits_while_pictures_are_drawn(digits: Path) -> None:
    alone = create_session("alone", digits, SMALL_CONFIG)
    list(run_to_end(alone))
    alone.close()
    session, over, seen = create_session("watched", digits, SMALL_CONFIG), threading.Event(), list[Event]()

    def look() -> None:
        while not over.is_set():
            epochs = session.training_curves().finished_epochs
            if epochs:
                seen.extend(session.samples(10, 3 if epochs[-1].label_coverage else None, len(seen)))

    looking = threading.Thread(target=look)
    looking.start()
    acts = list(run_to_end(session))
    over.set()
    looking.join()
    session.close()
    assert acts[-1] == "Finished"
    assert sum(isinstance(event, SamplesGenerated) for event in seen) > 2
    assert session_digest("watched") == session_digest("alone")


def test_there_is_something_to_draw_as_soon_as_training_has_saved(
    digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)
    session = create_session("early", digits)
    with pytest.raises(UserError, match="early has learned nothing yet"):
        list(session.samples(4, None, 0))
    beginning = session.advance()
    while not isinstance(next(beginning), BatchesTrained):
        pass
    next(beginning)  # which saves
    assert session.training_curves().finished_epochs == ()
    *_, drawn = session.samples(4, None, 0)
    assert isinstance(drawn, SamplesGenerated)
    assert drawn.images.shape == (4, 28, 28)
    with pytest.raises(UserError, match="has learned no class yet"):
        list(session.samples(4, 3, 0))
    beginning.close()  # type: ignore[attr-defined]
    session.close()
