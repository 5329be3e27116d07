"""Base class of the screens over that of the phase that have a worker of their own."""

from __future__ import annotations

from collections.abc import Callable

from vaetui.errors import UserError
from vaetui.session.views import DigitKeys
from vaetui.tui.event_worker import EventWorker, WorkerEnded
from vaetui.tui.screens.overlay_screen import OverlayScreen
from vaetui.tui.session_protocol import Session


class WorkerScreen(OverlayScreen):
    """Base class of a screen that runs a slow operation of the session beside the worker of the app."""

    def __init__(self, session: Session, digit_keys: DigitKeys = ()) -> None:
        """Show the session, with the classes that the digits choose."""
        super().__init__(session, digit_keys)
        self.event_worker = EventWorker()
        """The worker of this screen; the app has another one."""

    def _close(self) -> None:
        """Stop the worker and close the screen."""
        self.event_worker.stop()
        self._vaetui_app.close_overlay()

    def _end_work(self, message: WorkerEnded, restart: Callable[[], None] | None = None) -> None:
        """Call `restart`, which starts the worker for what was requested meanwhile, or show why the work failed.

        A failure that the user cannot fix ends the app. Nothing happens if the screen has closed.
        """
        self.event_worker.mark_idle()
        if self not in self.app.screen_stack:
            return
        if message.failure is not None and not isinstance(message.failure, UserError):
            self._vaetui_app.leave_after_failure(message.failure)
        elif restart is not None:
            restart()
        elif message.failure is not None:
            self._hint = str(message.failure)
        self._update_view()
