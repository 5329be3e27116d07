"""The one thread worker that follows a slow verb; it does not know what the events mean."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from textual.dom import DOMNode
from textual.message import Message
from textual.worker import Worker, get_current_worker

if TYPE_CHECKING:
    from vaetui.engine.events import BatchesTrained, Event


class EventReported(Message, bubble=False):
    """The slow verb reported an event."""

    def __init__(self, event: Event) -> None:
        """Carry the event."""
        super().__init__()
        self.event = event
        """What was reported."""


class WorkerEnded(Message, bubble=False):
    """The slow verb is over: this is the thread's last message."""

    def __init__(self, was_stopped: bool, failure: BaseException | None = None) -> None:
        """Carry how it ended."""
        super().__init__()
        self.was_stopped = was_stopped
        """Whether it was asked to stop and had more to do."""
        self.failure = failure
        """What it raised, if it did."""


class EventWorker:
    """Iterates over one slow verb at a time in a thread and posts what it reports."""

    def __init__(self) -> None:
        """Start idle."""
        self.latest_batches: BatchesTrained | None = None
        """The last report of training. A stream: only the last counts, so a screen looks when it likes."""
        self.is_loading = False
        """Whether it imports or reads, in which it hears nobody for seconds, and has nothing to save."""
        self._is_busy = False
        self._stop_requested = threading.Event()

    @property
    def is_busy(self) -> bool:
        """Tell whether a slow verb still has its last message to be handled."""
        return self._is_busy

    @property
    def is_stopping(self) -> bool:
        """Tell whether the slow verb was asked to stop and has not yet ended."""
        return self._is_busy and self._stop_requested.is_set()

    def start(self, events: Iterator[Event], target: DOMNode) -> Worker[None]:
        """Start to iterate over these events and post them to that node.

        Raises RuntimeError while another iteration runs: two at once would train one network twice.
        """
        if self._is_busy:
            raise RuntimeError("A slow verb is running already.")
        self._is_busy, self.is_loading = True, False
        self._stop_requested.clear()
        return target.run_worker(lambda: self._iterate(events, target), thread=True, exit_on_error=False)

    def stop(self) -> None:
        """Ask the slow verb to stop at its next event; it is closed in its own thread, which saves."""
        if self._is_busy:
            self._stop_requested.set()

    def mark_idle(self) -> None:
        """Be idle again; for whoever handles `Ended`, and nobody else.

        Only there can no message of the old verb be taken for one of the next.
        """
        self._is_busy = False

    def _iterate(self, events: Iterator[Event], target: DOMNode) -> None:
        from vaetui.engine.events import BatchesTrained, Loading  # not at the top: NumPy would delay the first frame

        worker = get_current_worker()
        stopped, failure = False, None
        try:
            try:
                for event in events:
                    self.is_loading = isinstance(event, Loading)
                    if isinstance(event, BatchesTrained):
                        self.latest_batches = event
                    else:
                        target.post_message(EventReported(event))
                    if self._stop_requested.is_set() or worker.is_cancelled:
                        stopped = True
                        break
            finally:
                close = getattr(events, "close", None)
                if close is not None:
                    close()
        except BaseException as error:  # whatever it was, the screen must hear of it or wait for ever
            failure = error
        self.is_loading = False
        target.post_message(WorkerEnded(stopped, failure))


class AppProtocol(Protocol):
    """What a screen may ask of its app."""

    event_worker: EventWorker
    """The one worker."""
    is_leaving: bool
    """Whether the app is on its way out and only waits for the worker to save."""

    def defer_paint(self) -> None:
        """Paint nothing for a moment, in which a screen is laid out, and then all of it at once."""

    def continue_session(self) -> None:
        """Show the screen of the session's phase and follow the session from here."""

    def open_reading_test(self) -> None:
        """Open the reading test; raises Trouble where there is nothing to read."""

    def open_samples(self) -> None:
        """Open the new pictures."""

    def close_overlay(self) -> None:
        """Close the reading test or the new pictures, and show the screen of the session's phase."""

    def fail(self, failure: BaseException) -> None:
        """Leave because of that, as soon as the worker has saved."""
