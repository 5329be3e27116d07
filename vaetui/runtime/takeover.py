"""Choose a session that this process can open, and stop the processes that train it in the background."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path

import click

from vaetui.errors import UserError
from vaetui.session import session_users
from vaetui.storage import control_files, locations, lock, training_run

POLL_INTERVAL_S = 0.1
"""Seconds between two checks of the lock."""
REPORT_INTERVAL_S = 10.0
"""Seconds between two progress messages."""
TIMEOUT_S = 180.0
"""Seconds to wait for the other process; clustering a million images is the longest step that cannot be interrupted."""


def choose_latest_session() -> tuple[str, str]:
    """Return the session used last that is not open elsewhere, and a sentence about those that were passed over.

    A session that is trained in the background counts, as it can be taken over. Raises UserError if there is no
    session, or none that is free.
    """
    reasons = []
    for name in locations.list_session_names():
        try:
            users = session_users.find_users(locations.find_session(name))
        except UserError as error:  # an older format, or deleted meanwhile
            reasons.append(str(error))
            continue
        if users.can_be_resumed:
            return name, f"{'; '.join(reasons)}. Resumed {name} instead." if reasons else ""
        reasons.append(f"Session {name} is open in {users.holder}")
    if reasons:
        raise UserError(f"{'; '.join(reasons)}. Close one there, or create one with: vaetui new")
    raise UserError("There is no session yet. Create one with: vaetui new")


def stop_background_training(directory: Path) -> None:
    """Ask the background training of a session to stop, and wait until it has saved.

    A session that is open in a terminal is not stopped; its lock refuses a second process. Raises UserError if the
    training does not stop within TIMEOUT_S seconds.
    """
    holder = lock.read_holder(directory)
    if holder is None and (failure := control_files.read_failure(directory)):
        click.echo(f"Training failed: {failure}", err=True)
        control_files.remove_control_files(directory)
    if holder is not None and holder.is_detached:
        _stop_processes(directory, str(holder), lambda: _is_trained_in_background(directory))


def stop_training(directory: Path) -> str | None:
    """Stop whatever trains a session without a terminal, also a training run that waits for answers.

    Return the command that continues with as many processes; None if nothing trains the session. Raises UserError if
    the session is open in a terminal, and as `stop_background_training` does.
    """
    command = f"vaetui resume {directory.name}"
    users = session_users.find_users(directory)
    if (run := users.training_run) is not None:
        _stop_processes(directory, str(run), lambda: training_run.read_training_run(directory) is not None)
        # Processes of several machines cannot be started again by one command.
        return f"{command} --ranks {run.ranks}" if run.ranks > 1 and run.host == platform.node() else command
    if users.holder is None:
        return None
    if not users.holder.is_detached:
        raise UserError(lock.build_in_use_message(directory))
    _stop_processes(directory, str(users.holder), lambda: _is_trained_in_background(directory))
    return command


def _is_trained_in_background(directory: Path) -> bool:
    holder = lock.read_holder(directory)
    # While the other process exits, its lock file can be empty: then the holder has no process id.
    return holder is not None and (holder.is_detached or not holder.process_id)


def _stop_processes(directory: Path, users: str, is_running: Callable[[], bool]) -> None:
    """Ask the processes that train a session to stop, and wait until they have saved.

    Raises UserError if they do not stop within TIMEOUT_S seconds.
    """
    click.echo(f"Stopping the background training of {directory.name} ({users}) …", err=True)
    start_s = last_report_s = time.monotonic()
    try:
        while is_running():
            control_files.request_release(directory)  # repeated, because a process that opens the session withdraws it
            time.sleep(POLL_INTERVAL_S)
            now_s = time.monotonic()
            if now_s - start_s >= TIMEOUT_S:
                raise UserError(
                    f"Background training of {directory.name} did not stop within {TIMEOUT_S:.0f} seconds ({users}). "
                    "Try again, or kill that process."
                )
            if now_s - last_report_s >= REPORT_INTERVAL_S:
                last_report_s = now_s
                click.echo("Still waiting for a step that cannot be interrupted. Ctrl-C: cancel", err=True)
    finally:
        control_files.cancel_release_request(directory)
