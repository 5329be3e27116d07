"""Run `vaetui` commands: in this process, or in a process of their own if the process itself is tested."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import IO
from unittest import mock

import pexpect

from vaetui.cli.main import main
from vaetui.runtime import session_runner

VAETUI = [sys.executable, "-m", "vaetui"]
TIMEOUT_S = 240
ANSI_SEQUENCE = re.compile(r"\x1b(\[[0-9;?<>=$]*[A-Za-z]|\][^\x1b\x07]*(\x1b\\|\x07)|[=>])")


def run_vaetui(*arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, without a terminal, and restore the state of the process."""
    with contextlib.ExitStack() as stack:
        # Files with a descriptor, because `predict` and the dialogue use sys.stdout.fileno().
        streams = {name: _open_stream(stack) for name in ("stdin", "stdout", "stderr")}
        streams["stdin"].write(typed or "")
        streams["stdin"].seek(0)
        for name, stream in streams.items():
            stack.enter_context(mock.patch.object(sys, name, stream))
        stack.enter_context(mock.patch.object(sys, "argv", ["vaetui", *arguments]))
        stack.enter_context(mock.patch.dict(os.environ, COLUMNS="80"))
        stack.enter_context(mock.patch.object(session_runner, "exit_immediately", sys.exit))
        stack.enter_context(_restore_process_state())
        status = _run_main()
        stdout, stderr = (_read_stream(streams[name]) for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(["vaetui", *arguments], status, stdout, stderr)


def _open_stream(stack: contextlib.ExitStack) -> IO[str]:
    file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    return io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="", write_through=True)


def _read_stream(stream: IO[str]) -> str:
    stream.seek(0)
    return stream.read()


def _run_main() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@contextlib.contextmanager
def _restore_process_state() -> Iterator[None]:
    """Restore the number of PyTorch threads, which changes results, and close the log files of the command."""
    import torch

    thread_count = torch.get_num_threads()
    logger = logging.getLogger("vaetui")
    handlers = list(logger.handlers)
    try:
        yield
    finally:
        torch.set_num_threads(thread_count)
        for handler in [handler for handler in logger.handlers if handler not in handlers]:
            logger.removeHandler(handler)
            handler.close()


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


def assert_refused(message: str, *arguments: str) -> None:
    """Check that a command ends with status 2 and a one-line error that contains the message.

    `new` and `resume` run with --plain, because the screens need a terminal.
    """
    plain = ("--plain",) if arguments[0] in ("new", "resume") and "--detach" not in arguments else ()
    process = run_vaetui(*arguments, *plain)
    assert_is_refusal(message, process.returncode, process.stderr)


def assert_refused_in_terminal(message: str, *arguments: str) -> None:
    """Check the same of a command that runs in a terminal of its own."""
    assert_is_refusal(message, *run_in_terminal(*arguments))


def assert_refused_in_background(message: str, *arguments: str) -> None:
    """Check the same of a command with --detach, which forks."""
    process = spawn_vaetui(*arguments, "--detach")
    assert_is_refusal(message, process.returncode, process.stderr)


def assert_is_refusal(message: str, status: int | None, text: str) -> None:
    """Check the exit status and the last line of the output."""
    assert status == 2, text
    last_line = text.strip().splitlines()[-1]
    assert last_line.startswith("vaetui: "), text
    assert message in last_line, text
    assert "Traceback" not in text
