"""How the app is left: by a key, by a signal, by a lost line, by a fault; it does not know what is saved before."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from rich.console import RenderableType

from vaetui.tui.terminal.paced_app import PacedApp
from vaetui.tui.widgets.header import Header
from vaetui.tui.worker import EventWorker


class NonWaitingExecutor(ThreadPoolExecutor):
    """Runs the worker, and is not waited for in the end: the worker has saved by then, or had nothing to."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)


class GracefulShutdownApp(PacedApp):
    """Leaves as soon as the one worker has saved, and tells why it left."""

    def __init__(self) -> None:
        """Stay."""
        super().__init__()
        self.event_worker = EventWorker()
        """The one worker."""
        self.failure: BaseException | None = None
        """What ended the app, if it was not the person."""
        self.signal_number = 0
        """The signal that ended the app; 0 for none."""
        self.is_leaving = False
        """Whether the app is on its way out and only waits for the worker to save."""
        self._is_terminal_lost = False

    def on_mount(self) -> None:
        """Take a signal for a farewell."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(NonWaitingExecutor())
        for name, leave in (("SIGTERM", self.action_leave), ("SIGHUP", self.hang_up)):
            # Not every platform has them, and a loop in a side thread takes none.
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
                number = getattr(signal, name)
                loop.add_signal_handler(number, self._handle_signal, number, leave)

    def on_unmount(self) -> None:
        """Give the signals back."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
                loop.remove_signal_handler(getattr(signal, name))

    def action_leave(self) -> None:
        """Leave as soon as the worker has saved, at once where it has nothing to save."""
        if self.is_leaving:
            return
        self.is_leaving = True
        if not self.event_worker.is_busy or self.event_worker.is_loading:
            self.exit()
            return
        for screen in self.screen_stack:
            for header in screen.query(Header):
                header.pin_text("saving …")
        self.event_worker.stop()

    def fail(self, failure: BaseException) -> None:
        """Leave because of that, as soon as the worker has saved."""
        self.failure = failure
        self.action_leave()

    def hang_up(self) -> None:
        """Leave without a terminal, which is gone."""
        self._is_terminal_lost = True
        self.action_leave()

    def panic(self, *renderables: RenderableType) -> None:
        """Show what went wrong; a terminal that cannot be read any more is only a lost line."""
        if self._is_terminal_lost or not (self.is_headless or _has_terminal()):
            self.hang_up()
        else:
            super().panic(*renderables)

    async def action_quit(self) -> None:
        """Leave in the same way by the key that every Textual app has."""
        self.action_leave()

    def action_help_quit(self) -> None:
        """Leave in the same way by the key that ends other programs."""
        self.action_leave()

    def _handle_signal(self, signal_number: int, handler: Callable[[], None]) -> None:
        self.signal_number = signal_number
        handler()

    def _fatal_error(self) -> None:
        """Leave without a traceback in a person's face: the command writes it to the session's log."""
        self.failure = self._exception
        self._close_messages_no_wait()


def _has_terminal() -> bool:
    return sys.__stdin__ is not None and sys.__stdin__.isatty()
