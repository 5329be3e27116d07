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
from vaetui.signals import ShutdownSignals
from vaetui.simulation.stopwatch import Stopwatch

if TYPE_CHECKING:
    from vaetui.cli.data_options import ImportedData
    from vaetui.session.session import Session
    from vaetui.simulation.annotator_config import AnnotatorConfig

T = TypeVar("T")


def run_simulation(
    imported_data: ImportedData, annotator_config: AnnotatorConfig, session_name: str | None, as_json: bool
) -> None:
    """Let a stand-in for a person answer a new session, and print what it came to; without a name nothing is kept."""
    watch = Stopwatch()
    if not as_json:
        click.echo("loading PyTorch …")
    with watch.measure("loading"):
        from vaetui.simulation import progress_display, reader_cache
        from vaetui.simulation.run import Simulation
    with watch.exclude():
        fetching = reader_cache.load_or_train_reader(imported_data.source, imported_data.config.network.classes)
        shelved = drain(fetching) if as_json else runner.run_with_progress(fetching)
    with _open_session(session_name, imported_data) as session, ShutdownSignals() as farewells:
        run = interruptible(Simulation(session, shelved, annotator_config, watch).run(), farewells)
        with contextlib.closing(run):  # so that it saves while the session is open
            outcome = drain(run) if as_json else progress_display.display_progress(run, session.epochs)
    if as_json:
        click.echo(json.dumps(outcome.to_dict()))
    elif session_name:
        click.echo(f"The session is kept. Open it with: vaetui resume {session_name}")


@contextmanager
def _open_session(session_name: str | None, imported_data: ImportedData) -> Iterator[Session]:
    """Make a session and open it: among the others under a name, or in a place that goes away."""
    from vaetui.session import lifecycle

    if session_name is not None:
        with runner.open_session(
            lambda: lifecycle.create(
                session_name, imported_data.source, imported_data.config, imported_data.data_record
            )
        ) as session:
            yield session
        return
    with tempfile.TemporaryDirectory(prefix="vaetui-") as place:
        lifecycle.create_at(Path(place), imported_data.source, imported_data.config, imported_data.data_record)
        with contextlib.closing(lifecycle.resume_at(Path(place))) as session:
            yield session


def interruptible(events: Generator[Any, None, T], shutdown_signals: ShutdownSignals) -> Generator[Any, None, T]:
    """Go on with a slow verb until a signal asks to leave: it is looked at between two events.

    As an exception it would come anywhere, also where Python only complains of it: in a callback of a C library.
    """
    with contextlib.closing(events):
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                return cast(T, end.value)
            yield event
            if shutdown_signals.signal_number == signal.SIGINT:
                raise click.Abort
            if shutdown_signals.signal_number:
                sys.exit(128 + shutdown_signals.signal_number)


def drain(events: Generator[Any, None, T]) -> T:
    """Consume a slow verb, and give what it returns."""
    while True:
        try:
            next(events)
        except StopIteration as end:
            return cast(T, end.value)
