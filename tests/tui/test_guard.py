"""A person's digits pass, a terminal's do not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaetui.tui.guard import Guard

QUIET = 0.030


@dataclass(eq=False)
class Token:
    """One key press; two of the same key are two tokens."""

    key: str


def heard(events: list[tuple[float, str]], quiet: float = QUIET) -> list[str]:
    """Let a guard hear keys at times, in order, and give what passed; the timer is what the clock says."""
    guard, passed, timers = Guard(quiet), list[str](), list[tuple[float, Token]]()
    for at, key in [*events, (float("inf"), "")]:
        passed += [token.key for due, token in timers if due <= at and guard.release(token)]
        timers = [timer for timer in timers if timer[0] > at]
        if key:
            token = Token(key)
            verdict = guard.hear(token, at, key.isdigit())
            if verdict == "hold":
                timers.append((at + quiet, token))
            if verdict == "pass":
                passed.append(key)
    return passed


def spaced(keys: str, gap: float) -> list[tuple[float, str]]:
    return [(place * gap, key) for place, key in enumerate(keys)]


def test_a_person_at_80_ms_a_key_loses_nothing() -> None:
    assert heard(spaced("9a8b0017", 0.080)) == list("9a8b0017")


@pytest.mark.parametrize("answer", ["[?62;4;22c", "P>|kitty(0.31.0)", "]11;rgb:0000/0000/0000", "4", "44"])
def test_of_a_burst_no_digit_passes(answer: str) -> None:
    burst = [(10 + place * 0.001, key) for place, key in enumerate("E" + answer)]
    assert not any(key.isdigit() for key in heard(burst))


def test_a_digit_before_a_burst_is_dropped_too() -> None:
    assert heard([(1.0, "7"), (1.010, "c")]) == ["c"]


def test_a_person_loses_nothing_on_a_busy_screen_that_looks_at_all_keys_late() -> None:
    guard, passed = Guard(QUIET), list[str]()
    for at, key in spaced("9a8b0017", 0.080):  # no timer ever fires between them
        if isinstance(ripe := guard.ripe(at), Token):
            passed.append(ripe.key)
        if guard.hear(Token(key), at, key.isdigit()) == "pass":
            passed.append(key)
    assert passed == list("9a8b001")
    ripe = guard.ripe(99.0)
    assert isinstance(ripe, Token)
    assert ripe.key == "7"
    assert guard.dropped == 0


def test_of_a_burst_that_is_looked_at_late_no_digit_passes() -> None:
    guard = Guard(QUIET)
    for place, key in enumerate("[?62;4;22c"):
        assert guard.ripe(place * 0.001) is None
        assert guard.hear(Token(key), place * 0.001, key.isdigit()) == ("drop" if key.isdigit() else "pass")


def test_keys_that_weigh_nothing_pass_at_once() -> None:
    assert heard(spaced("hjklhjkl", 0.001)) == list("hjklhjkl")


def test_without_a_quiet_time_everything_passes_at_once() -> None:
    assert heard(spaced("123", 0.0), quiet=0.0) == list("123")


def test_what_was_dropped_is_counted() -> None:
    guard = Guard(QUIET)
    first, second = Token("1"), Token("2")
    assert [guard.hear(first, 0.0, True), guard.hear(second, 0.001, True)] == ["hold", "drop"]
    assert not guard.release(first)
    assert not guard.release(second)
    assert guard.dropped == 2


def test_a_late_timer_of_a_dropped_key_lets_no_other_key_through() -> None:
    guard = Guard(QUIET)
    first, second = Token("1"), Token("2")
    guard.hear(first, 0.0, True)
    guard.hear(Token("c"), 0.001, False)
    guard.hear(second, 0.040, True)
    assert not guard.release(first)
    assert guard.release(second)


@given(st.lists(st.tuples(st.floats(0, 0.2), st.sampled_from("0123456789;c"))))
def test_a_digit_passes_just_when_it_stands_alone(gaps: list[tuple[float, str]]) -> None:
    at, events = 1.0, []
    for gap, key in gaps:
        at += gap
        events.append((at, key))
    alone = [
        key
        for place, (at, key) in enumerate(events)
        if not key.isdigit()
        or (
            (place == 0 or not at - events[place - 1][0] < QUIET)
            and (place == len(events) - 1 or not events[place + 1][0] < at + QUIET)
        )
    ]
    assert heard(events) == alone
