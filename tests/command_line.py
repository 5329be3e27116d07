"""Run `vaetui` commands: in this process where the process itself is not tested, else in one of their own."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from unittest import mock

import pexpect

from vaetui.cli.main import main

VAETUI = [sys.executable, "-m", "vaetui"]
TIMEOUT_S = 120
ANSI_SEQUENCE = re.compile(r"\x1b(\[[0-9;?<>=$]*[A-Za-z]|\][^\x1b\x07]*(\x1b\\|\x07)|[=>])")


def run_vaetui(*arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, without a terminal."""
    stdin = io.TextIOWrapper(io.BytesIO((typed or "").encode()), encoding="utf-8")
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    status = 0
    with (
        mock.patch.object(sys, "argv", ["vaetui", *arguments]),
        mock.patch.object(sys, "stdin", stdin),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    printed, complaints = (stream.buffer.getvalue().decode() for stream in (stdout, stderr))  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(["vaetui", *arguments], status, printed, complaints)


def spawn_vaetui(*arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, without a terminal."""
    return subprocess.run(
        [*VAETUI, *arguments], capture_output=True, text=True, check=False, input=typed, timeout=TIMEOUT_S
    )


def run_in_terminal(*arguments: str) -> tuple[int | None, str]:
    """Run a command in a terminal of its own, and return its exit status and its output without escape sequences."""
    child = pexpect.spawn(
        VAETUI[0], [*VAETUI[1:], *arguments], dimensions=(24, 240), timeout=TIMEOUT_S, encoding="utf-8",
        env={**os.environ, "TERM": "xterm-256color", "VAETUI_PICTURES": "half"},
    )  # fmt: skip
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, ANSI_SEQUENCE.sub("\n", child.before or "")


def assert_refused(complaint: str, *arguments: str) -> None:
    """Check that a command ends with status 2 and one sentence that contains the complaint.

    `new` and `resume` are run with --plain: the screens would need a terminal.
    """
    plain = ("--plain",) if arguments[0] in ("new", "resume") else ()
    process = run_vaetui(*arguments, *plain)
    assert_is_refusal(complaint, process.returncode, process.stderr)


def assert_refused_in_terminal(complaint: str, *arguments: str) -> None:
    """Do the same with a command that has a terminal of its own."""
    assert_is_refusal(complaint, *run_in_terminal(*arguments))


def assert_is_refusal(complaint: str, status: int | None, text: str) -> None:
    """Check the exit status and the last line of what a command printed."""
    sentence = text.strip().splitlines()[-1]
    assert status == 2, text
    assert sentence.startswith("vaetui: "), text
    assert complaint in sentence
    assert "Traceback" not in text
