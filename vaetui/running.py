"""A command holds a session for a while; it does not know what for."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from vaetui.trouble import Trouble

if TYPE_CHECKING:
    from vaetui.engine.config import Config
    from vaetui.session.session import Session
    from vaetui.simulation.habits import Habits

T = TypeVar("T")


@contextmanager
def opened(opening: Callable[[], Session]) -> Iterator[Session]:
    """Open a session for a while; a bug in it is told in its own log."""
    session = opening()
    try:
        with confessed(session.directory):
            yield session
    finally:
        session.close()


@contextmanager
def confessed(directory: Path) -> Iterator[None]:
    """Turn a bug into one sentence and exit status 1, with the traceback in a log file in that directory."""
    try:
        yield
    except (Trouble, click.exceptions.Exit, click.ClickException, click.Abort):
        raise
    except Exception as error:
        from vaetui.store import log, places

        log.keep(directory).exception("a bug ended the program")
        what, place = type(error).__name__, places.log(directory)
        click.echo(f"vaetui: A bug ended the program ({what}); all answers are saved, {place} tells more.", err=True)
        sys.exit(1)


def drive(opening: Callable[[], Session], pictures: str) -> None:
    """Run the screens on a session, with pictures drawn that way or "auto", and tell how to come back."""
    from vaetui.tui import probe

    probe.need_terminal()
    with opened(opening) as session:
        terminal = probe.probe(None if pictures == "auto" else pictures)
        probe.prepare(terminal, os.environ)
        from vaetui.tui.app import VaetuiApp

        screens = VaetuiApp(session, terminal.pictures, terminal.cell)
        screens.run()
        if screens.failure is not None:
            raise screens.failure
        name, labelled = session.name, any(ended.answers for ended in session.curves().epochs)
    click.echo(f"Everything is saved. Come back with: vaetui resume {name}")
    if labelled:
        click.echo(f"Take the labels with: vaetui export {name} -o {name}.csv")


def watched(events: Iterator[Any]) -> Any:
    """Consume a slow verb with its progress on standard error, and give what it returns."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("loading", total=None)
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                return end.value
            if hasattr(event, "total"):
                progress.update(task, description=event.what, completed=event.done, total=event.total)


def simulated(source: str, config: Config, habits: Habits, keep: str | None, as_json: bool) -> None:
    """Drive a session by a stand-in for a person, and print what it came to; without a name nothing is kept."""
    if not as_json:
        click.echo("loading PyTorch …")
    from vaetui.simulation import display, shelf
    from vaetui.simulation.run import Simulation

    shelf.labelled(source)  # before a session is made for nothing
    with stage(keep, source, config) as opening, opened(opening) as session:
        fetching = shelf.fetch(source, config.network.classes)
        shelved = silent(fetching) if as_json else watched(fetching)
        run = Simulation(session, shelved, habits).run()
        outcome = silent(run) if as_json else display.watch(run, session.epochs)
    if as_json:
        click.echo(json.dumps(outcome.to_dict()))
    elif keep:
        click.echo(f"The session is kept. Open it with: vaetui resume {keep}")


@contextmanager
def stage(keep: str | None, source: str, config: Config) -> Iterator[Callable[[], Session]]:
    """Give what makes the session of a simulation: among the others under a name, or in a place that goes away."""
    from vaetui.session import creation

    if keep is not None:
        yield lambda: creation.create(keep, source, config)
        return
    with tempfile.TemporaryDirectory(prefix="vaetui-") as place:
        creation.begin(Path(place), source, config)
        yield lambda: creation.enter(Path(place))


def silent(events: Generator[Any, None, T]) -> T:
    """Consume a slow verb, and give what it returns."""
    while True:
        try:
            next(events)
        except StopIteration as end:
            return cast(T, end.value)
