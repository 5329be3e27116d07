"""What the terminal can draw, asked before anything else reads the keyboard; it does not know what is drawn.

Imports nothing that asks the terminal too, and not Textual, which fixes its colours when it is imported.
"""

from __future__ import annotations

import array
import fcntl
import importlib.metadata
import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from vaetui.errors import UserError

TIMEOUT_S = 3.0
"""Seconds to wait for the sentinel; every terminal answers it, over a bad line late."""
DEVICE_ATTRIBUTES_QUERY = b"\x1b[c"
"""Primary device attributes: asked last, so when its answer is there, all other answers have come."""
BACKGROUND_QUERY = b"\x1b]11;?\x1b\\"
"""The colour behind the text, which tells a light theme from a dark one."""
CAPABILITY_QUERIES = b"\x1b[>q\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m" + BACKGROUND_QUERY
"""Name and version; a colour of 24 bits, and whether it stands; the background."""
DEVICE_ATTRIBUTES_PATTERN = re.compile(rb"\x1b\[\?([\d;]*)c")
VERSION_PATTERN = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
BACKGROUND_PATTERN = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")
TRUECOLOUR_PATTERN = re.compile(rb"\x1bP1\$r[^\x1b]*48[:;]2[:;]+1[:;]2[:;]3[^\x1b]*m\x1b\\")
SIXEL_ATTRIBUTE = 4
"""The number of sixel among the primary device attributes."""


@dataclass(frozen=True, slots=True)
class TerminalReplies:
    """What the terminal said of itself."""

    name: str = ""
    """Its name and version, such as "kitty(0.31.0)"."""
    device_attributes: tuple[int, ...] = ()
    """Its primary device attributes."""
    has_truecolour: bool = False
    """Whether a colour of 24 bits stood."""
    background_rgb: tuple[float, float, float] | None = None
    """Red, green and blue behind the text, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class TerminalCapabilities:
    """How to draw."""

    picture_mode: str
    """The mode for `picture.choose`."""
    has_truecolour: bool
    """Whether colours of 24 bits are proven."""
    cell_pixels: tuple[int, int]
    """Width and height of a character in screen pixels."""
    theme: str = "dark"
    """The theme for the app."""


def require_terminal() -> None:
    """Refuse to draw where there is no terminal to read, to write and to complain to, with Trouble."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if not _is_in_browser(os.environ) and not all(stream is not None and stream.isatty() for stream in streams):
        raise UserError("The screens need a terminal: run this without redirecting input, output or errors.")
    if os.environ.get("TERM") == "dumb":
        raise UserError("The screens need a terminal that can move its cursor; here the dialogue works: add --plain.")


def detect_capabilities(picture_mode: str | None = None, theme: str | None = None) -> TerminalCapabilities:
    """Find out how to draw here: the whole of this module, in the order of what is surest.

    Both arguments are what a flag or a variable says, None where nothing does.
    """
    questions = select_queries(os.environ) if picture_mode is None or theme is None else b""
    answers = query_terminal(0, 1, questions) if questions else TerminalReplies()
    mode = picture_mode or choose_picture_mode(answers, os.environ, _read_textual_image_version())
    return TerminalCapabilities(
        mode,
        answers.has_truecolour or mode == "kitty",
        _measure_cell_pixels(1),
        theme or choose_theme(answers.background_rgb),
    )


def configure_textual(capabilities: TerminalCapabilities, environment: MutableMapping[str, str]) -> None:
    """Tell Textual, before it is imported, the colours that are proven, and not to animate over a line."""
    if capabilities.has_truecolour and "NO_COLOR" not in environment:
        environment.setdefault("TEXTUAL_COLOR_SYSTEM", "truecolor")
    if "SSH_CONNECTION" in environment or "SSH_TTY" in environment:
        environment.setdefault("TEXTUAL_ANIMATIONS", "none")


def select_queries(environment: Mapping[str, str]) -> bytes:
    """Give what is worth asking there: questions whose answers change something, and are to be had."""
    term = environment.get("TERM", "")
    # The last few know no device attributes, and some print the question.
    if _is_in_browser(environment) or term in ("", "dumb", "linux", "unknown"):
        return b""
    if "TMUX" in environment or term.startswith("tmux"):
        return BACKGROUND_QUERY  # answered by tmux itself, at once
    return b"" if is_multiplexed(environment) else CAPABILITY_QUERIES


def is_multiplexed(environment: Mapping[str, str]) -> bool:
    """Tell whether tmux or screen stands between, which lets no picture through."""
    term = environment.get("TERM", "")
    return "TMUX" in environment or "STY" in environment or term.startswith(("tmux", "screen"))


def choose_picture_mode(
    replies: TerminalReplies, environment: Mapping[str, str], textual_image_version: tuple[int, ...]
) -> str:
    """Choose the mode; `images` is the version of textual-image.

    Half-blocks unless something better is known by name: many terminals say yes and then show nothing.
    """
    if _is_in_browser(environment) or is_multiplexed(environment) or "NO_COLOR" in environment:
        return "half"
    known = re.match(r"(kitty|ghostty)\W*(\d+)\.(\d+)", replies.name, re.IGNORECASE)
    if known and (known[1].lower() == "ghostty" or (int(known[2]), int(known[3])) >= (0, 28)):
        return "kitty"
    # The sixels of textual-image before 0.14 come out broken in xterm and foot.
    if SIXEL_ATTRIBUTE in replies.device_attributes and textual_image_version >= (0, 14):
        return "sixel"
    return "half"


def choose_theme(background_rgb: tuple[float, float, float] | None) -> str:
    """Choose the theme that goes with the rest of the terminal; dark where its background is not known."""
    red, green, blue = background_rgb or (0.0, 0.0, 0.0)
    return "light" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "dark"


def query_terminal(
    input_fd: int, output_fd: int, queries: bytes = CAPABILITY_QUERIES, timeout_s: float = TIMEOUT_S
) -> TerminalReplies:
    """Ask the terminal on these file descriptors, and swallow all that it answers within the limit."""
    before = termios.tcgetattr(input_fd)
    heard = b""
    try:
        tty.setcbreak(input_fd, termios.TCSANOW)
        os.write(output_fd, queries + DEVICE_ATTRIBUTES_QUERY)
        end = time.monotonic() + timeout_s
        while not DEVICE_ATTRIBUTES_PATTERN.search(heard) and (left := end - time.monotonic()) > 0:
            if select.select([input_fd], [], [], left)[0]:
                more = os.read(input_fd, 4096)
                if not more:
                    break
                heard += more
    finally:
        # What is typed ahead goes too: nothing may reach the screens that was not meant for them.
        termios.tcsetattr(input_fd, termios.TCSAFLUSH, before)
    return parse_replies(heard)


def parse_replies(data: bytes) -> TerminalReplies:
    """Read the answers out of all that came, typed keys among them."""
    version, attributes, behind = (
        form.search(data) for form in (VERSION_PATTERN, DEVICE_ATTRIBUTES_PATTERN, BACKGROUND_PATTERN)
    )
    numbers = attributes[1].decode().split(";") if attributes else []
    return TerminalReplies(
        version[1].decode(errors="replace") if version else "",
        tuple(int(number) for number in numbers if number),
        TRUECOLOUR_PATTERN.search(data) is not None,
        None
        if behind is None
        else (
            _parse_colour_component(behind[1]),
            _parse_colour_component(behind[2]),
            _parse_colour_component(behind[3]),
        ),
    )


def _parse_colour_component(digits: bytes) -> float:
    """Read a part of a colour, written with any number of hexadecimal digits, as a share of the most it can be."""
    return int(digits, 16) / float(16 ** len(digits) - 1)


def _measure_cell_pixels(fd: int) -> tuple[int, int]:
    """Measure a character by what the kernel knows of the window; 10 by 20 where it does not."""
    size = array.array("H", [0, 0, 0, 0])
    try:
        fcntl.ioctl(fd, termios.TIOCGWINSZ, size)
    except OSError:
        return 10, 20
    rows, columns, wide, tall = size
    known = 0 < columns <= wide and 0 < rows <= tall
    return (wide // columns, tall // rows) if known else (10, 20)


def _read_textual_image_version() -> tuple[int, ...]:
    try:
        version = importlib.metadata.version("textual-image")
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _is_in_browser(environment: Mapping[str, str]) -> bool:
    """Tell whether a browser shows the app, which has no terminal and wants none."""
    return "TEXTUAL_DRIVER" in environment
