"""The labels of a session are written for other programs, and a person is told what was; it knows no form of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from vaetui.cli.params import named
from vaetui.errors import Trouble
from vaetui.runtime import runner

PICTURED = ("folders", "label-studio", "fiftyone", "huggingface")
"""Forms that are a directory with pictures."""
FORMS = ("csv", "jsonl", "npz", "idx", "parquet", *PICTURED)
"""What labels can be exported as."""


@click.command()
@named
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The file or directory to write.")
@click.option("--format", "form", type=click.Choice(FORMS), default="csv", show_default=True, help="What to write.")
@click.option(
    "--min-confidence", "least", type=click.FloatRange(0, 1), default=0.0, help="Leave out labels that are less sure."
)
@click.option("--copy", "copies", is_flag=True, help="Copy pictures into folders; without it, they are linked.")
def export(session: str, output: Path, form: str, least: float, copies: bool) -> None:
    """Write one label per image, from the answers or else the classifier.

    A table, arrays, or with --format folders a directory for each class, and _unsure for those that are less sure.
    """
    from vaetui.engine.idx import locate
    from vaetui.engine.images import read_images
    from vaetui.export.formats import write
    from vaetui.export.label_table import ANSWER
    from vaetui.session import data_source, lifecycle
    from vaetui.session.final_labels import pictures
    from vaetui.session.summary import show

    if not output.parent.is_dir():
        raise Trouble(f"There is no directory {output.parent}; make it first.")
    if form not in PICTURED and output.is_dir():
        raise Trouble(f"{output} is a directory; name a file.")
    with runner.opened(lambda: lifecycle.resume(session)) as opened:
        labels = runner.watched(opened.labels())
    place = data_source.directory(show(session)["data"])
    labels = replace(labels, files=pictures(place, len(labels)))
    sure = int((labels.confidences >= least).sum())
    images = read_images(locate(place).train_images)[0].stored if form in PICTURED and labels.files is None else None
    gone = runner.watched(write(labels, form, least, copies, images, output))
    if gone:
        click.echo(f"{gone:,} pictures are gone and were left out.", err=True)
    answered = int((labels.sources == ANSWER).sum())
    left = f", {len(labels) - sure:,} less sure than {least:g}" if sure < len(labels) else ""
    click.echo(f"{output}: {sure:,} labels{left}; {answered:,} images were seen in answers.")
