"""What was found is written as a set, decoded and brought to one size; it does not know where sets live."""

from __future__ import annotations

import os
import statistics
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.data import class_labels, resizing
from vaetui.data.array_files import Stack
from vaetui.data.array_roles import Stacked
from vaetui.data.image_files import UnfitError, colourful, side
from vaetui.data.image_folder import Listed
from vaetui.data.import_options import Wish
from vaetui.data.parallel_decoding import decode_all
from vaetui.engine.events import Progressed
from vaetui.engine.idx import COLOURS, FEWEST, LARGEST, SMALLEST
from vaetui.errors import Trouble
from vaetui.storage.dataset_cache import IdxWriter, Seen

PROBED = 200
"""Pictures whose size is looked at before one for all is chosen."""
SMALL, DEFAULT = 48, (28, 28)
"""Pictures whose longer side has up to so many pixels in the median become so large; others as large as can be used."""
GLANCED = 40
"""Pictures that are looked at for colours before it is chosen whether all are kept in colour."""
FEW = 0.1
"""Share of them that shows colours, from which on all are."""
IMAGES, LABELS = "{}-images-idx{}-ubyte", "{}-labels-idx1-ubyte"
Classes = tuple[str, ...] | None


def decode(
    found: Listed, wish: Wish, seen: Sequence[Seen], place: Path
) -> Generator[Progressed, None, tuple[Classes, list[Seen]]]:
    """Write pictures and labels; gives the classes, and what was looked at with why it was skipped."""
    paths = [os.path.join(found.root, name) for name in found.names]
    if not paths:
        raise Trouble(
            f"{found.root} holds no images; PNG, JPEG, TIFF, BMP and WebP files are decoded, and IDX files are read."
        )
    classes, labels = wish.classes, None
    if wish.labels:
        if found.labels is None:
            raise Trouble(
                f"Not all pictures below {found.root} lie in a directory of their class; leave --labels away."
            )
        classes, labels = class_labels.places(found.labels, wish.classes, str(found.root))
    yield Progressed("looking at some of the images", 0, 1)
    shape = _shape(wish.size or _choose(paths), _in_colour(paths) if wish.colour is None else wish.colour)
    reasons: list[str | None] = []
    with IdxWriter(place / IMAGES.format("train", 1 + len(shape)), shape) as images:
        for pixels, why in decode_all(paths, shape):
            images.add(pixels)
            reasons += why
            yield Progressed("decoding the images", len(reasons), len(paths))
    told = [Seen(it.name, it.size, it.changed, why) for it, why in zip(seen, reasons, strict=False)]
    told += seen[len(paths) :]
    if images.count < FEWEST:
        first = next((f"; the first: {it.name} {it.reason}" for it in told if it.reason), "")
        raise Trouble(
            f"Of {len(told)} files in {found.root} {images.count} can be used; at least {FEWEST} are needed{first}."
        )
    if labels is not None:
        with IdxWriter(place / LABELS.format("train"), ()) as file:
            file.add(labels[np.array([why is None for why in reasons])])
    return classes, told


def convert(found: Stacked, wish: Wish, place: Path) -> Generator[Progressed, None, Classes]:
    """Write the images of arrays, and their labels; gives the classes."""
    classes, given = wish.classes, [("train", found.train, found.labels)]
    colour = resizing.coloured(found.train) if wish.colour is None else wish.colour
    if found.tested is not None:
        given.append(("t10k", found.tested, found.tested_labels))
    names: list[str] = []
    if wish.labels:
        if found.labels is None:
            raise Trouble(f"{found.files[0]} holds no labels of its images; leave --labels away.")
        names = _words(found.labels, found.train.shape[0])
        classes, _ = class_labels.places(names, wish.classes, str(found.files[0]))
    for stem, stack, labels in given:
        yield from _convert(stack, wish.size, colour, place, stem)
        if wish.labels and labels is not None:
            words = names if stem == "train" else _words(labels, stack.shape[0])
            with IdxWriter(place / LABELS.format(stem), ()) as file:
                file.add(class_labels.places(words, classes, labels.what)[1])
    return classes


def _convert(
    stack: Stack, wanted: tuple[int, int] | None, colour: bool, place: Path, stem: str
) -> Generator[Progressed, None, None]:
    count = stack.shape[0]
    if count < FEWEST:
        raise Trouble(f"{stack.what} holds {count} images; at least {FEWEST} are needed.")
    own = resizing.sides(stack)
    shape = _shape(wanted or own, colour)
    if not all(SMALLEST <= each <= LARGEST for each in shape[:2]):
        raise Trouble(f"{stack.what} holds images of {own[0]}x{own[1]} pixels; bring them to --size 64x64 or less.")
    with IdxWriter(place / IMAGES.format(stem, 1 + len(shape)), shape) as file:
        for pixels in resizing.convert(stack, shape):
            file.add(pixels)
            yield Progressed("converting the images", file.count, count)


def _words(labels: Stack, count: int) -> list[str]:
    if labels.shape not in ((count,), (count, 1)):
        raise Trouble(f"{labels.what} has the shape {labels.shape}; one label for each of {count:,} images is needed.")
    values: NDArray[Any] = labels.whole().reshape(-1)
    if values.dtype.kind == "f" and (values == values.round()).all():
        values = values.astype(np.int64)
    return [each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in values.tolist()]


def _shape(size: tuple[int, int], colour: bool) -> tuple[int, ...]:
    return (*size, COLOURS) if colour else size


def _in_colour(paths: Sequence[str]) -> bool:
    """Choose whether all pictures are kept in colour by some of them."""
    some = paths[:: max(len(paths) // GLANCED, 1)]
    return sum(map(colourful, some)) > FEW * len(some)


def _choose(paths: Sequence[str]) -> tuple[int, int]:
    """Choose one size for all pictures by some of them."""
    found = []
    for path in paths[:: max(len(paths) // PROBED, 1)]:
        try:
            found.append(side(path))
        except UnfitError:
            continue
    if found and len(set(found)) == 1 and all(SMALLEST <= each <= LARGEST for each in found[0]):
        return found[0]
    longer = statistics.median([max(each) for each in found] or [0])
    return DEFAULT if longer <= SMALL else (LARGEST, LARGEST)
