"""What a person pressed, told from what a terminal sent; it knows neither the keys nor the time."""

from __future__ import annotations

from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["pass", "hold", "drop"]

QUIET = 0.030
"""Seconds around a key in which nothing else comes: a fast typist needs 80 ms a key, a terminal under 1."""


class Guard:
    """Lets a guarded key through only when no other key event comes shortly before or after it.

    A late answer of the terminal is read as a burst of key presses, and digits label images. The rest of a
    burst comes after its first digit, so a guarded key is held until the quiet time has passed.
    """

    def __init__(self, quiet: float = QUIET) -> None:
        """Ask for this many quiet seconds; with 0 every key passes at once."""
        self.quiet = quiet
        """Seconds without another key, before and after."""
        self.dropped = 0
        """How many keys were not let through."""
        self._held: object = None
        self._latest = float("-inf")

    def ripe(self, at: float) -> object:
        """Give the held key if its quiet time was over at that time, else None; it is not held any more.

        A busy screen may look at the next key before it is told that the time is over; the key is no worse for it.
        """
        if self._held is None or at - self._latest < self.quiet:
            return None
        key, self._held = self._held, None
        return key

    def hear(self, key: object, at: float, guarded: bool) -> Verdict:
        """Judge a key event that arrived at that time, in seconds; a key still held then is dropped."""
        near = at - self._latest < self.quiet
        self._latest = at
        if self._held is not None:
            self._held = None
            self.dropped += 1
        if not guarded or self.quiet <= 0:
            return "pass"
        if near:
            self.dropped += 1
            return "drop"
        self._held = key
        return "hold"

    def release(self, key: object) -> bool:
        """Tell whether that key, once its quiet time has passed, is still held; then it may act."""
        held = key is self._held
        if held:
            self._held = None
        return held
