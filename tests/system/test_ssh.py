"""Run the program over a real OpenSSH connection that drops: what is saved, and what keeps running."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.idx import write_small_mnist
from tests.session_templates import SessionTemplates
from tests.system import sshd, tmux
from tests.system.sshd import SSHServer, drop_connection, vaetui_command
from tests.terminal import ScriptedTerminal
from tests.watching import has_exited, holder_pid, is_unlocked, load_status, read_log, wait_until
from vaetui.engine.answers import ClassAnswer
from vaetui.session import lifecycle

pytestmark = [
    pytest.mark.skipif(not sshd.is_installed(), reason=sshd.SKIP_REASON),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]
TIMEOUT_S = 120.0
"""Seconds in which a program whose connection dropped, or that was asked to leave, exits; about one when idle."""
LONG_TRAINING_OPTIONS = ("--recipe", "paper", "--warmup-epochs", "500", "--rounds", "0")
CAPABILITIES_PROGRAM = """
import os
from vaetui.tui.terminal.capabilities import configure_textual, detect_capabilities
capabilities = detect_capabilities()
configure_textual(capabilities, os.environ)
from textual import constants
print(os.environ["TERM"], os.environ.get("COLORTERM"), capabilities.picture_mode, capabilities.has_truecolour)
print(constants.COLOR_SYSTEM, constants.TEXTUAL_ANIMATIONS)
"""


@pytest.fixture
def server(tmp_path: Path, home: Path) -> Iterator[SSHServer]:
    server = SSHServer(tmp_path / "ssh", home)
    yield server
    server.close()


def wait_for_members(terminal: ScriptedTerminal) -> None:
    """Wait until the members are shown: PyTorch is loaded."""
    terminal.wait_for_pattern("nearest members(?!.*loading)")
    terminal.wait_until_quiet()


def half_block_cells(terminal: ScriptedTerminal) -> list[Any]:
    return [cell for row in terminal.screen.buffer.values() for cell in row.values() if cell.data == "▀"]


def count_half_blocks(terminal: ScriptedTerminal) -> int:
    return len(half_block_cells(terminal))


def answer(terminal: ScriptedTerminal, digit: str, answered: int) -> None:
    """Answer the focused cluster with certainty, and wait for the number of answered clusters."""
    terminal.send(digit.encode())
    terminal.wait_for_pattern(rf"class\? {digit}_")
    terminal.send(b"\r")
    terminal.wait_for_pattern(rf"answered\s+{answered} / 5")


def leave(terminal: ScriptedTerminal, name: str) -> None:
    """Leave by the key; a program that hangs prints where each of its threads is."""
    pid = holder_pid(name)
    terminal.send(b"q")
    try:
        terminal.wait_until(lambda: has_exited(pid), TIMEOUT_S)
    except TimeoutError as timeout:
        if not has_exited(pid):
            os.kill(pid, signal.SIGABRT)
            terminal.wait_until_quiet(1)
            raise AssertionError(f"{timeout}\n{terminal.output[-5000:].decode(errors='replace')}") from None
    assert terminal.close() == 0


def test_dropped_connection_while_labelling_loses_no_answer(server: SSHServer, templates: SessionTemplates) -> None:
    templates.copy("labelling", "demo")
    terminal = server.open_terminal(*vaetui_command("resume", "demo"))
    wait_for_members(terminal)
    answer(terminal, "7", 2)
    pid = holder_pid("demo")
    drop_connection(terminal)
    wait_until(lambda: has_exited(pid), TIMEOUT_S)
    assert is_unlocked("demo")
    assert load_status("demo")["answers"] == 2
    terminal = server.open_terminal(*vaetui_command("resume", "demo"))
    terminal.wait_for_pattern(r"answered\s+2 / 5")
    answer(terminal, "8", 3)
    leave(terminal, "demo")
    assert load_status("demo")["answers"] == 3


def test_class_is_found_by_typed_and_pasted_letters_and_a_new_class_needs_its_own_key(
    server: SSHServer, templates: SessionTemplates
) -> None:
    templates.copy("labelling", "demo")
    terminal = server.open_terminal(*vaetui_command("resume", "demo"))
    wait_for_members(terminal)
    terminal.send(b"/")
    terminal.wait_for_pattern(r"class\? _")
    assert count_half_blocks(terminal) > 50, "the picture stays in view"
    terminal.send(b"\x1b[200~7\x1b[201~")  # a bracketed paste
    terminal.wait_for_pattern(r"class\? 7_")
    terminal.send(b"\r")
    terminal.wait_for_pattern(r"Enter: certain")
    terminal.send(b"\r")
    terminal.wait_for_pattern(r"answered\s+2 / 5")
    terminal.send(b"/owl\r")  # all in one burst: no class has this name, so Enter answers nothing
    terminal.wait_for_pattern(r"No match")
    terminal.send(b"\x0e")  # Ctrl-N
    terminal.wait_for_pattern(r"class\? owl_")
    terminal.send(b"\r")
    terminal.wait_for_pattern(r"answered\s+3 / 5")
    leave(terminal, "demo")
    session = lifecycle.resume("demo")
    clusters = session.round_view().clusters
    assert [cluster.answer for cluster in clusters[:3]] == [ClassAnswer(7), ClassAnswer(6), ClassAnswer(10)]
    assert session.classes.names[10:] == ("owl",)
    session.close()


def test_dropped_connection_while_training_saves_the_progress(server: SSHServer, tmp_path: Path) -> None:
    # One epoch of 20,000 images lasts seconds: no epoch ends before the connection drops.
    data = write_small_mnist(tmp_path / "digits", train=20_000, test=200)
    terminal = server.open_terminal(*vaetui_command("new", "demo", "--data", str(data)))
    terminal.wait_for_text("img/s")
    pid = holder_pid("demo")
    drop_connection(terminal)
    wait_until(lambda: has_exited(pid), TIMEOUT_S)
    assert is_unlocked("demo")
    saved_s = load_status("demo")["training_seconds"]
    assert saved_s > 0
    terminal = server.open_terminal(*vaetui_command("resume", "demo"))
    terminal.wait_for_text("img/s")
    leave(terminal, "demo")
    assert load_status("demo")["training_seconds"] > saved_s
    assert "Traceback" not in read_log("demo")


@pytest.mark.skipif(not tmux.is_installed(), reason=tmux.SKIP_REASON)
def test_program_inside_tmux_survives_a_dropped_connection(server: SSHServer, templates: SessionTemplates) -> None:
    templates.copy("labelling", "demo")
    tmux_command = ["tmux", "-L", f"vaetui-{uuid.uuid4().hex[:8]}", "-f", "/dev/null"]
    try:
        terminal = server.open_terminal(*tmux_command, "new-session", *vaetui_command("resume", "demo"))
        terminal.wait_for_pattern(r"answered\s+1 / 5")
        answer(terminal, "7", 2)
        pid = holder_pid("demo")
        drop_connection(terminal)
        list_clients = [*tmux_command, "list-clients"]
        wait_until(lambda: subprocess.run(list_clients, check=True, capture_output=True).stdout == b"", TIMEOUT_S)
        assert not has_exited(pid)
        terminal = server.open_terminal(*tmux_command, "attach")
        terminal.wait_for_pattern(r"answered\s+2 / 5")
        answer(terminal, "8", 3)
        assert holder_pid("demo") == pid
        leave(terminal, "demo")
    finally:
        subprocess.run([*tmux_command, "kill-server"], check=False, capture_output=True)
    assert load_status("demo")["answers"] == 3


def test_detached_training_survives_a_dropped_connection_and_can_be_resumed(server: SSHServer, digits: Path) -> None:
    new = " ".join(vaetui_command("new", "demo", "--detach", "--data", str(digits), *LONG_TRAINING_OPTIONS))
    terminal = server.open_terminal("sh", "-c", f"{new} && exec cat")
    terminal.wait_for_text("vaetui resume demo")
    pid = holder_pid("demo")
    drop_connection(terminal)
    epoch = load_status("demo")["epoch"]
    wait_until(lambda: load_status("demo")["epoch"] > epoch, TIMEOUT_S)
    assert holder_pid("demo") == pid
    terminal = server.open_terminal(*vaetui_command("resume", "demo"))
    terminal.wait_for_pattern(r"epoch\s+\d+ of 500")
    wait_until(lambda: has_exited(pid), TIMEOUT_S)
    assert "taken over by another process" in read_log("demo")
    leave(terminal, "demo")
    assert is_unlocked("demo")


def test_plain_mode_reads_answers_over_ssh_without_a_terminal(server: SSHServer, templates: SessionTemplates) -> None:
    templates.copy("labelling", "demo")
    process = server.run(*vaetui_command("resume", "demo", "--plain"), typed="4\n5 8\n")
    assert (process.returncode, process.stderr) == (0, "")
    assert 'Saved: cluster 2 = "5", confidence 0.8' in process.stdout
    assert process.stdout.replace("\n", "").isprintable()
    assert load_status("demo")["answers"] == 3


def test_truecolour_is_detected_and_animations_are_off_over_ssh(server: SSHServer) -> None:
    python = vaetui_command()[0]
    terminal = server.open_terminal(python, "-c", CAPABILITIES_PROGRAM, size=(200, 24))
    terminal.wait_for_text("truecolor none")
    assert "xterm-256color None half True" in terminal.text()
    assert terminal.close() == 0


def test_pictures_have_many_shades_over_ssh(server: SSHServer, templates: SessionTemplates) -> None:
    templates.copy("labelling", "demo")
    terminal = server.open_terminal(*vaetui_command("resume", "demo"))
    wait_for_members(terminal)
    # The members are images; the centre of a network this small has few shades.
    terminal.wait_until(lambda: len({cell.fg for cell in half_block_cells(terminal)}) > 10)
    assert len(half_block_cells(terminal)) > 50
    leave(terminal, "demo")
