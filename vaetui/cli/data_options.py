"""The images of a new session as options of a command; they become a set before a session begins."""

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
from vaetui.runtime import runner
from vaetui.storage.data_record import DataRecord


class SizeType(click.ParamType):  # type: ignore[type-arg]
    """Height and width, such as 28x28, or one number for both."""

    name = "HxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read what was typed."""
        found = re.fullmatch(r"(\d{1,4})(?:[xX](\d{1,4}))?", str(value))
        if found is None:
            self.fail(f"{value!r} is no size; give height and width as in 28x28.", param, ctx)
        size = int(found[1]), int(found[2] or found[1])
        if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in size):
            self.fail(f"{value} cannot be used; sides from {MIN_SIDE_PX} to {MAX_SIDE_PX} can.", param, ctx)
        return size


DATA_OPTIONS = (
    click.option(
        "--data",
        metavar="PATH",
        help="Directory of pictures or IDX files, or an .npy, .npz, .csv or IDX file; without it, the bundled MNIST.",
    ),
    click.option(
        "--size", type=SizeType(), help="Size that pictures are brought to; without it, theirs, 28x28 or 64x64."
    ),
    click.option("--colour/--grey", default=None, help="Keep pictures in colour, or not; without it, as they are."),
    click.option("--labels", is_flag=True, help="The images have labels: measure by them. They never teach."),
    click.option("--label-column", metavar="NAME", help="Column of a CSV file, or array of an npz file, of labels."),
    click.option("--classes", metavar="LIST", help="Names of the classes: cat,dog,… or a file with one a line."),
)


@dataclass(frozen=True, slots=True)
class DataOptions:
    """What the options say of the images."""

    data: str | None
    """Where they are; None for the bundled ones."""
    import_options: ImportOptions
    """How they are taken in."""

    def import_images(self, config: Config) -> ImportedData:
        """Make a set of the images, with the progress of it, and fit the configuration to the classes.

        Raises Trouble for what holds no images, or too few.
        """
        if self.data is None:
            if self.import_options.size or self.import_options.colour is not None:
                raise UserError("The bundled images are as they are, 28x28 and grey; give your own with --data.")
            return _build_imported_data(
                "mnist", "", replace(self.import_options, labels=True), self.import_options.classes, config
            )
        from vaetui.data.importing import import_dataset
        from vaetui.storage import dataset_cache

        path = Path(self.data)
        gathered = runner.run_with_progress(import_dataset(path, self.import_options))
        if gathered.skipped_count:
            told = gathered.directory / dataset_cache.SKIPPED_FILES_NAME
            click.echo(f"{gathered.skipped_count:,} files were skipped; {told} tells which, and why.", err=True)
        taken = _build_imported_data(
            str(gathered.directory), path.absolute().stem, self.import_options, gathered.class_names, config
        )
        return replace(
            taken, data_record=replace(taken.data_record, origin=dataset_cache.load_origin(gathered.directory))
        )


@dataclass(frozen=True, slots=True)
class ImportedData:
    """Images that a session can begin with."""

    source: str
    """Where they are now."""
    title: str
    """What a person called them."""
    data_record: DataRecord
    """What is known of them."""
    config: Config
    """The configuration, for so many classes."""


def _build_imported_data(
    source: str, title: str, import_options: ImportOptions, class_names: tuple[str, ...] | None, config: Config
) -> ImportedData:
    names = class_names or ()
    if names:
        config = replace(config, network=replace(config.network, classes=len(names)))
    return ImportedData(source, title, DataRecord(import_options.labels, names), config)


def add_data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it takes them as one keyword, `given`."""

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

        names = None if classes is None else read_class_names(classes)
        wish = ImportOptions(size, colour, labels or label_column is not None, label_column, names)
        return command(data_options=DataOptions(data, wish), **kwargs)

    for option in reversed(DATA_OPTIONS):
        wrapper = option(wrapper)
    return wrapper
