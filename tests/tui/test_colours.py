"""Test that pictures and states are recognisable in terminals with few colours or none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.terminal import ScriptedTerminal
from tests.tui.harness import screen_text, wait_until
from tests.tui.scripted_session import ScriptedSession
from vaetui.session.views import Phase
from vaetui.tui.app import VaetuiApp
from vaetui.tui.widgets.text_images import fit_image

FEW_COLOURS = [{"NO_COLOR": "1"}, {"TERM": "xterm-16color"}, {"TERM": "linux"}]
BRIGHTNESS = {"default": 0, "black": 0, "brightblack": 85, "white": 170, "brightwhite": 255}
"""The greys among 16 colours."""


@pytest.fixture(params=FEW_COLOURS, ids=lambda environment: "=".join(*environment.items()))
def terminal(request: pytest.FixtureRequest) -> Iterator[ScriptedTerminal]:
    """A labelling screen in a terminal with few colours."""
    terminal = ScriptedTerminal(["-m", "tests.tui.scripted_app", "half"], (80, 24), environment=request.param)
    terminal.wait_for_text("class?")
    terminal.wait_until_quiet()
    yield terminal
    terminal.send(b"q")
    assert terminal.close() == 0


def get_brightness(colour: str) -> int:
    return BRIGHTNESS[colour] if colour in BRIGHTNESS else int(colour[:2], 16)


def test_picture_focus_and_answers_are_shown_without_colours(terminal: ScriptedTerminal) -> None:
    rows = [[terminal.screen.buffer[row][column] for column in range(1, 29)] for row in range(2, 16)]
    halves = [
        [(get_brightness(cell.fg if cell.data == "▀" else cell.bg), get_brightness(cell.bg)) for cell in row]
        for row in rows
    ]
    pixels = np.array(halves).transpose(0, 2, 1).reshape(28, 28)  # upper and lower half of each cell
    expected_pixels = fit_image(ScriptedSession("labelling").round_view().clusters[0].picture, 28, 28)
    assert len(np.unique(pixels)) >= 4
    assert np.corrcoef(pixels.ravel(), expected_pixels.ravel())[0, 1] > 0.9
    assert "[ 0 ?" in terminal.text()
    terminal.send(b"7")
    terminal.wait_for_text("Enter: certain")
    terminal.wait_until_quiet()
    terminal.send(b"\r")
    terminal.wait_for_text("0 ■7")
    terminal.wait_for_text("[ 1 ?")
    terminal.wait_until_quiet()
    terminal.send(b"x")
    terminal.wait_for_text("1 –")


@pytest.mark.parametrize("phase", ["training", "finished"])
async def test_plots_are_drawn_without_colours(monkeypatch: pytest.MonkeyPatch, phase: Phase) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = VaetuiApp(ScriptedSession(phase))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "╭" in screen_text(app))


@pytest.mark.usefixtures("home")
def test_terminal_without_cursor_movement_is_refused_with_the_option_to_use() -> None:
    terminal = ScriptedTerminal(["-m", "vaetui", "new"], (120, 24), environment={"TERM": "dumb"})
    terminal.wait_for_text("--plain")
    assert terminal.close() == 2
