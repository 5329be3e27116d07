"""`export`: write the labels of a session in the formats of other programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaetui.cli.params import force_option, refuse_to_overwrite, session_argument
from vaetui.errors import UserError, make_printable
from vaetui.runtime import session_runner

if TYPE_CHECKING:
    from vaetui.export.formats import ExportCounts
    from vaetui.export.label_table import SourceFiles

DIRECTORY_FORMATS = ("folders", "label-studio", "fiftyone", "huggingface")
"""Formats that are a directory with images."""
EXPORT_FORMATS = ("csv", "jsonl", "npz", "idx", "parquet", *DIRECTORY_FORMATS)
"""Formats of exported labels."""
FORMATS_BY_SUFFIX = {".csv": "csv", ".jsonl": "jsonl", ".npz": "npz", ".parquet": "parquet"}
"""The format of an output without --format."""
MAX_NAMED_FILES = 3
"""Most files that a message names."""


@click.command()
@session_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="File or directory to write.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(EXPORT_FORMATS),
    help="Format of the output (default: the one that the suffix of the output names, else csv).",
)
@click.option("--min-confidence", type=click.FloatRange(0, 1), default=0.0, help="Omit labels below this confidence.")
@click.option("--copy", "copy_images", is_flag=True, help="Copy the images (default: create links).")
@force_option
def export(
    session: str, output: Path, format_name: str | None, min_confidence: float, copy_images: bool, force: bool
) -> None:
    """Write one label per image as a table, arrays or folders.

    Labels come from the answers, else from the classifier. --format folders creates a directory per class, and
    _unsure for labels below --min-confidence.
    """
    from vaetui.engine.idx import find_idx_files
    from vaetui.engine.images import read_images_and_digest
    from vaetui.export.formats import write_labels
    from vaetui.export.label_table import ANSWER
    from vaetui.session import dataset_location, lifecycle, source_images
    from vaetui.session.session_status import load_status
    from vaetui.storage import output_files

    if math.isnan(min_confidence):
        raise UserError("--min-confidence has to be a number from 0 to 1.")
    format_name = format_name or FORMATS_BY_SUFFIX.get(output.suffix.lower(), "csv")
    is_directory_format = format_name in DIRECTORY_FORMATS
    output_files.require_parent_directory(output)
    if not is_directory_format and output.is_dir():
        raise UserError(f"{output} is a directory. Name a file with -o.")
    source_directory = dataset_location.locate_source_directory(load_status(session)["data"])
    refuse_to_overwrite(output, force or is_directory_format, source_images.iter_input_paths(source_directory))
    if is_directory_format:
        output_files.require_new_directory(output)
    with session_runner.open_session(lambda: lifecycle.resume(session)) as opened_session:
        label_table = session_runner.run_with_progress(opened_session.build_label_table())
    sources = session_runner.run_with_progress(source_images.find_source_images(source_directory, len(label_table)))
    label_table = replace(label_table, source_files=sources.files, omitted_positions=sources.omitted_positions)
    images = None
    if is_directory_format and sources.files is None:
        images = read_images_and_digest(find_idx_files(source_directory).train_images)[0].all_pixels
    progress = write_labels(label_table, format_name, min_confidence, copy_images, images, output)
    counts = session_runner.run_with_progress(progress)
    if sources.notice:
        click.echo(make_printable(sources.notice), err=True)
    if sources.files and sources.files.replaced_indices:
        click.echo(make_printable(_describe_replaced_files(sources.files, is_directory_format)), err=True)
    answered_count = int((label_table.source_ids == ANSWER).sum())
    sentence = _describe_counts(counts, min_confidence, format_name == "folders")
    message = f"{output}: {sentence}; you saw {answered_count:,} images."
    click.echo(make_printable(message), err=output_files.find_descriptor(output) == 1)


def _describe_counts(counts: ExportCounts, min_confidence: float, has_unsure_directory: bool) -> str:
    place = "in _unsure" if has_unsure_directory else "omitted"
    parts = [f"{counts.written:,} labels written"]
    if counts.unsure:
        parts.append(f"{counts.unsure:,} below {min_confidence:g} {place}")
    if counts.unlabelled:
        verb = "image has" if counts.unlabelled == 1 else "images have"
        parts.append(f"{counts.unlabelled:,} {verb} no label yet" + ", in _unsure" * has_unsure_directory)
    if counts.missing:
        files = "its file is" if counts.missing == 1 else "their files are"
        parts.append(f"{counts.missing:,} omitted because {files} missing or unreadable")
    if counts.replaced:
        files = "its file contains another picture" if counts.replaced == 1 else "their files contain other pictures"
        parts.append(f"{counts.replaced:,} omitted because {files} now")
    return ", ".join(parts)


def _describe_replaced_files(source_files: SourceFiles, are_omitted: bool) -> str:
    indices: Sequence[int] = sorted(source_files.replaced_indices)
    names = ", ".join(source_files.relative_paths[index] for index in indices[:MAX_NAMED_FILES])
    more = f" and {len(indices) - MAX_NAMED_FILES:,} more" if len(indices) > MAX_NAMED_FILES else ""
    if len(indices) == 1:
        subject = "1 image file contains another picture"
        consequence = "it was omitted" if are_omitted else "its label belongs to the imported picture"
    else:
        subject = f"{len(indices):,} image files contain other pictures"
        consequence = "they were omitted" if are_omitted else "their labels belong to the imported pictures"
    return f"{subject} than at the import, so {consequence}: {names}{more}."
