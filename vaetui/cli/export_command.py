"""The labels of a session are written for other programs, and a person is told what was; it knows no form of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from vaetui.cli.params import session_argument
from vaetui.errors import UserError
from vaetui.runtime import runner

DIRECTORY_FORMATS = ("folders", "label-studio", "fiftyone", "huggingface")
"""Forms that are a directory with pictures."""
EXPORT_FORMATS = ("csv", "jsonl", "npz", "idx", "parquet", *DIRECTORY_FORMATS)
"""What labels can be exported as."""


@click.command()
@session_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The file or directory to write.")
@click.option(
    "--format", "form", type=click.Choice(EXPORT_FORMATS), default="csv", show_default=True, help="What to write."
)
@click.option(
    "--min-confidence", "least", type=click.FloatRange(0, 1), default=0.0, help="Leave out labels that are less sure."
)
@click.option("--copy", "copies", is_flag=True, help="Copy pictures into folders; without it, they are linked.")
def export(session: str, output: Path, format_name: str, min_confidence: float, copy_images: bool) -> None:
    """Write one label per image, from the answers or else the classifier.

    A table, arrays, or with --format folders a directory for each class, and _unsure for those that are less sure.
    """
    from vaetui.engine.idx import find_idx_files
    from vaetui.engine.images import read_images
    from vaetui.export.formats import write_labels
    from vaetui.export.label_table import ANSWER
    from vaetui.session import data_source, lifecycle
    from vaetui.session.final_labels import source_files
    from vaetui.session.summary import load_status

    if not output.parent.is_dir():
        raise UserError(f"There is no directory {output.parent}; make it first.")
    if format_name not in DIRECTORY_FORMATS and output.is_dir():
        raise UserError(f"{output} is a directory; name a file.")
    with runner.open_session(lambda: lifecycle.resume(session)) as opened:
        labels = runner.run_with_progress(opened.label_table())
    place = data_source.source_directory(load_status(session)["data"])
    labels = replace(labels, source_files=source_files(place, len(labels)))
    sure = int((labels.confidences >= min_confidence).sum())
    images = (
        read_images(find_idx_files(place).train_images)[0].all_pixels
        if format_name in DIRECTORY_FORMATS and labels.source_files is None
        else None
    )
    gone = runner.run_with_progress(write_labels(labels, format_name, min_confidence, copy_images, images, output))
    if gone:
        click.echo(f"{gone:,} pictures are gone and were left out.", err=True)
    answered = int((labels.source_ids == ANSWER).sum())
    left = f", {len(labels) - sure:,} less sure than {min_confidence:g}" if sure < len(labels) else ""
    click.echo(f"{output}: {sure:,} labels{left}; {answered:,} images were seen in answers.")
