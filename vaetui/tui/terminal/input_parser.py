"""A parser of the terminal's input that ignores replies to queries of other programs, and late ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from textual._xterm_parser import XTermParser
from textual.events import Key, Paste
from textual.message import Message

from vaetui.tui.terminal.reply_filter import ESCAPE, PASTE_END, PASTE_START, ReplyFilter


class PendingInput(Message, bubble=False):
    """Keys or pasted texts wait in the app for the screen that receives this message."""


class InputParser(XTermParser):
    """Textual's parser behind a filter: it sees whole sequences only, and no replies.

    Textual itself turns unknown replies into key presses, and digits label images.
    """

    def __init__(self, debug: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        """Create a parser that takes the time in seconds from `clock`."""
        super().__init__(debug)
        self._filter, self._clock = ReplyFilter(), clock

    @property
    def timeout_s(self) -> float | None:
        """Seconds until `tick` has something to do; None if nothing is pending."""
        deadline_s = self._filter.deadline_s
        return None if deadline_s is None else max(deadline_s - self._clock(), 0)

    def feed(self, data: str) -> Iterable[Message]:
        """Parse text; an empty text ends the input."""
        if not data:
            yield from super().feed(data)
            return
        for piece in self._filter.feed(data, self._clock()):
            yield from self._parse_piece(piece)

    def tick(self) -> Iterable[Message]:
        """Parse what was incomplete for too long."""
        for piece in self._filter.tick(self._clock()):
            yield from self._parse_piece(piece)

    def _parse_piece(self, piece: str) -> Iterable[Message]:
        if piece == ESCAPE:
            yield Key("escape", ESCAPE)
        elif piece.startswith(PASTE_START):
            yield Paste(piece.removeprefix(PASTE_START).removesuffix(PASTE_END))
        elif len(piece) == 2 and piece[0] == ESCAPE:
            for message in super().feed(piece[1]):
                # A terminal sends the same for Alt and a key as for Escape and that key; the screens decide.
                yield Key(f"alt+{message.key}", piece) if isinstance(message, Key) else message
        else:
            yield from super().feed(piece)


def is_escape_pair(event: Key) -> bool:
    """Return whether a key is either Alt and a key, or Escape and a key that arrived together."""
    return event.character is not None and len(event.character) == 2 and event.character[0] == ESCAPE


def split_escape_pair(event: Key) -> tuple[Key, Key]:
    """Return Escape and the other key."""
    character = (event.character or "")[1:]
    return Key("escape", ESCAPE), Key(event.key.removeprefix("alt+"), character)
