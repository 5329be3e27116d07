"""Run a program in a real terminal: a window of a private tmux server."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

SKIP_REASON = "needs tmux, which .ci/run installs"
TIMEOUT_S = 240.0
"""Seconds after which the program is considered to hang; generous, because the machine may be busy."""
POLL_INTERVAL_S = 0.1


def is_installed() -> bool:
    """Return whether tmux is installed."""
    return shutil.which("tmux") is not None


class Tmux:
    """One window of a tmux server that nothing else uses."""

    def __init__(self, command: list[str], columns: int, rows: int, home: Path) -> None:
        """Start the server and the command."""
        self._socket_name = f"vaetui-{uuid.uuid4().hex[:8]}"
        # The last output stays on the screen: the exit status, and then a program that waits.
        shell_line = f'{shlex.join(command)}; echo "exit status $?"; exec cat'
        arguments = [
            *("tmux", "-L", self._socket_name, "-f", "/dev/null"),
            *("new-session", "-d", "-s", "a", "-x", str(columns), "-y", str(rows), shell_line),
        ]
        environment = {**os.environ, "VAETUI_HOME": str(home), "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        subprocess.run(arguments, check=True, env=environment)

    def press(self, *keys: str) -> None:
        """Press keys one after another; wait after each until the screen changes, as a user would."""
        for key in keys:
            text = self.text()
            self._run("send-keys", "-t", "a", key)
            self._wait(lambda text=text: self.text() != text, f"a reaction to {key}")  # type: ignore[misc]

    def text(self) -> str:
        """Return the screen as text."""
        return self._run("capture-pane", "-p", "-t", "a")

    def resize(self, columns: int, rows: int) -> None:
        """Resize the window."""
        self._run("resize-window", "-t", "a", "-x", str(columns), "-y", str(rows))

    def wait_for(self, pattern: str) -> None:
        """Wait until the screen matches a pattern."""
        self._wait(lambda: re.search(pattern, self.text(), re.MULTILINE) is not None, pattern)

    def close(self) -> None:
        """Stop the server and everything in it."""
        subprocess.run(["tmux", "-L", self._socket_name, "kill-server"], check=False, capture_output=True)

    def _wait(self, condition: Callable[[], bool], description: str) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, f"{description!r} never appeared:\n{self.text()}"
            time.sleep(POLL_INTERVAL_S)

    def _run(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket_name, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
