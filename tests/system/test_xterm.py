"""Compare the pixels of a real xterm with the pictures of the session, and answer with a key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.command_line import VAETUI, run_vaetui
from tests.data.drawing import write_image_folder
from tests.session_templates import SessionTemplates
from tests.system import xterm as xterm_module
from tests.system.xterm import Xterm
from tests.watching import load_status
from vaetui.engine.clusters import Pixels
from vaetui.session import lifecycle
from vaetui.tui.widgets.pixel_images import scale_to_pixels
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
MAX_COLOUR_DIFFERENCE = 40
"""The same for the mean of a colour channel: a sixel picture has 16 colours in xterm."""
SIXEL_OPTIONS = ("-ti", "vt340")
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


class SixelWindow(Xterm):
    """An xterm with sixel graphics that shows a session."""

    def __init__(self, name: str, home: Path) -> None:
        """Open the session with sixel pictures."""
        super().__init__([*VAETUI, "resume", name, "--pictures", "sixel"], 80, 24, home, SIXEL_OPTIONS)

    def shows(self, cells: tuple[int, int, int, int], picture: Pixels) -> bool:
        """Return whether these cells show the picture, each pixel of it in the colour nearest among 16."""
        shown = self.read_pixels(*cells).astype(int)
        expected = scale_to_pixels(picture, shown.shape[1], shown.shape[0]).astype(int)
        if picture.ndim == 2:
            return bool(np.abs(shown - expected[..., None]).max() <= MAX_GREY_DIFFERENCE)
        difference = np.abs(shown - expected)
        is_ink = expected.max(axis=2) > MIN_INK
        return bool(difference.mean() < MAX_COLOUR_DIFFERENCE / 4 and difference[is_ink].mean() < MAX_COLOUR_DIFFERENCE)


def test_sixel_pictures_are_right_after_moves_help_and_a_resize(templates: SessionTemplates, home: Path) -> None:
    templates.copy("labelling", "demo")
    pictures = load_pictures("demo")
    window = SixelWindow("demo", home)

    def wait_for_cluster(index: int) -> None:
        centre, member = pictures[index]
        window.wait_until(lambda: window.shows(CENTRE_CELLS, centre) and window.shows(MEMBER_CELLS, member))
        for _, other_member in pictures[index + 1 :]:
            assert not window.shows(MEMBER_CELLS, other_member)

    try:
        wait_for_cluster(0)
        window.press("n")
        wait_for_cluster(2)  # cluster 1 has an answer already
        window.press("F1")
        window.wait_until(lambda: not window.shows(CENTRE_CELLS, pictures[2][0]))
        help_pixels = window.read_pixels(*CENTRE_CELLS)
        assert np.abs(np.diff(help_pixels.astype(int), axis=2)).max() < 80, "grey text, nothing of the picture"
        window.press("Escape")
        wait_for_cluster(2)
        window.resize(100, 30)
        wait_for_cluster(2)
        window.resize(80, 24)
        wait_for_cluster(2)
        window.press("i")  # to the next offered mode, half-blocks: the sixel pictures are gone
        window.wait_until(lambda: shows_picture(window, CENTRE_CELLS, pictures[2][0]))
    finally:
        window.close()


def test_sixel_pictures_keep_their_colours(tmp_path: Path, home: Path) -> None:
    write_image_folder(tmp_path / "images", 120, in_colour=True)
    options = ("--data", str(tmp_path / "images"), "--classes", "red,green,blue", "--recipe", "paper")
    run_vaetui("new", "colour", "--plain", *options, "--rounds", "1", "--clusters", "4", "--warmup-epochs", "1")
    session = lifecycle.resume("colour")
    list(session.advance())
    (member,) = session.member_images(session.round_view().clusters[0].path, "nearest", 1)
    session.close()
    assert member.ndim == 3
    window = SixelWindow("colour", home)

    def shows_at_either_place(picture: Pixels) -> bool:
        """Return whether the main picture or the one beside it is this one."""
        return any(window.shows(cells, picture) for cells in (CENTRE_CELLS, MEMBER_CELLS))

    try:
        window.wait_until(lambda: shows_at_either_place(member))
        assert not shows_at_either_place(member[..., [1, 2, 0]]), "the channels are told apart"
    finally:
        window.close()
