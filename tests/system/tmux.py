"""The program in a real terminal: a tmux server of its own, its keys and its screen."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
import uuid
from pathlib import Path


class Tmux:
    """One window of a tmux server that nobody else uses."""

    def __init__(self, command: list[str], columns: int, rows: int, home: Path) -> None:
        self.socket = f"vaetui-{uuid.uuid4().hex[:8]}"
        # What the program leaves behind stays to be read: the status, and then a shell that waits.
        line = f'{shlex.join(command)}; echo "left with $?"; exec cat'
        started = [
            *("tmux", "-L", self.socket, "-f", "/dev/null"),
            *("new-session", "-d", "-s", "a", "-x", str(columns), "-y", str(rows), line),
        ]
        environment = {**os.environ, "VAETUI_HOME": str(home), "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        subprocess.run(started, check=True, env=environment)

    def press(self, *keys: str) -> None:
        """Press keys one after another, at the pace of a person."""
        for key in keys:
            self._do("send-keys", "-t", "a", key)
            time.sleep(0.2)  # the program itself tells a person from a burst by time

    def text(self) -> str:
        return self._do("capture-pane", "-p", "-t", "a")

    def resize(self, columns: int, rows: int) -> None:
        self._do("resize-window", "-t", "a", "-x", str(columns), "-y", str(rows))

    def until(self, seen: str, seconds: float = 60) -> re.Match[str]:
        """Wait until the screen shows a pattern."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(seen, self.text(), re.MULTILINE):
                return found
            time.sleep(0.05)
        raise AssertionError(f"{seen!r} never came:\n{self.text()}")

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], check=False, capture_output=True)

    def _do(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self.socket, *arguments], check=True, capture_output=True, text=True
        ).stdout
