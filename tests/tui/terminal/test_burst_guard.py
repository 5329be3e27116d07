"""A person's digits pass, a terminal's do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaetui.tui.screens.guarded import PLAIN_KEYS
from vaetui.tui.terminal.burst_guard import BurstGuard

QUIET = 0.030
NAMES = {"\r": "enter", " ": "space"}


def heard(events: list[tuple[float, str]], quiet: float = QUIET, alarms: bool = True) -> list[str]:
    """Let a guard hear keys at times, in order, and give what passed; digits weigh.

    Without alarms it is a screen so busy that it looks at what is held only as the next key comes.
    """
    guard, passed, due = BurstGuard[str](quiet), list[str](), list[float]()
    for at, key in events:
        for alarm in [alarm for alarm in due if alarm <= at and alarms]:
            passed += guard.release_keys(alarm)
        due = [alarm for alarm in due if alarm > at]
        passed += guard.release_keys(at)
        verdict = guard.check_key(key, at, key.isdigit(), NAMES.get(key, key) in PLAIN_KEYS)
        if verdict == "hold":
            due.append(at + quiet)
        if verdict == "pass":
            passed.append(key)
    return passed + guard.release_keys(float("inf"))


def spaced(keys: str, gap: float) -> list[tuple[float, str]]:
    return [(1 + place * gap, key) for place, key in enumerate(keys)]


@pytest.mark.parametrize("alarms", [True, False])
def test_a_person_at_80_ms_a_key_loses_nothing(alarms: bool) -> None:
    assert heard(spaced("9a8b0017", 0.080), alarms=alarms) == list("9a8b0017")


@pytest.mark.parametrize("answer", ["[?62;4;22c", "P>|kitty(0.31.0)", "]11;rgb:0000/0000/0000", "4", "44"])
@pytest.mark.parametrize("alarms", [True, False])
def test_of_a_burst_no_digit_passes(answer: str, alarms: bool) -> None:
    burst = spaced("E" + answer, 0.001)
    assert not any(key.isdigit() for key in heard(burst, alarms=alarms))


def test_a_digit_before_a_burst_is_dropped_too() -> None:
    assert heard([(1.0, "7"), (1.010, "c")]) == ["c"]


@pytest.mark.parametrize("keys", ["48", "4\r", "3 7\r", "0123456789"])
@pytest.mark.parametrize("gap", [0.0, 0.001, 0.029])
def test_what_a_stalled_line_delivers_at_once_passes_in_order(keys: str, gap: float) -> None:
    assert heard(spaced(keys, gap)) == list(keys)


def test_an_alarm_lets_nothing_through_while_keys_still_come() -> None:
    assert heard([(1.0, "6"), (1.020, "2"), (1.040, ";"), (1.041, "c")]) == [";", "c"]


def test_keys_that_weigh_nothing_pass_at_once() -> None:
    assert heard(spaced("hjklhjkl", 0.001)) == list("hjklhjkl")


def test_without_a_quiet_time_everything_passes_at_once() -> None:
    assert heard(spaced("1c3", 0.0), quiet=0.0) == list("1c3")


def test_what_was_dropped_is_counted() -> None:
    guard = BurstGuard[str](QUIET)
    assert guard.check_key("1", 0.0, needs_confirmation=True, is_plain=True) == "hold"
    assert guard.check_key("c", 0.001, needs_confirmation=False, is_plain=False) == "pass"
    assert guard.check_key("2", 0.002, needs_confirmation=True, is_plain=True) == "drop"
    assert guard.release_keys(1.0) == []
    assert guard.dropped_count == 2


def test_a_weighty_key_that_is_not_plain_must_come_alone() -> None:
    guard = BurstGuard[str](QUIET)
    assert guard.check_key("s", 0.0, needs_confirmation=True, is_plain=False) == "hold"
    assert guard.release_keys(0.031) == ["s"]
    assert guard.check_key("s", 1.0, needs_confirmation=True, is_plain=False) == "hold"
    assert guard.check_key("3", 1.001, needs_confirmation=True, is_plain=True) == "drop"
    assert guard.release_keys(2.0) == []


@given(st.lists(st.tuples(st.floats(0, 0.2), st.sampled_from("0123456789;c\r"))))
def test_a_digit_passes_just_when_only_plain_keys_are_near(gaps: list[tuple[float, str]]) -> None:
    at, bursts = 1.0, list[list[tuple[float, str]]]()
    for gap, key in gaps:
        near = bursts and at + gap - at < QUIET
        at += gap
        if near:
            bursts[-1].append((at, key))
        else:
            bursts.append([(at, key)])
    plain = {place for place, burst in enumerate(bursts) if not any(key in ";c" for _, key in burst)}
    meant = [key for place, burst in enumerate(bursts) for _, key in burst if place in plain or key in ";c"]
    # Enter weighs nothing: before a digit of a burst it has passed, behind one it falls with it.
    passed = heard([event for burst in bursts for event in burst])
    assert [key for key in passed if key != "\r"] == [key for key in meant if key != "\r"]
    assert passed.count("\r") >= meant.count("\r")
