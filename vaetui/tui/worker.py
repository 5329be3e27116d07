"""The one thread worker that follows a slow verb; it does not know what the events mean."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from textual.dom import DOMNode
from textual.message import Message
from textual.worker import Worker, get_current_worker

if TYPE_CHECKING:
    from vaetui.engine.events import Event, Stepped


class Reported(Message, bubble=False):
    """The slow verb reported an event."""

    def __init__(self, event: Event) -> None:
        """Carry the event."""
        super().__init__()
        self.event = event
        """What was reported."""


class Ended(Message, bubble=False):
    """The slow verb is over: this is the thread's last message."""

    def __init__(self, stopped: bool, failure: BaseException | None = None) -> None:
        """Carry how it ended."""
        super().__init__()
        self.stopped = stopped
        """Whether it was asked to stop and had more to do."""
        self.failure = failure
        """What it raised, if it did."""


class Follower:
    """Iterates over one slow verb at a time in a thread and posts what it reports."""

    def __init__(self) -> None:
        """Start idle."""
        self.latest: Stepped | None = None
        """The last report of training. A stream: only the last counts, so a screen looks when it likes."""
        self.loading = False
        """Whether it imports or reads, in which it hears nobody for seconds, and has nothing to save."""
        self._busy = False
        self._enough = threading.Event()

    @property
    def busy(self) -> bool:
        """Tell whether a slow verb still has its last message to be handled."""
        return self._busy

    @property
    def stopping(self) -> bool:
        """Tell whether the slow verb was asked to stop and has not yet ended."""
        return self._busy and self._enough.is_set()

    def follow(self, events: Iterator[Event], to: DOMNode) -> Worker[None]:
        """Start to iterate over these events and post them to that node.

        Raises RuntimeError while another iteration runs: two at once would train one network twice.
        """
        if self._busy:
            raise RuntimeError("A slow verb is running already.")
        self._busy, self.loading = True, False
        self._enough.clear()
        return to.run_worker(lambda: self._iterate(events, to), thread=True, exit_on_error=False)

    def stop(self) -> None:
        """Ask the slow verb to stop at its next event; it is closed in its own thread, which saves."""
        if self._busy:
            self._enough.set()

    def settle(self) -> None:
        """Be idle again; for whoever handles `Ended`, and nobody else.

        Only there can no message of the old verb be taken for one of the next.
        """
        self._busy = False

    def _iterate(self, events: Iterator[Event], to: DOMNode) -> None:
        from vaetui.engine.events import Loading, Stepped  # not at the top: NumPy would delay the first frame

        worker = get_current_worker()
        stopped, failure = False, None
        try:
            try:
                for event in events:
                    self.loading = isinstance(event, Loading)
                    if isinstance(event, Stepped):
                        self.latest = event
                    else:
                        to.post_message(Reported(event))
                    if self._enough.is_set() or worker.is_cancelled:
                        stopped = True
                        break
            finally:
                close = getattr(events, "close", None)
                if close is not None:
                    close()
        except BaseException as error:  # whatever it was, the screen must hear of it or wait for ever
            failure = error
        self.loading = False
        to.post_message(Ended(stopped, failure))


class Following(Protocol):
    """What a screen may ask of its app."""

    follower: Follower
    """The one worker."""
    leaving: bool
    """Whether the app is on its way out and only waits for the worker to save."""

    def veil(self) -> None:
        """Paint nothing for a moment, in which a screen is laid out, and then all of it at once."""

    def proceed(self) -> None:
        """Show the screen of the session's phase and follow the session from here."""

    def open_test(self) -> None:
        """Open the reading test; raises Trouble where there is nothing to read."""

    def open_samples(self) -> None:
        """Open the new pictures."""

    def uncover(self) -> None:
        """Close the reading test or the new pictures, and show the screen of the session's phase."""

    def fail(self, failure: BaseException) -> None:
        """Leave because of that, as soon as the worker has saved."""
