"""Drive one process of the real program with its screens in a pty by a script, until it is killed."""

from __future__ import annotations

import math
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.soak.answer_script import AnswerScript
from tests.soak.expected_answers import UserAction
from tests.soak.plain_driver import TIMEOUT_S, ProcessEnd
from tests.terminal import ScriptedTerminal
from vaetui.engine.answers import ClassAnswer, Split, format_path, parse_path

FOCUSED_PATTERN = re.compile(r"\[ *([\d.]+) +(\S+) *\]")
"""The focused cluster in the cluster list: path and answer."""
ROUND_PATTERN = re.compile(r"round (\d+) of \d+ +answered +(\d+) / (\d+)")
"""The header: round, answered clusters and all clusters."""


class KillPointReached(Exception):  # noqa: N818 (no error)
    """The time of the process is over."""


class ScreenDriver:
    """Reads the screen, presses keys, and kills the process after some seconds or actions."""

    def __init__(self, name: str, script: AnswerScript, seconds: float, action_count: float = math.inf) -> None:
        """Start the program."""
        self._terminal = ScriptedTerminal(["-m", "vaetui", "resume", name, "--pictures", "half"])
        self._started_s = time.monotonic()
        self._deadline = self._started_s + seconds
        self._script = script
        self._action_count = action_count
        self._phase = "screens starting"

    def run(self, directory: Path) -> ProcessEnd:
        """Answer until the time is over, then kill the process."""
        try:
            self._wait_until(lambda: self._terminal.received_bytes > 0)
            self._phase = "screens loading"
            self._wait_until(self._asks)
            self._script.expected.compare(directory)
            while self._action_count > 0:
                self._act()
                self._action_count -= 1
        except KillPointReached:
            pass
        finally:
            os.kill(self._terminal.pid, signal.SIGKILL)
        return ProcessEnd(self._terminal.close(), self._phase, time.monotonic() - self._started_s, "")

    def _asks(self) -> bool:
        """Return whether the labelling screen shows a focused cluster."""
        text = self._terminal.text()
        return FOCUSED_PATTERN.search(text) is not None and ROUND_PATTERN.search(text) is not None

    def _act(self) -> None:
        """Execute the action of the script at the focused cluster."""
        self._phase = "screens asked"
        self._wait_until(self._asks)
        self._terminal.wait_until_quiet(0.1)  # header, list and prompt are painted one after another
        text = self._terminal.text()
        focused, progress = FOCUSED_PATTERN.search(text), ROUND_PATTERN.search(text)
        assert focused, text
        assert progress, text
        action = self._script.next_action(int(progress[1]), parse_path(focused[1]), focused[2] == "?")
        if action is not None:
            self._press_action(action)
        elif progress[2] == progress[3]:
            self._phase = "screens training"
            self._press("g")
            self._wait_until(lambda: not self._asks())
        else:
            self._press("n")
            self._wait_until(lambda: self._focused_path() not in (None, focused[1]))

    def _press_action(self, action: UserAction) -> None:
        self._script.expected.start(action)
        self._phase = "screens typed"
        match action.answer if hasattr(action, "answer") else action.command:
            case "undo":
                self._press("u")
            case "redo":
                self._press("U")
            case Split(parts):
                self._press("s")
                self._wait_for_pattern(r"parts\?")
                self._press(f"{parts}")
                self._wait_for_pattern(rf"{parts} parts\?")
                self._press("\r")
            case ClassAnswer(class_id, confidence):
                self._press(f"{class_id}")
                self._wait_for_pattern(rf"class\? {class_id}")
                self._press("\r" if confidence >= 1 else f"{round(confidence * 10)}")
            case _:
                self._press("x")
        if isinstance(getattr(action, "answer", None), Split):
            self._wait_until(lambda: self._focused_path() == format_path((*action.path, 0)))
        else:
            self._wait_for_pattern(action.confirmation_pattern)
        self._script.expected.confirm()

    def _focused_path(self) -> str | None:
        focused = FOCUSED_PATTERN.search(self._terminal.text())
        return focused[1] if focused else None

    def _press(self, keys: str) -> None:
        self._terminal.send(keys.encode())

    def _wait_for_pattern(self, pattern: str) -> None:
        self._wait_until(lambda: re.search(pattern, self._terminal.text()))

    def _wait_until(self, condition: Callable[[], object]) -> None:
        self._terminal.wait_until(lambda: bool(condition()) or time.monotonic() >= self._deadline, TIMEOUT_S)
        if time.monotonic() >= self._deadline:
            raise KillPointReached
