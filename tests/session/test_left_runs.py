"""A run that is left during the steps that take seconds with millions of images."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, answer_round, list_answers, session_digest
from vaetui.engine import slow_calls
from vaetui.engine.events import Progress
from vaetui.session import lifecycle
from vaetui.storage import npz

pytestmark = pytest.mark.usefixtures("home")


def continue_run(name: str, left_activities: set[str]) -> bool:
    """Continue a run up to the first report of another activity, or to its end; return whether it is finished."""
    with closing(lifecycle.resume(name)) as session:
        while True:
            for event in session.advance():
                if isinstance(event, Progress) and event.activity not in left_activities:
                    left_activities.add(event.activity)
                    return False
            if session.phase == "finished":
                return True
            list(answer_round(session))
            session.close_round()


@pytest.mark.slow
def test_run_that_is_left_at_every_activity_ends_with_the_same_bits(
    runs: RunTemplates, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = runs.result(PROPAGATION_CONFIG)
    runs.copy("left", PROPAGATION_CONFIG, 1)
    monkeypatch.setattr(slow_calls, "POLL_S", 0.0)
    monkeypatch.setattr(npz, "CHUNK_BYTES", 1 << 12)
    activities: set[str] = set()
    while not continue_run("left", activities):
        pass
    assert {"opening the round", "saving the predictions", "saving the clusters", "drawing the clusters"} <= activities
    assert (session_digest("left"), list_answers("left")) == expected
