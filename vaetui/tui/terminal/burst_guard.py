"""What a person pressed, told from what a terminal sent; it knows neither the keys nor the time."""

from __future__ import annotations

from typing import Generic, Literal, TypeAlias, TypeVar

K = TypeVar("K")
Verdict: TypeAlias = Literal["pass", "hold", "drop"]

QUIET = 0.030
"""Seconds around a key in which nothing else comes: a fast typist needs 80 ms a key, a terminal under 1."""


class Guard(Generic[K]):
    """Lets a weighty key through only when it came alone, or only among plain ones.

    A late answer of the terminal is read as a burst of key presses, and digits label images. The rest of a
    burst may come after its first digit, so a weighty key is held until the quiet time has passed. A line that
    stalls, or a busy machine, delivers a person's keys as a burst too; no terminal's answer is made of digits,
    Enter and Space alone, so a burst of nothing else is a person's.
    """

    def __init__(self, quiet: float = QUIET) -> None:
        """Ask for this many quiet seconds; with 0 every key passes at once."""
        self.quiet = quiet
        """Seconds without another key, before and after."""
        self.dropped = 0
        """How many keys were not let through."""
        self._held: list[K] = []
        self._latest = float("-inf")
        self._alone = True
        self._plain = True

    def hear(self, key: K, at: float, weighty: bool, plain: bool) -> Verdict:
        """Judge a key that arrived at that time, in seconds; what is held comes out of `ripe`, or is dropped."""
        self._alone = at - self._latest >= self.quiet
        self._plain = plain and (self._alone or self._plain)
        self._latest = at
        meant = self._alone or self._plain
        if not meant:
            self.dropped += len(self._held) + weighty
            self._held.clear()
        if self.quiet <= 0 or not (weighty or self._held):
            return "pass"
        if not meant:
            return "drop"
        self._held.append(key)  # also Enter behind a digit: the order stays
        return "hold"

    def ripe(self, at: float) -> list[K]:
        """Give the held keys, in order, if their quiet time was over at that time; they are not held any more."""
        if at - self._latest < self.quiet:
            return []
        keys, self._held = self._held, []
        return keys
