"""Test the queries to the terminal, and what follows from its replies."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vaetui.errors import UserError
from vaetui.tui.terminal import capabilities
from vaetui.tui.terminal.capabilities import (
    TerminalCapabilities,
    TerminalReplies,
    choose_picture_mode,
    choose_theme,
    configure_textual,
    format_tmux_notice,
    list_offered_modes,
    parse_terminal_replies,
    query_terminal,
    query_tmux,
    require_terminal,
    select_terminal_queries,
)

KITTY_REPLY = b"\x1bP>|kitty(0.31.0)\x1b\\"


@pytest.fixture
def pty_fds() -> Iterator[tuple[int, int]]:
    """The file descriptors of a pty: of the terminal and of the program."""
    fds = pty.openpty()
    yield fds
    for fd in fds:
        os.close(fd)


def test_replies_are_parsed_among_typed_keys() -> None:
    data = b"9" + KITTY_REPLY + b"x\x1bP1$r0;48:2::1:2:3m\x1b\\44\x1b[?62;4;22c"
    assert parse_terminal_replies(data) == TerminalReplies("kitty(0.31.0)", (62, 4, 22), True)


@pytest.mark.parametrize("data", [b"", b"\x1bP0$r\x1b\\\x1b[?6c", b"\x1bP1$r0;48;5;16m\x1b\\\x1b[?6c"])
def test_truecolour_requires_proof(data: bytes) -> None:
    assert not parse_terminal_replies(data).has_truecolour


@pytest.mark.parametrize(
    ("name", "device_attributes", "environment", "mode", "offered_graphics"),
    [
        ("kitty(0.31.0)", (62,), {}, "kitty", ["kitty"]),
        ("kitty(0.26.5)", (62,), {}, "kitty", ["kitty"]),
        ("kitty(0.19.3)", (62,), {}, "half", []),
        ("kitty(1.0.0)", (62,), {}, "kitty", ["kitty"]),
        ("ghostty 1.1.2", (62, 22), {}, "kitty", ["kitty"]),
        ("XTerm(379)", (64, 4, 22), {}, "half", ["sixel"]),
        ("XTerm(379)", (64, 22), {}, "half", []),
        ("WezTerm 20240203-110809-5046fc22", (65, 4, 6), {}, "half", ["sixel", "kitty"]),
        ("Konsole 22.12.3", (62, 1, 4), {}, "half", ["sixel", "kitty"]),
        ("foot(1.13.1)", (62, 4, 22), {}, "half", ["sixel"]),
        ("", (), {}, "half", []),
        ("kitty(0.31.0)", (62,), {"TMUX": "x"}, "half", []),
        ("tmux 3.4", (1, 2, 4), {"TMUX": "x"}, "half", []),
        ("kitty(0.31.0)", (62,), {"TERM": "screen-256color"}, "half", []),
        ("kitty(0.31.0)", (62,), {"NO_COLOR": "1"}, "half", ["kitty"]),
        ("kitty(0.31.0)", (62,), {"TEXTUAL_DRIVER": "web"}, "half", []),
    ],
)
def test_graphics_are_offered_where_the_terminal_has_them_and_chosen_where_they_are_best(
    name: str, device_attributes: tuple[int, ...], environment: dict[str, str], mode: str, offered_graphics: list[str]
) -> None:
    replies = TerminalReplies(name, device_attributes)
    assert choose_picture_mode(replies, environment) == mode
    assert list_offered_modes(replies, environment, True) == ["half", "ascii", *offered_graphics]
    without_cell_size = [mode for mode in offered_graphics if mode != "sixel"]
    assert list_offered_modes(replies, environment, False) == ["half", "ascii", *without_cell_size]


def test_size_of_a_character_and_number_of_colours_are_read() -> None:
    replies = parse_terminal_replies(b"\x1b[6;17;8t\x1b[?1;0;256S\x1b[?62;4c")
    assert (replies.cell_pixels, replies.colour_count) == ((8, 17), 256)
    replies = parse_terminal_replies(b"\x1b[6;0;0t\x1b[?1;3;0S\x1b[?62;4c")
    assert (replies.cell_pixels, replies.colour_count) == (None, 16)


@pytest.mark.parametrize(
    ("environment", "queries"),
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
def test_only_queries_that_the_terminal_can_answer_are_selected(environment: dict[str, str], queries: bytes) -> None:
    assert select_terminal_queries(environment) == queries


@pytest.mark.parametrize(
    ("tmux_reply", "addition"),
    [
        ("xterm-256color bpaste,RGB,title", ""),
        ("xterm-256color bpaste,title", "set -as terminal-features ',xterm-256color:RGB'"),
        ("foot bpaste", "set -as terminal-features ',foot:RGB'"),
        ("", ""),  # tmux does not answer, or nobody is attached
        ("xterm-256color", ""),  # a tmux that does not report features
    ],
)
def test_tmux_without_24_bit_colours_is_reported_with_what_to_add(tmux_reply: str, addition: str) -> None:
    notice = format_tmux_notice(tmux_reply)
    assert notice.endswith(addition)
    assert bool(notice) == bool(addition)


@pytest.mark.parametrize(
    "script", ["#!/bin/sh\nsleep 60\n", "#!/bin/sh\nexit 1\n", "#!/bin/sh\nprintf '\\377 x'\n", None]
)
def test_tmux_that_does_not_answer_is_not_waited_for(
    script: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if script is not None:
        (tmp_path / "tmux").write_text(script)
        (tmp_path / "tmux").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin" if script is not None else str(tmp_path))
    monkeypatch.setattr(capabilities, "TMUX_TIMEOUT_S", 0.2)
    started_s = time.monotonic()
    assert query_tmux() == ""
    assert time.monotonic() - started_s < 30


@pytest.mark.parametrize(
    ("data", "theme"),
    [
        (b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\", "light"),
        (b"\x1b]11;rgb:ff/ff/dd\x07", "light"),
        (b"\x1b]11;rgba:fdfd/f6f6/e3e3/ffff\x1b\\", "light"),
        (b"\x1b]11;rgb:0000/2b2b/3636\x1b\\", "dark"),
        (b"\x1b]11;rgb:0/0/f\x07", "dark"),
        (b"", "dark"),
    ],
)
def test_theme_follows_the_background(data: bytes, theme: str) -> None:
    assert choose_theme(parse_terminal_replies(data + b"\x1b[?6c").background_rgb) == theme


def test_textual_is_configured_without_changing_variables_that_are_set() -> None:
    capabilities_with_truecolour = TerminalCapabilities("half", True, (10, 20))
    environment = {"SSH_TTY": "/dev/pts/0"}
    configure_textual(capabilities_with_truecolour, environment)
    assert environment["TEXTUAL_COLOR_SYSTEM"] == "truecolor"
    assert environment["TEXTUAL_ANIMATIONS"] == "none"
    for given in ({"NO_COLOR": "1"}, {"TEXTUAL_COLOR_SYSTEM": "256"}):
        environment = dict(given)
        configure_textual(capabilities_with_truecolour, environment)
        assert environment == given
    environment = {}
    configure_textual(TerminalCapabilities("half", False, (10, 20)), environment)
    assert environment == {}


def test_query_of_a_silent_terminal_times_out_and_restores_its_settings(pty_fds: tuple[int, int]) -> None:
    program_fd = pty_fds[1]
    settings = termios.tcgetattr(program_fd)
    started_s = time.monotonic()
    assert query_terminal(program_fd, program_fd, timeout_s=0.2) == TerminalReplies()
    assert 0.15 < time.monotonic() - started_s < 60
    assert termios.tcgetattr(program_fd) == settings


def test_keys_before_the_last_reply_are_discarded(pty_fds: tuple[int, int]) -> None:
    terminal_fd, program_fd = pty_fds

    def reply() -> None:
        data = b""
        while not data.endswith(capabilities.DEVICE_ATTRIBUTES_QUERY):
            data += os.read(terminal_fd, 100)
        for chunk in (b"7", KITTY_REPLY[:5], KITTY_REPLY[5:], b"\x1b[?62;", b"4c"):
            os.write(terminal_fd, chunk)

    thread = threading.Thread(target=reply)
    thread.start()
    assert query_terminal(program_fd, program_fd) == TerminalReplies("kitty(0.31.0)", (62, 4), False)
    thread.join()
    os.set_blocking(program_fd, False)
    with pytest.raises(BlockingIOError):
        os.read(program_fd, 1)


def test_refusal_without_a_usable_terminal_names_both_other_ways(
    monkeypatch: pytest.MonkeyPatch, pty_fds: tuple[int, int]
) -> None:
    # Under pytest, standard output is no terminal.
    with pytest.raises(UserError, match=r"Needs a terminal\..*--plain for pipes and screen readers.*--detach"):
        require_terminal()
    with open(pty_fds[1], "w", closefd=False) as terminal_file:
        for name in ("__stdin__", "__stdout__", "__stderr__"):
            monkeypatch.setattr(sys, name, terminal_file)
        monkeypatch.setenv("TERM", "dumb")
        with pytest.raises(UserError, match=r"can move its cursor.*--plain.*--detach"):
            require_terminal()


def test_module_imports_nothing_that_queries_the_terminal() -> None:
    program = "import sys, vaetui.tui.terminal.capabilities; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"textual", "rich", "PIL", "numpy"}.isdisjoint(process.stdout.split())
