"""Test all screens in a scripted terminal whose size changes at any moment."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

import pytest

from tests.terminal import ScriptedTerminal
from tests.tui.terminal_keys import type_keys
from vaetui.tui.presenters.size_breakpoints import MIN_SIZE_CELLS

MAX_SIZE_CELLS = (250, 80)
MIN_NOTICE_COLUMNS = 30
"""Columns that the size notice needs."""
SIZE_NOTICE = "Enlarge the terminal"
TIMEOUT_S = 120
SCREEN_PATTERNS = {
    "labelling": r"Cluster \d+(\.\d+)*:",
    "training": r"img/s|Training without labels",
    "finished": r"finished: 5 rounds",
    "reading": r"Picture \d+: what do you read\?",
    "samples": r"Samples of any class",
    "help": r"Esc q back",
    "audit": r"Image 1: which class\?",
}
"""What each screen shows at every size."""
OPENING_KEYS = {
    "labelling": "",
    "training": "",
    "finished": "",
    "reading": "t",
    "samples": "d",
    "help": "?",
    "audit": "vq",
}
PHASES = {"reading": "training", "samples": "finished", "help": "labelling", "audit": "finished"}
"""The phases of the screens that are not called like their phase."""
TerminalFactory = Callable[[str], ScriptedTerminal]


@pytest.fixture
def open_screen() -> Iterator[TerminalFactory]:
    """Return a function that opens a screen in a new terminal; terminals are closed after the test."""
    terminals: list[ScriptedTerminal] = []

    def start_terminal(screen: str) -> ScriptedTerminal:
        phase = PHASES.get(screen, screen)
        terminal = ScriptedTerminal(["-m", "tests.tui.scripted_app", "half", phase])
        terminals.append(terminal)
        wait_for_pattern(terminal, SCREEN_PATTERNS[phase])
        terminal.send(OPENING_KEYS[screen].encode())
        wait_for_pattern(terminal, SCREEN_PATTERNS[screen])
        return terminal

    yield start_terminal
    for terminal in terminals:
        terminal.close(timeout_s=0)


def wait_for_pattern(terminal: ScriptedTerminal, pattern: str) -> None:
    terminal.wait_until(lambda: re.search(pattern, terminal.text()) is not None, TIMEOUT_S)


def wait_for_answers(terminal: ScriptedTerminal, count: int) -> None:
    wait_for_pattern(terminal, rf"answers +{count}\b")


def wait_for_layout(terminal: ScriptedTerminal, screen: str) -> None:
    """Wait until the screen is laid out for the size: its text, and keys or hints in the last line."""
    columns, rows = terminal.screen.columns, terminal.screen.lines
    if columns < MIN_SIZE_CELLS[0] or rows < MIN_SIZE_CELLS[1]:
        terminal.wait_until(lambda: SIZE_NOTICE in " ".join(terminal.text().split()), TIMEOUT_S)
        return

    def is_laid_out() -> bool:
        lines = terminal.screen.display
        # The header ends at its padding, in front of which a scroll bar may be; a wrapped or outdated line would not.
        header = lines[0].rstrip()
        return (
            SIZE_NOTICE not in terminal.text()
            and columns - 3 <= len(header) < columns
            and re.search(SCREEN_PATTERNS[screen], terminal.text()) is not None
            and re.search(r"\? keys|Esc q back", lines[-1]) is not None
        )

    terminal.wait_until(is_laid_out, TIMEOUT_S)


def resize_through(terminal: ScriptedTerminal, screen: str, sizes: list[tuple[int, int]]) -> None:
    for size in sizes:
        terminal.resize(*size)
        if size[0] >= MIN_NOTICE_COLUMNS:
            wait_for_layout(terminal, screen)


def type_answers_while_resizing(terminal: ScriptedTerminal, seed: int, count: int) -> None:
    rng = random.Random(seed)
    answer_count = 0
    for _ in range(count):
        for _ in range(rng.randint(1, 3)):
            terminal.resize(
                rng.randint(MIN_SIZE_CELLS[0], MAX_SIZE_CELLS[0]), rng.randint(MIN_SIZE_CELLS[1], MAX_SIZE_CELLS[1])
            )
            terminal.process(rng.choice([0, 0.01, 0.05]))
        type_keys(terminal, rng.choice(["7\r", "38", "x"]))
        answer_count += 1
        wait_for_answers(terminal, answer_count)
        if rng.random() < 0.2:
            terminal.send(b"u")
            answer_count -= 1
            wait_for_answers(terminal, answer_count)
    terminal.resize(80, 24)
    wait_for_layout(terminal, "labelling")
    terminal.send(b"q")
    assert terminal.close() == 0


def test_labelling_screen_is_laid_out_for_small_and_large_terminals(open_screen: TerminalFactory) -> None:
    resize_through(open_screen("labelling"), "labelling", [MIN_SIZE_CELLS, (30, 8), (4, 2), (120, 40), (80, 24)])


@pytest.mark.slow
@pytest.mark.parametrize("screen", SCREEN_PATTERNS)
def test_every_screen_is_laid_out_for_every_size(open_screen: TerminalFactory, screen: str) -> None:
    resize_through(
        open_screen(screen),
        screen,
        [
            *(MIN_SIZE_CELLS, (80, 24), (59, 30), (100, 17), (30, 8), (4, 2)),
            *(MAX_SIZE_CELLS, (60, 80), (250, 18), (120, 40), MIN_SIZE_CELLS),
        ],
    )


def test_keys_typed_while_the_size_changes_are_answered(open_screen: TerminalFactory) -> None:
    type_answers_while_resizing(open_screen("labelling"), seed=2, count=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_many_keys_typed_while_the_size_changes_are_answered(open_screen: TerminalFactory, seed: int) -> None:
    type_answers_while_resizing(open_screen("labelling"), seed, count=14)  # fewer than there are clusters


@pytest.mark.slow
def test_too_small_terminal_ignores_keys_and_keeps_the_typed_class(open_screen: TerminalFactory) -> None:
    terminal = open_screen("labelling")
    terminal.send(b"7\r")
    wait_for_answers(terminal, 1)
    terminal.send(b"9")
    wait_for_pattern(terminal, r"class\? 9_")
    terminal.resize(50, 12)
    wait_for_layout(terminal, "labelling")
    for key in b"x3sug":
        terminal.send(bytes([key]))
        terminal.wait_until_idle()
    terminal.resize(80, 24)
    wait_for_pattern(terminal, r"class\? 9_")
    assert re.search(r"answers +1\b", terminal.text())
    terminal.send(b"\r")
    wait_for_answers(terminal, 2)
    terminal.resize(50, 12)
    wait_for_layout(terminal, "labelling")
    terminal.send(b"q")
    assert terminal.close() == 0


def test_low_summary_scrolls_to_the_commands_and_back(open_screen: TerminalFactory) -> None:
    terminal = open_screen("finished")
    terminal.resize(*MIN_SIZE_CELLS)
    wait_for_layout(terminal, "finished")
    terminal.wait_until(lambda: "screen again" not in terminal.text(), TIMEOUT_S)
    type_keys(terminal, "jjjjjjjjjj")
    terminal.wait_for_text("screen again")
    type_keys(terminal, "kkkkkkkkkk")
    terminal.wait_for_text("Test accuracy in %")
