"""A screen whose weighty keys must come from a person; it does not know what any key means."""

from __future__ import annotations

from typing import ClassVar, Protocol, cast

from textual.events import Key, Resize
from textual.screen import Screen

from vaetui.tui.terminal.burst_guard import Guard
from vaetui.tui.widgets.size_notice import CRAMPED

PLAIN = frozenset([*"0123456789", "enter", "space"])
"""Keys of which alone no answer of a terminal is made."""
LEAVE = "any.leave"
"""The binding that works where there is no room for anything else."""
EVERYWHERE = frozenset([LEAVE, "any.help", "any.pictures"])
"""Bindings of the app, which must be meant on every screen."""
DROPPED = "keys came all at once, not from a person: dropped"
"""What a screen says of keys that were not let through."""
ALARM = "alarm"
"""The name of a key that no keyboard has: it asks whether what is held may act now."""


class Watchful(Protocol):
    """What a guarded screen asks of its app."""

    guard: Guard[tuple[Screen[None], Key]]
    """The one guard: a burst may outlast the screen that it met. Each key stands with the screen that heard it."""


class Guarded(Screen[None]):
    """Asks the guard about every key before its binding acts.

    What is particular to this screen is bound to the action `press`, which acts on keys heard here alone.
    """

    WEIGHTY: ClassVar[frozenset[str]] = frozenset()
    """Bindings of this screen that must be meant: they change what is known, or leave the screen."""

    _hearing = False

    def press(self, key: str) -> None:
        """Do what that key means here, by the name that its binding gives it; a screen without such keys has none."""

    def unbound(self, key: str) -> None:
        """Say what would work instead of a key that does nothing here, where there is a line to say it."""

    def tell(self, words: str) -> None:
        """Say that in the line where this screen speaks, if it has one."""

    def expect(self, binding: str) -> None:
        """Show that a key of that binding was heard, which acts as soon as it is plain that a person pressed it."""

    async def on_key(self, event: Key) -> None:
        """Let a weighty key wait until it is plain that a person pressed it, then act at once."""
        event.stop()
        for screen, key in self._guard.ripe(event.time):
            if screen is self or self._binding(key) in EVERYWHERE:
                await self._act(key)
        if event.key != ALARM and self._hear(event):
            await self._act(event)

    async def on_resize(self, event: Resize) -> None:
        """Lay nothing out for a size that is past: two of them in one queue would bring each other back for ever."""
        if event.size != self.app.size:
            event.prevent_default()

    def action_press(self, key: str) -> None:
        """Take a key by name, if it was heard here: one that another screen left as it closed was meant for that."""
        if self._hearing:
            self.press(key)

    async def _act(self, key: Key) -> None:
        """Do what the key is bound to now, here or in the app; where nothing is to be seen it can only leave."""
        if any(map(self.has_class, CRAMPED)) and self._binding(key) != LEAVE:
            return
        self._hearing = True
        # Textual's own way through all bindings of a key, of which the first may not apply now.
        done = await self.app._check_bindings(key.key)
        self._hearing = False
        if not done:
            self.unbound(key.key)

    @property
    def _guard(self) -> Guard[tuple[Screen[None], Key]]:
        return cast(Watchful, self.app).guard

    def _binding(self, key: Key) -> str:
        """Give the name of what that key is bound to; an empty one where it is not."""
        active = self.active_bindings.get(key.key)
        return (active.binding.id if active is not None else None) or ""

    def _hear(self, event: Key) -> bool:
        """Ask the guard whether that key may act now; for one that must wait an alarm is set."""
        dropped = self._guard.dropped
        binding = self._binding(event)
        weighty = binding in self.WEIGHTY or binding in EVERYWHERE
        verdict = self._guard.hear((self, event), event.time, weighty, event.key in PLAIN)
        if verdict == "hold":
            self.app.set_timer(self._guard.quiet, self._alarm)  # not with the screen, which may go before
            self.expect(binding)
        if self._guard.dropped > dropped:
            self.tell(DROPPED)
        return verdict == "pass"

    def _alarm(self) -> None:
        # Through the app's queue, behind keys that came in the meantime: those may drop what is held.
        self.app.post_message(Key(ALARM, None))
