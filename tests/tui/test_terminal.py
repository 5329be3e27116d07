"""In a real terminal: nothing that the terminal says labels an image, and a key costs few bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.terminal import ScriptedTerminal

Start = Callable[..., ScriptedTerminal]
LATE = b"\x1b[?62;4;22c\x1bP>|xterm(370)\x1b\\\x1b_Gi=31;OK\x1b\\\x1bP1$r48:2::1:2:3m\x1b\\\x1b[6;20;10t"
"""What a terminal may answer to questions of somebody else."""
BARE = LATE.replace(b"\x1b", b"")
"""The same where a slow line has torn the escape characters off: plain letters and digits."""


@pytest.fixture
def start() -> Iterator[Start]:
    terminals: list[ScriptedTerminal] = []

    def begin(*mode: str, size: tuple[int, int] = (80, 24), delay: float = 0.005) -> ScriptedTerminal:
        terminal = ScriptedTerminal(["-m", "tests.tui.scripted_app", *mode], size, delay)
        terminals.append(terminal)
        terminal.until(lambda: "class?" in terminal.text())
        terminal.until_quiet()
        return terminal

    yield begin
    for terminal in terminals:
        terminal.type(b"\x1b")
        terminal.until_quiet()
        terminal.type(b"q")
        assert terminal.close() == 0


def answered(terminal: ScriptedTerminal) -> int:
    """Read from the header how many centres are answered."""
    return int(terminal.text().split("answered")[1].split("/")[0])


def press(terminal: ScriptedTerminal, keys: str) -> None:
    """Type as fast as a person can: 80 ms a key."""
    for key in keys:
        terminal.type(key.encode())
        end = time.monotonic() + 0.080
        while time.monotonic() < end:
            terminal._turn(0.01)


@pytest.mark.parametrize("delay", [0.005, 0.150, 0.900])
def test_answers_to_the_probe_label_nothing(start: Start, delay: float) -> None:
    terminal = start(delay=delay)
    assert terminal.asked[:3] == [b"\x1b[>q", b"\x1bP$qm\x1b\\", b"\x1b[c"]
    assert "centre 0: class?  a digit" in terminal.text()
    assert answered(terminal) == 0
    assert b"\x1b[38;2;" in terminal.output, "the probe proved 24 bits of colour"
    press(terminal, "9\r")
    terminal.until(lambda: answered(terminal) == 1)


@pytest.mark.parametrize("burst", [LATE, BARE, BARE + LATE], ids=["late", "bare", "both"])
@pytest.mark.parametrize("piece", [1, 1000])
def test_answers_that_come_while_labelling_label_nothing(start: Start, burst: bytes, piece: int) -> None:
    terminal = start("half")
    for place in range(0, len(burst), piece):
        terminal.type(burst[place : place + piece])
    terminal.until_quiet()
    assert answered(terminal) == 0
    assert "answers   0" in terminal.text()
    terminal.type(b"\x1b")
    terminal.until_quiet()
    press(terminal, "38")
    terminal.until(lambda: answered(terminal) == 1)


def test_a_fast_person_loses_no_key(start: Start) -> None:
    terminal = start("half")
    press(terminal, "9\r8736x2\r")
    terminal.until(lambda: answered(terminal) == 5)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_key_costs_few_bytes(start: Start, size: tuple[int, int], capsys: pytest.CaptureFixture[str]) -> None:
    terminal = start("half", size=size)
    first, costs = terminal.received, {}
    for name, key in {"right": "l", "class": "9", "sure": "\r", "members": "m", "unreadable": "x", "undo": "u"}.items():
        before = terminal.received
        terminal.type(key.encode())
        terminal.until_quiet()
        costs[name] = terminal.received - before
    with capsys.disabled():
        print(f"\n{size[0]}x{size[1]}: first screen {first:,} bytes, then {costs}")
    assert max(costs.values()) <= 15_000
    assert first <= 150_000


def test_pictures_of_kitty_give_their_memory_back(start: Start) -> None:
    terminal = start("kitty")
    sent = terminal.output.count(b"m=0,f=100")
    assert sent >= 7
    press(terminal, "l")
    terminal.until_quiet()
    assert terminal.output.count(b"a=d,d=I,i=") >= 7
    assert terminal.asked.count(b"\x1b[c") == 0
    assert answered(terminal) == 0
