"""Run the app in a terminal that decodes graphics, and compare the pixels with the pictures of the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

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
SIXEL_PREFIX = b"\x1bP0;1q"
LEFT_SHIFT = b"\x1b[57441;2u"
"""The key press of the left shift key, as terminals with the kitty keyboard protocol report it."""
StartTerminal: TypeAlias = Callable[[str, dict[bytes, bytes]], ScriptedTerminal]
KITTY_REPLIES = {**REPLIES, b"\x1b[>q": b"\x1bP>|kitty(0.31.0)\x1b\\"}


@pytest.fixture
def start() -> Iterator[StartTerminal]:
    """A function that starts the app with a picture mode and replies of the terminal; it is left at the end."""
    terminals: list[ScriptedTerminal] = []

    def start_terminal(mode: str, replies: dict[bytes, bytes]) -> ScriptedTerminal:
        terminal = ScriptedTerminal(["-m", "tests.tui.scripted_app", mode], (120, 40), replies=replies)
        terminals.append(terminal)
        terminal.wait_for_text("class?")
        terminal.wait_until_quiet()
        return terminal

    yield start_terminal
    for terminal in terminals:
        if terminal.status is None:
            type_keys(terminal, "q")
            assert terminal.close() == 0


@pytest.fixture
def terminal(start: StartTerminal) -> ScriptedTerminal:
    """The app in a kitty terminal, which it finds out by itself."""
    return start("auto", KITTY_REPLIES)


@pytest.fixture
def sixel_terminal(start: StartTerminal) -> ScriptedTerminal:
    """The app with sixel pictures."""
    return start("sixel", REPLIES)


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


def test_sixel_pictures_are_sent_again_only_where_their_cells_were_written(sixel_terminal: ScriptedTerminal) -> None:
    terminal = sixel_terminal

    def press(key: str, text: str) -> int:
        """Press a key, and return how many pictures were sent until the screen shows the text and is quiet."""
        before = terminal.output.count(SIXEL_PREFIX)
        type_keys(terminal, key)
        terminal.wait_for_text(text)
        terminal.wait_until_quiet()
        return terminal.output.count(SIXEL_PREFIX) - before

    first_count = terminal.output.count(SIXEL_PREFIX)
    assert first_count == 1 + 8 + 16, "each picture is sent once"
    assert press("7", "class? 7_") == 0
    assert press("\x1b", "Cluster 0: class?") == 0
    assert 0 < press("l", "Cluster 1: class?") <= 1 + 8 + 2, "the main picture, members, and at most two thumbnails"
    assert press("?", "Choose a class; then") == 0
    assert press("\x1b", "Cluster 1: class?") == first_count
    assert press("i", "Picture mode: half-blocks") == 0


def test_pictures_are_left_out_in_the_mode_without_them(start: StartTerminal) -> None:
    terminal = start("none", REPLIES)
    assert "▀" not in terminal.text()
    assert SIXEL_PREFIX not in terminal.output
    type_keys(terminal, "i")
    terminal.wait_for_text("Picture mode: half-blocks")
    terminal.wait_until(lambda: "▀" in terminal.text())


def test_modifier_that_the_terminal_reports_before_a_key_is_no_key(start: StartTerminal) -> None:
    terminal = start("half", KITTY_REPLIES)
    terminal.send(LEFT_SHIFT)
    terminal.wait_until_quiet()
    assert "Unknown key" not in terminal.text()
    terminal.send(LEFT_SHIFT + b"?")
    terminal.wait_for_text("Choose a class; then")
    type_keys(terminal, "\x1b")
    terminal.wait_for_text("class?")
