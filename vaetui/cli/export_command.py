"""`export`: write the labels of a session in the formats of other programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from vaetui.cli.params import build_format_option, session_argument
from vaetui.errors import UserError
from vaetui.runtime import session_runner

DIRECTORY_FORMATS = ("folders", "label-studio", "fiftyone", "huggingface")
"""Formats that are a directory with images."""
EXPORT_FORMATS = ("csv", "jsonl", "npz", "idx", "parquet", *DIRECTORY_FORMATS)
"""Formats of exported labels."""


@click.command()
@session_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="File or directory to write.")
@build_format_option(EXPORT_FORMATS)
@click.option("--min-confidence", type=click.FloatRange(0, 1), default=0.0, help="Omit labels below this confidence.")
@click.option("--copy", "copy_images", is_flag=True, help="Copy the images (default: create links).")
def export(session: str, output: Path, format_name: str, min_confidence: float, copy_images: bool) -> None:
    """Write one label per image as a table, arrays or folders.

    Labels come from the answers, else from the classifier. --format folders creates a directory per class, and
    _unsure for labels below --min-confidence.
    """
    from vaetui.engine.idx import find_idx_files
    from vaetui.engine.images import read_images_and_digest
    from vaetui.export.formats import write_labels
    from vaetui.export.label_table import ANSWER
    from vaetui.session import dataset_location, lifecycle
    from vaetui.session.final_labels import find_source_files
    from vaetui.session.session_status import load_status

    is_directory_format = format_name in DIRECTORY_FORMATS
    if not output.parent.is_dir():
        raise UserError(f"Directory {output.parent} does not exist. Create it first.")
    if not is_directory_format and output.is_dir():
        raise UserError(f"{output} is a directory. Name a file with -o.")
    with session_runner.open_session(lambda: lifecycle.resume(session)) as opened_session:
        label_table = session_runner.run_with_progress(opened_session.build_label_table())
    source_directory = dataset_location.locate_source_directory(load_status(session)["data"])
    label_table = replace(label_table, source_files=find_source_files(source_directory, len(label_table)))
    images = None
    if is_directory_format and label_table.source_files is None:
        images = read_images_and_digest(find_idx_files(source_directory).train_images)[0].all_pixels
    progress = write_labels(label_table, format_name, min_confidence, copy_images, images, output)
    missing_count = session_runner.run_with_progress(progress)
    if missing_count:
        click.echo(f"{missing_count:,} image files no longer exist and were omitted.", err=True)
    written_count = int((label_table.confidences >= min_confidence).sum())
    answered_count = int((label_table.source_ids == ANSWER).sum())
    unsure_count, place = len(label_table) - written_count, "in _unsure" if format_name == "folders" else "omitted"
    rest = f", {unsure_count:,} below {min_confidence:g} {place}" if unsure_count else ""
    click.echo(f"{output}: {written_count:,} labels written{rest}; you saw {answered_count:,} images.")
