"""The terminal as Textual drives it, but for a writer that keeps nobody waiting; it does not know the screens."""

from __future__ import annotations

import contextlib
from typing import Protocol, cast

from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from vaetui.tui.terminal.ansi_compression import compress_ansi
from vaetui.tui.terminal.writer import TerminalWriter

MIN_FRAME_CHARS = 1_000
"""Characters from which on a text can only be a painted one, which says of all that it paints where it stands."""
MAX_PENDING_BYTES = 32_768
"""Bytes not yet taken from which on nothing more is painted: a person would only see the past."""
CLOSE_TIMEOUT_S = 0.25
"""Seconds in which a terminal has to take the last words, and once more after everything else is given up."""
SYNC_SEQUENCES = ("\x1b[?2026h", "\x1b[?2026l")
"""What Textual writes around a painted text."""


class PaintControl(Protocol):
    """What the driver asks of the app."""

    def pause_painting(self) -> None:
        """Paint nothing for now."""

    def resume_painting(self) -> None:
        """Paint again, first of all what has changed in the meantime."""


class NonBlockingDriver(LinuxDriver):
    """Queues what Textual writes, and sends nothing twice.

    Textual's own queue takes thirty texts and then stops the app, and with it every key and every signal, until
    the terminal reads on. And a new screen is painted two to four times until its layout rests.
    """

    _terminal_writer: TerminalWriter

    def start_application_mode(self) -> None:
        """Open the outlet, and through it the screen."""
        self._pending_texts: list[str] = []
        self._last_frame = ""
        drawn_on = self._file
        if drawn_on is not None:  # the probe has refused to draw where there is none
            self._terminal_writer = TerminalWriter(drawn_on.fileno(), drawn_on.encoding, self._on_writer_idle)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def write(self, data: str) -> None:
        """Send that text when this turn of the loop is over and the terminal takes it."""
        self._pending_texts.append(data)
        if len(self._pending_texts) == 1:
            with contextlib.suppress(RuntimeError):  # the loop is over: `close` sends it
                self._loop.call_soon_threadsafe(self._send_pending)

    def measure_size(self) -> Size:
        """Ask the kernel for the size: of two changes in a moment Textual may hear the first one last."""
        return Size(*self._get_terminal_size())

    def drop_pending_frames(self) -> None:
        """Send no frame of this turn: one comes that covers them all."""
        self._pending_texts = [
            text for text in self._pending_texts if len(text) < MIN_FRAME_CHARS or text.startswith("\x1b_G")
        ]

    def force_next_frame(self) -> None:
        """Send the next frame even where it is the same: another size has come between."""
        self._last_frame = ""

    def stop_application_mode(self) -> None:
        """Leave the screen; nobody looks any more at what was to be painted on it."""
        self._pending_texts.clear()
        self._terminal_writer.discard_pending()
        super().stop_application_mode()

    def close(self) -> None:
        """Send the rest, and do not wait long for it."""
        super().close()
        self._send_pending()
        self._terminal_writer.close(CLOSE_TIMEOUT_S)

    @property
    def _paint_control(self) -> PaintControl:
        return cast(PaintControl, self._app)

    def _send_pending(self) -> None:
        texts, self._pending_texts = self._pending_texts, []
        for text in texts:
            if text not in SYNC_SEQUENCES:
                if text == self._last_frame:
                    continue
                self._last_frame = text if len(text) > MIN_FRAME_CHARS else ""
            self._terminal_writer.write(compress_ansi(text) if len(text) > MIN_FRAME_CHARS else text)
        if self._terminal_writer.pending_bytes > MAX_PENDING_BYTES:
            self._paint_control.pause_painting()

    def _on_writer_idle(self) -> None:
        with contextlib.suppress(RuntimeError):  # the app has ended in the meantime
            self._loop.call_soon_threadsafe(self._paint_control.resume_painting)
