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

from vaetui.cli.params import session_argument
from vaetui.errors import UserError
from vaetui.runtime import runner
from vaetui.storage import atomic_files

PREDICTION_COLUMNS = ("path", "label", "class", "confidence")
"""What is told of each image."""
STDIN_BATCH_PATHS = 64
"""Paths from standard input that are waited for before the first of them are classified."""


@click.command()
@session_argument
@click.argument("images", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
def predict(session: str, images: tuple[str, ...], output: Path | None, format_name: str) -> None:
    """Classify new IMAGES by what a session has learned, also while another process trains it.

    Pictures, directories, CSV, npy, npz or IDX files; - reads paths from standard input.
    """
    from vaetui.cli.simulate_command import drain
    from vaetui.data.image_stream import MAX_BATCH_IMAGES, stream_images
    from vaetui.session.predictor import Predictor

    trained = Predictor(session)
    trained.require_classes()
    names = trained.classes.names
    typed = images == ("-",)
    wanted: Iterable[str] = (line.rstrip("\n") for line in sys.stdin) if typed else images
    done = skipped = 0
    with _open_output(output) as file, _handle_output_errors(output):
        write = _build_row_writer(file, format_name)
        for portion in stream_images(wanted, trained.image_shape, STDIN_BATCH_PATHS if typed else MAX_BATCH_IMAGES):
            for path, why in portion.skipped:
                click.echo(f"{ascii(path)[1:-1] if not path.isprintable() else path} {why}", err=True)
            skipped += len(portion.skipped)
            if len(portion.pixels):
                found = drain(trained.predict(portion.pixels))
                labels, sure = found.class_ids.tolist(), found.confidences.tolist()
                for path, label, share in zip(portion.names, labels, sure, strict=True):
                    write({"path": path, "label": label, "class": names[label], "confidence": f"{share:.4f}"})
                done += len(portion.pixels)
            file.flush()
    if not done:
        raise UserError(
            f"None of {skipped} files could be read as an image." if skipped else "There are no images to read."
        )
    if output is not None:
        click.echo(f"{output}: {done:,} images{f', {skipped:,} could not be read' if skipped else ''}.")


@contextmanager
def _handle_output_errors(output: Path | None) -> Iterator[None]:
    """Leave quietly where nobody reads any more, and tell of a full disk."""
    try:
        with atomic_files.translate_os_errors(output or Path("standard output").absolute()):
            yield
    except UserError as trouble:
        if isinstance(trouble.__cause__, BrokenPipeError):
            # Python would complain of it once more as it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(128 + signal.SIGPIPE)
        raise


def _open_output(output: Path | None) -> IO[str]:
    if output is None:
        return open(sys.stdout.fileno(), "w", encoding="utf-8", errors="surrogateescape", closefd=False, newline="")
    if not output.parent.is_dir():
        raise UserError(f"There is no directory {output.parent}; make it first.")
    with atomic_files.translate_os_errors(output):
        return output.open("w", encoding="utf-8", errors="surrogateescape", newline="")


def _build_row_writer(file: IO[str], format_name: str) -> Callable[[dict[str, object]], None]:
    if format_name == "jsonl":
        return lambda row: print(json.dumps(row | {"confidence": float(str(row["confidence"]))}), file=file)
    rows = csv.DictWriter(file, PREDICTION_COLUMNS, lineterminator="\n")
    rows.writeheader()
    return rows.writerow


@click.command("export-model")
@session_argument
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="A new directory."
)
@click.option("--onnx", is_flag=True, help="Write model.onnx too; needs the extra of that name.")
def export_model(session: str, output: Path, onnx: bool) -> None:
    """Write the trained networks as safetensors, with a card and a README that shows how to load them."""
    from vaetui.export.model import write_model
    from vaetui.session.predictor import Predictor

    it = Predictor(session)
    it.require_classes()
    write_model(session, it.vae, it.config, it.image_shape, it.classes, it.test_accuracy, onnx, output)
    click.echo(f"{output}: the networks of {session}; its README.md shows how to load them.")


@click.command()
@session_argument
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The PNG file.")
@click.option("--class", "kind", metavar="NAME", help="Only pictures of that class.")
@click.option("--count", type=click.IntRange(1, 1_000), default=64, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Where the random draws come from.")
def samples(session: str, output: Path, class_name: str | None, count: int, seed: int) -> None:
    """Draw new pictures from the latent space of a session, as one PNG."""
    import io
    import math

    import numpy as np
    from PIL import Image

    from vaetui.session.predictor import Predictor

    it = Predictor(session)
    label = None if class_name is None else it.classes.find_id(class_name)
    if class_name is not None and label not in it.classes.active:
        there = ", ".join(it.classes.names[offered] for offered in it.classes.active)
        raise UserError(f"There is no class {class_name}; the classes are {there}.")
    pictures = runner.run_with_progress(it.generate_samples(count, label, seed))
    across = math.ceil(math.sqrt(count))
    grid = np.zeros((-(-count // across) * across, *it.image_shape), np.uint8)
    grid[:count] = pictures
    rows = np.concatenate([np.concatenate([*row], axis=1) for row in grid.reshape(-1, across, *it.image_shape)])
    content = io.BytesIO()
    Image.fromarray(rows).save(content, "png")
    atomic_files.write(output.resolve(), content.getvalue())
    click.echo(f"{output}: {count} pictures{f' of {class_name}' if class_name else ''}.")
