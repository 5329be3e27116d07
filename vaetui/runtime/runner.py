"""A command holds a session for a while; it does not know what for."""

from __future__ import annotations

import io
import os
import select
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from vaetui.errors import UserError

if TYPE_CHECKING:
    from vaetui.session.session import Session

T = TypeVar("T")


def reserve_std_fds() -> None:
    """Keep the numbers of standard streams that are closed.

    Else a session's database would get one, and a library's complaint to standard error would be written into it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)


@contextmanager
def open_session(session_factory: Callable[[], Session]) -> Iterator[Session]:
    """Open a session for a while; a bug in it is told in its own log."""
    session = session_factory()
    try:
        with log_crash(session.directory, "all answers are saved, "):
            yield session
    finally:
        session.close()


@contextmanager
def log_crash(directory: Path, saved_note: str = "") -> Iterator[None]:
    """Turn a bug into one sentence, with what is saved, and exit status 1; a log in that directory tells more."""
    try:
        yield
    except (UserError, click.exceptions.Exit, click.ClickException, click.Abort):
        raise
    except Exception as error:
        from vaetui.storage import file_names, log

        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.open_log(directory).exception("a bug ended the program")
        what, place = type(error).__name__, file_names.log_path(directory)
        click.echo(f"vaetui: A bug ended the program ({what}); {saved_note}{place} tells more.", err=True)
        sys.exit(1)


def run_tui(session_factory: Callable[[], Session], pictures: str, theme: str) -> None:
    """Run the screens on a session, with pictures and a theme that are named or "auto", and tell how to come back."""
    from vaetui.tui.terminal import capabilities

    capabilities.require_terminal()
    with open_session(session_factory) as session:
        terminal = capabilities.detect_capabilities(
            *(None if chosen == "auto" else chosen for chosen in (pictures, theme))
        )
        capabilities.configure_textual(terminal, os.environ)
        from vaetui.tui.app import VaetuiApp

        screens = VaetuiApp(session, terminal.picture_mode, terminal.cell_pixels, terminal.theme)
        screens.run()
        if screens.failure is not None:
            raise screens.failure
    _exit_with_hint(session, screens.signal_number)


def run_plain(session_factory: Callable[[], Session]) -> None:
    """Lead the plain dialogue over a session on the standard streams, and tell how to come back."""
    from vaetui.tui.plain.dialogue import PlainDialogue

    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # neither a strange byte nor a poor encoding is a bug
    with open_session(session_factory) as session:
        dialogue = PlainDialogue(session, sys.stdin or io.StringIO(), lambda line: print(line, flush=True))
        dialogue.run()
    _exit_with_hint(session, dialogue.signal_number)


def run_detached(session_factory: Callable[[], Session]) -> None:
    """Train a session without a terminal until a person is needed, and tell how to come back."""
    from vaetui.runtime import daemonize

    leave = daemonize.daemonize()
    from vaetui.runtime.background_training import (
        BackgroundTraining,  # only now: a process is best copied while it is small
    )

    with open_session(session_factory) as session:
        work = BackgroundTraining(session, leave)
        work.run()
    _exit_with_hint(session, work.signal_number)


def _exit_with_hint(session: Session, signal_number: int) -> None:
    """Tell how to come back, and leave with the status of the signal that ended it, if one did."""
    try:
        # A terminal that nobody reads would keep the farewell waiting, and the program with it.
        if sys.stdout is not None and select.select([], [sys.stdout], [], 0)[1]:
            click.echo(f"Everything is saved. Come back with: vaetui resume {session.name}")
            if any(ended.answer_count for ended in session.training_curves().finished_epochs):
                click.echo(f"Take the labels with: vaetui export {session.name} -o {session.name}.csv")
    except OSError:
        # The terminal is gone, or whoever read the pipe; Python would complain of it once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        signal_number = signal_number or signal.SIGPIPE
    # Everything is saved and closed; Python would take a second to take PyTorch apart, or to load it before.
    os._exit(128 + signal_number if signal_number else 0)


def run_with_progress(events: Generator[Any, None, T]) -> T:
    """Consume a slow verb with its progress on standard error, if that is a terminal, and give what it returns."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with closing(events), Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("loading", total=None)
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                return cast(T, end.value)
            if hasattr(event, "total"):
                progress.update(task, description=event.activity, completed=event.completed, total=event.total)
