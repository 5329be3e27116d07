"""Images from wherever a command is told come portion by portion, all alike; nothing is kept of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaetui.data.array_files import Stack
from vaetui.data.image_files import ENDINGS
from vaetui.data.image_folder import Listed
from vaetui.data.import_options import Wish
from vaetui.data.importing import listed
from vaetui.data.parallel_decoding import PORTION, Decoded, decode_all
from vaetui.data.resizing import convert
from vaetui.engine.clusters import Pixels

TOGETHER = 4_096
"""Single pictures that are decoded together, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """Some images, in their order."""

    names: tuple[str, ...]
    """What each is called, [n]."""
    pixels: Pixels
    """[n, H, W]."""
    skipped: tuple[tuple[str, str], ...]
    """What could not be used, and why."""


def stream(paths: Iterable[str], shape: tuple[int, ...], together: int = TOGETHER) -> Iterator[Portion]:
    """Read pictures, directories of them, tables and arrays, brought to `shape` (height, width[, 3]).

    Of single pictures up to `together` are waited for. Raises Trouble for a path that leads to no images.
    """
    for single, group in itertools.groupby(paths, lambda path: _single(Path(path))):
        for batch in _batches(group, together if single else 1):
            if single:
                yield from _decoded(batch, decode_all(batch, shape))
                continue
            path = Path(batch[0]).absolute()
            found = listed(path, Wish())
            if isinstance(found, Listed):
                files = [str(found.root / name) for name in found.names]
                yield from _decoded(files, decode_all(files, shape))
                yield Portion((), np.empty((0, *shape), np.uint8), found.skipped)
            else:
                yield from _converted(found.train, batch[0], shape)


def _single(path: Path) -> bool:
    return path.name.lower().endswith(ENDINGS) and not os.path.isdir(path)


def _batches(paths: Iterable[str], most: int) -> Iterator[list[str]]:
    waiting = iter(paths)
    while batch := list(itertools.islice(waiting, most)):
        yield batch


def _decoded(names: list[str], portions: Iterator[Decoded]) -> Iterator[Portion]:
    start = 0
    for pixels, reasons in portions:
        those = names[start : start + PORTION]
        start += len(those)
        told = list(zip(those, reasons, strict=True))
        used = tuple(name for name, why in told if why is None)
        yield Portion(used, pixels, tuple((name, why) for name, why in told if why is not None))


def _converted(stack: Stack, name: str, shape: tuple[int, ...]) -> Iterator[Portion]:
    start = 0
    for pixels in convert(stack, shape):
        names = tuple(f"{name}#{at}" for at in range(start, start + len(pixels)))
        start += len(pixels)
        yield Portion(names, pixels, ())
