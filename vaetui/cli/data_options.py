"""The images of a new session as options of a command; they become a set before a session begins."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from vaetui.data.import_options import Wish
from vaetui.engine.config import Config
from vaetui.engine.idx import LARGEST, SMALLEST
from vaetui.errors import Trouble
from vaetui.runtime import runner
from vaetui.storage.data_record import Material


class Size(click.ParamType):  # type: ignore[type-arg]
    """Height and width, such as 28x28, or one number for both."""

    name = "HxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read what was typed."""
        found = re.fullmatch(r"(\d{1,4})(?:[xX](\d{1,4}))?", str(value))
        if found is None:
            self.fail(f"{value!r} is no size; give height and width as in 28x28.", param, ctx)
        size = int(found[1]), int(found[2] or found[1])
        if not all(SMALLEST <= side <= LARGEST for side in size):
            self.fail(f"{value} cannot be used; sides from {SMALLEST} to {LARGEST} can.", param, ctx)
        return size


OPTIONS = (
    click.option(
        "--data",
        metavar="PATH",
        help="Directory of pictures or IDX files, or an .npy, .npz, .csv or IDX file; without it, the bundled MNIST.",
    ),
    click.option("--size", type=Size(), help="Size that pictures are brought to; without it, theirs, 28x28 or 64x64."),
    click.option("--colour/--grey", default=None, help="Keep pictures in colour, or not; without it, as they are."),
    click.option("--labels", is_flag=True, help="The images have labels: measure by them. They never teach."),
    click.option("--label-column", metavar="NAME", help="Column of a CSV file, or array of an npz file, of labels."),
    click.option("--classes", metavar="LIST", help="Names of the classes: cat,dog,… or a file with one a line."),
)


@dataclass(frozen=True, slots=True)
class Given:
    """What the options say of the images."""

    data: str | None
    """Where they are; None for the bundled ones."""
    wish: Wish
    """How they are taken in."""

    def taken(self, config: Config) -> Taken:
        """Make a set of the images, with the progress of it, and fit the configuration to the classes.

        Raises Trouble for what holds no images, or too few.
        """
        if self.data is None:
            if self.wish.size or self.wish.colour is not None:
                raise Trouble("The bundled images are as they are, 28x28 and grey; give your own with --data.")
            return _taken("mnist", "", replace(self.wish, labels=True), self.wish.classes, config)
        from vaetui.data.importing import gather
        from vaetui.storage import dataset_cache

        path = Path(self.data)
        gathered = runner.watched(gather(path, self.wish))
        if gathered.skipped:
            told = gathered.directory / dataset_cache.SKIPPED
            click.echo(f"{gathered.skipped:,} files were skipped; {told} tells which, and why.", err=True)
        taken = _taken(str(gathered.directory), path.absolute().stem, self.wish, gathered.classes, config)
        return replace(taken, material=replace(taken.material, origin=dataset_cache.origin(gathered.directory)))


@dataclass(frozen=True, slots=True)
class Taken:
    """Images that a session can begin with."""

    source: str
    """Where they are now."""
    title: str
    """What a person called them."""
    material: Material
    """What is known of them."""
    config: Config
    """The configuration, for so many classes."""


def _taken(source: str, title: str, wish: Wish, classes: tuple[str, ...] | None, config: Config) -> Taken:
    names = classes or ()
    if names:
        config = replace(config, network=replace(config.network, classes=len(names)))
    return Taken(source, title, Material(wish.labels, names), config)


def images(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it takes them as one keyword, `given`."""

    @functools.wraps(command)
    def giving(
        data: str | None,
        size: tuple[int, int] | None,
        colour: bool | None,
        labels: bool,
        label_column: str | None,
        classes: str | None,
        **others: Any,
    ) -> Any:
        from vaetui.data.class_labels import read_names

        names = None if classes is None else read_names(classes)
        wish = Wish(size, colour, labels or label_column is not None, label_column, names)
        return command(given=Given(data, wish), **others)

    for option in reversed(OPTIONS):
        giving = option(giving)
    return giving
