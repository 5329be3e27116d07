"""`simulate`: run a whole session with a simulated annotator and print the result."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from vaetui.runtime import session_runner
from vaetui.signals import ShutdownSignals, find_exit_status
from vaetui.simulation.stopwatch import Stopwatch

if TYPE_CHECKING:
    from vaetui.cli.data_options import ImportedData
    from vaetui.session.session import Session
    from vaetui.simulation.annotator_config import AnnotatorConfig

T = TypeVar("T")


def run_simulation(
    imported_data: ImportedData, annotator_config: AnnotatorConfig, session_name: str | None, as_json: bool
) -> None:
    """Simulate a new session and print the result; without a name, the session is deleted afterwards."""
    stopwatch = Stopwatch()
    if not as_json:
        click.echo("loading PyTorch …")
    with stopwatch.measure_part("loading"):
        from vaetui.engine.config import decodes_images
        from vaetui.simulation import progress_display, reader_cache
        from vaetui.simulation.run import Simulation
    with stopwatch.exclude_from_total():
        trained_reader, network = None, imported_data.config.network
        if annotator_config.annotator == "centre" or decodes_images(network):
            reader_events = reader_cache.load_or_train_reader(imported_data.source, network.classes)
            trained_reader = (
                session_runner.drain_events(reader_events)
                if as_json
                else session_runner.run_with_progress(reader_events)
            )
    with _open_session(session_name, imported_data) as session, ShutdownSignals() as shutdown_signals:
        simulation = Simulation(session, trained_reader, annotator_config, stopwatch)
        events = exit_on_signal(simulation.run_to_end(), shutdown_signals)
        with closing(events):  # An interrupted run must save while the session is open.
            result = (
                session_runner.drain_events(events)
                if as_json
                else progress_display.display_progress(events, session.epoch_count)
            )
    if as_json:
        click.echo(json.dumps(result.to_dict()))
    elif session_name:
        click.echo(f"Session kept. Open it with: vaetui resume {session_name}")


@contextmanager
def _open_session(session_name: str | None, imported_data: ImportedData) -> Iterator[Session]:
    """Create and open a session with a name, or one in a temporary directory."""
    from vaetui.session import lifecycle

    source, config, data_record = imported_data.source, imported_data.config, imported_data.data_record
    if session_name is not None:
        with session_runner.open_session(
            lambda: lifecycle.create(session_name, source, config, data_record)
        ) as session:
            yield session
        return
    with tempfile.TemporaryDirectory(prefix="vaetui-") as directory:
        lifecycle.create_at(Path(directory), source, config, data_record)
        with closing(lifecycle.resume_at(Path(directory))) as session:
            yield session


def exit_on_signal(events: Generator[Any, None, T], shutdown_signals: ShutdownSignals) -> Generator[Any, None, T]:
    """Pass events on, and exit between two of them if a signal has arrived.

    A signal handler that raises could interrupt a callback of a C library, where Python only prints the exception.
    """
    with closing(events):
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                return cast(T, end.value)
            yield event
            if shutdown_signals.signal_number == signal.SIGINT:
                raise click.Abort
            if shutdown_signals.signal_number:
                sys.exit(find_exit_status(shutdown_signals.signal_number))
