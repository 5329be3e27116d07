"""Test that keys of a user pass the burst guard and bursts of a terminal do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaetui.tui.screens.key_guarded_screen import PLAIN_KEYS
from vaetui.tui.terminal.burst_guard import BurstGuard

QUIET_S = 0.030
KEY_NAMES = {"\r": "enter", " ": "space"}


def filter_keys(events: list[tuple[float, str]], quiet_s: float = QUIET_S, has_timers: bool = True) -> list[str]:
    """Return the keys that pass a guard; `events` are times and keys in order, and digits need confirmation.

    Without timers, held keys are released only when the next key arrives, as on a very busy screen.
    """
    guard, passed, timers = BurstGuard[str](quiet_s), list[str](), list[float]()
    for time_s, key in events:
        for timer_s in [timer_s for timer_s in timers if timer_s <= time_s and has_timers]:
            passed += guard.release_keys(timer_s)
        timers = [timer_s for timer_s in timers if timer_s > time_s]
        passed += guard.release_keys(time_s)
        decision = guard.check_key(key, time_s, key.isdigit(), KEY_NAMES.get(key, key) in PLAIN_KEYS)
        if decision == "hold":
            timers.append(time_s + quiet_s)
        if decision == "pass":
            passed.append(key)
    return passed + guard.release_keys(float("inf"))


def spread(keys: str, interval_s: float) -> list[tuple[float, str]]:
    return [(1 + index * interval_s, key) for index, key in enumerate(keys)]


@pytest.mark.parametrize("has_timers", [True, False])
def test_keys_80_ms_apart_all_pass(has_timers: bool) -> None:
    assert filter_keys(spread("9a8b0017", 0.080), has_timers=has_timers) == list("9a8b0017")


@pytest.mark.parametrize("reply", ["[?62;4;22c", "P>|kitty(0.31.0)", "]11;rgb:0000/0000/0000", "4", "44"])
@pytest.mark.parametrize("has_timers", [True, False])
def test_no_digit_of_a_reply_passes(reply: str, has_timers: bool) -> None:
    burst = spread("E" + reply, 0.001)
    assert not any(key.isdigit() for key in filter_keys(burst, has_timers=has_timers))


def test_digit_before_a_burst_is_dropped() -> None:
    assert filter_keys([(1.0, "7"), (1.010, "c")]) == ["c"]


@pytest.mark.parametrize("keys", ["48", "4\r", "3 7\r", "0123456789"])
@pytest.mark.parametrize("interval_s", [0.0, 0.001, 0.029])
def test_burst_of_plain_keys_passes_in_order(keys: str, interval_s: float) -> None:
    assert filter_keys(spread(keys, interval_s)) == list(keys)


def test_timer_releases_no_digit_while_keys_arrive() -> None:
    assert filter_keys([(1.0, "6"), (1.020, "2"), (1.040, ";"), (1.041, "c")]) == [";", "c"]


def test_keys_without_confirmation_pass_at_once() -> None:
    assert filter_keys(spread("hjklhjkl", 0.001)) == list("hjklhjkl")


def test_all_keys_pass_at_once_without_quiet_time() -> None:
    assert filter_keys(spread("1c3", 0.0), quiet_s=0.0) == list("1c3")


def test_dropped_keys_are_counted() -> None:
    guard = BurstGuard[str](QUIET_S)
    assert guard.check_key("1", 0.0, needs_confirmation=True, is_plain=True) == "hold"
    assert guard.check_key("c", 0.001, needs_confirmation=False, is_plain=False) == "pass"
    assert guard.check_key("2", 0.002, needs_confirmation=True, is_plain=True) == "drop"
    assert guard.release_keys(1.0) == []
    assert guard.dropped_count == 2


def test_key_that_is_not_plain_passes_only_alone() -> None:
    guard = BurstGuard[str](QUIET_S)
    assert guard.check_key("s", 0.0, needs_confirmation=True, is_plain=False) == "hold"
    assert guard.release_keys(0.031) == ["s"]
    assert guard.check_key("s", 1.0, needs_confirmation=True, is_plain=False) == "hold"
    assert guard.check_key("3", 1.001, needs_confirmation=True, is_plain=True) == "drop"
    assert guard.release_keys(2.0) == []


@given(st.lists(st.tuples(st.floats(0, 0.2), st.sampled_from("0123456789;c\r"))))
def test_digit_passes_exactly_if_only_plain_keys_are_near(intervals: list[tuple[float, str]]) -> None:
    time_s, bursts = 1.0, list[list[tuple[float, str]]]()
    for interval_s, key in intervals:
        is_near = bursts and time_s + interval_s - time_s < QUIET_S
        time_s += interval_s
        if is_near:
            bursts[-1].append((time_s, key))
        else:
            bursts.append([(time_s, key)])
    plain_bursts = {index for index, burst in enumerate(bursts) if not any(key in ";c" for _, key in burst)}
    expected = [key for index, burst in enumerate(bursts) for _, key in burst if index in plain_bursts or key in ";c"]
    # Enter needs no confirmation: before a digit of a burst it has passed, after one it is dropped with the digit.
    passed = filter_keys([event for burst in bursts for event in burst])
    assert [key for key in passed if key != "\r"] == [key for key in expected if key != "\r"]
    assert passed.count("\r") >= expected.count("\r")
