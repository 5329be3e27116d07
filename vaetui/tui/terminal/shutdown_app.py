"""Shut the app down after a key, a signal, a lost terminal or an error, once the session is saved."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from rich.console import RenderableType
from textual.events import Event, Key, Paste

from vaetui.tui.event_worker import EventWorker
from vaetui.tui.terminal.paint_pausing_app import PaintPausingApp
from vaetui.tui.widgets.header import Header

P = ParamSpec("P")
T = TypeVar("T")


class NonWaitingExecutor(ThreadPoolExecutor):
    """Runs each call in a thread of its own, and does not wait for it at exit: by then the event worker has saved.

    A thread that has computed with PyTorch keeps a team of OpenMP threads until it ends. With several teams there are
    more threads than CPUs, and those that train would wait passively also on a free machine.
    """

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a thread that calls the function and ends."""
        executor = ThreadPoolExecutor(1)
        future = executor.submit(function, *args, **kwargs)
        executor.shutdown(wait=False)  # the thread ends after the call
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Return at once."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)


class GracefulShutdownApp(PaintPausingApp):
    """Exits as soon as the event worker has saved, and records the cause."""

    def __init__(self) -> None:
        """Create the event worker."""
        super().__init__()
        self.event_worker = EventWorker()
        """Runs the slow operations of the session in a thread."""
        self.failure: BaseException | None = None
        """The exception that ended the app, if any."""
        self.signal_number = 0
        """The signal that ended the app, or 0."""
        self.is_leaving = False
        """Whether the app exits as soon as the worker has saved."""
        self.pending_input: deque[Key | Paste] = deque()
        """Keys and pasted texts that no screen has handled yet, in their order."""
        self._is_terminal_lost = False

    async def on_event(self, event: Event) -> None:
        """Queue keys for whichever screen is the current one when their turn comes: a key may open another screen."""
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            self.pending_input.append(event)
        await super().on_event(event)

    def on_mount(self) -> None:
        """Exit gracefully on SIGTERM and SIGHUP."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(NonWaitingExecutor())
        for name, action in (("SIGTERM", self.action_leave), ("SIGHUP", self.leave_after_hang_up)):
            # Not every platform has these signals, and an event loop outside the main thread cannot handle them.
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
                signal_number = getattr(signal, name)
                loop.add_signal_handler(signal_number, self._handle_signal, signal_number, action)

    def on_unmount(self) -> None:
        """Restore the default signal handlers."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
                loop.remove_signal_handler(getattr(signal, name))

    def action_leave(self) -> None:
        """Exit as soon as the worker has saved, at once if it has nothing to save."""
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

    def leave_after_failure(self, failure: BaseException) -> None:
        """Record the exception, and exit as soon as the worker has saved."""
        self.failure = failure
        self.action_leave()

    def leave_after_hang_up(self) -> None:
        """Exit after the terminal was closed."""
        self._is_terminal_lost = True
        self.action_leave()

    def panic(self, *renderables: RenderableType) -> None:
        """Show an error, or exit as after a hangup if the terminal is gone."""
        has_terminal = self.is_headless or (sys.__stdin__ is not None and sys.__stdin__.isatty())
        if self._is_terminal_lost or not has_terminal:
            self.leave_after_hang_up()
        else:
            super().panic(*renderables)

    async def action_quit(self) -> None:
        """Exit gracefully on Textual's default quit key."""
        self.action_leave()

    def action_help_quit(self) -> None:
        """Exit gracefully on Ctrl-C."""
        self.action_leave()

    def _handle_signal(self, signal_number: int, handler: Callable[[], None]) -> None:
        self.signal_number = signal_number
        handler()

    def _fatal_error(self) -> None:
        """Exit without printing a traceback: the command writes it to the log file of the session."""
        self.failure = self._exception
        self._close_messages_no_wait()
