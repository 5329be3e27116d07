"""A scripted terminal: a pty, a screen in memory, and replies to queries that arrive after a delay."""

from __future__ import annotations

import array
import fcntl
import os
import pty
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

ROOT = Path(__file__).parents[1]
REPLIES = {
    b"\x1b[>q": b"\x1bP>|scripted 4.2 with 12345\x1b\\",
    b"\x1bP$qm\x1b\\": b"\x1bP1$r0;48:2::1:2:3m\x1b\\",
    b"\x1b]11;?\x1b\\": b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
    b"\x1b[c": b"\x1b[?62;4;22c",
    b"\x1b[16t": b"\x1b[6;20;10t",
    b"\x1b[?2026$p": b"\x1b[?2026;0$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
}
"""Reply to each query, in the order of the queries; graphics queries get an OK."""
QUERY_PATTERN = re.compile(b"|".join([*map(re.escape, REPLIES), rb"\x1b_G[^\x1b]*a=q[^\x1b]*\x1b\\"]))
UNSUPPORTED_PATTERN = re.compile(
    rb"\x1b[P_][^\x1b]*\x1b\\|\x1b\][^\x1b\x07]*(?:\x1b\\|\x07)|\x1b\[[>=<][\d;]*[a-zA-Z]|\x1b\[\?[\d;]*\$p"
)
"""Sequences that pyte would display as text: device control, application strings, private keyboard modes."""
INCOMPLETE_PATTERN = re.compile(rb"\x1b(?:[P_\]][^\x1b\x07]*\x1b?|\[[ -?]*)?\Z")
"""A sequence that is cut off by the end of a read."""
TIMEOUT_S = 120.0
"""Seconds after which a program is considered to hang; generous, because the machine may be busy."""
MAX_IDLE_TICKS = 2
"""Hundredths of a second that an idle program may compute in a quiet period."""


class ScriptedTerminal:
    """Runs a Python program in a pty, keeps its screen, counts its bytes, and replies to its queries."""

    def __init__(
        self,
        arguments: list[str],
        size: tuple[int, int] = (80, 24),
        reply_delay_s: float = 0.005,
        replies: Mapping[bytes, bytes] = REPLIES,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run the Python interpreter with these arguments; `environment` overrides single variables."""
        columns, rows = size
        self.screen = pyte.Screen(columns, rows)
        """The screen as pyte keeps it."""
        self.received_bytes = 0
        """Number of bytes that the program has sent."""
        self.queries: list[bytes] = []
        """Queries of the program, in order."""
        self.output = b""
        """Everything that the program has sent."""
        self.status: int | None = None
        """Exit status, once the program has ended."""
        self._stream = pyte.ByteStream(self.screen)
        self._reply_delay_s, self._replies = reply_delay_s, replies
        self._pending_replies: list[tuple[float, bytes]] = []
        self._incomplete_sequence = b""
        variables = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
        for name in ("TMUX", "STY", "COLORTERM", "NO_COLOR", "TEXTUAL_DRIVER", "PYTHONDONTWRITEBYTECODE"):
            variables.pop(name, None)
        variables |= environment or {}
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, *arguments], variables)
        self._set_window_size()

    def resize(self, columns: int, rows: int) -> None:
        """Resize the screen and the window of the pty."""
        self.screen.resize(rows, columns)
        self._set_window_size()

    def send(self, keys: bytes) -> None:
        """Send keys or other bytes at once."""
        os.write(self._fd, keys)

    def text(self) -> str:
        """Return the screen as text."""
        return "\n".join(self.screen.display)

    def wait_until(self, condition: Callable[[], object], timeout_s: float = TIMEOUT_S) -> None:
        """Process output until the condition is true.

        Raises TimeoutError, with the screen, after `timeout_s` seconds or when the program has ended.
        """
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline or not self.process(0.05):
                raise TimeoutError(self.text())

    def wait_for_text(self, text: str, timeout_s: float = TIMEOUT_S) -> float:
        """Process output until the screen shows the text, and return the time by the monotonic clock."""
        self.wait_until(lambda: text in self.text(), timeout_s)
        return time.monotonic()

    def wait_for_pattern(self, pattern: str, timeout_s: float = TIMEOUT_S) -> re.Match[str]:
        """Process output until the screen matches the pattern, and return the match."""
        match: re.Match[str] | None = None

        def search() -> bool:
            nonlocal match
            match = re.search(pattern, self.text(), re.MULTILINE)
            return match is not None

        self.wait_until(search, timeout_s)
        assert match is not None
        return match

    def wait_until_quiet(self, quiet_s: float = 0.4) -> None:
        """Process output until the program has sent nothing for a while and all replies are sent."""
        last_output_s, received_bytes = time.monotonic(), self.received_bytes
        while self._pending_replies or time.monotonic() - last_output_s < quiet_s:
            self.process(0.02)
            if self.received_bytes != received_bytes:
                last_output_s, received_bytes = time.monotonic(), self.received_bytes

    def wait_until_idle(self, quiet_s: float = 0.4) -> None:
        """Process output until the program has neither sent nor computed anything for a while."""
        while True:
            received_bytes, ticks = self.received_bytes, self._read_cpu_ticks()
            deadline = time.monotonic() + quiet_s
            while time.monotonic() < deadline:
                self.process(0.02)
            is_idle = self.received_bytes == received_bytes and self._read_cpu_ticks() - ticks <= MAX_IDLE_TICKS
            if is_idle and not self._pending_replies:
                return

    def styles(self, row: int) -> list[tuple[str, str, str, bool, bool]]:
        """Return the cells of a row: character, foreground, background, whether bold and whether reversed."""
        cells = (self.screen.buffer[row][column] for column in range(self.screen.columns))
        return [(cell.data, cell.fg, cell.bg, cell.bold, cell.reverse) for cell in cells]

    def find_row(self, text: str) -> int:
        """Return the first row that shows the text."""
        return next(row for row, line in enumerate(self.screen.display) if text in line)

    def peak_memory(self) -> float:
        """Return the peak resident memory of the program in MB of 10**6 bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024 / 1e6

    def close(self, timeout_s: float = TIMEOUT_S) -> int:
        """Wait for the program to end, kill it after `timeout_s` seconds, and return its exit status."""
        if self.status is not None:
            return self.status
        deadline = time.monotonic() + timeout_s
        while self.process(0.05):
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                break
        os.close(self._fd)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def process(self, timeout_s: float) -> bool:
        """Read output and send the replies that are due; return False when the program has ended."""
        now = time.monotonic()
        while self._pending_replies and self._pending_replies[0][0] <= now:
            os.write(self._fd, self._pending_replies.pop(0)[1])
        if self._pending_replies:
            timeout_s = min(timeout_s, max(self._pending_replies[0][0] - now, 0))
        if not select.select([self._fd], [], [], timeout_s)[0]:
            return True
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return False
        self.received_bytes += len(data)
        self.output += data
        self._parse(data)
        return bool(data)

    def _read_cpu_ticks(self) -> int:
        """Return the hundredths of a second that the program has computed."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def _set_window_size(self) -> None:
        size = array.array("H", [self.screen.lines, self.screen.columns, 0, 0])
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, size)

    def _parse(self, data: bytes) -> None:
        text = self._incomplete_sequence + data
        cut = INCOMPLETE_PATTERN.search(text)
        text, self._incomplete_sequence = (text[: cut.start()], text[cut.start() :]) if cut else (text, b"")
        for query in QUERY_PATTERN.findall(text):
            self.queries.append(query)
            reply = b"\x1b_Gi=31;OK\x1b\\" if query.startswith(b"\x1b_G") else self._replies.get(query, b"")
            self._pending_replies.append((time.monotonic() + self._reply_delay_s, reply))
        self._stream.feed(UNSUPPORTED_PATTERN.sub(b"", text))
