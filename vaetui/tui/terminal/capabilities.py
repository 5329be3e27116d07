"""Detect what the terminal can display, before any other code reads the keyboard.

This module must not import Textual, which fixes its colours at import, nor textual-image, which queries the terminal.
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
"""Seconds to wait for the reply to the last query; every terminal sends one, over a slow line late."""
DEVICE_ATTRIBUTES_QUERY = b"\x1b[c"
"""Primary device attributes: sent last, so all other replies have arrived before the reply to this query."""
BACKGROUND_QUERY = b"\x1b]11;?\x1b\\"
"""Background colour, which selects the light or the dark theme."""
CAPABILITY_QUERIES = b"\x1b[>q\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m" + BACKGROUND_QUERY
"""Name and version; whether the terminal keeps a 24-bit colour that was set; background colour."""
DEVICE_ATTRIBUTES_PATTERN = re.compile(rb"\x1b\[\?([\d;]*)c")
VERSION_PATTERN = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
BACKGROUND_PATTERN = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")
TRUECOLOUR_PATTERN = re.compile(rb"\x1bP1\$r[^\x1b]*48[:;]2[:;]+1[:;]2[:;]3[^\x1b]*m\x1b\\")
DEFAULT_CELL_PIXELS = (10, 20)
"""Width and height assumed for a character where the kernel does not report pixels."""


@dataclass(frozen=True, slots=True)
class TerminalReplies:
    """Parsed replies of the terminal."""

    name: str = ""
    """Name and version, such as "kitty(0.31.0)"."""
    device_attributes: tuple[int, ...] = ()
    """Primary device attributes."""
    has_truecolour: bool = False
    """Whether the terminal kept the 24-bit colour that was set."""
    background_rgb: tuple[float, ...] | None = None
    """Red, green and blue of the background, from 0 to 1; None without a reply."""


@dataclass(frozen=True, slots=True)
class TerminalCapabilities:
    """Picture mode, colours, character size and theme for the app."""

    picture_mode: str
    """One of "half", "ascii", "sixel" and "kitty"."""
    has_truecolour: bool
    """Whether 24-bit colours are proven to work."""
    cell_pixels: tuple[int, int]
    """Width and height of a character in screen pixels."""
    theme: str = "dark"
    """Theme of the app, "dark" or "light"."""


def require_terminal() -> None:
    """Raise UserError if input, output or errors are redirected, or the terminal cannot move its cursor."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if not _is_in_browser(os.environ) and not all(stream is not None and stream.isatty() for stream in streams):
        raise UserError("Needs a terminal. Use --plain for pipes, --detach for background training.")
    if os.environ.get("TERM") == "dumb":
        raise UserError("Needs a terminal that can move its cursor. Use --plain in this one.")


def detect_capabilities(picture_mode: str | None = None, theme: str | None = None) -> TerminalCapabilities:
    """Query the terminal and choose the picture mode and the theme, unless the arguments set them."""
    queries = select_terminal_queries(os.environ) if picture_mode is None or theme is None else b""
    replies = query_terminal(0, 1, queries) if queries else TerminalReplies()
    mode = picture_mode or choose_picture_mode(replies, os.environ, _read_textual_image_version())
    has_truecolour = replies.has_truecolour or mode == "kitty"
    return TerminalCapabilities(
        mode, has_truecolour, _measure_cell_pixels(), theme or choose_theme(replies.background_rgb)
    )


def configure_textual(capabilities: TerminalCapabilities, environment: MutableMapping[str, str]) -> None:
    """Set the variables that Textual reads at import: proven 24-bit colours, and no animations over SSH."""
    if capabilities.has_truecolour and "NO_COLOR" not in environment:
        environment.setdefault("TEXTUAL_COLOR_SYSTEM", "truecolor")
    if "SSH_CONNECTION" in environment or "SSH_TTY" in environment:
        environment.setdefault("TEXTUAL_ANIMATIONS", "none")


def select_terminal_queries(environment: Mapping[str, str]) -> bytes:
    """Return the queries that the terminal can answer and whose replies matter; empty for none."""
    term = environment.get("TERM", "")
    # The Linux console and unknown terminals report no device attributes, and some print the query.
    if _is_in_browser(environment) or term in ("", "dumb", "linux", "unknown"):
        return b""
    if "TMUX" in environment or term.startswith("tmux"):
        return BACKGROUND_QUERY  # tmux itself replies, at once
    return b"" if is_multiplexed(environment) else CAPABILITY_QUERIES


def is_multiplexed(environment: Mapping[str, str]) -> bool:
    """Return whether the program runs inside tmux or screen, which block graphics."""
    term = environment.get("TERM", "")
    return "TMUX" in environment or "STY" in environment or term.startswith(("tmux", "screen"))


def choose_picture_mode(
    replies: TerminalReplies, environment: Mapping[str, str], textual_image_version: tuple[int, ...]
) -> str:
    """Return "kitty", "sixel" or "half".

    Graphics are used only in terminals known to display them: many report support and then show nothing.
    """
    if _is_in_browser(environment) or is_multiplexed(environment) or "NO_COLOR" in environment:
        return "half"
    match = re.match(r"(kitty|ghostty)\W*(\d+)\.(\d+)", replies.name, re.IGNORECASE)
    if match and (match[1].lower() == "ghostty" or (int(match[2]), int(match[3])) >= (0, 28)):
        return "kitty"
    # Attribute 4 is sixel graphics; xterm and foot show broken sixel pictures from textual-image before 0.14.
    if 4 in replies.device_attributes and textual_image_version >= (0, 14):
        return "sixel"
    return "half"


def choose_theme(background_rgb: tuple[float, ...] | None) -> str:
    """Return "light" if the background is light by its luminance (ITU-R BT.709), else "dark"."""
    red, green, blue = background_rgb or (0.0, 0.0, 0.0)
    return "light" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "dark"


def query_terminal(
    input_fd: int, output_fd: int, queries: bytes = CAPABILITY_QUERIES, timeout_s: float = TIMEOUT_S
) -> TerminalReplies:
    """Send the queries and return the replies; everything typed in the meantime is discarded."""
    settings = termios.tcgetattr(input_fd)
    data = b""
    try:
        tty.setcbreak(input_fd, termios.TCSANOW)
        os.write(output_fd, queries + DEVICE_ATTRIBUTES_QUERY)
        deadline = time.monotonic() + timeout_s
        while not DEVICE_ATTRIBUTES_PATTERN.search(data) and (remaining_s := deadline - time.monotonic()) > 0:
            if select.select([input_fd], [], [], remaining_s)[0]:
                if not (chunk := os.read(input_fd, 4096)):
                    break
                data += chunk
    finally:
        # TCSAFLUSH discards unread input: keys typed before the app started must not label images.
        termios.tcsetattr(input_fd, termios.TCSAFLUSH, settings)
    return parse_terminal_replies(data)


def parse_terminal_replies(data: bytes) -> TerminalReplies:
    """Parse the replies in everything that was read, which may include typed keys."""
    version, attributes = VERSION_PATTERN.search(data), DEVICE_ATTRIBUTES_PATTERN.search(data)
    background = BACKGROUND_PATTERN.search(data)
    numbers = attributes[1].decode().split(";") if attributes else []
    # A colour component is written with any number of hexadecimal digits.
    rgb = tuple(int(digits, 16) / (16 ** len(digits) - 1) for digits in background.groups()) if background else None
    return TerminalReplies(
        version[1].decode(errors="replace") if version else "",
        tuple(int(number) for number in numbers if number),
        TRUECOLOUR_PATTERN.search(data) is not None,
        rgb,
    )


def _measure_cell_pixels() -> tuple[int, int]:
    size = array.array("H", [0, 0, 0, 0])
    try:
        fcntl.ioctl(1, termios.TIOCGWINSZ, size)
    except OSError:
        return DEFAULT_CELL_PIXELS
    rows, columns, width, height = size
    has_pixels = 0 < columns <= width and 0 < rows <= height
    return (width // columns, height // rows) if has_pixels else DEFAULT_CELL_PIXELS


def _read_textual_image_version() -> tuple[int, ...]:
    try:
        version = importlib.metadata.version("textual-image")
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _is_in_browser(environment: Mapping[str, str]) -> bool:
    """Return whether Textual serves the app to a browser, without a terminal."""
    return "TEXTUAL_DRIVER" in environment
