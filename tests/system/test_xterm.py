"""In a real xterm: the pixels of a centre are those of its picture, and a key typed there answers it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import VAETUI, run_vaetui
from tests.session.scripted_run import start_labelling
from tests.system.xterm import MISSING, Shot, Xterm, here
from vaetui.engine.clusters import Pixels
from vaetui.session import lifecycle
from vaetui.tui.widgets.half_blocks import fit_image, to_ascii_lines

pytestmark = [pytest.mark.skipif(not here(), reason=MISSING), pytest.mark.usefixtures("home")]

CENTRE, MEMBER = (1, 2, 28, 14), (31, 2, 14, 7)
"""At 80x24 the focused centre, and its nearest member: column, row, columns and rows."""
NEAR = 24
"""Greys, of 255, by which a pixel may be another: of sixteen greys each is 17 from the next."""


def pictures(name: str) -> list[tuple[Pixels, Pixels]]:
    """The centres of a round, each with its nearest member."""
    session = lifecycle.resume(name)
    list(session.advance())
    found = [(tile.picture, session.members(tile.path, "nearest", 1)[0]) for tile in session.round_view().clusters]
    session.close()
    return found


def shown(xterm: Xterm, place: tuple[int, int, int, int], picture: Pixels) -> bool:
    """Tell whether a picture is seen at that place, pixel by pixel."""
    seen = xterm.cells(*place).astype(int)
    expected = fit_image(picture, place[2], 2 * place[3]).astype(int)
    return bool(np.abs(seen - expected).max() <= NEAR)


def answers(name: str) -> int:
    return int(json.loads(run_vaetui("show", name, "--json").stdout)["answers"])


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_centre_is_seen_pixel_by_pixel_and_a_key_answers_it(theme: str, digits: Path, home: Path) -> None:
    start_labelling("seen", digits)
    centres = pictures("seen")
    xterm = Xterm([*VAETUI, "resume", "seen", "--theme", theme], 80, 24, home)

    def see(at: int) -> None:
        xterm.until(lambda: shown(xterm, CENTRE, centres[at][0]) and shown(xterm, MEMBER, centres[at][1]))
        assert not any(shown(xterm, MEMBER, member) for _, member in centres[at + 1 :])

    try:
        see(0)
        before: Shot = xterm.cells(40, 0, 40, 1)
        xterm.press("7", "Return")
        see(2)  # centre 1 has its answer
        xterm.until(lambda: bool((xterm.cells(40, 0, 40, 1) != before).any()))  # the count in the header
        assert answers("seen") == 2
    finally:
        xterm.close()


def test_letters_are_brighter_where_the_centre_is(digits: Path, home: Path) -> None:
    start_labelling("lettered", digits)
    picture, _ = pictures("lettered")[0]
    column, row, wide, tall = CENTRE
    xterm = Xterm([*VAETUI, "resume", "lettered", "--pictures", "ascii"], 80, 24, home)
    written = np.array(
        [[letter != " " for letter in line] for line in to_ascii_lines(fit_image(picture, wide, 2 * tall))]
    )

    def inked() -> bool:
        shot = xterm.shot()
        height, width = shot.shape[0] // xterm.rows, shot.shape[1] // xterm.columns
        part = shot[row * height : (row + tall) * height, column * width : (column + wide) * width]
        ink = part.reshape(tall, height, wide, width).max(axis=(1, 3)) > 60
        return bool((ink == written).mean() > 0.97)

    try:
        xterm.until(inked)
    finally:
        xterm.close()
