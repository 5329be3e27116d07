"""`export`: write the labels of a session in the formats of other programs."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaetui.cli.params import force_option, session_argument
from vaetui.errors import UserError
from vaetui.export.format_names import EXPORT_FORMATS, choose_format
from vaetui.runtime import session_runner

if TYPE_CHECKING:
    from vaetui.engine.events import Event
    from vaetui.export.label_table import LabelTable
    from vaetui.session.session_snapshot import SessionSnapshot


@click.command()
@session_argument
@click.option("-o", "--output", required=True, type=click.Path(), help="File or directory to write.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(EXPORT_FORMATS),
    help="Format of the output (default: by its suffix; csv without one, folders for a name that ends in /).",
)
@click.option("--min-confidence", type=click.FloatRange(0, 1), default=0.0, help="Omit labels below this confidence.")
@click.option("--copy", "copies_images", is_flag=True, help="Copy the images (default: create links).")
@force_option
def export(
    session: str, output: str, format_name: str | None, min_confidence: float, copies_images: bool, force: bool
) -> None:
    """Write one label per image as a table, arrays or folders.

    Labels come from the answers, else from the classifier. --format folders creates a directory per class, and
    _unsure for labels below --min-confidence. Another process may have the session open.
    """
    from vaetui.session.label_export import ExportOptions, export_labels
    from vaetui.session.session_snapshot import SessionSnapshot
    from vaetui.storage import locations, output_files

    if math.isnan(min_confidence):
        raise UserError("--min-confidence has to be a number from 0 to 1.")
    options = ExportOptions(choose_format(output, format_name), min_confidence, copies_images, force)
    with closing(SessionSnapshot(locations.find_session(session))) as snapshot:
        events = export_labels(snapshot.repository.data_source, _load_labels(snapshot), Path(output), options)
        message = session_runner.run_with_progress(events)
    click.echo(message, err=output_files.find_descriptor(Path(output)) == 1)


def _load_labels(snapshot: SessionSnapshot) -> Generator[Event, None, LabelTable]:
    """Return the labels of a session without its lock; if files are damaged and no process has it open, repair it."""
    from vaetui.engine.events import Notice
    from vaetui.session import lifecycle
    from vaetui.session.data_loading import describe_damaged_files
    from vaetui.session.label_export import describe_moment
    from vaetui.session.snapshot_labels import NoLabelsError, label_images

    try:
        damage = describe_damaged_files(snapshot.repository)
        if damage is None or snapshot.holder is not None:
            label_table = yield from label_images(snapshot)
            if snapshot.holder is not None or not snapshot.store.damaged_names:
                yield from (Notice(text) for text in (describe_moment(snapshot), damage) if text)
                return label_table
    except NoLabelsError:
        raise
    except UserError:
        if snapshot.holder is not None:
            raise
    with session_runner.open_session(lambda: lifecycle.resume_at(snapshot.directory)) as session:
        return (yield from session.build_label_table())
