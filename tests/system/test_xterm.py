"""Compare the pixels of a real xterm with the pictures of the session, and answer with a key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.command_line import VAETUI
from tests.session_templates import SessionTemplates
from tests.system import xterm as xterm_module
from tests.system.xterm import Xterm
from tests.watching import load_status
from vaetui.engine.clusters import Pixels
from vaetui.session import lifecycle
from vaetui.tui.widgets.text_images import fit_image, to_ascii_lines

pytestmark = [
    pytest.mark.skipif(not xterm_module.is_installed(), reason=xterm_module.SKIP_REASON),
    pytest.mark.usefixtures("home"),
    pytest.mark.slow,
]

CENTRE_CELLS, MEMBER_CELLS = (1, 2, 28, 14), (31, 2, 14, 7)
"""Column, row, width and height of the focused centre and of its nearest member at 80x24."""
COUNT_CELLS = (40, 0, 40, 1)
"""The part of the header that counts the answers."""
MAX_GREY_DIFFERENCE = 24
"""Grey levels, of 255, by which a pixel may differ: with 16 grey levels the steps are 17."""
MIN_INK = 60
"""Grey level from which on a pixel counts as part of a letter."""


def load_pictures(name: str) -> list[tuple[Pixels, Pixels]]:
    """Return the centres of the round, each with its nearest member."""
    session = lifecycle.resume(name)
    list(session.advance())
    pictures = [
        (cluster.picture, session.member_images(cluster.path, "nearest", 1)[0])
        for cluster in session.round_view().clusters
    ]
    session.close()
    return pictures


def shows_picture(xterm: Xterm, cells: tuple[int, int, int, int], picture: Pixels) -> bool:
    """Return whether these cells show the picture, pixel by pixel."""
    shown = xterm.read_cells(*cells).astype(int)
    expected = fit_image(picture, cells[2], 2 * cells[3]).astype(int)
    return bool(np.abs(shown - expected).max() <= MAX_GREY_DIFFERENCE)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_centre_and_member_are_shown_pixel_by_pixel_and_a_key_answers(
    theme: str, templates: SessionTemplates, home: Path
) -> None:
    templates.copy("labelling", "demo")
    pictures = load_pictures("demo")
    xterm = Xterm([*VAETUI, "resume", "demo", "--theme", theme], 80, 24, home)

    def wait_for_cluster(index: int) -> None:
        centre, member = pictures[index]
        xterm.wait_until(
            lambda: shows_picture(xterm, CENTRE_CELLS, centre) and shows_picture(xterm, MEMBER_CELLS, member)
        )
        assert not any(shows_picture(xterm, MEMBER_CELLS, other) for _, other in pictures[index + 1 :])

    try:
        wait_for_cluster(0)
        counts = xterm.read_cells(*COUNT_CELLS)
        xterm.press("7", "Return")
        wait_for_cluster(2)  # cluster 1 has an answer already
        xterm.wait_until(lambda: bool((xterm.read_cells(*COUNT_CELLS) != counts).any()))
        assert load_status("demo")["answers"] == 2
    finally:
        xterm.close()


def test_letters_cover_the_bright_cells_of_the_centre(templates: SessionTemplates, home: Path) -> None:
    templates.copy("labelling", "demo")
    centre, _ = load_pictures("demo")[0]
    column, row, width, height = CENTRE_CELLS
    lines = to_ascii_lines(fit_image(centre, width, 2 * height))
    expected_ink = np.array([[letter != " " for letter in line] for line in lines])
    xterm = Xterm([*VAETUI, "resume", "demo", "--pictures", "ascii"], 80, 24, home)

    def shows_letters() -> bool:
        screenshot = xterm.take_screenshot()
        cell_height, cell_width = screenshot.shape[0] // xterm.rows, screenshot.shape[1] // xterm.columns
        rows = slice(row * cell_height, (row + height) * cell_height)
        columns = slice(column * cell_width, (column + width) * cell_width)
        cells = screenshot[rows, columns].reshape(height, cell_height, width, cell_width)
        ink = cells.max(axis=(1, 3)) > MIN_INK
        return bool((ink == expected_ink).mean() > 0.97)

    try:
        xterm.wait_until(shows_letters)
    finally:
        xterm.close()
