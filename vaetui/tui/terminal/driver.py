"""The terminal as Textual drives it, but for a writer that keeps nobody waiting; it does not know the screens."""

from __future__ import annotations

import contextlib
from typing import Protocol, cast

from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from vaetui.tui.terminal.ansi_compression import thrifty
from vaetui.tui.terminal.writer import Outlet

FRAME = 1_000
"""Characters from which on a text can only be a painted one, which says of all that it paints where it stands."""
MUCH = 32_768
"""Bytes not yet taken from which on nothing more is painted: a person would only see the past."""
PATIENCE = 0.25
"""Seconds in which a terminal has to take the last words, and once more after everything else is given up."""
SYNCHRONISED = ("\x1b[?2026h", "\x1b[?2026l")
"""What Textual writes around a painted text."""


class Painter(Protocol):
    """What the driver asks of the app."""

    def hold(self) -> None:
        """Paint nothing for now."""

    def go_on(self) -> None:
        """Paint again, first of all what has changed in the meantime."""


class PatientDriver(LinuxDriver):
    """Queues what Textual writes, and sends nothing twice.

    Textual's own queue takes thirty texts and then stops the app, and with it every key and every signal, until
    the terminal reads on. And a new screen is painted two to four times until its layout rests.
    """

    _outlet: Outlet

    def start_application_mode(self) -> None:
        """Open the outlet, and through it the screen."""
        self._turn: list[str] = []
        self._latest = ""
        drawn_on = self._file
        if drawn_on is not None:  # the probe has refused to draw where there is none
            self._outlet = Outlet(drawn_on.fileno(), drawn_on.encoding, self._emptied)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def write(self, data: str) -> None:
        """Send that text when this turn of the loop is over and the terminal takes it."""
        self._turn.append(data)
        if len(self._turn) == 1:
            with contextlib.suppress(RuntimeError):  # the loop is over: `close` sends it
                self._loop.call_soon_threadsafe(self._send)

    def measured(self) -> Size:
        """Ask the kernel for the size: of two changes in a moment Textual may hear the first one last."""
        return Size(*self._get_terminal_size())

    def supersede(self) -> None:
        """Send no frame of this turn: one comes that covers them all."""
        self._turn = [text for text in self._turn if len(text) < FRAME or text.startswith("\x1b_G")]

    def renew(self) -> None:
        """Send the next frame even where it is the same: another size has come between."""
        self._latest = ""

    def stop_application_mode(self) -> None:
        """Leave the screen; nobody looks any more at what was to be painted on it."""
        self._turn.clear()
        self._outlet.forget()
        super().stop_application_mode()

    def close(self) -> None:
        """Send the rest, and do not wait long for it."""
        super().close()
        self._send()
        self._outlet.close(PATIENCE)

    @property
    def _painter(self) -> Painter:
        return cast(Painter, self._app)

    def _send(self) -> None:
        texts, self._turn = self._turn, []
        for text in texts:
            if text not in SYNCHRONISED:
                if text == self._latest:
                    continue
                self._latest = text if len(text) > FRAME else ""
            self._outlet.write(thrifty(text) if len(text) > FRAME else text)
        if self._outlet.waiting > MUCH:
            self._painter.hold()

    def _emptied(self) -> None:
        with contextlib.suppress(RuntimeError):  # the app has ended in the meantime
            self._loop.call_soon_threadsafe(self._painter.go_on)
