"""Tests of slow operations as generators of Progress."""

from __future__ import annotations

import threading

import pytest

from vaetui.engine import slow_calls
from vaetui.engine.slow_calls import exhaust, run_in_background


def test_result_of_a_short_call_is_returned_without_a_report() -> None:
    with pytest.raises(StopIteration) as end:
        next(run_in_background("adding", lambda: 1 + 2))
    assert end.value.value == 3


def test_long_call_is_reported_and_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_calls, "POLL_S", 0.01)
    is_released, is_done = threading.Event(), threading.Event()

    def wait() -> str:
        assert is_released.wait(30)
        is_done.set()
        return "value"

    left = run_in_background("waiting", wait)
    assert next(left).activity == next(left).activity == "waiting"
    left.close()
    followed = run_in_background("waiting", wait)
    next(followed)
    is_released.set()
    assert is_done.wait(30)
    assert exhaust(followed) == "value"


@pytest.mark.parametrize("error", [ValueError("no"), TimeoutError("late")], ids=["any", "a timeout of its own"])
def test_error_of_the_function_is_raised(error: Exception) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        exhaust(run_in_background("failing", fail))
