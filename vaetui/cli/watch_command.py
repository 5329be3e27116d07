"""`watch`: look at a session while another process trains or answers it."""

from __future__ import annotations

import click

from vaetui.cli.params import session_argument
from vaetui.cli.ui_options import UiMode, add_foreground_options


@click.command()
@session_argument
@add_foreground_options
def watch(session: str, ui_mode: UiMode) -> None:
    """Watch a session that another process has open.

    Nothing is changed. Losses, reconstructions, clusters and answers appear as they are recorded. With --plain, the
    command ends when the run is finished.
    """
    from vaetui.runtime import watching
    from vaetui.storage import locations

    directory = locations.find_session(session)
    if ui_mode.plain:
        watching.watch_in_lines(directory)
    else:
        watching.watch_in_app(directory, ui_mode.settings)
