"""The training run of a session: the processes that train it whenever it needs no answers, and their lock."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from vaetui.errors import UserError, format_count, is_printable_text
from vaetui.storage import atomic_files, file_names, lock
from vaetui.storage.atomic_files import translate_os_errors


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
        path = file_names.training_run_lock_path(directory)
        self._file_lock = FileLock(path, mode=0o600)
        self._directory = directory
        with translate_os_errors(path):
            if path.is_symlink():
                raise UserError(f"{path} is a link, which vaetui never creates. Delete it and try again.")
            try:
                # `read_training_run` of another process holds the lock for a moment.
                self._file_lock.acquire(timeout=lock.ACQUIRE_TIMEOUT_S, poll_interval=lock.ACQUIRE_TIMEOUT_S / 10)
            except Timeout as error:
                run = _read_description(file_names.training_run_path(directory))
                raise UserError(f"Session {directory.name} is being trained by {run}. Stop that run first.") from error
        with suppress(OSError):  # the lock is valid on a full disk as well
            _write_description(directory, ranks, device)

    def release(self) -> None:
        """Release the lock."""
        with suppress(OSError):
            file_names.training_run_path(self._directory).unlink(missing_ok=True)
        self._file_lock.release()


def read_training_run(directory: Path) -> TrainingRun | None:
    """Return the training run that serves a session now, or None; a description left by a dead one is ignored."""
    run = _read_description(file_names.training_run_path(directory))  # first: it is removed before the lock is released
    return run if lock.is_locked(file_names.training_run_lock_path(directory)) else None


def _write_description(directory: Path, ranks: int, device: str) -> None:
    run = TrainingRun(lock.get_user_name(), lock.get_host_name(), os.getpid(), ranks, device)
    path = file_names.training_run_path(directory)
    path.unlink(missing_ok=True)  # it may be a link that leads out of the session
    with atomic_files.open_for_writing(path, os.O_EXCL) as file:
        file.write(json.dumps(asdict(run)).encode())


def _read_description(path: Path) -> TrainingRun:
    """Return the description of a run; an empty one if the file is missing or invalid."""
    try:
        with atomic_files.open_for_reading(path) as file:
            fields = json.loads(file.read(1000))  # limit the size: another user may have written it
        user, host, device = (
            "".join(filter(is_printable_text, fields[name]))[:64] for name in ("user", "host", "device")
        )
        process_id, ranks = fields["process_id"], fields["ranks"]
        if all(type(number) is int and 0 < number < 1 << 32 for number in (process_id, ranks)):
            return TrainingRun(user, host, process_id, ranks, device)
        return TrainingRun()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return TrainingRun()
