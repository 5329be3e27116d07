"""A terminal that follows a script: a pty, a screen in memory, and answers that come late; it knows no program."""

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
ANSWERS = {
    b"\x1b[>q": b"\x1bP>|scripted 4.2 with 12345\x1b\\",
    b"\x1bP$qm\x1b\\": b"\x1bP1$r0;48:2::1:2:3m\x1b\\",
    b"\x1b]11;?\x1b\\": b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
    b"\x1b[c": b"\x1b[?62;4;22c",
    b"\x1b[16t": b"\x1b[6;20;10t",
    b"\x1b[?2026$p": b"\x1b[?2026;0$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
}
"""What is answered to each question, in the order of the questions; graphics queries get an OK."""
QUESTION = re.compile(b"|".join([*map(re.escape, ANSWERS), rb"\x1b_G[^\x1b]*a=q[^\x1b]*\x1b\\"]))
# What pyte takes for text: device control and application strings, and private modes of the keyboard.
STRANGE = re.compile(
    rb"\x1b[P_][^\x1b]*\x1b\\|\x1b\][^\x1b\x07]*(?:\x1b\\|\x07)|\x1b\[[>=<][\d;]*[a-zA-Z]|\x1b\[\?[\d;]*\$p"
)
UNFINISHED = re.compile(rb"\x1b(?:[P_\]][^\x1b\x07]*\x1b?|\[[ -?]*)?\Z")


class ScriptedTerminal:
    """Runs a program, keeps its screen, counts its bytes, and answers its questions after a delay."""

    def __init__(
        self,
        arguments: list[str],
        size: tuple[int, int] = (80, 24),
        delay: float = 0.005,
        answers: Mapping[bytes, bytes] = ANSWERS,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        columns, rows = size
        self.screen = pyte.Screen(columns, rows)
        self.received = 0
        """Bytes that the program has sent."""
        self.asked: list[bytes] = []
        """Questions, in order."""
        self.output = b""
        """All that the program has sent."""
        self._stream = pyte.ByteStream(self.screen)
        self._delay, self._answers = delay, answers
        self.status: int | None = None
        """The exit status, once the program has ended."""
        self._due: list[tuple[float, bytes]] = []
        self._rest = b""
        environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
        for name in ("TMUX", "STY", "COLORTERM", "NO_COLOR", "TEXTUAL_DRIVER", "PYTHONDONTWRITEBYTECODE"):
            environment.pop(name, None)
        environment |= variables or {}
        self.child, self._line = pty.fork()
        if self.child == 0:
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, *arguments], environment)
        self._tell_size()

    def resize(self, columns: int, rows: int) -> None:
        """Take another size, and tell the program."""
        self.screen.resize(rows, columns)
        self._tell_size()

    def type(self, keys: bytes) -> None:
        """Send keys, or anything else, at once."""
        os.write(self._line, keys)

    def text(self) -> str:
        """Give the screen as text."""
        return "\n".join(self.screen.display)

    def until(self, seen: Callable[[], bool], limit: float = 20) -> None:
        """Go on until something is so.

        Raises TimeoutError, with the screen, where it does not come to be.
        """
        end = time.monotonic() + limit
        while not seen():
            if time.monotonic() > end or not self._turn(0.05):
                raise TimeoutError(self.text())

    def until_quiet(self, seconds: float = 0.4) -> None:
        """Go on until the program has sent nothing for a while and all answers are given."""
        last, before = time.monotonic(), self.received
        while self._due or time.monotonic() - last < seconds:
            self._turn(0.02)
            if self.received != before:
                last, before = time.monotonic(), self.received

    def until_idle(self, seconds: float = 0.4) -> None:
        """Go on until the program has neither sent nor computed anything for a while, however busy the machine."""
        while True:
            before, ticks = self.received, self._ticks()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self._turn(0.02)
            if not self._due and self.received == before and self._ticks() - ticks <= 2:
                return

    def until_text(self, seen: str, limit: float = 60) -> float:
        """Go on until the screen shows something, and give the moment."""
        self.until(lambda: seen in self.text(), limit)
        return time.monotonic()

    def styles(self, row: int) -> list[tuple[str, str, str, bool, bool]]:
        """Give the cells of a row: character, colours before and behind it, whether bold and whether reversed."""
        cells = (self.screen.buffer[row][column] for column in range(self.screen.columns))
        return [(cell.data, cell.fg, cell.bg, cell.bold, cell.reverse) for cell in cells]

    def row_of(self, seen: str) -> int:
        """Find the first row that shows something."""
        return next(row for row, line in enumerate(self.screen.display) if seen in line)

    def peak_memory(self) -> float:
        """Give the most memory that the program ever had resident, in MB of 10**6 bytes."""
        status = Path(f"/proc/{self.child}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024 / 1e6

    def close(self, limit: float = 10) -> int:
        """Wait for the end of the program, make one when the time is over, and give its exit status, also again."""
        if self.status is not None:
            return self.status
        end = time.monotonic() + limit
        while self._turn(0.05):
            if time.monotonic() > end:
                os.kill(self.child, signal.SIGKILL)
                break
        os.close(self._line)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        return self.status

    def _ticks(self) -> int:
        """Count the hundredths of a second that the program has computed."""
        fields = Path(f"/proc/{self.child}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def _tell_size(self) -> None:
        size = array.array("H", [self.screen.lines, self.screen.columns, 0, 0])
        fcntl.ioctl(self._line, termios.TIOCSWINSZ, size)

    def _turn(self, wait: float) -> bool:
        """Take what has come and give what is due; False when the program is gone."""
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            os.write(self._line, self._due.pop(0)[1])
        if self._due:
            wait = min(wait, max(self._due[0][0] - now, 0))
        if not select.select([self._line], [], [], wait)[0]:
            return True
        try:
            came = os.read(self._line, 65536)
        except OSError:
            return False
        self.received += len(came)
        self.output += came
        self._look(came)
        return bool(came)

    def _look(self, came: bytes) -> None:
        text = self._rest + came
        # A sequence may be cut by the end of a read: it waits for the next one.
        cut = UNFINISHED.search(text)
        text, self._rest = (text[: cut.start()], text[cut.start() :]) if cut else (text, b"")
        for question in QUESTION.findall(text):
            self.asked.append(question)
            answer = b"\x1b_Gi=31;OK\x1b\\" if question.startswith(b"\x1b_G") else self._answers.get(question, b"")
            self._due.append((time.monotonic() + self._delay, answer))
        self._stream.feed(STRANGE.sub(b"", text))
