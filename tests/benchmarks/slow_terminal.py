"""A terminal at the far end of a line with little room and much delay; it knows no program."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from tests.terminal import ScriptedTerminal

PIECE = 125
"""Bytes that arrive at once: 10 ms of a line of 100 kbit/s."""


class SlowTerminal(ScriptedTerminal):
    """What the program sends waits for what was sent before, then takes its time; keys and answers take it too."""

    def __init__(self, arguments: list[str], size: tuple[int, int], rate: float, delay: float) -> None:
        self.changed = 0.0
        """The moment at which the screen last became another one."""
        self.arrived = 0
        """Bytes that have come through."""
        self._rate = rate
        self._wire: deque[tuple[float, bytes]] = deque()
        self._last = 0.0
        self._cells: dict[int, Any] = {}
        super().__init__(arguments, size, delay)

    def send(self, keys: bytes) -> None:
        """Send keys, which arrive later."""
        self._pending_replies.append((time.monotonic() + self._reply_delay_s, keys))

    def settle(self, seconds: float) -> None:
        """Go on until nothing is on its way and the screen has stood for so long."""
        begun = time.monotonic()
        while self._pending_replies or self._wire or time.monotonic() - max(begun, self.changed) < seconds:
            self.process(0.02)

    def _parse(self, came: bytes) -> None:
        """Put what the program sent onto the wire."""
        for at in range(0, len(came), PIECE):
            piece = came[at : at + PIECE]
            self._last = max(self._last, time.monotonic()) + len(piece) / self._rate
            self._wire.append((self._last + self._reply_delay_s, piece))

    def process(self, wait: float) -> bool:
        if self._wire:
            wait = min(wait, max(self._wire[0][0] - time.monotonic(), 0))
        there = super().process(wait)
        while self._wire and self._wire[0][0] <= time.monotonic():
            _, piece = self._wire.popleft()
            self.arrived += len(piece)
            super()._parse(piece)
            cells = {row: dict(self.screen.buffer[row]) for row in self.screen.dirty}
            self.screen.dirty.clear()
            if any(self._cells.get(row) != line for row, line in cells.items()):
                self.changed = time.monotonic()
                self._cells |= cells
        return there or bool(self._wire)
