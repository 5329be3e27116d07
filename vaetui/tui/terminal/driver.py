"""A Textual driver that writes through a queue, so that a slow terminal never blocks the app."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import time
from codecs import getincrementaldecoder
from typing import Protocol, cast

from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.geometry import Size
from textual.message import Message

from vaetui.tui.terminal.ansi_compression import compress_ansi
from vaetui.tui.terminal.input_parser import InputParser
from vaetui.tui.terminal.writer import TerminalWriter

MIN_FRAME_CHARS = 1_000
"""Minimum length of a painted frame: no control sequence is as long."""
MAX_PENDING_BYTES = 32_768
"""Unsent bytes above which painting pauses: later frames would only show the past."""
CLOSE_TIMEOUT_S = 0.25
"""Seconds to send the rest at exit, and again after everything not yet begun is discarded."""
CONTINUE_DELAY_S = 0.01
"""Seconds after which a process that was not stopped goes on; SIGCONT arrives at once in one that was."""
INPUT_INTERVAL_S = 0.1
"""Seconds after which the thread that reads the input checks whether it is to end."""
INPUT_BYTES = 4096
"""Maximum number of bytes read at once."""
MODIFIER_KEY_PATTERN = re.compile(r"(left|right)_(shift|control|alt|super|hyper|meta)|iso_level[35]_shift|\w+_lock")
"""Keys that change nothing by themselves; terminals with the kitty keyboard protocol report them before others."""
DRAWING_PREFIX = "\x1b7"
"""Prefix of the images that are drawn over a frame: it saves the cursor."""
SYNC_SEQUENCES = ("\x1b[?2026h", "\x1b[?2026l")
"""Begin and end of a synchronised update, which Textual writes around a frame."""


class PausableApp(Protocol):
    """The methods of the app that the driver calls."""

    def pause_painting(self) -> None:
        """Paint nothing until `resume_painting`."""

    def resume_painting(self) -> None:
        """Paint again, beginning with what changed in the meantime."""

    def clear_frame_painting(self) -> None:
        """Remove images that the terminal has drawn or stored."""


class NonBlockingDriver(LinuxDriver):
    """Queues what Textual writes, and skips frames that are repeated or replaced before they are sent.

    Textual's own queue holds thirty texts; when it is full, the app handles neither keys nor signals until the
    terminal reads again. Textual also paints a new screen two to four times until its layout is stable.
    """

    _terminal_writer: TerminalWriter
    was_suspended = True
    """Whether the last attempt to suspend the process stopped it."""

    def start_application_mode(self) -> None:
        """Start the writer thread and the application mode."""
        self._pending_texts: list[str] = []
        self._last_frame = self._last_drawing = ""
        if (file := self._file) is not None:  # `require_terminal` has refused to start without one
            self._terminal_writer = TerminalWriter(file.fileno(), file.encoding, self._on_writer_idle)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def run_input_thread(self) -> None:
        """Read the input until the application mode ends; replies of the terminal are not taken for keys."""
        parser, decoder = InputParser(self._debug), getincrementaldecoder("utf-8")(errors="replace")
        while not self.exit_event.is_set():
            timeout_s = min(INPUT_INTERVAL_S, parser.timeout_s or INPUT_INTERVAL_S)
            if select.select([self.fileno], [], [], timeout_s)[0]:
                data = os.read(self.fileno, INPUT_BYTES)
                if not data:
                    return  # the terminal is closed
                if text := decoder.decode(data):  # empty for a part of a character
                    for message in parser.feed(text):
                        self.process_message(message)
            for message in parser.tick():
                self.process_message(message)

    def process_message(self, message: Message) -> None:
        """Pass an event on, but not the key press of a modifier: the screens would call it an unknown key."""
        if not (isinstance(message, Key) and MODIFIER_KEY_PATTERN.fullmatch(message.key)):
            super().process_message(message)

    def write(self, data: str) -> None:
        """Queue a text; it is sent after the current iteration of the event loop."""
        self._pending_texts.append(data)
        if len(self._pending_texts) == 1:
            with contextlib.suppress(RuntimeError):  # the event loop has ended: `close` sends the text
                self._loop.call_soon_threadsafe(self._send_pending)

    def measure_size(self) -> Size:
        """Return the size from the kernel; Textual may handle two quick resizes in the wrong order."""
        return Size(*self._get_terminal_size())

    def drop_pending_frames(self) -> None:
        """Discard the frames of this iteration: the next frame covers them all."""
        self._pending_texts = [
            text for text in self._pending_texts if len(text) < MIN_FRAME_CHARS or text.startswith("\x1b_G")
        ]

    def force_next_frame(self) -> None:
        """Send the next frame even if it equals the last one, because the terminal was resized in between."""
        self._last_frame = ""

    def stop_application_mode(self) -> None:
        """Discard everything not yet sent, and leave the application mode."""
        self._pending_texts.clear()
        self._terminal_writer.discard_pending()
        cast(PausableApp, self._app).clear_frame_painting()
        super().stop_application_mode()

    def close(self) -> None:
        """Send the rest, waiting at most twice CLOSE_TIMEOUT_S."""
        super().close()
        self._send_pending()
        self._terminal_writer.close(CLOSE_TIMEOUT_S)

    def _sigtstp_application(self, *_: object) -> None:
        """Leave the application mode and stop all processes of the job, as a terminal does for Ctrl-Z.

        The system ignores that without a shell that could continue them; then the application mode starts again.
        Textual itself would stop only this process, and without such a shell for ever.
        """
        if self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        self.was_suspended = False
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._sigtstp_application)
        time.sleep(CONTINUE_DELAY_S)
        if not self.was_suspended and self._auto_restart:
            self.resume_application_mode()

    def _sigcont_application(self, *_: object) -> None:
        self.was_suspended = True
        super()._sigcont_application()

    def _send_pending(self) -> None:
        texts, self._pending_texts = self._pending_texts, []
        is_repeated = False
        for text in texts:
            if text.startswith(DRAWING_PREFIX):
                # Drawn over a frame that is not sent again, the same images would only flicker.
                if is_repeated and text == self._last_drawing:
                    continue
                self._last_drawing = text
            elif text not in SYNC_SEQUENCES:
                is_repeated = text == self._last_frame
                if is_repeated:
                    continue
                self._last_frame = text if len(text) > MIN_FRAME_CHARS else ""
            self._terminal_writer.write(compress_ansi(text) if len(text) > MIN_FRAME_CHARS else text)
        if self._terminal_writer.pending_bytes > MAX_PENDING_BYTES:
            cast(PausableApp, self._app).pause_painting()

    def _on_writer_idle(self) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(cast(PausableApp, self._app).resume_painting)
