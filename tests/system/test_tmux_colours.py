"""Colours of pictures inside a real tmux, which passes 24-bit colours on or reduces them."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.color import Color

from tests.system import tmux
from tests.terminal import ScriptedTerminal
from tests.tui.scripted_session import ScriptedSession
from tests.tui.terminal_keys import type_keys
from vaetui.tui.widgets.text_images import fit_image

pytestmark = [pytest.mark.skipif(not tmux.is_installed(), reason=tmux.SKIP_REASON), pytest.mark.slow]
NOTICE = "256 colours"
FOCUS_COLUMN, FOCUS_ROW = 1, 2
"""First cell of the focused centre, which has 28 by 14 cells."""
MAX_GREY_DIFFERENCE = 13
"""Grey levels of 255 by which a pixel may differ in the palette of 256 colours, whose steps are 10."""
OpenInTmux = Callable[[str], ScriptedTerminal]


@pytest.fixture
def open_in_tmux(tmp_path: Path) -> Iterator[OpenInTmux]:
    """A function that runs the app in a tmux with a configuration, in a terminal of 120 columns."""
    socket_names: list[str] = []

    def open_terminal(configuration: str) -> ScriptedTerminal:
        (tmp_path / "tmux.conf").write_text(configuration)
        socket_names.append(f"vaetui-{uuid.uuid4().hex[:8]}")
        tmux_arguments = ["-L", socket_names[-1], "-f", str(tmp_path / "tmux.conf"), "new-session"]
        exec_tmux = "import os, sys; os.execvp('tmux', ['tmux', *sys.argv[1:]])"
        command = f"{sys.executable} -m tests.tui.scripted_app"
        terminal = ScriptedTerminal(["-c", exec_tmux, *tmux_arguments, command], (120, 40))
        terminal.wait_for_text("class?")
        terminal.wait_until_quiet()
        return terminal

    yield open_terminal
    for name in socket_names:
        subprocess.run(["tmux", "-L", name, "kill-server"], check=False, capture_output=True)


def read_focused_picture(terminal: ScriptedTerminal) -> list[list[tuple[int, int, int]]]:
    """Return the colours of the pixels of the focused centre, two rows for each row of cells."""
    rows: list[list[tuple[int, int, int]]] = []
    for row in range(FOCUS_ROW, FOCUS_ROW + 14):
        cells = [terminal.screen.buffer[row][column] for column in range(FOCUS_COLUMN, FOCUS_COLUMN + 28)]
        lower = [Color.parse(f"#{cell.bg}").get_truecolor() for cell in cells]
        upper = [
            Color.parse(f"#{cell.fg}").get_truecolor() if cell.data == "▀" else colour
            for cell, colour in zip(cells, lower, strict=True)
        ]
        rows += [[(*colour,) for colour in half] for half in (upper, lower)]  # type: ignore[misc]
    return rows


def assert_shows_first_cluster(terminal: ScriptedTerminal, max_difference: int) -> None:
    image = fit_image(ScriptedSession().round_view().clusters[0].picture, 28, 28).tolist()
    shown = read_focused_picture(terminal)
    for shown_row, expected_row in zip(shown, image, strict=True):
        for (red, green, blue), grey in zip(shown_row, expected_row, strict=True):
            assert red == green == blue
            assert abs(red - grey) <= max_difference


@pytest.mark.parametrize(
    "configuration",
    ["set -as terminal-features ',xterm-256color:RGB'\n", "set -ga terminal-overrides ',*256col*:Tc'\n"],
)
def test_all_colours_pass_through_a_tmux_that_knows_the_terminal(open_in_tmux: OpenInTmux, configuration: str) -> None:
    terminal = open_in_tmux(configuration)
    assert re.search(rb"\x1b\[[\d;:]*[34]8[;:]2[;:]", terminal.output)
    assert NOTICE not in terminal.text()
    assert_shows_first_cluster(terminal, 0)


def test_pictures_are_grey_in_a_tmux_without_24_bit_colours_and_a_notice_tells_how_to_get_them(
    open_in_tmux: OpenInTmux,
) -> None:
    terminal = open_in_tmux("")
    assert not re.search(rb"\x1b\[[\d;:]*[34]8[;:]2[;:]", terminal.output)
    assert "~/.tmux.conf: set -as terminal-features ',xterm-256color:RGB'" in terminal.text()
    assert_shows_first_cluster(terminal, MAX_GREY_DIFFERENCE)
    type_keys(terminal, "l")
    terminal.wait_until(lambda: NOTICE not in terminal.text())
