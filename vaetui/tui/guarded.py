"""A screen whose weighty keys must come from a person; it does not know what any key means."""

from __future__ import annotations

from typing import ClassVar

from textual.events import Key
from textual.screen import Screen

from vaetui.tui.guard import QUIET, Guard

PLAIN = frozenset([*"0123456789", "enter", "space"])
"""Keys of which alone no answer of a terminal is made."""
DROPPED = "keys came all at once, not from a person: dropped"
"""What a screen says of keys that were not let through."""
ALARM = "alarm"
"""The name of a key that no keyboard has: it asks whether what is held may act now."""


class Guarded(Screen[None]):
    """Asks the guard about every key before its binding acts.

    What is particular to this screen is bound to the action `press`, which acts on keys heard here alone.
    """

    QUIET: ClassVar[float] = QUIET
    """Seconds that the guard asks for; a test that types faster than people sets it to 0."""
    WEIGHTY: ClassVar[frozenset[str]] = frozenset()
    """Bindings that must be meant: they change what is known, or leave the screen."""

    def __init__(self) -> None:
        """Begin with a guard that has heard nothing."""
        super().__init__()
        self._guard = Guard[Key](self.QUIET)
        self._hearing = False

    def press(self, key: str) -> None:
        """Do what that key means here, by the name that its binding gives it."""
        raise NotImplementedError

    def unbound(self, key: str) -> None:
        """Say what would work instead of a key that does nothing here."""
        raise NotImplementedError

    def warn(self, words: str) -> None:
        """Say that some keys were not taken."""
        raise NotImplementedError

    async def on_key(self, event: Key) -> None:
        """Let a weighty key wait until it is plain that a person pressed it, then act at once."""
        event.stop()
        for key in self._guard.ripe(event.time):
            await self._act(key)
        if event.key != ALARM and self._hear(event):
            await self._act(event)

    def action_press(self, key: str) -> None:
        """Take a key by name, if it was heard here: one that another screen left as it closed was meant for that."""
        if self._hearing:
            self.press(key)

    async def _act(self, key: Key) -> None:
        """Do what the key is bound to now, here or in the app."""
        active = self.active_bindings.get(key.key)
        if active is None:
            self.unbound(key.key)
            return
        self._hearing = True
        await self.app.run_action(active.binding.action, active.node)
        self._hearing = False

    def _hear(self, event: Key) -> bool:
        """Ask the guard whether that key may act now; for one that must wait an alarm is set."""
        dropped = self._guard.dropped
        active = self.active_bindings.get(event.key)
        weighty = active is not None and active.binding.id in self.WEIGHTY
        verdict = self._guard.hear(event, event.time, weighty, event.key in PLAIN)
        if verdict == "hold":
            self.set_timer(self._guard.quiet, self._alarm)
        if self._guard.dropped > dropped:
            self.warn(DROPPED)
        return verdict == "pass"

    def _alarm(self) -> None:
        # Through the app's queue, behind keys that came in the meantime: those may drop what is held.
        self.app.post_message(Key(ALARM, None))
