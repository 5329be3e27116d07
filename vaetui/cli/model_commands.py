"""`predict`, `export-model` and `samples`: use the trained networks of a session."""

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

from vaetui.cli.params import build_format_option, session_argument
from vaetui.errors import UserError
from vaetui.runtime import session_runner
from vaetui.storage import atomic_files

STDIN_BATCH_PATHS = 64
"""Paths read from standard input before the first of them are classified."""


@click.command()
@session_argument
@click.argument("images", nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write (default: standard output)."
)
@build_format_option(["csv", "jsonl"])
def predict(session: str, images: tuple[str, ...], output: Path | None, format_name: str) -> None:
    """Classify new images with the newest checkpoint.

    IMAGES are image files, directories, or CSV, npy, npz or IDX files; - reads paths from standard input. Another
    process may train the session at the same time.
    """
    from vaetui.data.image_stream import MAX_BATCH_IMAGES, stream_image_batches
    from vaetui.session.predictor import Predictor

    predictor = Predictor(session)
    predictor.require_learned_classes()
    class_names = predictor.classes.names
    reads_stdin = images == ("-",)
    paths: Iterable[str] = (line.rstrip("\n") for line in sys.stdin) if reads_stdin else images
    image_count = skipped_count = 0
    with _open_output(output) as file, _handle_output_errors(output):
        write_row = _build_row_writer(file, format_name)
        batch_size = STDIN_BATCH_PATHS if reads_stdin else MAX_BATCH_IMAGES
        for batch in stream_image_batches(paths, predictor.image_shape, batch_size):
            for path, reason in batch.skipped:
                click.echo(f"{path if path.isprintable() else ascii(path)[1:-1]} {reason}", err=True)
            skipped_count += len(batch.skipped)
            if len(batch.pixels):
                predictions = session_runner.drain_events(predictor.predict(batch.pixels))
                columns = batch.names, predictions.class_ids.tolist(), predictions.confidences.tolist()
                for path, class_id, confidence in zip(*columns, strict=True):
                    row = {"path": path, "label": class_id, "class": class_names[class_id]}
                    write_row(row | {"confidence": f"{confidence:.4f}"})
                image_count += len(batch.pixels)
            file.flush()
    if not image_count:
        raise UserError(
            f"None of {skipped_count} files is a readable image." if skipped_count else "There are no images to read."
        )
    if output is not None:
        skipped_note = f", {skipped_count:,} files skipped" if skipped_count else ""
        click.echo(f"{output}: {image_count:,} images{skipped_note}.")


@contextmanager
def _handle_output_errors(output: Path | None) -> Iterator[None]:
    """Exit silently if the reader of the pipe is gone; raise UserError for a full disk."""
    try:
        with atomic_files.translate_os_errors(output or Path("standard output").absolute()):
            yield
    except UserError as error:
        if isinstance(error.__cause__, BrokenPipeError):
            # Without the redirection, Python would report the broken pipe at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(128 + signal.SIGPIPE)
        raise


def _open_output(output: Path | None) -> IO[str]:
    if output is None:
        return open(sys.stdout.fileno(), "w", encoding="utf-8", errors="surrogateescape", closefd=False, newline="")
    if not output.parent.is_dir():
        raise UserError(f"Directory {output.parent} does not exist. Create it first.")
    with atomic_files.translate_os_errors(output):
        return output.open("w", encoding="utf-8", errors="surrogateescape", newline="")


def _build_row_writer(file: IO[str], format_name: str) -> Callable[[dict[str, object]], None]:
    if format_name == "jsonl":
        return lambda row: print(json.dumps(row | {"confidence": float(str(row["confidence"]))}), file=file)
    writer = csv.DictWriter(file, ("path", "label", "class", "confidence"), lineterminator="\n")
    writer.writeheader()
    return writer.writerow


@click.command("export-model")
@session_argument
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="New directory to write."
)
@click.option("--onnx", is_flag=True, help="Write model.onnx, too (needs the extra vaetui[onnx]).")
def export_model(session: str, output: Path, onnx: bool) -> None:
    """Write the networks as safetensors, optionally as ONNX.

    The directory also holds a model card and a README that shows how to load the networks.
    """
    from vaetui.export.model import write_model_directory
    from vaetui.session.predictor import Predictor

    model = Predictor(session)
    model.require_learned_classes()
    write_model_directory(
        session, model.vae, model.config, model.image_shape, model.classes, model.test_accuracy, onnx, output
    )
    click.echo(f"{output}: the networks of {session}. See {output / 'README.md'} for how to load them.")


@click.command()
@session_argument
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="PNG file.")
@click.option("--class", "class_name", metavar="NAME", help="Generate images of this class only.")
@click.option("--count", type=click.IntRange(1, 1_000), default=64, help="Number of images.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Random seed.")
def samples(session: str, output: Path, class_name: str | None, count: int, seed: int) -> None:
    """Generate images from the latent space, as one PNG file."""
    import io
    import math

    import numpy as np
    from PIL import Image

    from vaetui.session.predictor import Predictor

    predictor = Predictor(session)
    classes = predictor.classes
    class_id = None if class_name is None else classes.find_id(class_name)
    if class_name is not None and class_id not in classes.active_ids:
        active_names = ", ".join(classes.names[active_id] for active_id in classes.active_ids)
        raise UserError(f"There is no class {class_name}; the classes are {active_names}.")
    generated = session_runner.run_with_progress(predictor.generate_samples(count, class_id, seed))
    column_count = math.ceil(math.sqrt(count))
    row_count = -(-count // column_count)
    height, width, *channels = predictor.image_shape
    grid = np.zeros((row_count * column_count, height, width, *channels), np.uint8)
    grid[:count] = generated
    tiles = grid.reshape(row_count, column_count, height, width, *channels)
    mosaic = tiles.swapaxes(1, 2).reshape(row_count * height, column_count * width, *channels)
    content = io.BytesIO()
    Image.fromarray(mosaic).save(content, "png")
    atomic_files.replace_file(output.resolve(), content.getvalue())
    class_note = f" of class {class_name}" if class_name else ""
    click.echo(f"{output}: {count} images{class_note}.")
