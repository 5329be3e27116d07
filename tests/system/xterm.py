"""Run a program in a real xterm on a virtual screen: press keys and read pixels."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PROGRAMS = ("Xvfb", "xterm", "xdotool", "import")
SKIP_REASON = "needs xvfb, xterm, xdotool and imagemagick, which .ci/run installs"
TIMEOUT_S = 240.0
"""Seconds after which the program is considered to hang; generous, because the machine may be busy."""
POLL_INTERVAL_S = 0.2
Screenshot: TypeAlias = NDArray[np.uint8]
"""A grey screenshot, [height, width]."""


def is_installed() -> bool:
    """Return whether all programs are installed."""
    return all(shutil.which(name) for name in PROGRAMS)


class Xterm:
    """One xterm in the upper left corner of a screen that nothing else uses."""

    WINDOW_CLASS = "xterm"
    VARIABLES: ClassVar[dict[str, str]] = {}

    def __init__(
        self, command: list[str], columns: int, rows: int, home: Path, extra_options: Sequence[str] = ()
    ) -> None:
        """Start the X server, the terminal and the command."""
        self.columns, self.rows = columns, rows
        read_fd, write_fd = os.pipe()
        server_command = ["Xvfb", "-displayfd", str(write_fd), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
        self._server = subprocess.Popen(server_command, pass_fds=[write_fd], stderr=subprocess.DEVNULL)
        os.close(write_fd)
        with os.fdopen(read_fd) as display_file:
            display = f":{display_file.readline().strip()}"
        self._environment = {**os.environ, "DISPLAY": display, "VAETUI_HOME": str(home), **self.VARIABLES}
        for name in ("TMUX", "STY", "COLORTERM", "NO_COLOR"):
            self._environment.pop(name, None)
        terminal_command = self.build_command(command, columns, rows, extra_options)
        self._terminal = subprocess.Popen(terminal_command, env=self._environment, stderr=subprocess.DEVNULL)
        windows = self._run("xdotool", "search", "--sync", "--onlyvisible", "--class", self.WINDOW_CLASS)
        self._window = windows.split()[-1].decode()
        self._run("xdotool", "windowfocus", "--sync", self._window)

    def build_command(self, command: list[str], columns: int, rows: int, extra_options: Sequence[str]) -> list[str]:
        """Return the command that opens the terminal and runs a command in it."""
        options = ["-fa", "DejaVu Sans Mono", "-fs", "10", "-b", "0", "-bw", "0", "+sb", "-bg", "black", "-fg", "white"]
        return ["xterm", *extra_options, *options, "-geometry", f"{columns}x{rows}+0+0", "-e", *command]

    def press(self, *keys: str) -> None:
        """Press keys one after another; wait after each until the screen changes, as a user would."""
        for key in keys:
            screenshot = self.take_screenshot()
            self._run("xdotool", "key", key)
            self.wait_until(lambda before=screenshot: not np.array_equal(self.take_screenshot(), before))  # type: ignore[misc]

    def resize(self, columns: int, rows: int) -> None:
        """Resize the window."""
        self.columns, self.rows = columns, rows
        self._run("xdotool", "windowsize", "--usehints", "--sync", self._window, str(columns), str(rows))

    def take_screenshot(self) -> Screenshot:
        """Return the pixels of the window."""
        return np.asarray(self._take_image().convert("L"))

    def read_pixels(self, column: int, row: int, width: int, height: int) -> NDArray[np.uint8]:
        """Return all pixels of these cells in colour, [height, width, 3]."""
        screenshot = np.asarray(self._take_image().convert("RGB"))
        cell_height, cell_width = self.measure_cell(screenshot.shape[:2])
        rows = slice(row * cell_height, (row + height) * cell_height)
        return screenshot[rows, column * cell_width : (column + width) * cell_width]

    def measure_cell(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return height and width of a character in a window of this height and width."""
        return shape[0] // self.rows, shape[1] // self.columns

    def read_cells(self, column: int, row: int, width: int, height: int) -> Screenshot:
        """Return a pixel of the upper and one of the lower half of each cell, [2 * height, width]."""
        screenshot = self.take_screenshot()
        cell_height, cell_width = screenshot.shape[0] / self.rows, screenshot.shape[1] / self.columns
        xs = ((column + np.arange(width) + 0.5) * cell_width).astype(int)
        ys = ((row + (np.arange(2 * height) + 0.5) / 2) * cell_height).astype(int)
        return screenshot[np.ix_(ys, xs)]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Poll until the condition is true."""
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, "the condition never became true"
            time.sleep(POLL_INTERVAL_S)

    def close(self) -> None:
        """Stop xterm and the X server."""
        for process in (self._terminal, self._server):
            process.terminate()
            process.wait(timeout=60)

    def _take_image(self) -> Image.Image:
        return Image.open(io.BytesIO(self._run("import", "-window", self._window, "png:-")))

    def _run(self, *command: str) -> bytes:
        return subprocess.run(command, env=self._environment, capture_output=True, check=True, timeout=120).stdout
