"""A screen whose weighty keys must come from a person; it does not know what any key means."""

from __future__ import annotations

from typing import ClassVar, Protocol, cast

from textual.events import Key, Resize
from textual.screen import Screen

from vaetui.tui.terminal.burst_guard import BurstGuard
from vaetui.tui.widgets.size_notice import TOO_SMALL_CLASSES

PLAIN_KEYS = frozenset([*"0123456789", "enter", "space"])
"""Keys of which alone no answer of a terminal is made."""
LEAVE_BINDING = "any.leave"
"""The binding that works where there is no room for anything else."""
GLOBAL_BINDINGS = frozenset([LEAVE_BINDING, "any.help", "any.pictures"])
"""Bindings of the app, which must be meant on every screen."""
DROPPED_KEYS_NOTICE = "keys came all at once, not from a person: dropped"
"""What a screen says of keys that were not let through."""
TIMER_KEY = "alarm"
"""The name of a key that no keyboard has: it asks whether what is held may act now."""


class GuardedApp(Protocol):
    """What a guarded screen asks of its app."""

    guard: BurstGuard[tuple[Screen[None], Key]]
    """The one guard: a burst may outlast the screen that it met. Each key stands with the screen that heard it."""


class GuardedScreen(Screen[None]):
    """Asks the guard about every key before its binding acts.

    What is particular to this screen is bound to the action `press`, which acts on keys heard here alone.
    """

    CONFIRMED_KEYS: ClassVar[frozenset[str]] = frozenset()
    """Bindings of this screen that must be meant: they change what is known, or leave the screen."""

    _is_dispatching = False

    def press(self, key: str) -> None:
        """Do what that key means here, by the name that its binding gives it; a screen without such keys has none."""

    def on_unbound_key(self, key: str) -> None:
        """Say what would work instead of a key that does nothing here, where there is a line to say it."""

    def show_notice(self, text: str) -> None:
        """Say that in the line where this screen speaks, if it has one."""

    def show_pending_key(self, binding_id: str) -> None:
        """Show that a key of that binding was heard, which acts as soon as it is plain that a person pressed it."""

    async def on_key(self, event: Key) -> None:
        """Let a weighty key wait until it is plain that a person pressed it, then act at once."""
        event.stop()
        for screen, key in self._guard.release_keys(event.time):
            if screen is self or self._binding_id(key) in GLOBAL_BINDINGS:
                await self._dispatch_key(key)
        if event.key != TIMER_KEY and self._filter_key(event):
            await self._dispatch_key(event)

    async def on_resize(self, event: Resize) -> None:
        """Lay nothing out for a size that is past: two of them in one queue would bring each other back for ever."""
        if event.size != self.app.size:
            event.prevent_default()

    def action_press(self, key: str) -> None:
        """Take a key by name, if it was heard here: one that another screen left as it closed was meant for that."""
        if self._is_dispatching:
            self.press(key)

    async def _dispatch_key(self, key: Key) -> None:
        """Do what the key is bound to now, here or in the app; where nothing is to be seen it can only leave."""
        if any(map(self.has_class, TOO_SMALL_CLASSES)) and self._binding_id(key) != LEAVE_BINDING:
            return
        self._is_dispatching = True
        # Textual's own way through all bindings of a key, of which the first may not apply now.
        done = await self.app._check_bindings(key.key)
        self._is_dispatching = False
        if not done:
            self.on_unbound_key(key.key)

    @property
    def _guard(self) -> BurstGuard[tuple[Screen[None], Key]]:
        return cast(GuardedApp, self.app).guard

    def _binding_id(self, key: Key) -> str:
        """Give the name of what that key is bound to; an empty one where it is not."""
        active = self.active_bindings.get(key.key)
        return (active.binding.id if active is not None else None) or ""

    def _filter_key(self, event: Key) -> bool:
        """Ask the guard whether that key may act now; for one that must wait an alarm is set."""
        dropped = self._guard.dropped_count
        binding = self._binding_id(event)
        weighty = binding in self.CONFIRMED_KEYS or binding in GLOBAL_BINDINGS
        verdict = self._guard.check_key((self, event), event.time, weighty, event.key in PLAIN_KEYS)
        if verdict == "hold":
            self.app.set_timer(self._guard.quiet_s, self._post_timer_key)  # not with the screen, which may go before
            self.show_pending_key(binding)
        if self._guard.dropped_count > dropped:
            self.show_notice(DROPPED_KEYS_NOTICE)
        return verdict == "pass"

    def _post_timer_key(self) -> None:
        # Through the app's queue, behind keys that came in the meantime: those may drop what is held.
        self.app.post_message(Key(TIMER_KEY, None))
