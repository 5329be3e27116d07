"""Watch a session that another process may train: in the Textual app, or line by line."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vaetui.runtime import session_runner
from vaetui.signals import find_exit_status

if TYPE_CHECKING:
    from vaetui.tui.settings import AppSettings


def watch_in_app(directory: Path, settings: AppSettings) -> None:
    """Show a session in the Textual app; nothing in its directory is locked or changed."""
    from vaetui.session.watched_session import WatchedSession
    from vaetui.tui.terminal import capabilities

    capabilities.require_terminal(can_detach=False)
    session = WatchedSession(directory)
    signal_number = session_runner.run_app(session, settings).signal_number
    session_runner.exit_immediately(find_exit_status(signal_number))


def watch_in_lines(directory: Path) -> None:
    """Print what happens in a session until its run is finished or the user leaves."""
    from vaetui.session.watched_session import WatchedSession
    from vaetui.tui.plain.watch import PlainWatch

    session_runner.replace_unencodable_text()
    watch = PlainWatch(WatchedSession(directory), sys.stdin or io.StringIO(), lambda line: print(line, flush=True))
    signal_number = watch.run()
    session_runner.exit_immediately(find_exit_status(signal_number))
