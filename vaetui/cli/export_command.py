"""`export`: write the labels of a session in the formats of other programs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from vaetui.cli.params import bounded_option, force_option, session_argument
from vaetui.engine.config import Bounds
from vaetui.export.format_names import EXPORT_FORMATS, choose_format
from vaetui.runtime import session_runner


@click.command()
@session_argument
@click.option("-o", "--output", required=True, type=click.Path(), help="File or directory to write.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(EXPORT_FORMATS),
    help="Format of the output (default: by its suffix; csv without one, folders for a name that ends in /).",
)
@bounded_option("--min-confidence", bounds=Bounds(0.0, 1.0), default=0.0, help="Omit labels below this confidence.")
@click.option("--copy", "copies_images", is_flag=True, help="Copy the images (default: create links).")
@force_option
def export(
    session: str, output: str, format_name: str | None, min_confidence: float, copies_images: bool, force: bool
) -> None:
    """Write one label per image as a table, arrays or folders.

    Labels come from the answers, else from the classifier. --format folders creates a directory per class, and
    _unsure for labels below --min-confidence. A file OUTPUT.info.json, in directories labels.info.json, says what the
    labels are worth. Another process may have the session open.
    """
    from vaetui.session.label_export import ExportOptions, export_labels
    from vaetui.session.session_snapshot import SessionSnapshot
    from vaetui.session.stored_labels import load_labels
    from vaetui.storage import locations, output_files

    options = ExportOptions(choose_format(output, format_name), min_confidence, copies_images, force)
    with closing(SessionSnapshot(locations.find_session(session))) as snapshot:
        label_events = load_labels(snapshot, session_runner.open_session)
        events = export_labels(snapshot, label_events, Path(output), options)
        message = session_runner.run_with_progress(events)
    click.echo(message, err=output_files.find_descriptor(Path(output)) == 1)
