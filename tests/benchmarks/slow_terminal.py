"""A terminal at the far end of a line with low bandwidth and long delay."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from tests.terminal import ScriptedTerminal

PACKET_BYTES = 125
"""Bytes that arrive at once: 10 ms of a line of 100 kbit/s."""


class SlowTerminal(ScriptedTerminal):
    """Delays output by bandwidth and latency, and keys and replies by the latency."""

    def __init__(self, arguments: list[str], size: tuple[int, int], bytes_per_second: float, latency_s: float) -> None:
        self.changed_at = 0.0
        """Time at which the screen last changed."""
        self.arrived_bytes = 0
        """Bytes that have arrived."""
        self._bytes_per_second = bytes_per_second
        self._packets: deque[tuple[float, bytes]] = deque()
        """Packets on the line, with their times of arrival."""
        self._line_free_at = 0.0
        self._shown_rows: dict[int, Any] = {}
        super().__init__(arguments, size, latency_s)

    def send(self, keys: bytes) -> None:
        """Send keys, which arrive after the latency."""
        self._pending_replies.append((time.monotonic() + self._reply_delay_s, keys))

    def wait_until_settled(self, quiet_s: float) -> None:
        """Wait until nothing is on the line and the screen has not changed for this long."""
        start = time.monotonic()
        while self._pending_replies or self._packets or time.monotonic() - max(start, self.changed_at) < quiet_s:
            self.process(0.02)

    def process(self, timeout_s: float) -> bool:
        """Deliver the packets that have arrived, and read more output."""
        if self._packets:
            timeout_s = min(timeout_s, max(self._packets[0][0] - time.monotonic(), 0))
        is_running = super().process(timeout_s)
        while self._packets and self._packets[0][0] <= time.monotonic():
            _, packet = self._packets.popleft()
            self.arrived_bytes += len(packet)
            super()._parse(packet)
            rows = {row: dict(self.screen.buffer[row]) for row in self.screen.dirty}
            self.screen.dirty.clear()
            if any(self._shown_rows.get(row) != cells for row, cells in rows.items()):
                self.changed_at = time.monotonic()
                self._shown_rows |= rows
        return is_running or bool(self._packets)

    def _parse(self, data: bytes) -> None:
        """Put output on the line."""
        for start in range(0, len(data), PACKET_BYTES):
            packet = data[start : start + PACKET_BYTES]
            self._line_free_at = max(self._line_free_at, time.monotonic()) + len(packet) / self._bytes_per_second
            self._packets.append((self._line_free_at + self._reply_delay_s, packet))
