"""What a trained session is good for: new images are classified, new pictures drawn, its networks handed on.

Nothing heavy is imported before it is needed.
"""

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

from vaetui.cli.params import named
from vaetui.errors import Trouble
from vaetui.runtime import runner
from vaetui.storage import atomic_files

HEAD = ("path", "label", "class", "confidence")
"""What is told of each image."""
WAITING = 64
"""Paths from standard input that are waited for before the first of them are classified."""


@click.command()
@named
@click.argument("images", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
def predict(session: str, images: tuple[str, ...], output: Path | None, form: str) -> None:
    """Classify new IMAGES by what a session has learned, also while another process trains it.

    Pictures, directories, CSV, npy, npz or IDX files; - reads paths from standard input.
    """
    from vaetui.cli.simulate_command import consumed
    from vaetui.data.image_stream import TOGETHER, stream
    from vaetui.session.predictor import Trained

    trained = Trained(session)
    trained.need_classes()
    names = trained.classes.names
    typed = images == ("-",)
    wanted: Iterable[str] = (line.rstrip("\n") for line in sys.stdin) if typed else images
    done = skipped = 0
    with _opened(output) as file, _heard(output):
        write = _writer(file, form)
        for portion in stream(wanted, trained.shape, WAITING if typed else TOGETHER):
            for path, why in portion.skipped:
                click.echo(f"{ascii(path)[1:-1] if not path.isprintable() else path} {why}", err=True)
            skipped += len(portion.skipped)
            if len(portion.pixels):
                found = consumed(trained.read(portion.pixels))
                labels, sure = found.predicted.tolist(), found.certainty.tolist()
                for path, label, share in zip(portion.names, labels, sure, strict=True):
                    write({"path": path, "label": label, "class": names[label], "confidence": f"{share:.4f}"})
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
        with atomic_files.explained(output or Path("standard output").absolute()):
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
    with atomic_files.explained(output):
        return output.open("w", encoding="utf-8", errors="surrogateescape", newline="")


def _writer(file: IO[str], form: str) -> Callable[[dict[str, object]], None]:
    if form == "jsonl":
        return lambda row: print(json.dumps(row | {"confidence": float(str(row["confidence"]))}), file=file)
    rows = csv.DictWriter(file, HEAD, lineterminator="\n")
    rows.writeheader()
    return rows.writerow


@click.command("export-model")
@named
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="A new directory."
)
@click.option("--onnx", is_flag=True, help="Write model.onnx too; needs the extra of that name.")
def export_model(session: str, output: Path, onnx: bool) -> None:
    """Write the trained networks as safetensors, with a card and a README that shows how to load them."""
    from vaetui.export.model import write_model
    from vaetui.session.predictor import Trained

    it = Trained(session)
    it.need_classes()
    write_model(session, it.vae, it.config, it.shape, it.classes, it.accuracy, onnx, output)
    click.echo(f"{output}: the networks of {session}; its README.md shows how to load them.")


@click.command()
@named
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The PNG file.")
@click.option("--class", "kind", metavar="NAME", help="Only pictures of that class.")
@click.option("--count", type=click.IntRange(1, 1_000), default=64, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Where the random draws come from.")
def samples(session: str, output: Path, kind: str | None, count: int, seed: int) -> None:
    """Draw new pictures from the latent space of a session, as one PNG."""
    import io
    import math

    import numpy as np
    from PIL import Image

    from vaetui.session.predictor import Trained

    it = Trained(session)
    label = None if kind is None else it.classes.find(kind)
    if kind is not None and label not in it.classes.offered:
        there = ", ".join(it.classes.names[offered] for offered in it.classes.offered)
        raise Trouble(f"There is no class {kind}; the classes are {there}.")
    pictures = runner.watched(it.draw(count, label, seed))
    across = math.ceil(math.sqrt(count))
    grid = np.zeros((-(-count // across) * across, *it.shape), np.uint8)
    grid[:count] = pictures
    rows = np.concatenate([np.concatenate([*row], axis=1) for row in grid.reshape(-1, across, *it.shape)])
    content = io.BytesIO()
    Image.fromarray(rows).save(content, "png")
    atomic_files.write(output.resolve(), content.getvalue())
    click.echo(f"{output}: {count} pictures{f' of {kind}' if kind else ''}.")
