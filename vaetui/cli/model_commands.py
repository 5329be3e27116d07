"""`predict`, `export-model` and `samples`: use the trained networks of a session."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from vaetui.cli.data_options import parse_path, range_option
from vaetui.cli.params import bounded_option, force_option, session_argument
from vaetui.engine import config_text
from vaetui.engine.config import Bounds
from vaetui.errors import UserError, format_count, make_printable
from vaetui.export.format_names import choose_format
from vaetui.runtime import session_runner

if TYPE_CHECKING:
    from vaetui.data.image_stream import ImageBatch
    from vaetui.session.new_images import NewImageReader
    from vaetui.session.predictor import Predictor

Row: TypeAlias = "tuple[str, int, str, str]"
"""Path, class id, class name and probability of an image."""
STDIN_BATCH_PATHS = 64
"""Paths read from standard input before the first of them are classified."""
MAX_LINE_BYTES = 65_536
"""Longest line read from standard input; no path is as long, and a binary file may contain no line end."""
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
NEW_RANGE_NOTE = (
    "The session has no {kind} images, so values {value_range} are shown as black to white. Choose others with --range."
)
PREDICTION_FORMATS = ("csv", "jsonl")
PREDICTION_COLUMNS = ("path", "label", "class", "uncalibrated_probability")


@click.command()
@session_argument
@click.argument("images", nargs=-1)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write (default: standard output)."
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(PREDICTION_FORMATS),
    help="Format of the output (default: by its suffix, else csv).",
)
@range_option
@click.option(
    "--features",
    "features_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Vectors of the images (.npy, .npz, .parquet), by path or in their order; without IMAGES, all of them.",
)
@click.option("--features-key", metavar="KEY", help="Array of an npz file of vectors, or column of a Parquet file.")
@force_option
def predict(
    session: str,
    images: tuple[str, ...],
    output: Path | None,
    format_name: str | None,
    value_range: tuple[float, float] | None,
    features_path: Path | None,
    features_key: str | None,
    force: bool,
) -> None:
    """Classify new images with the newest checkpoint.

    Column uncalibrated_probability has the probability of the class by the classifier; no audit measures it.

    IMAGES are image files, directories, tables of paths (.csv, .tsv, .txt), arrays (.npy, .npz) or IDX files; - reads
    paths from standard input, one per line. A session with features computes the vectors of the images by its image
    model, or takes them from --features.
    What cannot be read is skipped and listed on standard error; the exit status is then 1, and 2 if nothing could be
    read. Another process may train the session at the same time.
    """
    if not images and features_path is None:
        raise click.UsageError("Missing argument 'IMAGES...'.")
    if features_key is not None and features_path is None:
        raise click.UsageError("--features-key needs --features FILE.")
    if output is not None:
        inputs = [Path(path) for path in images if path != "-"]
        _require_free_output(output, force, inputs if features_path is None else [*inputs, features_path])
        format_name = choose_format(str(output), format_name, PREDICTION_FORMATS)
    from vaetui.session.predictor import Predictor
    from vaetui.storage.output_files import write_output_file

    predictor = Predictor(session)
    if output is not None and predictor.features is not None:
        _require_free_output(output, force, [Path(predictor.features.path)])
    predictor.require_two_learned_classes()
    reader = predictor.open_reader(value_range, features_path, features_key)
    run = PredictionRun(predictor, reader, images, output)
    chunks = run.iter_rows(format_name or "csv")
    if output is None:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    else:
        write_output_file(output, chunks)
        skipped_note = f", {format_count(run.skipped_count, 'file')} skipped" if run.skipped_count else ""
        click.echo(f"{output}: {format_count(run.image_count, 'image')}{skipped_note}.")
    if run.skipped_count:
        sys.exit(1)


class PredictionRun:
    """One run of `predict`: classifies images as they are read, and counts them."""

    def __init__(
        self,
        predictor: Predictor,
        reader: NewImageReader,
        images: Sequence[str],
        output: Path | None,
    ) -> None:
        """Classify `images`, which may contain - for standard input."""
        self.image_count = 0
        """Images classified so far."""
        self.skipped_count = 0
        """Files and other paths skipped so far."""
        self._predictor = predictor
        self._images = images
        self._output = output
        self._reader = reader

    def iter_rows(self, format_name: str) -> Iterator[bytes]:
        """Yield the rows of one batch after another as CSV or JSON Lines in UTF-8.

        Raises UserError if no image can be read, or one of them is the output.
        """
        from vaetui.data.image_stream import MAX_BATCH_IMAGES

        if format_name == "csv":
            yield _format_csv([PREDICTION_COLUMNS])
        batch_size = STDIN_BATCH_PATHS if "-" in self._images else MAX_BATCH_IMAGES
        noted_kinds = set[str]()
        for batch in self._reader.iter_batches(self._iter_paths(), batch_size):
            self._require_other_output(batch.names)
            for kind in batch.new_ranges.keys() - noted_kinds:
                noted_kinds.add(kind)
                click.echo(NEW_RANGE_NOTE.format(kind=kind, value_range=batch.new_ranges[kind]), err=True)
            for path, reason in batch.skipped:
                click.echo(make_printable(f"{path} {reason}"), err=True)
            self.skipped_count += len(batch.skipped)
            self.image_count += len(batch.names)
            if batch.names:
                rows = self._predict_rows(batch)
                yield _format_csv(rows) if format_name == "csv" else _format_json_lines(rows)
        if not self.image_count:
            raise UserError(
                f"None of {self.skipped_count:,} files is a readable image."
                if self.skipped_count
                else "Standard input contains no paths. Write one path per line."
            )

    def _iter_paths(self) -> Iterator[str]:
        for path in self._images:
            if path != "-":
                parse_path(path)  # refuses an empty one
            for listed_path in _iter_listed_paths() if path == "-" else (path,):
                self._require_other_output([listed_path])
                yield listed_path

    def _predict_rows(self, batch: ImageBatch) -> list[Row]:
        class_names = self._predictor.classes.names
        predictions = session_runner.drain_events(self._predictor.predict(batch.inputs))
        columns = batch.names, predictions.class_ids.tolist(), predictions.confidences.tolist()
        return [
            (path, class_id, class_names[class_id], f"{confidence:.4f}")
            for path, class_id, confidence in zip(*columns, strict=True)
        ]

    def _require_other_output(self, paths: Iterable[str]) -> None:
        if self._output is not None and self._output.exists():
            from vaetui.storage.output_files import refuse_to_overwrite

            refuse_to_overwrite(self._output, True, map(Path, paths))


def _iter_listed_paths() -> Iterator[str]:
    """Yield the paths on standard input, one per line; blank lines, line ends of Windows and a BOM are left out."""
    if sys.stdin is None:
        return
    lines = iter(lambda: sys.stdin.buffer.readline(MAX_LINE_BYTES), b"")
    for number, line in enumerate(lines):
        if number == 0:
            if line.startswith(UTF_16_MARKS):
                raise UserError("The list on standard input is UTF-16. Save it as UTF-8.")
            line = line.removeprefix(codecs.BOM_UTF8)
        path = os.fsdecode(line.rstrip(b"\r\n"))
        if path.strip():
            yield path


def _format_csv(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _format_json_lines(rows: Iterable[Row]) -> bytes:
    objects = (dict(zip(PREDICTION_COLUMNS, (*row[:3], float(row[3])), strict=True)) for row in rows)
    return "".join(f"{json.dumps(fields)}\n" for fields in objects).encode()


def _require_free_output(output: Path, force: bool, inputs: Iterable[Path] = ()) -> None:
    """Raise UserError for an output that must not or cannot be written, before anything is computed."""
    from vaetui.storage.output_files import refuse_to_overwrite, require_parent_directory

    refuse_to_overwrite(output, force, inputs)
    require_parent_directory(output)


@click.command("export-model")
@session_argument
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="New directory to write."
)
@click.option("--onnx", is_flag=True, help="Write model.onnx, too (needs the extra vaetui[onnx]).")
def export_model(session: str, output: Path, onnx: bool) -> None:
    """Write the networks as safetensors, optionally as ONNX.

    The directory also holds a model card with the result of the audit, if there is one, and a README that shows how to
    load the networks.
    """
    from contextlib import closing

    from vaetui.export.model import write_model_directory
    from vaetui.session.label_quality import describe_model
    from vaetui.session.predictor import Predictor
    from vaetui.session.session_snapshot import SessionSnapshot
    from vaetui.storage import locations

    with closing(SessionSnapshot(locations.find_session(session))) as snapshot:
        model, origin = Predictor(session, snapshot), describe_model(snapshot)
    model.require_learned_classes()
    write_model_directory(origin, model.vae, model.config, model.input_shape, model.classes, onnx, output)
    click.echo(f"{output}: the networks of {session}. See {output / 'README.md'} for how to load them.")


@click.command()
@session_argument
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="PNG file.")
@click.option("--class", "class_name", metavar="NAME", help="Generate images of this class only.")
@bounded_option("--count", bounds=Bounds(1, 1_000), default=64, help="Number of images.")
@bounded_option("--seed", bounds=config_text.get_field_bounds("", "seed"), default=0, help="Random seed.")
@force_option
def samples(session: str, output: Path, class_name: str | None, count: int, seed: int, force: bool) -> None:
    """Generate images from the latent space, as one PNG file."""
    if output.suffix.lower() not in ("", ".png"):
        raise UserError(f"{output} ends in {output.suffix}, but samples are a PNG file. Use a name that ends in .png.")
    _require_free_output(output, force)
    import math

    import numpy as np
    from PIL import Image

    from vaetui.session.predictor import Predictor
    from vaetui.storage.output_files import write_output_file

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
    write_output_file(output, content.getvalue())
    class_note = f" of class {class_name}" if class_name else ""
    click.echo(f"{output}: {format_count(count, 'image')}{class_note}.")
