"""The labels of a session are written for other programs, and a person is told what was; it knows no form of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from vaetui import running
from vaetui.trouble import Trouble

PICTURED = ("folders", "label-studio", "fiftyone", "huggingface")
"""Forms that are a directory with pictures."""
FORMS = ("csv", "jsonl", "npz", "idx", "parquet", *PICTURED)
"""What labels can be exported as."""


def export(name: str, form: str, least: float, copies: bool, output: Path) -> None:
    """Write the labels of a session in that form, those that are at least so sure.

    Raises Trouble for a session without labels, a place that cannot be written and a full disk.
    """
    from vaetui.session import creation, source
    from vaetui.session.export import pictures
    from vaetui.session.report import show

    if not output.parent.is_dir():
        raise Trouble(f"There is no directory {output.parent}; make it first.")
    if form not in PICTURED and output.is_dir():
        raise Trouble(f"{output} is a directory; name a file.")
    with running.opened(lambda: creation.resume(name)) as session:
        labels = running.watched(session.labels())
    place = source.directory(show(name)["data"])
    labels = replace(labels, files=pictures(place))
    sure = int((labels.confidences >= least).sum())
    from vaetui.engine.idx import locate
    from vaetui.engine.images import read_idx
    from vaetui.exports.writing import write

    images = read_idx(locate(place).train_images, 3) if form in PICTURED and labels.files is None else None
    gone = running.watched(write(labels, form, least, copies, images, output))
    if gone:
        click.echo(f"{gone:,} pictures are gone and were left out.", err=True)
    answered = int((labels.sources == 0).sum())
    left = f", {len(labels) - sure:,} less sure than {least:g}" if sure < len(labels) else ""
    click.echo(f"{output}: {sure:,} labels{left}; {answered:,} images were seen in answers.")
