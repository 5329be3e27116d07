"""Compare the pixels of a real kitty with the pictures of the session; kitty draws with OpenGL in software."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.command_line import VAETUI
from tests.session_templates import SessionTemplates
from tests.system import xterm as xterm_module
from tests.system.test_xterm import CENTRE_CELLS, MEMBER_CELLS, load_pictures
from tests.system.xterm import Xterm
from vaetui.engine.clusters import Pixels
from vaetui.tui.widgets.pixel_images import scale_to_pixels

pytestmark = [
    pytest.mark.skipif(shutil.which("kitty") is None or not xterm_module.is_installed(), reason="needs kitty and xvfb"),
    pytest.mark.usefixtures("home"),
    pytest.mark.slow,
]
MAX_DIFFERENCE = 2
"""Levels of 255 by which a pixel may differ: the terminal draws every pixel as it was sent."""


class KittyWindow(Xterm):
    """A kitty of 80 by 24 characters."""

    WINDOW_CLASS = "kitty"
    VARIABLES: ClassVar[dict[str, str]] = {"LIBGL_ALWAYS_SOFTWARE": "1"}

    def build_command(self, command: list[str], columns: int, rows: int, extra_options: Sequence[str]) -> list[str]:
        size = (f"initial_window_width={columns}c", f"initial_window_height={rows}c", "remember_window_size=no")
        options = [part for option in (*size, "linux_display_server=x11", "font_size=10") for part in ("-o", option)]
        return ["kitty", "--config", "NONE", *options, *extra_options, *command]

    def shows(self, cells: tuple[int, int, int, int], picture: Pixels) -> bool:
        """Return whether these cells show the picture, pixel by pixel."""
        shown = self.read_pixels(*cells).astype(int)
        expected = scale_to_pixels(picture, shown.shape[1], shown.shape[0]).astype(int)
        return bool(np.abs(shown - expected[..., None]).max() <= MAX_DIFFERENCE)


def test_pictures_are_right_after_moves_and_help(templates: SessionTemplates, home: Path) -> None:
    templates.copy("labelling", "demo")
    pictures = load_pictures("demo")
    window = KittyWindow([*VAETUI, "resume", "demo"], 80, 24, home)

    def wait_for_cluster(index: int) -> None:
        centre, member = pictures[index]
        window.wait_until(lambda: window.shows(CENTRE_CELLS, centre) and window.shows(MEMBER_CELLS, member))
        assert not any(window.shows(MEMBER_CELLS, other) for _, other in pictures[index + 1 :])

    try:
        wait_for_cluster(0)
        window.press("n")
        wait_for_cluster(2)  # cluster 1 has an answer already
        window.press("question")
        window.wait_until(lambda: not window.shows(CENTRE_CELLS, pictures[2][0]))
        window.press("Escape")
        wait_for_cluster(2)
        window.press("i")  # to half-blocks: the images are gone
        window.wait_until(lambda: not window.shows(CENTRE_CELLS, pictures[2][0]))
    finally:
        window.close()
