"""The images of a new session as command-line options, and their import."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from vaetui.data.import_options import ImportOptions
from vaetui.engine.config import Config
from vaetui.engine.idx import MAX_SIDE_PX, MIN_SIDE_PX
from vaetui.errors import UserError
from vaetui.runtime import session_runner
from vaetui.storage.data_record import DataRecord


class ImageSizeType(click.ParamType):  # type: ignore[type-arg]
    """Height and width in pixels, such as 28x28, or one number for both."""

    name = "HxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return height and width."""
        match = re.fullmatch(r"(\d{1,4})(?:[xX](\d{1,4}))?", str(value))
        if match is None:
            self.fail(f"{value!r} is not a size; use height and width, for example 28x28.", param, ctx)
        size = int(match[1]), int(match[2] or match[1])
        if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in size):
            self.fail(f"{value} is out of range; use sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels.", param, ctx)
        return size


DATA_OPTIONS = (
    click.option(
        "--data",
        metavar="PATH",
        help="Directory of images or IDX files, or an .npy, .npz, .csv or IDX file (default: the bundled MNIST).",
    ),
    click.option(
        "--size",
        type=ImageSizeType(),
        metavar="HxW",
        help="Resize images (default: keep the size, else 28x28 or 64x64).",
    ),
    click.option("--colour/--grey", default=None, help="Import in colour or in grey (default: as the images are)."),
    click.option("--labels", is_flag=True, help="Use the images' true labels for evaluation only."),
    click.option("--label-column", metavar="NAME", help="Label column of a CSV file, or label array of an npz file."),
    click.option(
        "--classes", metavar="LIST", help="Class names separated by commas, or a text file with one name per line."
    ),
)


@dataclass(frozen=True, slots=True)
class DataOptions:
    """The values of the options."""

    data: str | None
    """Path of the images; None for the bundled MNIST."""
    import_options: ImportOptions
    """How the images are imported."""

    def import_images(self, config: Config) -> ImportedData:
        """Import the images with a progress bar, and set the number of classes in the configuration.

        Raises UserError if there are no images or too few.
        """
        options = self.import_options
        if self.data is None:
            if options.size or options.colour is not None:
                raise UserError("The bundled images are 28x28 and grey. --size and --colour need --data.")
            return _build_imported_data("mnist", "", DataRecord(True, options.classes or ()), config)
        from vaetui.data.importing import import_dataset
        from vaetui.storage import dataset_cache

        path = Path(self.data)
        dataset = session_runner.run_with_progress(import_dataset(path, options))
        if dataset.skipped_count:
            reasons_file = dataset.directory / dataset_cache.SKIPPED_FILES_NAME
            click.echo(f"{dataset.skipped_count:,} files were skipped. Reasons: {reasons_file}", err=True)
        origin = dataset_cache.load_origin(dataset.directory)
        data_record = DataRecord(options.labels, dataset.class_names or (), origin)
        return _build_imported_data(str(dataset.directory), path.absolute().stem, data_record, config)


@dataclass(frozen=True, slots=True)
class ImportedData:
    """Images that are ready for a session."""

    source: str
    """Path of the IDX files, or "mnist"."""
    title: str
    """Name of the images, for the names of sessions."""
    data_record: DataRecord
    """Origin, class names and use of the true labels."""
    config: Config
    """The configuration with the number of classes."""


def _build_imported_data(source: str, title: str, data_record: DataRecord, config: Config) -> ImportedData:
    if data_record.class_names:
        config = replace(config, network=replace(config.network, classes=len(data_record.class_names)))
    return ImportedData(source, title, data_record, config)


def add_data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which receives them as the keyword `data_options`."""

    @functools.wraps(command)
    def wrapper(
        data: str | None,
        size: tuple[int, int] | None,
        colour: bool | None,
        labels: bool,
        label_column: str | None,
        classes: str | None,
        **kwargs: Any,
    ) -> Any:
        from vaetui.data.class_labels import read_class_names

        class_names = None if classes is None else read_class_names(classes)
        options = ImportOptions(size, colour, labels or label_column is not None, label_column, classes=class_names)
        return command(data_options=DataOptions(data, options), **kwargs)

    for option in reversed(DATA_OPTIONS):
        wrapper = option(wrapper)
    return wrapper
