"""Lines that drop: a real OpenSSH server, a client that is killed, and what stands afterwards."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.test_background_training import LONG
from tests.session.scripted_run import start_labelling
from tests.system.sshd import MISSING, Server, cut, here, vaetui
from tests.terminal import ScriptedTerminal
from tests.watching import wait_until, is_unlocked, has_exited, holder_pid, read_log, load_status

pytestmark = pytest.mark.skipif(not here(), reason=MISSING)
SOON = 10.0
"""Seconds in which a program is gone whose line was cut: it takes one, on a machine with nothing else to do."""
PATIENT = 60.0
"""Seconds in which a program has left that was asked to: it takes a third of one."""
SPEAKS = """
import os
from vaetui.tui import probe
terminal = probe.probe()
probe.prepare(terminal, os.environ)
from textual import constants
print(os.environ["TERM"], os.environ.get("COLORTERM"), terminal.pictures, terminal.truecolour)
print(constants.COLOR_SYSTEM, constants.TEXTUAL_ANIMATIONS)
"""


@pytest.fixture
def server(tmp_path: Path, home: Path) -> Iterator[Server]:
    server = Server(tmp_path / "ssh", home)
    yield server
    server.close()


def until(line: ScriptedTerminal, seen: str) -> None:
    """Go on until the screen shows a pattern."""
    line.until(lambda: re.search(seen, line.text()), 60)


def until_loaded(line: ScriptedTerminal) -> None:
    """Go on until the members are shown: PyTorch is loaded, in whose import nothing can end."""
    until(line, "nearest members(?!.*loading)")
    line.until_quiet()


def label(line: ScriptedTerminal, digit: str, answered: int) -> None:
    """Name the focused centre, surely, as a person would; then so many are answered."""
    for key in (digit, "\r"):
        line.type(key.encode())
        line.until_quiet(0.1)
    until(line, rf"answered\s+{answered} / 5")


def leave(line: ScriptedTerminal, name: str) -> None:
    """Leave by the key; a program that stays is made to tell where each of its threads stands."""
    process = holder_pid(name)
    line.type(b"q")
    try:
        line.until(lambda: has_exited(process), PATIENT)
    except TimeoutError as shown:
        if not has_exited(process):
            os.kill(process, signal.SIGABRT)
            line.until_quiet(1)
            raise AssertionError(f"{shown}\n{line.output[-5000:].decode(errors='replace')}") from None
    assert line.close(limit=30) == 0


def test_a_line_that_drops_while_labelling_costs_no_answer(server: Server, digits: Path) -> None:
    start_labelling("dropped", digits)
    line = server.terminal(*vaetui("resume", "dropped"))
    until_loaded(line)
    label(line, "7", 2)
    process = holder_pid("dropped")
    cut(line)
    wait_until(lambda: has_exited(process), SOON)
    assert is_unlocked("dropped")
    assert load_status("dropped")["answers"] == 2
    line = server.terminal(*vaetui("resume", "dropped"))
    until(line, r"answered\s+2 / 5")
    label(line, "8", 3)
    leave(line, "dropped")
    assert load_status("dropped")["answers"] == 3


def test_a_line_that_drops_while_training_saves_it_at_that_place(server: Server) -> None:
    line = server.terminal(*vaetui("new", "dropped"))
    line.until_text("img/s")
    assert load_status("dropped")["training_seconds"] == 0, "nothing was saved so far"
    process = holder_pid("dropped")
    cut(line)
    wait_until(lambda: has_exited(process), SOON)
    assert is_unlocked("dropped")
    saved = load_status("dropped")["training_seconds"]
    assert saved > 0
    line = server.terminal(*vaetui("resume", "dropped"))
    line.until_text("img/s")
    leave(line, "dropped")
    assert load_status("dropped")["training_seconds"] > saved
    assert "Traceback" not in read_log("dropped")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux, which .ci/run installs")
def test_inside_tmux_the_program_outlives_the_line(server: Server, digits: Path) -> None:
    start_labelling("kept", digits)
    tmux = ["tmux", "-L", f"vaetui-{uuid.uuid4().hex[:8]}", "-f", "/dev/null"]
    try:
        line = server.terminal(*tmux, "new-session", *vaetui("resume", "kept"))
        until(line, r"answered\s+1 / 5")
        label(line, "7", 2)
        process = holder_pid("kept")
        cut(line)
        listed = [*tmux, "list-clients"]
        wait_until(lambda: subprocess.run(listed, check=True, capture_output=True).stdout == b"")
        assert not has_exited(process)
        line = server.terminal(*tmux, "attach")
        until(line, r"answered\s+2 / 5")
        label(line, "8", 3)
        assert holder_pid("kept") == process
        leave(line, "kept")
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
    assert load_status("kept")["answers"] == 3


def test_what_was_detached_outlives_the_line_and_is_taken_over_by_the_next(server: Server, digits: Path) -> None:
    new = " ".join(vaetui("new", "away", "--detach", "--data", str(digits), *LONG))
    line = server.terminal("sh", "-c", f"{new} && exec cat")
    line.until_text("vaetui resume away")
    process = holder_pid("away")
    cut(line)
    reached = load_status("away")["epoch"]
    wait_until(lambda: load_status("away")["epoch"] > reached)
    assert holder_pid("away") == process
    line = server.terminal(*vaetui("resume", "away"))
    until(line, r"epoch\s+\d+ of 500")
    wait_until(lambda: has_exited(process))
    assert "taken over by another process" in read_log("away")
    leave(line, "away")
    assert is_unlocked("away")


def test_answers_come_through_a_line_without_a_terminal(server: Server, digits: Path) -> None:
    start_labelling("piped", digits)
    told = server.pipe(*vaetui("resume", "piped", "--plain"), typed="4\n5 8\n")
    assert (told.returncode, told.stderr) == (0, "")
    assert "saved: 2 is 5 at 0.8" in told.stdout
    assert told.stdout.replace("\n", "").isprintable()
    assert load_status("piped")["answers"] == 3


def test_colours_are_proven_where_ssh_does_not_tell_them_and_nothing_is_animated(server: Server) -> None:
    line = server.terminal(vaetui()[0], "-c", SPEAKS, size=(200, 24))
    line.until_text("truecolor none")
    assert "xterm-256color None half True" in line.text()
    assert line.close() == 0


def test_pictures_are_seen_over_a_line(server: Server, digits: Path) -> None:
    start_labelling("seen", digits)
    line = server.terminal(*vaetui("resume", "seen"))
    until_loaded(line)
    cells = [cell for row in line.screen.buffer.values() for cell in row.values() if cell.data == "▀"]
    assert len(cells) > 300
    assert len({cell.fg for cell in cells}) > 10, "shades, not two colours"
    leave(line, "seen")
