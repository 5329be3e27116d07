"""The terminal is asked once, and believed only where it is known."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator

import pytest

from vaetui.tui.terminal import capabilities
from vaetui.tui.terminal.capabilities import (
    TerminalCapabilities,
    TerminalReplies,
    choose_picture_mode,
    choose_theme,
    configure_textual,
    parse_replies,
    query_terminal,
    select_queries,
)

KITTY = b"\x1bP>|kitty(0.31.0)\x1b\\"
NEW = (0, 14)
OLD = (0, 12)


@pytest.fixture
def line() -> Iterator[tuple[int, int]]:
    """The two ends of a pty: the terminal's and the program's."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def test_answers_are_read_from_among_typed_keys() -> None:
    heard = b"9" + KITTY + b"x\x1bP1$r0;48:2::1:2:3m\x1b\\44\x1b[?62;4;22c"
    assert parse_replies(heard) == TerminalReplies("kitty(0.31.0)", (62, 4, 22), True)


@pytest.mark.parametrize("heard", [b"", b"\x1bP0$r\x1b\\\x1b[?6c", b"\x1bP1$r0;48;5;16m\x1b\\\x1b[?6c"])
def test_truecolour_is_not_believed_without_proof(heard: bytes) -> None:
    assert not parse_replies(heard).has_truecolour


@pytest.mark.parametrize(
    ("answers", "environment", "images", "mode"),
    [
        (TerminalReplies("kitty(0.31.0)"), {}, OLD, "kitty"),
        (TerminalReplies("kitty(0.28.1)"), {}, OLD, "kitty"),
        (TerminalReplies("kitty(0.26.5)"), {}, NEW, "half"),
        (TerminalReplies("kitty(1.0.0)"), {}, OLD, "kitty"),
        (TerminalReplies("ghostty 1.1.2"), {}, OLD, "kitty"),
        (TerminalReplies("XTerm(379)", (64, 4, 22)), {}, NEW, "sixel"),
        (TerminalReplies("XTerm(379)", (64, 4, 22)), {}, OLD, "half"),
        (TerminalReplies("XTerm(379)", (64, 22)), {}, NEW, "half"),
        (TerminalReplies("WezTerm 20240203"), {}, NEW, "half"),
        (TerminalReplies(), {}, NEW, "half"),
        (TerminalReplies("kitty(0.31.0)"), {"TMUX": "x"}, NEW, "half"),
        (TerminalReplies("kitty(0.31.0)"), {"TERM": "screen-256color"}, NEW, "half"),
        (TerminalReplies("kitty(0.31.0)"), {"NO_COLOR": "1"}, NEW, "half"),
        (TerminalReplies("kitty(0.31.0)"), {"TEXTUAL_DRIVER": "web"}, NEW, "half"),
    ],
)
def test_what_is_surest_is_chosen(
    answers: TerminalReplies, environment: dict[str, str], images: tuple[int, ...], mode: str
) -> None:
    assert choose_picture_mode(answers, environment, images) == mode


@pytest.mark.parametrize(
    ("environment", "questions"),
    [
        ({"TERM": "xterm-256color"}, capabilities.CAPABILITY_QUERIES),
        ({"TERM": "xterm-kitty", "SSH_TTY": "/dev/pts/0"}, capabilities.CAPABILITY_QUERIES),
        ({"TERM": "xterm", "TMUX": "x"}, capabilities.BACKGROUND_QUERY),
        ({"TERM": "screen", "TMUX": "x"}, capabilities.BACKGROUND_QUERY),
        ({"TERM": "tmux-256color"}, capabilities.BACKGROUND_QUERY),
        ({"TERM": "screen-256color"}, b""),
        ({"TERM": "xterm", "STY": "x"}, b""),
        ({"TERM": "linux"}, b""),
        ({"TERM": "dumb"}, b""),
        ({}, b""),
        ({"TERM": "xterm", "TEXTUAL_DRIVER": "web"}, b""),
    ],
)
def test_only_what_can_be_answered_is_asked(environment: dict[str, str], questions: bytes) -> None:
    assert select_queries(environment) == questions


@pytest.mark.parametrize(
    ("heard", "theme"),
    [
        (b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\", "light"),
        (b"\x1b]11;rgb:ff/ff/dd\x07", "light"),
        (b"\x1b]11;rgba:fdfd/f6f6/e3e3/ffff\x1b\\", "light"),
        (b"\x1b]11;rgb:0000/2b2b/3636\x1b\\", "dark"),
        (b"\x1b]11;rgb:0/0/f\x07", "dark"),
        (b"", "dark"),
    ],
)
def test_the_theme_goes_with_the_background(heard: bytes, theme: str) -> None:
    assert choose_theme(parse_replies(heard + b"\x1b[?6c").background_rgb) == theme


def test_proven_colours_are_told_and_nothing_that_was_set_is_changed() -> None:
    proven = TerminalCapabilities("half", True, (10, 20))
    environment = {"SSH_TTY": "/dev/pts/0"}
    configure_textual(proven, environment)
    assert environment["TEXTUAL_COLOR_SYSTEM"] == "truecolor"
    assert environment["TEXTUAL_ANIMATIONS"] == "none"
    for kept in ({"NO_COLOR": "1"}, {"TEXTUAL_COLOR_SYSTEM": "256"}):
        environment = dict(kept)
        configure_textual(proven, environment)
        assert environment == kept
    environment = {}
    configure_textual(TerminalCapabilities("half", False, (10, 20)), environment)
    assert environment == {}


def test_a_silent_terminal_is_given_up_and_left_as_it_was(line: tuple[int, int]) -> None:
    before = termios.tcgetattr(line[1])
    began = time.monotonic()
    assert query_terminal(line[1], line[1], timeout_s=0.2) == TerminalReplies()
    assert 0.15 < time.monotonic() - began < 2
    assert termios.tcgetattr(line[1]) == before


def test_what_came_before_the_sentinel_is_swallowed(line: tuple[int, int]) -> None:
    terminal, program = line

    def answer() -> None:
        heard = b""
        while not heard.endswith(capabilities.DEVICE_ATTRIBUTES_QUERY):
            heard += os.read(terminal, 100)
        for piece in (b"7", KITTY[:5], KITTY[5:], b"\x1b[?62;", b"4c"):
            os.write(terminal, piece)

    thread = threading.Thread(target=answer)
    thread.start()
    assert query_terminal(program, program) == TerminalReplies("kitty(0.31.0)", (62, 4), False)
    thread.join()
    os.set_blocking(program, False)
    with pytest.raises(BlockingIOError):
        os.read(program, 1)


@pytest.mark.parametrize("module", ["textual", "textual_image", "rich", "PIL", "numpy"])
def test_the_probe_comes_before_everything_that_asks_too(module: str) -> None:
    program = f"import sys, vaetui.tui.terminal.capabilities; print({module!r} in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
