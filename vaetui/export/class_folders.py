"""Labels as one directory for each class, with the pictures in it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.events import Progressed
from vaetui.export.image_placement import begin, called, place, safe
from vaetui.export.label_table import Labels

UNSURE = "_unsure"
"""The directory of pictures whose label is not sure enough."""


def write_folders(
    labels: Labels, least: float, copies: bool, images: NDArray[np.uint8] | None, output: Path
) -> Generator[Progressed, None, int]:
    """Put each picture into the directory of its class, with its own folders; below `least` confidence into _unsure.

    Yields its progress, and returns how many are gone. Raises Trouble for a directory that holds something, and for a
    full disk.
    """
    begin(output)
    names = directories(labels.classes)
    sure = (labels.confidences >= least).tolist()
    heads = [names[label] if good else UNSURE for label, good in zip(labels.labels.tolist(), sure, strict=True)]
    targets = [f"{head}/{name}" for head, name in zip(heads, called(labels), strict=True)]
    return (yield from place(labels, targets, copies, images, output)).count(None)


def directories(classes: Iterable[str]) -> list[str]:
    """Give each class the name of a directory that is safe everywhere; equal ones are numbered."""
    found: list[str] = []
    for name in classes:
        own = safe(name)
        own = own if own != UNSURE else f"{UNSURE}_"
        folded = [each.casefold() for each in found]
        found.append(own if own.casefold() not in folded else f"{own}-{len(found)}")
    return found
