"""A real pseudo-terminal with a screen that can be read: the other end of the app."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte

# What pyte does not know: device control strings, application commands, private keyboard modes.
UNKNOWN = re.compile(rb"\x1b[P_^][^\x1b]*\x1b\\|\x1b\[[<>=?][0-9;]*[u$]p?|\x1b\[[0-9;]*\$p|\x1b\[>[0-9;]*[a-zA-Z]")


class Terminal:
    """A program on a pseudo-terminal, and what it drew."""

    def __init__(self, command: list[str], columns: int = 80, rows: int = 24, **environment: str) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.read_bytes = 0
        self.begun = time.perf_counter()
        self.process, self._file = pty.fork()
        if self.process == 0:
            os.environ.update({"TERM": "xterm-256color", "VAETUI_PICTURES": "half", **environment})
            os.environ.pop("TMUX", None)
            os.execvp(command[0], command)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def text(self) -> str:
        return "\n".join(self.screen.display)

    def press(self, keys: str) -> None:
        os.write(self._file, keys.encode())

    def until(self, seen: str | Callable[[str], bool], seconds: float = 60) -> float:
        """Read until the screen shows something, and give the moment when it did."""
        looked = seen if callable(seen) else lambda text: seen in text
        end = time.perf_counter() + seconds
        while not looked(self.text()):
            left = end - time.perf_counter()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"{seen!r} never came:\n{self.text()}")
        return time.perf_counter()

    def wait(self, seconds: float = 60) -> int:
        """Read until the program ends, and give its exit status, or minus the signal that ended it."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end and self._read(end - time.perf_counter()):
            pass
        _, status = os.waitpid(self.process, 0)
        os.close(self._file)
        self.process = 0
        return os.waitstatus_to_exitcode(status)

    def kill(self, number: int = signal.SIGKILL) -> int:
        os.kill(self.process, number)
        return self.wait()

    def peak_memory(self) -> float:
        """Give the most memory that the program ever had resident, in MB of 10**6 bytes."""
        status = Path(f"/proc/{self.process}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024 / 1e6

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *failure: object) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                self.kill()

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._file], [], [], seconds)
        if not ready:
            return False
        try:
            piece = os.read(self._file, 1 << 16)
        except OSError:  # the other end is closed
            return False
        self.read_bytes += len(piece)
        self._stream.feed(UNKNOWN.sub(b"", piece))
        return bool(piece)
