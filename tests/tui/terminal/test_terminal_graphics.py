"""Run the app in a terminal that decodes kitty graphics, and compare the pixels with the pictures of the session."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.kitty_screen import KittyScreen
from tests.terminal import REPLIES, ScriptedTerminal
from tests.tui.scripted_session import ScriptedSession
from tests.tui.terminal_keys import type_keys
from vaetui.engine.clusters import Pixels

CELL_SIZE = (10, 20)
FOCUS_CELL = (1, 2)
"""Column and row of the focused centre, of 28 by 14 cells."""
KITTY_REPLIES = {**REPLIES, b"\x1b[>q": b"\x1bP>|kitty(0.31.0)\x1b\\"}


@pytest.fixture
def terminal() -> Iterator[ScriptedTerminal]:
    terminal = ScriptedTerminal(["-m", "tests.tui.scripted_app"], (120, 40), replies=KITTY_REPLIES)
    terminal.wait_for_text("class?")
    yield terminal
    if terminal.status is None:
        type_keys(terminal, "q")
        assert terminal.close() == 0


def enlarge(picture: Pixels) -> Pixels:
    """Return a picture of 28 by 28 pixels as the terminal shows it in 28 by 14 cells."""
    return picture.repeat(10, axis=0).repeat(10, axis=1)[..., None].repeat(3, axis=2)


def test_kitty_terminal_shows_the_pictures_at_their_cells_and_forgets_replaced_ones(
    terminal: ScriptedTerminal,
) -> None:
    screen = KittyScreen(CELL_SIZE)
    clusters = ScriptedSession().round_view().clusters

    def shows(index: int) -> bool:
        screen.read(terminal.output)
        picture = enlarge(clusters[index].picture)
        return any(
            (columns, rows) == (28, 14) and np.array_equal(screen.images[image_id], picture)
            for image_id, (_, _, columns, rows) in screen.placements.items()
        )

    terminal.wait_until(lambda: shows(0))
    terminal.wait_until_quiet()
    screen.read(terminal.output)
    assert np.array_equal(screen.shown_pixels(*FOCUS_CELL), enlarge(clusters[0].picture))
    placement_count = len(screen.placements)
    assert placement_count >= 1 + 8 + 16, "the focused centre, members and thumbnails"
    assert len(screen.images) == placement_count

    type_keys(terminal, "l")
    terminal.wait_until(lambda: shows(1))
    terminal.wait_until_quiet()
    screen.read(terminal.output)
    assert np.array_equal(screen.shown_pixels(*FOCUS_CELL), enlarge(clusters[1].picture))
    assert len(screen.images) == len(screen.placements) == placement_count, "replaced images are deleted"

    transmission_count = screen.transmission_count
    type_keys(terminal, "?")
    terminal.wait_until(lambda: "class?" not in terminal.text())
    terminal.wait_until_quiet()
    screen.read(terminal.output)
    assert screen.placements == {}, "another screen covers the pictures"
    type_keys(terminal, "\x1b")
    terminal.wait_for_text("class?")
    terminal.wait_until(lambda: shows(1))
    terminal.wait_until_quiet()
    screen.read(terminal.output)
    assert len(screen.placements) == placement_count
    assert screen.transmission_count == transmission_count, "the images were still stored"

    terminal.resize(80, 24)
    terminal.wait_until(lambda: len(terminal.screen.display) == 24 and "class?" in terminal.text())
    terminal.wait_until_quiet()
    screen.read(terminal.output)
    assert np.array_equal(screen.shown_pixels(*FOCUS_CELL), enlarge(clusters[1].picture))
    assert all(row + rows <= 24 and column + columns <= 80 for column, row, columns, rows in screen.placements.values())

    type_keys(terminal, "q")
    assert terminal.close() == 0
    screen.read(terminal.output)
    assert screen.images == {}, "nothing stays in the memory of the terminal"
