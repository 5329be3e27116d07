"""Choose a session that this process can open, and stop its background training."""

from __future__ import annotations

import time
from pathlib import Path

import click

from vaetui.errors import UserError
from vaetui.session import session_users
from vaetui.storage import control_files, locations, lock

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
    if holder is None or not holder.is_detached:
        return
    click.echo(f"Stopping the background training of {directory.name} ({holder}) …", err=True)
    start_s = last_report_s = time.monotonic()
    try:
        # While the other process exits, its lock file can be empty: then the holder has no process id.
        while holder is not None and (holder.is_detached or not holder.process_id):
            control_files.request_release(directory)  # Repeated because another waiting process may cancel it.
            time.sleep(POLL_INTERVAL_S)
            now_s = time.monotonic()
            if now_s - start_s >= TIMEOUT_S:
                timeout_reason = (
                    f"did not stop within {TIMEOUT_S:.0f} seconds ({holder}). Try again, or kill that process."
                )
                raise UserError(f"Background training of {directory.name} {timeout_reason}")
            if now_s - last_report_s >= REPORT_INTERVAL_S:
                last_report_s = now_s
                click.echo("Still waiting for a step that cannot be interrupted. Ctrl-C: cancel", err=True)
            holder = lock.read_holder(directory)
    finally:
        control_files.cancel_release_request(directory)
