"""A lost line in a real terminal: the session is saved and the process ends."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

APP = """
import sys
from tests.tui.scripted_session import EndlessSession
from tests.tui.scripted_session import ScriptedSession
from vaetui.tui.app import VaetuiApp

session = EndlessSession() if sys.argv[1] == "training" else ScriptedSession(sys.argv[1])
app = VaetuiApp(session)
app.run()
open(sys.argv[2], "w").write(f"{session.stop_count} {app.failure}")
"""


@pytest.mark.parametrize(
    ("phase", "marker", "left"), [("training", b"img/s", "1 None"), ("labelling", b"open", "0 None")]
)
def test_a_lost_line_ends_the_process_after_saving(tmp_path: Path, phase: str, marker: bytes, left: str) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    note = tmp_path / "left"
    process = subprocess.Popen(
        [sys.executable, "-c", APP, phase, str(note)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - only a controlling terminal hangs up
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    seen = b""
    while marker not in seen:
        seen += os.read(ours, 65_536)
    os.close(ours)
    process.wait(timeout=20)
    assert note.read_text() == left
