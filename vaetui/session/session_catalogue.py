"""All sessions with their states, read without their locks, and what a list of sessions does with one of them."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vaetui.errors import UserError
from vaetui.session import session_users
from vaetui.storage import locations

if TYPE_CHECKING:
    from vaetui.engine.events import Event
    from vaetui.session.views import Phase


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A session in the list of all sessions; only `name` and `last_used_at` are set before its files are read."""

    name: str
    """The session name."""
    last_used_at: float
    """Unix time of the last change; 0 if unknown."""
    phase: Phase | None = None
    """The phase; None if the session has not been read or cannot be read."""
    epoch: int = 0
    """The epoch that is trained, or the last finished one."""
    epoch_count: int = 0
    """Epochs of the run."""
    next_round: int | None = None
    """The current or next round; None after the last one."""
    round_count: int = 0
    """Rounds of the run."""
    answer_count: int = 0
    """Answers in force."""
    cluster_counts: tuple[int, int] | None = None
    """Clusters with an answer and all clusters of the current round; None without one."""
    holder: str = ""
    """The process that has the session open; "" if there is none."""
    is_detached: bool = False
    """Whether that process trains in the background, so that it can be stopped."""
    training_run: str = ""
    """The processes that train the session whenever it needs no answers; "" if there are none."""
    failure: str = ""
    """Why training in the background ended; "" if it did not fail."""
    problem: str = ""
    """Why the session cannot be read; "" if it can."""


class SessionCatalogue:
    """The sessions of the user, as the session picker uses them."""

    def list_entries(self) -> list[SessionEntry]:
        """Return all sessions, most recently used first, without their states; quick."""
        return [SessionEntry(name, locations.find_last_used_time(name)) for name in locations.list_session_names()]

    def load_entry(self, entry: SessionEntry) -> SessionEntry:
        """Return an entry with the state of its session, or with the reason why that cannot be read."""
        from vaetui.session.session_status import load_status  # loads NumPy

        name, last_used_at = entry.name, locations.find_last_used_time(entry.name)
        try:
            status, users = load_status(name), session_users.find_users(locations.find_session(name))
        except UserError as error:
            return SessionEntry(name, last_used_at, problem=str(error))
        clusters = status["clusters"]
        return SessionEntry(
            name,
            last_used_at,
            phase=status["phase"],
            epoch=status["current_epoch"],
            epoch_count=status["epochs"],
            next_round=status["next_round"],
            round_count=status["rounds"],
            answer_count=status["answers"],
            cluster_counts=None if clusters is None else (status["answered_clusters"], clusters),
            holder="" if users.holder is None or users.is_held_by_run else str(users.holder),
            is_detached=users.holder is not None and users.holder.is_detached,
            training_run="" if users.training_run is None else str(users.training_run),
            failure=status["failure"] or "",
        )

    def require_resumable(self, name: str) -> None:
        """Raise UserError for a session of an older format, and for one that is open in another process.

        One that is trained in the background can be taken over, and one with a training run attached to.
        """
        users = session_users.find_users(locations.find_session(name))
        if not users.can_be_resumed:
            raise UserError(f"Session {name} is open in {users.holder}. Close it there first.")

    def describe_data_problem(self, path_text: str) -> str:
        """Return why there can be no images at a path, or ""."""
        try:
            return "" if os.path.exists(expand_path(path_text)) else "There is no such file or directory"
        except ValueError as error:
            return str(error)

    def count_answers_to_delete(self, name: str) -> int | None:
        """Return the number of answers that would be lost; None if they cannot be read.

        Raises UserError while another process has the session open.
        """
        from vaetui.session import deletion

        with deletion.lock_for_deletion(name) as answer_count:
            return answer_count

    def delete(self, name: str) -> None:
        """Delete a session; raises UserError while another process has it open."""
        from vaetui.session import deletion

        with deletion.lock_for_deletion(name):
            deletion.delete_session(name)

    def open_labels(self, name: str) -> StoredLabels:
        """Return the labels of a session, to export."""
        return StoredLabels(name)


@dataclass(frozen=True, slots=True)
class StoredLabels:
    """The labels of a session that this process does not have open."""

    name: str
    """The session name."""

    def export_labels(
        self, output: Path, format_name: str | None = None, min_confidence: float = 0.0, force: bool = False
    ) -> Generator[Event, None, None]:
        """Write one label per image; the last event is LabelsExported. See `Session.export_labels`."""
        from vaetui.export.format_names import choose_format
        from vaetui.session.label_export import ExportOptions, export_labels
        from vaetui.session.session_snapshot import SessionSnapshot
        from vaetui.session.stored_labels import load_labels

        options = ExportOptions(choose_format(str(output), format_name), min_confidence, force=force)
        with closing(SessionSnapshot(locations.find_session(self.name))) as snapshot:
            yield from export_labels(snapshot, load_labels(snapshot), output, options)


def expand_path(path_text: str) -> str:
    """Return a typed path with the home directory in place of "~", as a shell does."""
    return os.path.expanduser(path_text)
