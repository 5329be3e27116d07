"""A real xterm on a screen in memory: its keys, and its pixels."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NEEDED = ("Xvfb", "xterm", "xdotool", "import")
MISSING = "needs xvfb, xterm, xdotool and imagemagick, which .ci/run installs"
Shot = NDArray[np.uint8]
"""The window in grey, [height, width]."""


def here() -> bool:
    return all(shutil.which(name) for name in NEEDED)


class Xterm:
    """One xterm that fills the upper left corner of a screen which nobody else uses."""

    def __init__(self, command: list[str], columns: int, rows: int, home: Path) -> None:
        self.columns, self.rows = columns, rows
        hears, tells = os.pipe()
        screen = ["Xvfb", "-displayfd", str(tells), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
        self._server = subprocess.Popen(screen, pass_fds=[tells], stderr=subprocess.DEVNULL)
        os.close(tells)
        with os.fdopen(hears) as told:
            display = f":{told.readline().strip()}"
        self._environment = {**os.environ, "DISPLAY": display, "VAETUI_HOME": str(home)}
        for name in ("TMUX", "STY", "COLORTERM", "NO_COLOR"):
            self._environment.pop(name, None)
        look = ["-fa", "DejaVu Sans Mono", "-fs", "10", "-b", "0", "-bw", "0", "+sb", "-bg", "black", "-fg", "white"]
        started = ["xterm", *look, "-geometry", f"{columns}x{rows}+0+0", "-e", *command]
        self._terminal = subprocess.Popen(started, env=self._environment, stderr=subprocess.DEVNULL)
        self._window = self._do("xdotool", "search", "--sync", "--onlyvisible", "--class", "xterm").split()[-1].decode()
        self._do("xdotool", "windowfocus", "--sync", self._window)

    def press(self, *keys: str) -> None:
        """Press keys one after another, at the pace of a person."""
        for key in keys:
            self._do("xdotool", "key", key)
            time.sleep(0.2)  # the program itself tells a person from a burst by time

    def shot(self) -> Shot:
        """Take a picture of the window."""
        return np.asarray(self.image().convert("L"))

    def image(self) -> Image.Image:
        return Image.open(io.BytesIO(self._do("import", "-window", self._window, "png:-")))

    def cells(self, column: int, row: int, wide: int, tall: int) -> Shot:
        """Give a pixel of the upper and one of the lower half of each cell of a part, [2 * tall, wide]."""
        shot = self.shot()
        height, width = shot.shape[0] / self.rows, shot.shape[1] / self.columns
        xs = ((column + np.arange(wide) + 0.5) * width).astype(int)
        ys = ((row + (np.arange(2 * tall) + 0.5) / 2) * height).astype(int)
        return shot[np.ix_(ys, xs)]

    def until(self, seen: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until something is seen."""
        end = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < end, "it never came"
            time.sleep(0.1)

    def close(self) -> None:
        for process in (self._terminal, self._server):
            process.terminate()
            process.wait(timeout=20)

    def _do(self, *command: str) -> bytes:
        return subprocess.run(command, env=self._environment, capture_output=True, check=True, timeout=60).stdout
