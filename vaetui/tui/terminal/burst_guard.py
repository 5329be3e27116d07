"""Separate keys that a user pressed from bursts that the terminal sent."""

from __future__ import annotations

from typing import Generic, Literal, TypeAlias, TypeVar

K = TypeVar("K")
Decision: TypeAlias = Literal["pass", "hold", "drop"]

QUIET_S = 0.030
"""Minimum seconds between a key that needs confirmation and any other key.

A fast typist needs 80 ms per key; the characters of a terminal's reply arrive within 1 ms.
"""


class BurstGuard(Generic[K]):
    """Passes a key that needs confirmation only if it arrives alone or among plain keys.

    Textual reads a late reply of the terminal as a burst of key presses, and digits label images. The rest of a
    burst may arrive after its first digit, so a key that needs confirmation is held until the quiet time is over.
    A stalled line or a busy machine also delivers a user's keys as a burst; no reply of a terminal consists of
    digits, Enter and Space alone, so a burst of these plain keys comes from the user.
    """

    def __init__(self, quiet_s: float = QUIET_S) -> None:
        """Hold keys for `quiet_s` seconds; with 0 every key passes at once."""
        self.quiet_s = quiet_s
        """Seconds without another key, before and after."""
        self.dropped_count = 0
        """Number of dropped keys that needed confirmation."""
        self._pending_keys: list[K] = []
        self._last_key_s = float("-inf")
        self._is_isolated = True
        self._is_plain_burst = True

    def check_key(self, key: K, time_s: float, needs_confirmation: bool, is_plain: bool) -> Decision:
        """Decide on a key that arrived at `time_s` seconds; `release_keys` returns the keys that are held."""
        self._is_isolated = time_s - self._last_key_s >= self.quiet_s
        self._is_plain_burst = is_plain and (self._is_isolated or self._is_plain_burst)
        self._last_key_s = time_s
        is_from_user = self._is_isolated or self._is_plain_burst
        if not is_from_user:
            self.dropped_count += len(self._pending_keys) + needs_confirmation
            self._pending_keys.clear()
        if self.quiet_s <= 0 or not (needs_confirmation or self._pending_keys):
            return "pass"
        if not is_from_user:
            return "drop"
        self._pending_keys.append(key)  # also Enter after a digit, to keep the order
        return "hold"

    def release_keys(self, time_s: float) -> list[K]:
        """Remove and return the held keys, in order, if their quiet time is over at `time_s` seconds."""
        if time_s - self._last_key_s < self.quiet_s:
            return []
        keys, self._pending_keys = self._pending_keys, []
        return keys
