"""A session that another process may train, to look at: its state is read again whenever it changes."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaetui.engine.events import BatchesTrained, Event, Loaded, Loading, Notice, Progress, Watched
from vaetui.errors import UserError
from vaetui.session.session_copy import SessionCopy
from vaetui.session.session_proxy import SessionProxy
from vaetui.session.session_users import SessionUsers, find_users
from vaetui.storage import file_names, live_progress

if TYPE_CHECKING:
    from vaetui.engine.answers import ClusterPath
    from vaetui.engine.clusters import Pixels
    from vaetui.session.data_split import SessionImages
    from vaetui.session.views import MemberOrder, SessionAccess

POLL_INTERVAL_S = 0.5
"""Seconds between two looks at the session."""
REST_FACTOR = 5
"""The state is read again after so many times the seconds that reading it took, at the earliest."""
MAX_FAILURE_S = 15.0
"""Seconds for which the session may be unreadable, because another process changes it, before the error is raised."""
CHANGING_METHODS = frozenset(
    {
        *("split_cluster", "record_answer", "record_answers", "correct_answer", "record_image_answers"),
        *("record_border", "set_one_key_mode", "edit_classes", "undo", "redo", "close_round", "add_round"),
        "record_reading",
    }
)
"""The methods of a session that record something."""


class WatchedSession(SessionProxy):
    """A session that is read and never locked or changed. `advance` reads it until its phase changes."""

    _target: SessionCopy

    def __init__(self, directory: Path) -> None:
        """Read the session in a directory. Raises UserError for a damaged database and an unsupported format."""
        self._directory_number = _find_file_number(directory)
        self._stamp = _read_stamp(directory)
        super().__init__(SessionCopy(directory))
        self.users: SessionUsers = find_users(directory)
        """The processes that use the session."""
        self._images: SessionImages | None = None
        self._has_tried_images = False
        self._reported_epochs = len(self._target.training_curves().finished_epochs)
        self._next_read_s = 0.0
        self._failing_since_s: float | None = None
        self._unrecorded_losses: list[BatchesTrained] = []
        self._last_progress: object = None

    @property
    def access(self) -> SessionAccess:
        """What may be done with the session: nothing that changes it."""
        return "watched"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Return the attribute of the state; a method that records something is refused."""
            return self._refuse if name in CHANGING_METHODS else super().__getattr__(name)

    def advance(self) -> Generator[Event, None, None]:
        """Read the session again and again until its phase changes; `Watched` follows each time.

        Raises UserError if the session was deleted, or cannot be read any more.
        """
        phase, has_changed = self.phase, True
        while True:
            epochs = self.training_curves().finished_epochs
            yield from epochs[self._reported_epochs :]
            self._reported_epochs = len(epochs)
            if self.phase != phase:
                return
            self.users = find_users(self.directory)
            progress = live_progress.read_progress(self.directory) if self.users.is_trained(phase) else None
            if progress is not None and progress != self._last_progress:
                self._add_progress(progress)
                yield progress
            yield Watched(self.users.describe(phase), progress is not None, has_changed)
            if not self._has_tried_images:
                yield from self._load_images()
            elif has_changed:
                yield from self._load_reconstructions()
            time.sleep(POLL_INTERVAL_S)
            has_changed = self.refresh()

    def refresh(self) -> bool:
        """Read the session again if it has changed, and return whether it was read.

        Raises UserError if the session was deleted, or cannot be read any more.
        """
        if _find_file_number(self.directory) != self._directory_number:
            raise UserError(f"Session {self.name} was deleted.")
        start_s, stamp = time.monotonic(), _read_stamp(self.directory)
        if stamp == self._stamp or start_s < self._next_read_s:
            return False
        try:
            state = SessionCopy(self.directory)
        except UserError:
            if _find_file_number(self.directory) != self._directory_number:
                raise UserError(f"Session {self.name} was deleted.") from None
            if self._failing_since_s is None:
                self._failing_since_s = start_s
            if start_s - self._failing_since_s >= MAX_FAILURE_S:
                raise
            return False
        self._stamp, self._failing_since_s = stamp, None
        end_s = time.monotonic()
        self._next_read_s = end_s + REST_FACTOR * (end_s - start_s)
        self._show(state)
        return True

    def member_images(
        self, path: ClusterPath, order: MemberOrder, count: int, round_number: int | None = None
    ) -> Pixels:
        """Return the members of a cluster as `Session.member_images`; none if it does not exist any more."""
        try:
            return self._target.member_images(path, order, count, round_number)
        except UserError:  # the screen follows
            return self._target.select_images([])

    def close(self) -> None:
        """Release the memory of the database."""
        self._target.close()

    def _show(self, state: SessionCopy) -> None:
        """Replace the state; what still reads the previous one goes on."""
        state.use_images(self._images)
        self._unrecorded_losses = [
            event for event in self._unrecorded_losses if (event.epoch, event.step) > state.last_loss_position
        ]
        state.add_losses(self._unrecorded_losses)
        self._target = state

    def _add_progress(self, event: BatchesTrained | Progress | Loading) -> None:
        """Add the losses that the process which trains has reported to the curves."""
        self._last_progress = event
        if isinstance(event, BatchesTrained):
            newest = self._unrecorded_losses[-1] if self._unrecorded_losses else None
            position = self._target.last_loss_position if newest is None else (newest.epoch, newest.step)
            if (event.epoch, event.step) > position:
                self._unrecorded_losses.append(event)
                self._target.add_losses([event])

    def _load_images(self) -> Iterator[Event]:
        """Load the images once they are split, for members and reconstructions; without them, all else is shown."""
        if not self._target.has_split:
            return
        self._has_tried_images = True
        yield Loading("the images")
        try:
            self._images = self._target.load_images()
        except UserError as error:
            yield Notice(f"Members and reconstructions are not shown. {error}")
        self._target.use_images(self._images)
        yield Loaded()
        yield from self._load_reconstructions()

    def _load_reconstructions(self) -> Iterator[Event]:
        if self._images is not None and self.has_decoder:
            event = self._target.load_reconstructions(self._images)
            if event is not None:
                yield event

    def _refuse(self, *_: object, **__: object) -> None:
        raise UserError(f"Session {self.name} is only watched here. Change it with: vaetui resume {self.name}")


def _find_file_number(directory: Path) -> int | None:
    """Return the number of a directory in its file system; None if it does not exist."""
    try:
        return directory.stat().st_ino
    except OSError:
        return None


def _read_stamp(directory: Path) -> tuple[int, int] | None:
    """Return what changes whenever something is recorded; None if the database is missing."""
    try:
        status = os.stat(file_names.database_path(directory))
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
