"""The training run of a session: the processes that train it whenever it needs no answers, and their lock."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from vaetui.errors import UserError, format_count
from vaetui.storage import file_names, lock


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """The processes that train a session. The text is safe to print; the process id must not be signalled."""

    user: str = ""
    """The name of the user."""
    host: str = ""
    """The name of the machine of the first process."""
    process_id: int = 0
    """The process id of the first process; 0 if unknown."""
    ranks: int = 1
    """The number of processes."""
    device: str = "auto"
    """The device that was asked for: auto, cpu, cuda or mps."""

    def __str__(self) -> str:
        """Return a phrase for messages."""
        if not self.process_id:
            return "another process"
        return f"{format_count(self.ranks, 'process', 'processes')} of {self.user} on {self.host}"


class TrainingRunLock:
    """The exclusive right to serve a session as its training run, held until release or until the process ends.

    It is held also while the session waits for answers and another process has it open.
    """

    def __init__(self, directory: Path, ranks: int, device: str) -> None:
        """Acquire the lock and describe the run; raises UserError if another run serves the session."""
        self._file_lock = lock.acquire_file_lock(
            file_names.training_run_lock_path(directory), lambda: _build_in_use_message(directory)
        )
        self._directory = directory
        with suppress(OSError):  # the lock is valid on a full disk as well
            _write_description(directory, ranks, device)

    def release(self) -> None:
        """Release the lock."""
        with suppress(OSError):
            file_names.training_run_path(self._directory).unlink(missing_ok=True)
        self._file_lock.release()


def read_training_run(directory: Path) -> TrainingRun | None:
    """Return the training run that serves a session now, or None; a description left by a dead one is ignored."""
    run = _read_description(directory)  # first: it is removed before the lock is released
    return run if lock.is_locked(file_names.training_run_lock_path(directory)) else None


def refuse_training_run(directory: Path) -> None:
    """Raise UserError if a training run serves the session, also while it waits for answers."""
    if read_training_run(directory) is not None:
        raise UserError(_build_in_use_message(directory))


def _build_in_use_message(directory: Path) -> str:
    name, run = directory.name, _read_description(directory)
    return f"Session {name} is being trained by {run}. Stop it first with: vaetui stop {name}"


def _write_description(directory: Path, ranks: int, device: str) -> None:
    run = TrainingRun(lock.get_user_name(), platform.node(), os.getpid(), ranks, device)
    lock.write_description(file_names.training_run_path(directory), asdict(run))


def _read_description(directory: Path) -> TrainingRun:
    """Return the description of a run; an empty one if the file is missing or invalid."""
    fields = lock.read_description(file_names.training_run_path(directory), ("user", "host", "device"))
    ranks = fields.get("ranks")
    if type(ranks) is not int or ranks < 1:
        return TrainingRun()
    return TrainingRun(fields["user"], fields["host"], fields["process_id"], ranks, fields["device"])
