"""What a terminal that does not read receives when the program ends."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import tty
from collections.abc import Iterator

import pytest

from vaetui.tui.terminal.writer import CANCEL_BYTE, TerminalWriter

LAST_TEXT = "\x1b[?1049l"
TIMEOUT_S = 0.2


@pytest.fixture
def pty_fds() -> Iterator[tuple[int, int]]:
    """File descriptors of the two ends of a pty: the terminal's and the program's."""
    terminal_fd, program_fd = pty.openpty()
    tty.setraw(program_fd)
    yield terminal_fd, program_fd
    os.close(terminal_fd)
    os.close(program_fd)


@pytest.mark.parametrize("length", [10, 5_000, 40_000, 10**6])
def test_last_text_arrives_after_a_text_of_any_length_is_cut_off(length: int, pty_fds: tuple[int, int]) -> None:
    terminal_fd, program_fd = pty_fds
    fill_buffer(program_fd)
    writer = TerminalWriter(program_fd, "utf-8", lambda: None)
    writer.write("x" * length)
    writer.write(LAST_TEXT)
    writer.close(TIMEOUT_S)
    everything = b"x" * length + LAST_TEXT.encode()  # if the kernel has found room for it after all
    assert read_all(terminal_fd).endswith((CANCEL_BYTE + LAST_TEXT.encode(), everything))


def fill_buffer(fd: int) -> None:
    """Write to a terminal until the kernel takes nothing more."""
    os.set_blocking(fd, False)
    while select.select([], [fd], [], 0.2)[1]:
        with contextlib.suppress(BlockingIOError):
            os.write(fd, b"." * 1000)
    os.set_blocking(fd, True)


def read_all(fd: int) -> bytes:
    """Read everything that has arrived."""
    received = b""
    while select.select([fd], [], [], 0.1)[0]:
        received += os.read(fd, 65536)
    return received
