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

from vaetui.errors import Trouble

LIMIT = 3.0
"""Seconds to wait for the sentinel; every terminal answers it, over a bad line late."""
SENTINEL = b"\x1b[c"
"""Primary device attributes: asked last, so when its answer is there, all other answers have come."""
BACKGROUND = b"\x1b]11;?\x1b\\"
"""The colour behind the text, which tells a light theme from a dark one."""
QUESTIONS = b"\x1b[>q\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m" + BACKGROUND
"""Name and version; a colour of 24 bits, and whether it stands; the background."""
ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
VERSION = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
BEHIND = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")
COLOUR = re.compile(rb"\x1bP1\$r[^\x1b]*48[:;]2[:;]+1[:;]2[:;]3[^\x1b]*m\x1b\\")
SIXEL = 4
"""The number of sixel among the primary device attributes."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the terminal said of itself."""

    name: str = ""
    """Its name and version, such as "kitty(0.31.0)"."""
    attributes: tuple[int, ...] = ()
    """Its primary device attributes."""
    truecolour: bool = False
    """Whether a colour of 24 bits stood."""
    background: tuple[float, float, float] | None = None
    """Red, green and blue behind the text, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """How to draw."""

    pictures: str
    """The mode for `picture.choose`."""
    truecolour: bool
    """Whether colours of 24 bits are proven."""
    cell: tuple[int, int]
    """Width and height of a character in screen pixels."""
    theme: str = "dark"
    """The theme for the app."""


def need_terminal() -> None:
    """Refuse to draw where there is no terminal to read, to write and to complain to, with Trouble."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if not _browsed(os.environ) and not all(stream is not None and stream.isatty() for stream in streams):
        raise Trouble("The screens need a terminal: run this without redirecting input, output or errors.")
    if os.environ.get("TERM") == "dumb":
        raise Trouble("The screens need a terminal that can move its cursor; here the dialogue works: add --plain.")


def probe(pictures: str | None = None, theme: str | None = None) -> Terminal:
    """Find out how to draw here: the whole of this module, in the order of what is surest.

    Both arguments are what a flag or a variable says, None where nothing does.
    """
    questions = questions_for(os.environ) if pictures is None or theme is None else b""
    answers = ask(0, 1, questions) if questions else Answers()
    mode = pictures or decide(answers, os.environ, _image_version())
    return Terminal(mode, answers.truecolour or mode == "kitty", _cell(1), theme or theme_on(answers.background))


def prepare(terminal: Terminal, environment: MutableMapping[str, str]) -> None:
    """Tell Textual, before it is imported, the colours that are proven, and not to animate over a line."""
    if terminal.truecolour and "NO_COLOR" not in environment:
        environment.setdefault("TEXTUAL_COLOR_SYSTEM", "truecolor")
    if "SSH_CONNECTION" in environment or "SSH_TTY" in environment:
        environment.setdefault("TEXTUAL_ANIMATIONS", "none")


def questions_for(environment: Mapping[str, str]) -> bytes:
    """Give what is worth asking there: questions whose answers change something, and are to be had."""
    term = environment.get("TERM", "")
    # The last few know no device attributes, and some print the question.
    if _browsed(environment) or term in ("", "dumb", "linux", "unknown"):
        return b""
    if "TMUX" in environment or term.startswith("tmux"):
        return BACKGROUND  # answered by tmux itself, at once
    return b"" if multiplexed(environment) else QUESTIONS


def multiplexed(environment: Mapping[str, str]) -> bool:
    """Tell whether tmux or screen stands between, which lets no picture through."""
    term = environment.get("TERM", "")
    return "TMUX" in environment or "STY" in environment or term.startswith(("tmux", "screen"))


def decide(answers: Answers, environment: Mapping[str, str], images: tuple[int, ...]) -> str:
    """Choose the mode; `images` is the version of textual-image.

    Half-blocks unless something better is known by name: many terminals say yes and then show nothing.
    """
    if _browsed(environment) or multiplexed(environment) or "NO_COLOR" in environment:
        return "half"
    known = re.match(r"(kitty|ghostty)\W*(\d+)\.(\d+)", answers.name, re.IGNORECASE)
    if known and (known[1].lower() == "ghostty" or (int(known[2]), int(known[3])) >= (0, 28)):
        return "kitty"
    # The sixels of textual-image before 0.14 come out broken in xterm and foot.
    if SIXEL in answers.attributes and images >= (0, 14):
        return "sixel"
    return "half"


def theme_on(background: tuple[float, float, float] | None) -> str:
    """Choose the theme that goes with the rest of the terminal; dark where its background is not known."""
    red, green, blue = background or (0.0, 0.0, 0.0)
    return "light" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "dark"


def ask(reads: int, writes: int, questions: bytes = QUESTIONS, limit: float = LIMIT) -> Answers:
    """Ask the terminal on these file descriptors, and swallow all that it answers within the limit."""
    before = termios.tcgetattr(reads)
    heard = b""
    try:
        tty.setcbreak(reads, termios.TCSANOW)
        os.write(writes, questions + SENTINEL)
        end = time.monotonic() + limit
        while not ATTRIBUTES.search(heard) and (left := end - time.monotonic()) > 0:
            if select.select([reads], [], [], left)[0]:
                more = os.read(reads, 4096)
                if not more:
                    break
                heard += more
    finally:
        # What is typed ahead goes too: nothing may reach the screens that was not meant for them.
        termios.tcsetattr(reads, termios.TCSAFLUSH, before)
    return understand(heard)


def understand(heard: bytes) -> Answers:
    """Read the answers out of all that came, typed keys among them."""
    version, attributes, behind = (form.search(heard) for form in (VERSION, ATTRIBUTES, BEHIND))
    numbers = attributes[1].decode().split(";") if attributes else []
    return Answers(
        version[1].decode(errors="replace") if version else "",
        tuple(int(number) for number in numbers if number),
        COLOUR.search(heard) is not None,
        None if behind is None else (_share(behind[1]), _share(behind[2]), _share(behind[3])),
    )


def _share(digits: bytes) -> float:
    """Read a part of a colour, written with any number of hexadecimal digits, as a share of the most it can be."""
    return int(digits, 16) / float(16 ** len(digits) - 1)


def _cell(terminal: int) -> tuple[int, int]:
    """Measure a character by what the kernel knows of the window; 10 by 20 where it does not."""
    size = array.array("H", [0, 0, 0, 0])
    try:
        fcntl.ioctl(terminal, termios.TIOCGWINSZ, size)
    except OSError:
        return 10, 20
    rows, columns, wide, tall = size
    known = 0 < columns <= wide and 0 < rows <= tall
    return (wide // columns, tall // rows) if known else (10, 20)


def _image_version() -> tuple[int, ...]:
    try:
        version = importlib.metadata.version("textual-image")
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _browsed(environment: Mapping[str, str]) -> bool:
    """Tell whether a browser shows the app, which has no terminal and wants none."""
    return "TEXTUAL_DRIVER" in environment
