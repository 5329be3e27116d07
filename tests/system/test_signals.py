"""Send signals to the program in a terminal: it saves and exits with the conventional status."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.session_templates import SessionTemplates
from tests.terminal import ScriptedTerminal
from tests.watching import has_exited, load_status, wait_until

pytestmark = [pytest.mark.usefixtures("home"), pytest.mark.slow]
BLOCKING_MODULE = "import time\ntime.sleep(600)\n"
"""A module whose import takes longer than any test."""


def resume(name: str, environment: dict[str, str] | None = None) -> ScriptedTerminal:
    return ScriptedTerminal(["-m", "vaetui", "resume", name, "--pictures", "half"], environment=environment)


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_while_labelling_keeps_the_answers_and_logs_no_traceback(
    templates: SessionTemplates, home: Path, signal_number: signal.Signals
) -> None:
    templates.copy("labelling", "demo")
    terminal = resume("demo")
    terminal.wait_for_pattern(r"answered +1 / 5")
    terminal.send(b"7")
    terminal.wait_for_pattern(r"class\? 7_")
    terminal.send(b"\r")
    terminal.wait_for_pattern(r"answered +2 / 5")
    if signal_number == signal.SIGTERM:
        os.kill(terminal.pid, signal.SIGTERM)
        wait_until(lambda: not terminal.process(0.05) or has_exited(terminal.pid), 120)
        assert "Everything is saved" in terminal.output.decode()
    else:
        os.close(terminal._fd)
        wait_until(lambda: has_exited(terminal.pid), 120)
    status = os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1])
    assert status == 128 + signal_number
    assert load_status("demo")["answers"] == 2
    assert "Traceback" not in (home / "sessions/demo/log.txt").read_text()
    assert not (home / "log.txt").exists()


def test_signal_while_pytorch_is_loading_does_not_wait_for_it(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("labelling", "demo")
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/torch.py").write_text(BLOCKING_MODULE)
    terminal = resume("demo", {"PYTHONPATH": f"{tmp_path / 'modules'}"})
    terminal.wait_until(lambda: re.search(r"answered +1 / 5", terminal.text()))
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.close() == 128 + signal.SIGTERM
    assert load_status("demo")["phase"] == "labelling"
