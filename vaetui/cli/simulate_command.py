"""A whole run without a screen, from the options to what is printed; it does not know how a run is driven."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from vaetui.runtime import runner
from vaetui.signals import Farewells
from vaetui.simulation.stopwatch import Stopwatch

if TYPE_CHECKING:
    from vaetui.cli.data_options import Taken
    from vaetui.session.session import Session
    from vaetui.simulation.annotator_config import Habits

T = TypeVar("T")


def simulate(taken: Taken, habits: Habits, keep: str | None, as_json: bool) -> None:
    """Let a stand-in for a person answer a new session, and print what it came to; without a name nothing is kept."""
    watch = Stopwatch()
    if not as_json:
        click.echo("loading PyTorch …")
    with watch.part("loading"):
        from vaetui.simulation import progress_display, reader_cache
        from vaetui.simulation.run import Simulation
    with watch.away():
        fetching = reader_cache.fetch(taken.source, taken.config.network.classes)
        shelved = consumed(fetching) if as_json else runner.watched(fetching)
    with _opened(keep, taken) as session, Farewells() as farewells:
        run = heeding(Simulation(session, shelved, habits, watch).run(), farewells)
        with contextlib.closing(run):  # so that it saves while the session is open
            outcome = consumed(run) if as_json else progress_display.watch(run, session.epochs)
    if as_json:
        click.echo(json.dumps(outcome.to_dict()))
    elif keep:
        click.echo(f"The session is kept. Open it with: vaetui resume {keep}")


@contextmanager
def _opened(keep: str | None, taken: Taken) -> Iterator[Session]:
    """Make a session and open it: among the others under a name, or in a place that goes away."""
    from vaetui.session import lifecycle

    if keep is not None:
        with runner.opened(lambda: lifecycle.create(keep, taken.source, taken.config, taken.material)) as session:
            yield session
        return
    with tempfile.TemporaryDirectory(prefix="vaetui-") as place:
        lifecycle.begin(Path(place), taken.source, taken.config, taken.material)
        with contextlib.closing(lifecycle.enter(Path(place))) as session:
            yield session


def heeding(run: Generator[Any, None, T], farewells: Farewells) -> Generator[Any, None, T]:
    """Go on with a slow verb until a signal asks to leave: it is looked at between two events.

    As an exception it would come anywhere, also where Python only complains of it: in a callback of a C library.
    """
    with contextlib.closing(run):
        while True:
            try:
                event = next(run)
            except StopIteration as end:
                return cast(T, end.value)
            yield event
            if farewells.number == signal.SIGINT:
                raise click.Abort
            if farewells.number:
                sys.exit(128 + farewells.number)


def consumed(events: Generator[Any, None, T]) -> T:
    """Consume a slow verb, and give what it returns."""
    while True:
        try:
            next(events)
        except StopIteration as end:
            return cast(T, end.value)
