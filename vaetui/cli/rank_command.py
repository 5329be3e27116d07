"""`--ranks`: train a session in several processes, and attach to those that train one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaetui.cli.params import bounded_option
from vaetui.cli.ui_options import UiMode
from vaetui.engine.config import Bounds
from vaetui.errors import UserError

if TYPE_CHECKING:
    from vaetui.engine.config import Device
    from vaetui.session.session import Session
    from vaetui.storage.training_run import TrainingRun

MAX_RANKS = 64
"""Most processes on one machine."""
ranks_option = bounded_option(
    "--ranks",
    metavar="N",
    bounds=Bounds(1, MAX_RANKS),
    help="Train in N processes of this machine together, which pays with several GPUs or many CPUs "
    "(default: in this process alone).",
)


def run_session(
    session_factory: Callable[[], Session],
    ranks: int | None,
    ui_mode: UiMode,
    device: Device | None = None,
    notice: str = "",
) -> None:
    """Open a session and run it; with `ranks`, so many processes train it, and are stopped at the end."""
    if ranks is None:
        ui_mode.run_session(session_factory, notice)
        return
    from vaetui.runtime import background_training, local_ranks

    notice = " ".join(filter(None, [notice, local_ranks.describe_crowding(ranks)]))
    if ui_mode.detach:
        if notice:
            click.echo(notice, err=True)
        with closing(session_factory()) as session:
            background_training.require_training(session)
        _record_device(session.directory, device)
        local_ranks.train_detached(session.directory, ranks)
        return

    def open_attached() -> Session:
        from vaetui.session.attached_session import AttachedSession

        session = session_factory()
        session.close()  # for the processes that train it
        _record_device(session.directory, device)
        start_processes = partial(local_ranks.LocalRanks, session.directory, ranks)
        return AttachedSession(session.directory, start_processes, f"--ranks {ranks}")

    ui_mode.run_session(open_attached, notice)


def _record_device(directory: Path, device: Device | None) -> None:
    """Record the device that all processes train on from now on, if one was given."""
    if device is not None:
        from vaetui.session import lifecycle

        lifecycle.record_device(directory, device)


def attach(
    directory: Path, run: TrainingRun, ranks: int | None, device: Device | None, ui_mode: UiMode, notice: str
) -> None:
    """Attach to the processes that train a session, which go on when it is closed here.

    Raises UserError while another process has the session open to answer a round.
    """
    from vaetui.session import session_users
    from vaetui.storage import lock

    if not session_users.find_users(directory).can_be_resumed:
        raise UserError(lock.build_in_use_message(directory))
    for option, is_given in (("--ranks", ranks), ("--device", device), ("--detach", ui_mode.detach)):
        if is_given:
            raise UserError(f"Session {directory.name} is trained by {run}. Attach to it without {option}.")

    def open_attached() -> Session:
        from vaetui.session.attached_session import AttachedSession

        return AttachedSession(directory)

    ui_mode.run_session(open_attached, notice)
