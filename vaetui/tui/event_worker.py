"""The thread worker that iterates over the events of a slow session method, and the messages that it posts."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from textual.dom import DOMNode
from textual.events import Key, Paste
from textual.message import Message
from textual.worker import Worker, get_current_worker

if TYPE_CHECKING:
    from vaetui.engine.answers import ClusterPath
    from vaetui.engine.events import BatchesTrained, Event
    from vaetui.session.views import SessionAccess
    from vaetui.tui.settings import AppSettings


class EventReported(Message, bubble=False):
    """The worker received an event."""

    def __init__(self, event: Event) -> None:
        """Wrap the event."""
        super().__init__()
        self.event = event
        """The event of the session."""


class WorkerEnded(Message, bubble=False):
    """The iteration is over; the last message of its thread."""

    def __init__(self, was_stopped: bool, failure: BaseException | None = None) -> None:
        """Describe how the iteration ended."""
        super().__init__()
        self.was_stopped = was_stopped
        """Whether it was stopped before its end."""
        self.failure = failure
        """The exception that it raised, or None."""


class EventWorker:
    """Iterates over one event iterator at a time in a thread and posts the events to a node."""

    def __init__(self) -> None:
        """Create an idle worker."""
        self.latest_batches: BatchesTrained | None = None
        """The last training report. Screens poll it, because queued messages could fall behind training."""
        self.is_loading = False
        """Whether the session imports or reads files: it cannot be stopped for seconds, but has nothing to save."""
        self.is_busy = False
        """Whether an iteration runs or its WorkerEnded has not been handled."""
        self.seconds_after_training = 0.0
        """Seconds from the last batch before a round, or before the end, to that round; 0 before the first one."""
        self._stop_requested = threading.Event()

    @property
    def is_stopping(self) -> bool:
        """Whether the iteration was asked to stop and has not ended."""
        return self.is_busy and self._stop_requested.is_set()

    def start(self, events: Iterator[Event], target: DOMNode) -> Worker[None]:
        """Iterate over the events in a thread and post them to `target`.

        Raises RuntimeError while another iteration runs: two at once would train one network twice.
        """
        if self.is_busy:
            raise RuntimeError("The worker is busy.")
        self.is_busy, self.is_loading = True, False
        self._stop_requested.clear()
        return target.run_worker(lambda: self._forward_events(events, target), thread=True, exit_on_error=False)

    def stop(self) -> None:
        """Request a stop at the next event; the thread closes the iterator, which saves."""
        if self.is_busy:
            self._stop_requested.set()

    def mark_idle(self) -> None:
        """Allow the next start. Only the handler of WorkerEnded calls this.

        No message of the old iteration is left in the queue at that point that could be taken for one of the next.
        """
        self.is_busy = False

    def _forward_events(self, events: Iterator[Event], target: DOMNode) -> None:
        # Not at the top: NumPy would delay the first frame.
        from vaetui.engine.events import BatchesTrained, Clustered, Finished, Loading

        worker = get_current_worker()
        was_stopped, failure = False, None
        trained_at_s: float | None = None
        try:
            try:
                for event in events:
                    self.is_loading = isinstance(event, Loading)
                    if isinstance(event, BatchesTrained):
                        self.latest_batches, trained_at_s = event, monotonic()
                    else:
                        if isinstance(event, Clustered | Finished) and trained_at_s is not None:
                            self.seconds_after_training = monotonic() - trained_at_s
                        target.post_message(EventReported(event))
                    if self._stop_requested.is_set() or worker.is_cancelled:
                        was_stopped = True
                        break
            finally:
                if hasattr(events, "close"):
                    events.close()
        except BaseException as error:  # without a WorkerEnded the screen would wait for ever
            failure = error
        self.is_loading = False
        target.post_message(WorkerEnded(was_stopped, failure))


class AppProtocol(Protocol):
    """The app as its screens use it."""

    event_worker: EventWorker
    """The worker that runs the session."""
    pending_input: deque[Key | Paste]
    """Keys and pasted texts that no screen has handled yet."""
    is_leaving: bool
    """Whether the app exits as soon as the worker has saved."""
    settings: AppSettings
    """What the user has set in the config file, the environment and options."""

    @property
    def access(self) -> SessionAccess:
        """What may be done with the session now."""

    @property
    def is_paint_pending(self) -> bool:
        """Whether the terminal has not got the current state yet."""

    def format_key(self, binding_id: str) -> str:
        """Return the name of the key that is bound to a command, such as "g" for "label.go"."""

    def remember_one_key_mode(self, is_on: bool) -> None:
        """Keep whether a digit answers at once, in the session and in the config file."""

    def defer_paint(self) -> None:
        """Suspend painting until the next screen is laid out."""

    def continue_session(self) -> None:
        """Show the screen of the session's phase and start the worker."""

    def open_reading_test(self) -> None:
        """Open the reading test; raises UserError if there is nothing to read."""

    def open_samples(self) -> None:
        """Open the samples."""

    def open_map(self, on_jump: Callable[[ClusterPath], None] | None = None, focus_path: ClusterPath = ()) -> None:
        """Open the map, with the cursor at a cluster; `on_jump` receives the cluster that the user goes to."""

    def show_deferred_phase(self) -> None:
        """Show the screen of a phase that began while a line was open."""

    def open_history(self, on_close: Callable[[ClusterPath | None], None] | None = None) -> None:
        """Open the history; `on_close` receives the cluster that the user goes to, or None."""

    def open_audit(self, plan: str = "", is_new: bool = False, on_close: Callable[[], None] | None = None) -> None:
        """Open the audit, or the result of the present labels unless `is_new`; raises UserError without labels.

        `on_close` is called after it has closed.
        """

    def show_audit_result(self) -> None:
        """Show the result of the audit that was finished last."""

    def open_review(self, on_close: Callable[[], None] | None = None) -> None:
        """Open the review of single images; raises UserError while there are no labels.

        `on_close` is called after it has closed.
        """

    def open_export(self) -> None:
        """Ask where to export the labels to."""

    def show_notice(self, text: str) -> None:
        """Show a notice on the overlay if one is open, else on the screen of the phase."""

    def close_overlay(self) -> None:
        """Close the overlay, and show the screen of the current phase."""

    def leave_after_failure(self, failure: BaseException) -> None:
        """Exit because of an exception, as soon as the worker has saved."""
