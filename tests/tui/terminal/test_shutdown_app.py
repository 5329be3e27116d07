"""Close the terminal of a running app: the session is saved and the process ends."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.terminal import ScriptedTerminal
from tests.watching import has_exited, wait_until
from vaetui.tui.terminal.shutdown_app import NonWaitingExecutor

APP_PROGRAM = """
import sys
from pathlib import Path
from tests.tui.scripted_session import EndlessSession, ScriptedSession
from vaetui.tui.app import VaetuiApp

session = EndlessSession() if sys.argv[1] == "training" else ScriptedSession(sys.argv[1])
app = VaetuiApp(session)
app.run()
Path(sys.argv[2]).write_text(f"{session.stop_count} {app.failure}")
"""
TIMEOUT_S = 120.0


@pytest.mark.parametrize(
    ("phase", "text", "result"), [("training", "img/s", "1 None"), ("labelling", "answered", "0 None")]
)
def test_closed_terminal_ends_the_process_after_saving(tmp_path: Path, phase: str, text: str, result: str) -> None:
    result_path = tmp_path / "result"
    terminal = ScriptedTerminal(["-c", APP_PROGRAM, phase, str(result_path)])
    terminal.wait_for_text(text)
    os.close(terminal._fd)
    wait_until(lambda: has_exited(terminal.pid), TIMEOUT_S)
    os.waitpid(terminal.pid, 0)
    assert result_path.read_text() == result


def test_each_call_has_a_thread_that_ends_so_that_its_openmp_team_ends_too() -> None:
    executor = NonWaitingExecutor()
    threads = [executor.submit(threading.current_thread).result(TIMEOUT_S) for _ in range(3)]
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert len(set(threads)) == 3
    assert not any(thread.is_alive() for thread in threads)


def test_the_exit_does_not_wait_for_a_call() -> None:
    executor, end = NonWaitingExecutor(), threading.Event()
    future = executor.submit(end.wait, TIMEOUT_S)
    executor.shutdown()
    assert not future.done()
    end.set()
    assert future.result(TIMEOUT_S)
