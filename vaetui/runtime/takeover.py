"""A session that is trained without a terminal is asked for and waited for; it does not know what for."""

from __future__ import annotations

import time
from pathlib import Path

import click

from vaetui.errors import Trouble
from vaetui.storage import control_files, lock

POLL = 0.1
"""Seconds between two looks at the lock."""
PACE = 10.0
"""Seconds between two lines that say that it takes longer."""
PATIENCE = 180.0
"""Seconds after which nothing is expected any more; the longest steps are those of clustering a million images."""


def take_over(directory: Path) -> None:
    """Ask whoever trains a session without a terminal to leave it, and wait until it has saved.

    Whoever sits before a terminal is left alone: the lock refuses. Raises Trouble where the session is not left in
    time.
    """
    holder = lock.holder(directory)
    if holder is None and (failure := control_files.failure(directory)):
        _tell(f"Training without a terminal had ended: {failure}")
        control_files.sweep(directory)
    if holder is None or not holder.detached:
        return
    _tell(f"{directory.name} is trained without a terminal by {holder}; it is asked to save and leave …")
    begun = told = time.monotonic()
    try:
        # For a moment before it is gone nothing is known of a holder any more.
        while holder is not None and (holder.detached or not holder.process):
            control_files.ask(directory)  # each time: another one who asked may have withdrawn it
            time.sleep(POLL)
            now = time.monotonic()
            if now - begun >= PATIENCE:
                raise Trouble(
                    f"{directory.name} was not left within {PATIENCE:.0f} seconds by {holder}; end that process, or "
                    "try again."
                )
            if now - told >= PACE:
                told = now
                _tell("it is still in a step that cannot be left; Ctrl-C gives up")
            holder = lock.holder(directory)
    finally:
        control_files.withdraw(directory)


def _tell(line: str) -> None:
    click.echo(line, err=True)
