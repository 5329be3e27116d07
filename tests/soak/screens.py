"""One process of the real program with its screens, in a pty, led by the same script until it is killed."""

from __future__ import annotations

import math
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath

from tests.soak.dialogue import LIMIT, End
from tests.soak.record import Act, Moved, Said
from tests.soak.script import Script
from tests.terminal import ScriptedTerminal
from vaetui.engine.answers import ClassAnswer, Split, format_path, parse_path

FOCUSED = re.compile(r"\[ *([\d.]+) +(\S+) *\]")
ASKED = re.compile(r"^ centre ([\d.]+):", re.MULTILINE)
ANSWERED = re.compile(r"round (\d+) of \d+ +answered +(\d+) / (\d+)")


class Killed(Exception):  # noqa: N818 (as planned)
    """The time of the process is over."""


class Screens:
    """Reads the screen, presses keys, and kills the process after so many seconds or so many acts."""

    def __init__(self, name: str, script: Script, seconds: float, acts: float = math.inf) -> None:
        self._terminal = ScriptedTerminal(["-m", "vaetui", "resume", name, "--pictures", "half"])
        self._begun = time.monotonic()
        self._deadline = self._begun + seconds
        self._script = script
        self._acts = acts
        self._phase = "screens starting"

    def run(self, directory: FilePath) -> End:
        """Answer until the time is over, or leave when the run is."""
        try:
            self._until(lambda: self._terminal.received > 0)
            self._phase = "screens loading"
            self._until(self._asks)
            self._script.record.compare(directory)
            while self._acts > 0:
                self._answer()
                self._acts -= 1
        except Killed:
            pass
        finally:
            os.kill(self._terminal.child, signal.SIGKILL)
        return End(self._terminal.close(), self._phase, time.monotonic() - self._begun, "")

    def _asks(self) -> bool:
        """Tell whether the line that asks names the focused centre."""
        asked, focused = ASKED.search(self._terminal.text()), FOCUSED.search(self._terminal.text())
        return asked is not None and focused is not None and asked[1] == focused[1]

    def _answer(self) -> None:
        """Do what the script says at the focused centre."""
        self._phase = "screens asked"
        self._until(self._asks)
        self._terminal.until_quiet(0.1)  # header, table and question are painted one after another
        text = self._terminal.text()
        focused, answered = FOCUSED.search(text), ANSWERED.search(text)
        assert focused, text
        assert answered, text
        act = self._script.act(int(answered[1]), parse_path(focused[1]), focused[2] == "?")
        if act is not None:
            self._say(act)
        elif answered[2] == answered[3]:
            self._phase = "screens training"
            self._press("g")
            self._until(lambda: not self._asks())
        else:
            self._press("n")
            self._until(lambda: (found := FOCUSED.search(self._terminal.text())) and found[1] != focused[1])

    def _say(self, act: Act) -> None:
        """Press the keys of an act."""
        self._script.record.typed(act)
        self._phase = "screens typed"
        for keys, seen in presses(act):
            self._press(keys)
            self._until(lambda seen=seen: re.search(seen, self._terminal.text()))  # type: ignore[misc]
        self._script.record.settle()

    def _press(self, keys: str) -> None:
        self._terminal.type(keys.encode())

    def _until(self, seen: Callable[[], object]) -> None:
        self._terminal.until(lambda: bool(seen()) or time.monotonic() >= self._deadline, LIMIT)
        if time.monotonic() >= self._deadline:
            raise Killed


def presses(act: Act) -> Iterator[tuple[str, str]]:
    """Give the keys of an act one after another, and what the screen shows when each has arrived."""
    match act:
        case Moved(what=what, path=path):
            yield (
                ("u", rf"taken back: .*centre {format_path(path)}\b")
                if what == "undo"
                else ("U", rf"brought back: .*centre {format_path(path)}\b")
            )
        case Said(path=path, answer=Split(parts)):
            yield "s", rf"split {format_path(path)} into \d+_ parts"
            yield f"{parts}", rf"split {format_path(path)} into {parts}_ parts"
            yield "\r", rf"{format_path(path)} is split, u takes it back"
        case Said(path=path, answer=ClassAnswer(label, confidence)):
            yield f"{label}", rf"class\? {label}_"
            yield "\r" if confidence >= 1 else f"{round(confidence * 10)}", re.escape(act.told)
        case Said():
            yield "x", re.escape(act.told)
