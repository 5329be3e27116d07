"""New images are classified by a trained session, row by row; it does not know the networks."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from vaetui.store import files
from vaetui.trouble import Trouble

HEAD = ("path", "label", "class", "confidence")
"""What is told of each image."""
WAITING = 64
"""Paths from standard input that are waited for before the first of them are classified."""


def predict(name: str, paths: tuple[str, ...], output: Path | None, form: str) -> None:
    """Classify images and write a row for each as soon as it is known; what cannot be read is told and left out.

    Raises Trouble for a session that has learned nothing, for paths that lead nowhere, and where nothing can be read.
    """
    from vaetui.headless import consumed
    from vaetui.intake.streaming import TOGETHER, stream
    from vaetui.session.classifier import Classifier

    classifier = Classifier(name)
    typed = paths == ("-",)
    wanted: Iterable[str] = (line.rstrip("\n") for line in sys.stdin) if typed else paths
    done = skipped = 0
    with _opened(output) as file, _heard(output):
        write = _writer(file, form)
        for portion in stream(wanted, classifier.size, WAITING if typed else TOGETHER):
            for path, why in portion.skipped:
                click.echo(f"{ascii(path)[1:-1] if not path.isprintable() else path} {why}", err=True)
            skipped += len(portion.skipped)
            if len(portion.pixels):
                found = consumed(classifier.read(portion.pixels))
                labels, sure = found.predicted.tolist(), found.certainty.tolist()
                for path, label, share in zip(portion.names, labels, sure, strict=True):
                    write(
                        {"path": path, "label": label, "class": classifier.classes[label], "confidence": f"{share:.4f}"}
                    )
                done += len(portion.pixels)
            file.flush()
    if not done:
        raise Trouble(
            f"None of {skipped} files could be read as an image." if skipped else "There are no images to read."
        )
    if output is not None:
        click.echo(f"{output}: {done:,} images{f', {skipped:,} could not be read' if skipped else ''}.")


@contextmanager
def _heard(output: Path | None) -> Iterator[None]:
    """Leave quietly where nobody reads any more, and tell of a full disk."""
    try:
        with files.explained(output or Path("standard output").absolute()):
            yield
    except Trouble as trouble:
        if isinstance(trouble.__cause__, BrokenPipeError):
            # Python would complain of it once more as it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(128 + signal.SIGPIPE)
        raise


def _opened(output: Path | None) -> IO[str]:
    if output is None:
        return open(sys.stdout.fileno(), "w", encoding="utf-8", errors="surrogateescape", closefd=False, newline="")
    if not output.parent.is_dir():
        raise Trouble(f"There is no directory {output.parent}; make it first.")
    with files.explained(output):
        return output.open("w", encoding="utf-8", errors="surrogateescape", newline="")


def _writer(file: IO[str], form: str) -> Callable[[dict[str, object]], None]:
    if form == "jsonl":
        return lambda row: print(json.dumps(row | {"confidence": float(str(row["confidence"]))}), file=file)
    rows = csv.DictWriter(file, HEAD, lineterminator="\n")
    rows.writeheader()
    return rows.writerow
