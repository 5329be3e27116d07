"""In a real terminal whose size changes at any moment: nothing is lost, and everything can still be used."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

import pytest

from tests.terminal import ScriptedTerminal
from tests.tui.terminal_keys import type_keys

LEAST, MOST = (60, 18), (250, 80)
ROOM = "Enlarge the terminal"
SHOWS = {
    "labelling": r"centre \d+(\.\d+)*:",
    "training": r"img/s",
    "finished": r"finished: 5 rounds",
    "reading": r"picture \d+: what do you read\?",
    "samples": r"pictures of any class",
    "help": r"esc back",
}
"""What each screen shows whatever its size."""
OPENS = {"labelling": "", "training": "", "finished": "", "reading": "t", "samples": "d", "help": "?"}
"""The keys that lead there."""


@pytest.fixture
def start() -> Iterator[Callable[[str], ScriptedTerminal]]:
    terminals: list[ScriptedTerminal] = []

    def begin(screen: str) -> ScriptedTerminal:
        phase = {"reading": "training", "samples": "finished", "help": "labelling"}.get(screen, screen)
        terminal = ScriptedTerminal(["-m", "tests.tui.scripted_app", "half", phase])
        terminals.append(terminal)
        terminal.wait_until(lambda: re.search(SHOWS[phase], terminal.text()) is not None)
        terminal.send(OPENS[screen].encode())
        terminal.wait_until(lambda: re.search(SHOWS[screen], terminal.text()) is not None)
        return terminal

    yield begin
    for terminal in terminals:
        terminal.close(timeout_s=0)


def stands(terminal: ScriptedTerminal, screen: str) -> None:
    """Wait until the screen is laid out for the size: its words, and keys or hints in the last line."""
    columns, rows = terminal.screen.columns, terminal.screen.lines
    if columns < LEAST[0] or rows < LEAST[1]:
        terminal.wait_until(lambda: ROOM in " ".join(terminal.text().split()))
        return

    def laid_out() -> bool:
        lines = terminal.screen.display
        # The header reaches to its padding, before which a scroll bar may stand; a wrapped or a stale line would not.
        header = lines[0].rstrip()
        return (
            ROOM not in terminal.text()
            and columns - 3 <= len(header) < columns
            and re.search(SHOWS[screen], terminal.text()) is not None
            and re.search(r"\? keys|esc back", lines[-1]) is not None
        )

    terminal.wait_until(laid_out)


@pytest.mark.parametrize("screen", SHOWS)
def test_every_screen_stands_at_every_size(start: Callable[[str], ScriptedTerminal], screen: str) -> None:
    terminal = start(screen)
    for size in (LEAST, (80, 24), (59, 30), (100, 17), (30, 8), (4, 2), MOST, (60, 80), (250, 18), (120, 40), LEAST):
        terminal.resize(*size)
        if size[0] >= 30:  # less has no room even for the sentence
            stands(terminal, screen)


@pytest.mark.parametrize("seed", range(2))
def test_keys_typed_while_the_size_changes_are_all_taken(start: Callable[[str], ScriptedTerminal], seed: int) -> None:
    draws = random.Random(seed)
    terminal = start("labelling")
    said = 0
    for _ in range(25):
        for _ in range(draws.randint(1, 3)):
            terminal.resize(draws.randint(LEAST[0], MOST[0]), draws.randint(LEAST[1], MOST[1]))
            terminal.process(draws.choice([0, 0.01, 0.05]))
        type_keys(terminal, draws.choice(["7\r", "38", "x"]))
        said += 1
        terminal.wait_until(lambda: re.search(rf"answers +{said}\b", terminal.text()) is not None)  # noqa: B023
        if draws.random() < 0.2:
            terminal.send(b"u")
            said -= 1
            terminal.wait_until(lambda: re.search(rf"answers +{said}\b", terminal.text()) is not None)  # noqa: B023
    terminal.resize(80, 24)
    stands(terminal, "labelling")
    terminal.send(b"q")
    assert terminal.close() == 0


def test_where_nothing_is_to_be_seen_no_key_answers_and_nothing_is_lost(
    start: Callable[[str], ScriptedTerminal],
) -> None:
    terminal = start("labelling")
    terminal.send(b"7\r")
    terminal.wait_until(lambda: re.search(r"answers +1\b", terminal.text()) is not None)
    terminal.send(b"9")
    terminal.wait_until(lambda: "class? 9_" in terminal.text())
    terminal.resize(50, 12)
    stands(terminal, "labelling")
    for key in b"x3sug":
        terminal.send(bytes([key]))
        terminal.wait_until_idle()
    terminal.resize(80, 24)
    terminal.wait_until(lambda: "class? 9_" in terminal.text())
    assert re.search(r"answers +1\b", terminal.text())
    terminal.send(b"\r")
    terminal.wait_until(lambda: re.search(r"answers +2\b", terminal.text()) is not None)
    terminal.resize(50, 12)
    stands(terminal, "labelling")
    terminal.send(b"q")
    assert terminal.close() == 0


def test_on_a_low_screen_the_keys_lead_to_the_commands_and_back(start: Callable[[str], ScriptedTerminal]) -> None:
    terminal = start("finished")
    terminal.resize(*LEAST)
    stands(terminal, "finished")
    terminal.wait_until(lambda: "vaetui export" not in terminal.text())
    type_keys(terminal, "jjjjjjjjjj")
    terminal.wait_for_text("vaetui resume demo-mnist")
    type_keys(terminal, "kkkkkkkkkk")
    terminal.wait_for_text("test accuracy in %")
