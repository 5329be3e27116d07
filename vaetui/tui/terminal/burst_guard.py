"""What a person pressed, told from what a terminal sent; it knows neither the keys nor the time."""

from __future__ import annotations

from typing import Generic, Literal, TypeAlias, TypeVar

K = TypeVar("K")
Decision: TypeAlias = Literal["pass", "hold", "drop"]

QUIET_S = 0.030
"""Seconds around a key in which nothing else comes: a fast typist needs 80 ms a key, a terminal under 1."""


class BurstGuard(Generic[K]):
    """Lets a weighty key through only when it came alone, or only among plain ones.

    A late answer of the terminal is read as a burst of key presses, and digits label images. The rest of a
    burst may come after its first digit, so a weighty key is held until the quiet time has passed. A line that
    stalls, or a busy machine, delivers a person's keys as a burst too; no terminal's answer is made of digits,
    Enter and Space alone, so a burst of nothing else is a person's.
    """

    def __init__(self, quiet_s: float = QUIET_S) -> None:
        """Ask for this many quiet seconds; with 0 every key passes at once."""
        self.quiet_s = quiet_s
        """Seconds without another key, before and after."""
        self.dropped_count = 0
        """How many keys were not let through."""
        self._pending_keys: list[K] = []
        self._last_key_s = float("-inf")
        self._is_isolated = True
        self._is_plain_burst = True

    def check_key(self, key: K, time_s: float, needs_confirmation: bool, is_plain: bool) -> Decision:
        """Judge a key that arrived at that time, in seconds; what is held comes out of `ripe`, or is dropped."""
        self._is_isolated = time_s - self._last_key_s >= self.quiet_s
        self._is_plain_burst = is_plain and (self._is_isolated or self._is_plain_burst)
        self._last_key_s = time_s
        meant = self._is_isolated or self._is_plain_burst
        if not meant:
            self.dropped_count += len(self._pending_keys) + needs_confirmation
            self._pending_keys.clear()
        if self.quiet_s <= 0 or not (needs_confirmation or self._pending_keys):
            return "pass"
        if not meant:
            return "drop"
        self._pending_keys.append(key)  # also Enter behind a digit: the order stays
        return "hold"

    def release_keys(self, time_s: float) -> list[K]:
        """Give the held keys, in order, if their quiet time was over at that time; they are not held any more."""
        if time_s - self._last_key_s < self.quiet_s:
            return []
        keys, self._pending_keys = self._pending_keys, []
        return keys
