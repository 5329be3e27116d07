"""Ctrl-Z suspends the program in a shell, on every screen, and does no harm without a shell."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.session_templates import SessionTemplates
from tests.terminal import ScriptedTerminal
from tests.watching import load_status

pytestmark = pytest.mark.usefixtures("home")
SHELL = "import os; os.environ['PS1'] = 'shell> '; os.execvp('bash', ['bash', '--norc', '--noprofile', '-i'])"
RESUME = ["-m", "vaetui", "resume", "demo", "--pictures", "half"]
CTRL_Z = b"\x1a"
LEAVE_SCREEN = b"\x1b[?1049l"
"""Sent when the program gives the terminal back."""


def start_in_shell(command: str) -> ScriptedTerminal:
    """Run a command line in an interactive shell."""
    terminal = ScriptedTerminal(["-c", SHELL])
    terminal.wait_for_text("shell> ")
    terminal.send(command.encode() + b"\r")
    return terminal


def suspend_and_continue(terminal: ScriptedTerminal, text: str) -> None:
    """Press Ctrl-Z, wait for the shell, continue, and wait until the whole screen is painted again with a text."""
    count = terminal.output.count(LEAVE_SCREEN)
    terminal.send(CTRL_Z)
    terminal.wait_for_pattern(r"\[1\]\+ +Stopped")
    assert terminal.output.count(LEAVE_SCREEN) == count + 1
    terminal.send(b"fg\r")
    terminal.wait_until(lambda: text in terminal.text() and "Stopped" not in terminal.text())
    terminal.wait_until_quiet()


def close_shell(terminal: ScriptedTerminal) -> None:
    terminal.send(b"exit\r")
    assert terminal.close() == 0


def test_ctrl_z_suspends_on_every_screen_and_the_program_goes_on(templates: SessionTemplates) -> None:
    templates.copy("labelling", "demo")
    # A shell between the program and the interactive one belongs to the same job.
    terminal = start_in_shell(f'sh -c "{sys.executable} {" ".join(RESUME)}; echo left"')
    terminal.wait_for_text("class? ")
    terminal.wait_until_quiet()
    suspend_and_continue(terminal, "class? ")
    for keys, text in ((b"?", "Find a class by name"), (b"\x1b", "class? "), (b"/", "class? _")):
        terminal.send(keys)
        terminal.wait_for_text(text)
        terminal.wait_until_quiet()
        suspend_and_continue(terminal, text)
    terminal.send(b"\x1b")
    terminal.wait_for_text("0-9: class")
    terminal.wait_until_quiet()
    terminal.send(b"7")
    terminal.wait_for_text("class? 7_")
    suspend_and_continue(terminal, "class? 7_")
    terminal.send(b"\r")
    terminal.wait_for_pattern(r"answered +2 / 5")
    terminal.send(b"q")
    terminal.wait_for_text("left")
    close_shell(terminal)
    assert load_status("demo")["answers"] == 2


@pytest.mark.parametrize("is_signal", [False, True])
def test_ctrl_z_without_a_shell_shows_a_notice_and_keys_still_work(
    templates: SessionTemplates, home: Path, is_signal: bool
) -> None:
    templates.copy("labelling", "demo")
    terminal = ScriptedTerminal(RESUME)
    terminal.wait_for_text("class? ")
    terminal.wait_until_quiet()
    if is_signal:
        os.kill(terminal.pid, signal.SIGTSTP)
    else:
        terminal.send(CTRL_Z)
        terminal.wait_for_text("Cannot suspend")
    terminal.wait_until_quiet()
    terminal.send(b"7")
    terminal.wait_for_text("class? 7_")
    terminal.send(b"\r")
    terminal.wait_for_pattern(r"answered +2 / 5")
    terminal.send(b"q")
    assert terminal.close() == 0
    assert load_status("demo")["answers"] == 2
