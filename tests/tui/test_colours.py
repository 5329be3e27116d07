"""With few colours, or none, pictures are seen, and nothing is told by colour alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.terminal import ScriptedTerminal
from tests.tui.scripted_session import ScriptedSession
from vaetui.tui.widgets.half_blocks import fit_image

POOR = [{"NO_COLOR": "1"}, {"TERM": "xterm-16color"}, {"TERM": "linux"}]
BRIGHT = {"default": 0, "black": 0, "brightblack": 85, "white": 170, "brightwhite": 255}
"""The greys of 16 colours."""


@pytest.fixture(params=POOR, ids=lambda variables: "=".join(*variables.items()))
def terminal(request: pytest.FixtureRequest) -> Iterator[ScriptedTerminal]:
    made = ScriptedTerminal(["-m", "tests.tui.scripted_app", "half"], (80, 24), environment=request.param)
    made.wait_for_text("class?")
    made.wait_until_quiet()
    yield made
    made.send(b"q")
    assert made.close() == 0


def grey(colour: str) -> int:
    return BRIGHT[colour] if colour in BRIGHT else int(colour[:2], 16)


def test_the_picture_is_seen(terminal: ScriptedTerminal) -> None:
    cells = [[terminal.screen.buffer[row][column] for column in range(1, 29)] for row in range(2, 16)]
    drawn = [[(grey(cell.fg if cell.data == "▀" else cell.bg), grey(cell.bg)) for cell in row] for row in cells]
    seen = np.array(drawn).transpose(0, 2, 1).reshape(28, 28)  # the upper half of a cell, the lower half
    expected = fit_image(ScriptedSession("labelling").round_view().clusters[0].picture, 28, 28)
    assert len(np.unique(seen)) >= 4
    assert np.corrcoef(seen.ravel(), expected.ravel())[0, 1] > 0.9


def test_focus_and_answers_are_told_in_signs(terminal: ScriptedTerminal) -> None:
    assert "[ 0 ?" in terminal.text()
    terminal.send(b"7")
    terminal.wait_for_text("Enter = sure")
    terminal.wait_until_quiet()
    terminal.send(b"\r")
    terminal.wait_for_text("0 ·7")
    terminal.wait_for_text("[ 1 ?")
    terminal.wait_until_quiet()
    terminal.send(b"x")
    terminal.wait_for_text("1 –")


@pytest.mark.usefixtures("home")
def test_a_terminal_that_cannot_move_its_cursor_is_told_of_the_dialogue() -> None:
    dumb = ScriptedTerminal(["-m", "vaetui", "new"], (120, 24), environment={"TERM": "dumb"})
    dumb.wait_for_text("add --plain")
    assert dumb.close() == 2
