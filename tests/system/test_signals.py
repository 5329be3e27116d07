"""Signals to the program in a real terminal: it saves and leaves within a second, with the status by convention."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from tests.command_line import VAETUI, run_vaetui
from tests.session.scripted_run import create_session
from tests.terminal import ScriptedTerminal

pytestmark = pytest.mark.usefixtures("home")


def terminate(child: pexpect.spawn[str]) -> None:
    os.kill(child.pid, signal.SIGTERM)
    child.expect("Everything is saved")


def drop(child: pexpect.spawn[str]) -> None:
    os.close(child.child_fd)


@pytest.mark.parametrize(("how", "number"), [(terminate, signal.SIGTERM), (drop, signal.SIGHUP)])
def test_a_signal_while_labelling_keeps_the_answers_and_is_no_bug(
    digits: Path, home: Path, how: Callable[[pexpect.spawn[str]], None], number: int
) -> None:
    session = create_session("left", digits)
    list(session.advance())
    session.close()
    child = pexpect.spawn(
        VAETUI[0], [*VAETUI[1:], "resume", "left"], dimensions=(24, 80), timeout=60, encoding="utf-8",
        env={**os.environ, "TERM": "xterm-256color", "VAETUI_PICTURES": "half"},
    )  # fmt: skip
    child.expect("class")
    child.expect("m members")
    child.send("7")
    child.expect("Enter = sure")
    child.send("\r")
    child.expect("saved")
    how(child)
    end = time.monotonic() + 20
    while not (ended := os.waitpid(child.pid, os.WNOHANG))[0]:
        assert time.monotonic() < end
    assert os.waitstatus_to_exitcode(ended[1]) == 128 + number
    assert json.loads(run_vaetui("show", "left", "--json").stdout)["answers"] == 1
    assert "Traceback" not in (home / "sessions/left/log.txt").read_text()
    assert not (home / "log.txt").exists()


def test_a_signal_while_pytorch_is_loaded_does_not_wait_for_it(digits: Path) -> None:
    session = create_session("loading", digits)
    list(session.advance())
    session.close()

    def resumed() -> tuple[ScriptedTerminal, float]:
        terminal = ScriptedTerminal(["-m", "vaetui", "resume", "loading", "--pictures", "half"])
        return terminal, terminal.until_text("class?")

    terminal, asked = resumed()
    terminal.until(lambda: re.search("nearest members(?!.*loading)", terminal.text()), 60)
    loading = time.monotonic() - asked
    terminal.type(b"q")
    assert terminal.close(limit=30) == 0
    terminal, asked = resumed()
    os.kill(terminal.child, signal.SIGTERM)
    assert terminal.close(limit=30) == 128 + signal.SIGTERM
    assert time.monotonic() - asked < loading / 2
    assert json.loads(run_vaetui("show", "loading", "--json").stdout)["phase"] == "labelling"
