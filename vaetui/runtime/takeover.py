"""A session that is trained without a terminal is asked for and waited for; it does not know what for."""

from __future__ import annotations

import time
from pathlib import Path

import click

from vaetui.errors import UserError
from vaetui.storage import control_files, lock

POLL_INTERVAL_S = 0.1
"""Seconds between two looks at the lock."""
REPORT_INTERVAL_S = 10.0
"""Seconds between two lines that say that it takes longer."""
TIMEOUT_S = 180.0
"""Seconds after which nothing is expected any more; the longest steps are those of clustering a million images."""


def take_over(directory: Path) -> None:
    """Ask whoever trains a session without a terminal to leave it, and wait until it has saved.

    Whoever sits before a terminal is left alone: the lock refuses. Raises Trouble where the session is not left in
    time.
    """
    holder = lock.read_holder(directory)
    if holder is None and (failure := control_files.read_failure(directory)):
        _print_status(f"Training without a terminal had ended: {failure}")
        control_files.remove_control_files(directory)
    if holder is None or not holder.is_detached:
        return
    _print_status(f"{directory.name} is trained without a terminal by {holder}; it is asked to save and leave …")
    begun = told = time.monotonic()
    try:
        # For a moment before it is gone nothing is known of a holder any more.
        while holder is not None and (holder.is_detached or not holder.process_id):
            control_files.request_release(directory)  # each time: another one who asked may have withdrawn it
            time.sleep(POLL_INTERVAL_S)
            now = time.monotonic()
            if now - begun >= TIMEOUT_S:
                raise UserError(
                    f"{directory.name} was not left within {TIMEOUT_S:.0f} seconds by {holder}; end that process, or "
                    "try again."
                )
            if now - told >= REPORT_INTERVAL_S:
                told = now
                _print_status("it is still in a step that cannot be left; Ctrl-C gives up")
            holder = lock.read_holder(directory)
    finally:
        control_files.cancel_release_request(directory)


def _print_status(message: str) -> None:
    click.echo(message, err=True)
