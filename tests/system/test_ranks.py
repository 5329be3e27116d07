"""Test the command line with several processes, in a scripted terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import run_vaetui
from tests.terminal import ScriptedTerminal

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.slow
def test_session_trains_in_two_processes_between_its_rounds(digits: Path) -> None:
    arguments = ["-m", "vaetui", "new", "duo", "--data", str(digits), "--rounds", "2", "--ranks", "2"]
    terminal = ScriptedTerminal([*arguments, "--pictures", "half"])
    terminal.wait_for_text("class?")
    assert "labelling, 2 processes waiting" in run_vaetui("show", "duo").stdout
    terminal.send(b"7\r")
    terminal.wait_for_text("Saved: cluster")
    terminal.send(b"gg")
    terminal.wait_for_pattern(r"round 2 of 2|trained by 2 processes")
    terminal.send(b"q")
    terminal.wait_for_text("Resume with: vaetui resume duo --ranks 2")
    assert terminal.close() == 0
    assert "training in" not in run_vaetui("show", "duo").stdout


def test_more_processes_than_one_machine_starts_are_refused() -> None:
    process = run_vaetui("resume", "duo", "--ranks", "65")
    assert process.returncode == 2
    assert "65 is out of range; use 1 to 64." in process.stderr
