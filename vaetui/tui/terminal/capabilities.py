"""Detect what the terminal can display, before any other code reads the keyboard.

This module must not import Textual, which fixes its colours at import.
"""

from __future__ import annotations

import array
import fcntl
import os
import re
import select
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import dataclass

from vaetui.errors import UserError
from vaetui.tui.display_choices import DEFAULT_COLOUR_COUNT, PICTURE_MODES, SHOWN_MODES

TIMEOUT_S = 3.0
"""Seconds to wait for the reply to the last query; every terminal sends one, over a slow line late."""
DEVICE_ATTRIBUTES_QUERY = b"\x1b[c"
"""Primary device attributes: sent last, so all other replies have arrived before the reply to this query."""
BACKGROUND_QUERY = b"\x1b]11;?\x1b\\"
"""Background colour, which selects the light or the dark theme."""
CAPABILITY_QUERIES = b"\x1b[>q\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m\x1b[16t\x1b[?1;1;0S" + BACKGROUND_QUERY
"""Name and version; whether the terminal keeps a 24-bit colour that was set; size of a character; number of colour
registers of sixel graphics; background colour."""
DEVICE_ATTRIBUTES_PATTERN = re.compile(rb"\x1b\[\?([\d;]*)c")
VERSION_PATTERN = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
BACKGROUND_PATTERN = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")
TRUECOLOUR_PATTERN = re.compile(rb"\x1bP1\$r[^\x1b]*48[:;]2[:;]+1[:;]2[:;]3[^\x1b]*m\x1b\\")
CELL_SIZE_PATTERN = re.compile(rb"\x1b\[6;(\d+);(\d+)t")
COLOUR_COUNT_PATTERN = re.compile(rb"\x1b\[\?1;0;(\d+)S")
SIXEL_ATTRIBUTE = 4
"""The primary device attribute of terminals with sixel graphics."""
KITTY_GRAPHICS_VERSIONS = {"kitty": (0, 20), "ghostty": (1, 0), "wezterm": (2022, 0), "konsole": (22, 4)}
"""Terminals with kitty graphics by name, and their first usable versions."""
DEFAULT_CELL_PIXELS = (10, 20)
"""Width and height assumed for a character where neither terminal nor kernel reports pixels."""
TMUX_COMMAND = ("tmux", "display-message", "-p", "#{client_termname} #{client_termfeatures}")
TMUX_TIMEOUT_S = 1.0
"""Seconds to wait for tmux, which answers in a few milliseconds."""


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
    cell_pixels: tuple[int, int] | None = None
    """Width and height of a character in screen pixels; None without a reply."""
    colour_count: int = DEFAULT_COLOUR_COUNT
    """Number of colour registers of sixel graphics."""


@dataclass(frozen=True, slots=True)
class TerminalCapabilities:
    """Picture mode, colours, character size and theme for the app."""

    picture_mode: str
    """One of `PICTURE_MODES`."""
    has_truecolour: bool
    """Whether 24-bit colours are proven to work."""
    cell_pixels: tuple[int, int]
    """Width and height of a character in screen pixels."""
    theme: str = "dark"
    """Theme of the app, "dark" or "light"."""
    offered_modes: tuple[str, ...] = SHOWN_MODES
    """Picture modes that the terminal can display, as far as it says."""
    colour_count: int = DEFAULT_COLOUR_COUNT
    """Number of colours of a sixel picture."""
    notice: str = ""
    """A sentence for the user about what the terminal cannot display; usually empty."""


def require_terminal(can_detach: bool = True) -> None:
    """Raise UserError if input, output or errors are redirected, or the terminal cannot move its cursor.

    The message names --detach unless the command has no such option.
    """
    background = ", --detach for background training" if can_detach else ""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if not _is_in_browser(os.environ) and not all(stream is not None and stream.isatty() for stream in streams):
        raise UserError(f"Needs a terminal. Use --plain for pipes and screen readers{background}.")
    if os.environ.get("TERM") == "dumb":
        raise UserError(f"Needs a terminal that can move its cursor. Use --plain in this one{background}.")


def has_terminal() -> bool:
    """Return whether the app can run here; see `require_terminal`."""
    try:
        require_terminal()
    except UserError:
        return False
    return True


def detect_capabilities(picture_mode: str | None = None, theme: str | None = None) -> TerminalCapabilities:
    """Query the terminal and choose the picture mode and the theme, unless the arguments set them."""
    queries = select_terminal_queries(os.environ)
    replies = query_terminal(0, 1, queries) if queries else TerminalReplies()
    mode = picture_mode or choose_picture_mode(replies, os.environ)
    cell_pixels = replies.cell_pixels or measure_cell_pixels()
    offered_modes = list_offered_modes(replies, os.environ, cell_pixels is not None)
    return TerminalCapabilities(
        mode,
        replies.has_truecolour or _is_in_tmux(os.environ),
        cell_pixels or DEFAULT_CELL_PIXELS,
        theme or choose_theme(replies.background_rgb),
        tuple(name for name in PICTURE_MODES if name in offered_modes or name == picture_mode),
        replies.colour_count,
        format_tmux_notice(query_tmux()) if "TMUX" in os.environ else "",
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
    if _is_in_tmux(environment):
        return BACKGROUND_QUERY  # tmux itself replies, at once
    return b"" if is_multiplexed(environment) else CAPABILITY_QUERIES


def is_multiplexed(environment: Mapping[str, str]) -> bool:
    """Return whether the program runs inside tmux or screen, which block graphics."""
    term = environment.get("TERM", "")
    return "TMUX" in environment or "STY" in environment or term.startswith(("tmux", "screen"))


def choose_picture_mode(replies: TerminalReplies, environment: Mapping[str, str]) -> str:
    """Return "kitty" or "half".

    Graphics are used only in terminals known to display them fast and in all colours: sixel pictures are several
    times as long as half-blocks, and many terminals have 16 colours for them.
    """
    is_usable = _has_graphics(environment) and "NO_COLOR" not in environment
    return "kitty" if is_usable and _has_kitty_graphics(replies.name, ("kitty", "ghostty")) else "half"


def list_offered_modes(replies: TerminalReplies, environment: Mapping[str, str], has_cell_size: bool) -> list[str]:
    """Return the picture modes that the terminal can display: graphics only if it says so."""
    modes = ["half", "ascii"]
    if _has_graphics(environment):
        modes += ["sixel"] if SIXEL_ATTRIBUTE in replies.device_attributes and has_cell_size else []
        modes += ["kitty"] if _has_kitty_graphics(replies.name, KITTY_GRAPHICS_VERSIONS) else []
    return modes


def query_tmux() -> str:
    """Return the name of the terminal around tmux and the features that tmux uses; empty if tmux does not answer."""
    try:
        process = subprocess.run(
            TMUX_COMMAND, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=TMUX_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return process.stdout.strip()


def format_tmux_notice(tmux_reply: str) -> str:
    """Return how to get 24-bit colours if tmux does not pass them on; empty if it does, or if nobody is attached."""
    terminal, _, features = tmux_reply.partition(" ")
    if not features or "RGB" in features.split(","):
        return ""
    return f"tmux: 256 colours. For more, add to ~/.tmux.conf: set -as terminal-features ',{terminal}:RGB'"


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
    cell_size, colour_count = CELL_SIZE_PATTERN.search(data), COLOUR_COUNT_PATTERN.search(data)
    numbers = attributes[1].decode().split(";") if attributes else []
    # A colour component is written with any number of hexadecimal digits.
    rgb = tuple(int(digits, 16) / (16 ** len(digits) - 1) for digits in background.groups()) if background else None
    return TerminalReplies(
        version[1].decode(errors="replace") if version else "",
        tuple(int(number) for number in numbers if number),
        TRUECOLOUR_PATTERN.search(data) is not None,
        rgb,
        (int(cell_size[2]), int(cell_size[1])) if cell_size and int(cell_size[1]) and int(cell_size[2]) else None,
        max(int(colour_count[1]), 2) if colour_count else DEFAULT_COLOUR_COUNT,
    )


def measure_cell_pixels() -> tuple[int, int] | None:
    """Return width and height of a character in screen pixels; None if the kernel does not report them."""
    size = array.array("H", [0, 0, 0, 0])
    try:
        fcntl.ioctl(1, termios.TIOCGWINSZ, size)
    except OSError:
        return None
    rows, columns, width, height = size
    return (width // columns, height // rows) if 0 < columns <= width and 0 < rows <= height else None


def _has_kitty_graphics(name: str, terminals: Collection[str]) -> bool:
    """Return whether a terminal reports the name of one of `terminals` and a version that has kitty graphics."""
    match = re.match(rf"({'|'.join(terminals)})\W*(\d+)(?:\.(\d+))?", name, re.IGNORECASE)
    if match is None:
        return False
    # WezTerm reports a date such as 20240203.
    major, minor = int(match[2]), int(match[3] or 0)
    major = major // 10_000 if major > 10_000_000 else major
    return (major, minor) >= KITTY_GRAPHICS_VERSIONS[match[1].lower()]


def _has_graphics(environment: Mapping[str, str]) -> bool:
    """Return whether graphics reach the terminal."""
    return not _is_in_browser(environment) and not is_multiplexed(environment)


def _is_in_tmux(environment: Mapping[str, str]) -> bool:
    """Return whether the program runs inside tmux, which accepts 24-bit colours and reduces them where it must."""
    return "TMUX" in environment or environment.get("TERM", "").startswith("tmux")


def _is_in_browser(environment: Mapping[str, str]) -> bool:
    """Return whether Textual serves the app to a browser, without a terminal."""
    return "TEXTUAL_DRIVER" in environment
