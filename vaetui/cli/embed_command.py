"""`embed`: compute the vectors of images by a pretrained image model."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from vaetui.cli.config_options import DEVICE_CHOICE
from vaetui.cli.data_options import add_import_options, explain_interruption, parse_path, print_import_lines
from vaetui.cli.params import bounded_option, force_option
from vaetui.data.import_options import ImportOptions
from vaetui.engine.config import Bounds
from vaetui.errors import UserError, format_count, make_printable
from vaetui.features.model_names import DEFAULT_MODEL
from vaetui.runtime import session_runner


@click.command()
@click.argument("path", required=False)
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write (.npy)."
)
@click.option(
    "--model",
    "model_name",
    metavar="NAME",
    default=DEFAULT_MODEL,
    help="Image model: efficientnet-lite0, dinov2-small, siglip2-base and others, a repository on huggingface.co, or a "
    "directory. NAME:rotations averages four quarter turns, for images without an upright position, such as cells.",
)
@click.option("--input-size", type=int, metavar="PX", help="Side of the model's input (default: that of the model).")
@bounded_option("--batch", bounds=Bounds(1, 4_096), help="Images of a batch (default: by device and model).")
@click.option("--device", type=DEVICE_CHOICE, default="cpu", help="Device of the model.")
@force_option
@add_import_options
def embed(
    path: str | None,
    output: Path,
    model_name: str,
    input_size: int | None,
    batch: int | None,
    device: str,
    force: bool,
    import_options: ImportOptions,
) -> None:
    """Compute one vector per image with a pretrained image model.

    The images are those that `new --data PATH` would import, in their order, read at their original size. Pass the file
    to `new --data PATH --features FILE`. An interrupted run goes on where it was.
    """
    from vaetui.data.report_text import describe_import
    from vaetui.storage.output_files import is_special_file, refuse_to_overwrite, require_parent_directory

    if path is None and import_options.label_key:  # the word after --labels may be the path
        path, import_options = import_options.label_key, replace(import_options, label_key=None)
    if path is None:
        raise click.UsageError("Missing argument 'PATH'.")
    source = parse_path(path)
    if is_special_file(output):
        raise UserError(f"{output} is not a regular file. Use a name that ends in .npy.")
    if output.suffix.lower() != ".npy":
        raise UserError(f"{output} does not end in .npy. Use a name that does.")
    refuse_to_overwrite(output, force, [source])
    require_parent_directory(output)
    if not force:
        refuse_foreign_files(output)
    elif output.exists():
        refuse_used_vectors(output)
    from vaetui.features.embedding import import_and_embed
    from vaetui.features.image_models import load_model

    model = load_model(model_name, choose_device(device), input_size)
    model.batch_images = batch or model.batch_images
    with explain_interruption():
        dataset, file = session_runner.run_with_progress(import_and_embed(source, import_options, model, output))
    lines = describe_import(dataset.report, dataset.skipped, str(dataset.skipped_list or ""))
    print_import_lines({heading: text for heading, text in lines.items() if heading in ("source", "not taken")})
    sidecar = file.sidecar
    count = format_count(sidecar.image_count, "image")
    test_note = f" and {format_count(sidecar.test_count, 'test image')}" if sidecar.test_count else ""
    click.echo(
        make_printable(f"{output}: {count}{test_note}, {sidecar.width:,} numbers each, by {sidecar.model.name}.")
    )


def refuse_used_vectors(output: Path) -> None:
    """Raise UserError if a session trains on the vectors of a file, without which it could not continue."""
    from vaetui.session.dataset_location import find_session_with_vectors

    name = find_session_with_vectors(output)
    if name is not None:
        raise UserError(f"{output} contains the vectors of session {name}. Choose another output.")


def refuse_foreign_files(output: Path) -> None:
    """Raise UserError if a file that an earlier run did not write has the name of one that is written beside vectors.

    Unfinished vectors of an earlier run may lie beside what describes them.
    """
    from vaetui.features.feature_sidecar import is_sidecar, paths_path, sidecar_path
    from vaetui.features.partial_vectors import list_partial_paths
    from vaetui.storage.output_files import OutputExistsError

    if is_sidecar(sidecar_path(output)) or list_partial_paths(output)[0].exists():
        return
    for path in (sidecar_path(output), paths_path(output)):
        if os.path.lexists(path):
            raise OutputExistsError(path)


def choose_device(name: str) -> str:
    """Return the name of a device that this machine has; raises UserError for others."""
    if name == "cpu":
        return name
    from vaetui.engine.devices import select_device

    return select_device(name).type
