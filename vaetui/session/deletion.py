"""Delete a session, which no other process may have open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from vaetui.errors import UserError
from vaetui.session import dataset_location
from vaetui.storage import locations, training_run, untrusted_entries
from vaetui.storage.lock import Lock
from vaetui.storage.repository import SessionRepository


@contextmanager
def lock_for_deletion(name: str) -> Iterator[int | None]:
    """Hold the lock of a session and yield its number of answers; None if it cannot be read.

    Raises UserError for an unknown name, and while other processes have the session open or train it.
    """
    directory = locations.find_session(name, allow_older=True)
    answer_count = None
    with suppress(UserError):  # a session of an older format, or a damaged one
        untrusted_entries.refuse_untrusted_entries(directory)
        with closing(SessionRepository(directory)) as repository:
            answer_count = repository.count_answers()
    training_run.refuse_training_run(directory)
    lock = Lock(directory)
    try:
        yield answer_count
    finally:
        lock.release()


def delete_session(name: str) -> None:
    """Delete a session whose lock this process holds, and the datasets that no other session uses."""
    locations.remove_session(name)
    dataset_location.remove_unused_datasets()
