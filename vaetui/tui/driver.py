"""The terminal as Textual drives it, but for a writer that keeps nobody waiting; it does not know the screens."""

from __future__ import annotations

import contextlib
from typing import Protocol, cast

from textual.drivers.linux_driver import LinuxDriver

from vaetui.tui.outlet import Outlet

MUCH = 32_768
"""Bytes not yet taken from which on nothing more is painted: a person would only see the past."""
PATIENCE = 0.25
"""Seconds in which a terminal has to take the last words, and once more after everything else is given up."""


class Painter(Protocol):
    """What the driver asks of the app."""

    def hold(self) -> None:
        """Paint nothing for now."""

    def go_on(self) -> None:
        """Paint again, first of all what has changed in the meantime."""


class PatientDriver(LinuxDriver):
    """Queues what Textual writes.

    Textual's own queue takes thirty texts and then stops the app, and with it every key and every signal, until
    the terminal reads on.
    """

    _outlet: Outlet

    def start_application_mode(self) -> None:
        """Open the outlet, and through it the screen."""
        drawn_on = self._file
        if drawn_on is not None:  # the probe has refused to draw where there is none
            self._outlet = Outlet(drawn_on.fileno(), drawn_on.encoding, self._emptied)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def write(self, data: str) -> None:
        """Send that text when the terminal takes it."""
        self._outlet.write(data)
        if self._outlet.waiting > MUCH:
            # Not at once: what is being drawn just now is sent.
            self._loop.call_soon_threadsafe(self._hold)

    def stop_application_mode(self) -> None:
        """Leave the screen; nobody looks any more at what was to be painted on it."""
        self._outlet.forget()
        super().stop_application_mode()

    def close(self) -> None:
        """Send the rest, and do not wait long for it."""
        super().close()
        self._outlet.close(PATIENCE)

    @property
    def _painter(self) -> Painter:
        return cast(Painter, self._app)

    def _hold(self) -> None:
        if self._outlet.waiting > MUCH:
            self._painter.hold()

    def _emptied(self) -> None:
        with contextlib.suppress(RuntimeError):  # the app has ended in the meantime
            self._loop.call_soon_threadsafe(self._painter.go_on)
