"""The images of a new session as command-line options, and their import."""

from __future__ import annotations

import functools
import math
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetui.data.import_options import ImportOptions
from vaetui.engine.config import Config
from vaetui.engine.idx import MAX_SIDE_PX, MIN_SIDE_PX
from vaetui.errors import UserError
from vaetui.runtime import session_runner
from vaetui.storage.data_record import DataRecord

if TYPE_CHECKING:
    from vaetui.data.importing import ImportedDataset
    from vaetui.features.resolving import ResolvedFeatures


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


class ValueRangeType(click.ParamType):  # type: ignore[type-arg]
    """The values of black and white, such as 0:4095."""

    name = "LOW:HIGH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """Return the values of black and white."""
        low_text, _, high_text = str(value).partition(":")
        try:
            low, high = float(low_text), float(high_text)
        except ValueError:
            self.fail(f"{value!r} is not a range; use two numbers, for example 0:4095.", param, ctx)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            self.fail(f"{value} is not a range; the first number must be less than the second.", param, ctx)
        return low, high


range_option = click.option(
    "--range",
    "value_range",
    type=ValueRangeType(),
    metavar="LOW:HIGH",
    help="Original values shown as black and white (default: the robust range of all images of the session).",
)
IMPORT_OPTIONS = (
    click.option(
        "--size",
        type=ImageSizeType(),
        metavar="HxW",
        help="Resize images (default: keep the size, else at most 28 or 64 pixels a side).",
    ),
    click.option("--colour/--grey", default=None, help="Import in colour or in grey (default: as the images are)."),
    range_option,
    click.option("--images", "image_key", metavar="KEY", help="Image array of an npz file, or path column of a table."),
    click.option(
        "--labels",
        "label_key",
        is_flag=False,
        flag_value="",
        metavar="[KEY]",
        help="Use the images' true labels for evaluation only; KEY is their array in an npz file or column in a table.",
    ),
    click.option("--label-column", metavar="KEY", hidden=True),  # the former name of --labels KEY
    click.option(
        "--axes",
        metavar="ORDER",
        help="Order of the axes of an array: N images, H height, W width, C channels (default: NHW or NHWC).",
    ),
    click.option(
        "--classes", metavar="LIST", help="Class names separated by commas, or a text file with one name per line."
    ),
)
data_option = click.option(
    "--data",
    metavar="PATH",
    help="Directory of images or IDX files, image file, table of paths (.csv, .tsv, .txt), array (.npy, .npz) or IDX "
    "file (default: the bundled MNIST).",
)

FEATURE_OPTIONS = (
    click.option(
        "--features",
        metavar="FILE|NAME",
        help="Train on one vector per image: from a file (.npy, .npz, Parquet), or computed by an image model such as "
        "efficientnet-lite0.",
    ),
    click.option(
        "--features-key", metavar="KEY", help="Array of vectors in an npz file, or their column in a Parquet file."
    ),
)

HEADING_CELLS = 12
"""Width of the headings of an import report."""
FEATURES_HEADING = "features"
"""Heading of the line about vectors."""
INTERRUPTED_STATUS = 1
"""Exit status after Ctrl-C, as that of other commands."""


@contextmanager
def explain_interruption() -> Iterator[None]:
    """Say after Ctrl-C that the vectors which were computed so far are kept, and exit."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Interrupted. Run the same command again to go on.", err=True)
        sys.exit(INTERRUPTED_STATUS)


@dataclass(frozen=True, slots=True)
class FeatureOptions:
    """The values of the options for vectors."""

    text: str | None = None
    """Path of a file or name of an image model; None to train on the images."""
    key: str | None = None
    """The array or column of the vectors; None if the file decides."""

    def require_usable(self) -> None:
        """Raise UserError for values that mean nothing."""
        if self.text is None:
            if self.key is not None:
                raise UserError(f"--features-key {self.key} chooses vectors in a file. Pass the file with --features.")
            return
        if not self.text:
            raise UserError("The value of --features is empty. Pass a file of vectors or the name of an image model.")

    def import_images(
        self, path: Path, options: ImportOptions, device: str
    ) -> tuple[ImportedDataset, ResolvedFeatures | None]:
        """Import images with a progress bar, with their vectors if the option is used."""
        self.require_usable()
        if self.text is None:
            from vaetui.data.importing import import_dataset

            return session_runner.run_with_progress(import_dataset(path, options)), None
        from vaetui.features.resolving import import_with_features

        with explain_interruption():
            return session_runner.run_with_progress(import_with_features(path, options, self.text, self.key, device))

    def resolve_for_source(self, source: str, device: str) -> ResolvedFeatures | None:
        """Check or compute the vectors of images that are not imported; None without the option."""
        self.require_usable()
        if self.text is None:
            return None
        from vaetui.features.resolving import resolve_for_directory
        from vaetui.session.dataset_location import locate_source_directory

        directory = locate_source_directory(source)
        with explain_interruption():
            return session_runner.run_with_progress(resolve_for_directory(directory, self.text, self.key, device))


NO_FEATURES = FeatureOptions()


@dataclass(frozen=True, slots=True)
class DataOptions:
    """The values of the options."""

    data: str | None
    """Path of the images; None for the bundled MNIST."""
    import_options: ImportOptions
    """How the images are imported."""
    features: FeatureOptions = NO_FEATURES
    """The vectors to train on."""

    def import_images(self, config: Config) -> ImportedData:
        """Import the images with a progress bar, and set the number of classes in the configuration.

        Raises UserError if there are no images or too few, or the vectors do not belong to them.
        """
        options = self.import_options
        if self.data is None:
            if replace(options, labels=False, classes=None) != ImportOptions():
                raise UserError("The bundled images are 28x28 and grey. Options for the import of images need --data.")
            resolved = self.features.resolve_for_source("mnist", config.device)
            data_record = _add_features(DataRecord(True, options.classes or ()), resolved)
            return _build_imported_data("mnist", "", data_record, config)
        from vaetui.data.report_text import describe_import

        path = parse_path(self.data)
        dataset, resolved = self.features.import_images(path, options, config.device)
        lines = describe_import(dataset.report, dataset.skipped, str(dataset.skipped_list or ""))
        data_record = DataRecord(options.labels, dataset.class_names or (), dataset.origin, lines)
        data_record = _add_features(data_record, resolved)
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

    def print_import_lines(self) -> None:
        """Print what was imported."""
        print_import_lines(self.data_record.import_lines)


def parse_path(text: str) -> Path:
    """Return the path of images; raises UserError for an empty text, which would mean the working directory."""
    if not text:
        raise UserError(
            "The path of the images is empty. Pass the path of a directory or file, or . for this directory."
        )
    return Path(text)


def print_import_lines(lines: dict[str, str]) -> None:
    """Print what an import took and left out."""
    for heading, text in lines.items():
        click.echo(f"{heading:{HEADING_CELLS}}" + text.replace("\n", "\n" + " " * HEADING_CELLS))


def _add_features(data_record: DataRecord, resolved: ResolvedFeatures | None) -> DataRecord:
    """Return the data options with vectors, if there are any, and a line about them."""
    if resolved is None:
        return data_record
    lines = {**data_record.import_lines, FEATURES_HEADING: resolved.description}
    return replace(data_record, features=resolved.record, import_lines=lines)


def _build_imported_data(source: str, title: str, data_record: DataRecord, config: Config) -> ImportedData:
    if data_record.class_names:
        config = replace(config, network=replace(config.network, classes=len(data_record.class_names)))
    return ImportedData(source, title, data_record, config)


def add_import_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of an import to a command, which receives them as the keyword `import_options`."""

    @functools.wraps(command)
    def wrapper(
        size: tuple[int, int] | None,
        colour: bool | None,
        value_range: tuple[float, float] | None,
        image_key: str | None,
        label_key: str | None,
        label_column: str | None,
        axes: str | None,
        classes: str | None,
        **kwargs: Any,
    ) -> Any:
        from vaetui.data.class_labels import read_class_names

        if not label_key and label_column is not None:
            label_key = label_column
        options = ImportOptions(
            size=size,
            colour=colour,
            labels=label_key is not None,
            label_key=label_key or None,
            image_key=image_key,
            classes=None if classes is None else read_class_names(classes),
            value_range=value_range,
            axes=axes,
        )
        return command(import_options=options, **kwargs)

    for option in reversed(IMPORT_OPTIONS):
        wrapper = option(wrapper)
    return wrapper


def add_feature_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for vectors to a command, which receives them as the keyword `feature_options`."""

    @functools.wraps(command)
    def wrapper(features: str | None, features_key: str | None, **kwargs: Any) -> Any:
        return command(feature_options=FeatureOptions(features, features_key), **kwargs)

    for option in reversed(FEATURE_OPTIONS):
        wrapper = option(wrapper)
    return wrapper


def add_data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --data, --features and the options of an import to a command; it receives the keyword `data_options`."""

    @functools.wraps(command)
    def wrapper(data: str | None, import_options: ImportOptions, feature_options: FeatureOptions, **kwargs: Any) -> Any:
        return command(data_options=DataOptions(data, import_options, feature_options), **kwargs)

    return data_option(add_feature_options(add_import_options(wrapper)))
