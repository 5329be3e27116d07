"""Labels as one directory for each class, with the pictures in it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.events import Progress
from vaetui.export.image_placement import create_output_directory, relative_paths, safe_name, write_images
from vaetui.export.label_table import LabelTable

UNSURE_DIRECTORY = "_unsure"
"""The directory of pictures whose label is not sure enough."""


def write_folders(
    label_table: LabelTable, min_confidence: float, copy_files: bool, images: NDArray[np.uint8] | None, output: Path
) -> Generator[Progress, None, int]:
    """Put each picture into the directory of its class, with its own folders; below `least` confidence into _unsure.

    Yields its progress, and returns how many are gone. Raises Trouble for a directory that holds something, and for a
    full disk.
    """
    create_output_directory(output)
    names = directory_names(label_table.class_names)
    sure = (label_table.confidences >= min_confidence).tolist()
    heads = [
        names[label] if good else UNSURE_DIRECTORY
        for label, good in zip(label_table.class_ids.tolist(), sure, strict=True)
    ]
    targets = [f"{head}/{name}" for head, name in zip(heads, relative_paths(label_table), strict=True)]
    return (yield from write_images(label_table, targets, copy_files, images, output)).count(None)


def directory_names(class_names: Iterable[str]) -> list[str]:
    """Give each class the name of a directory that is safe everywhere; equal ones are numbered."""
    found: list[str] = []
    for name in class_names:
        own = safe_name(name)
        own = own if own != UNSURE_DIRECTORY else f"{UNSURE_DIRECTORY}_"
        folded = [each.casefold() for each in found]
        found.append(own if own.casefold() not in folded else f"{own}-{len(found)}")
    return found
