"""Write labels as one directory of images per class."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.events import Progress
from vaetui.export.image_writing import create_output_directory, list_relative_paths, make_safe_name, write_images
from vaetui.export.label_table import LabelTable

UNSURE_DIRECTORY = "_unsure"
"""The directory of images whose confidence is below the minimum."""


def write_class_folders(
    label_table: LabelTable, min_confidence: float, copy_files: bool, images: NDArray[np.uint8] | None, output: Path
) -> Generator[Progress, None, int]:
    """Write each image, under its own path, into the directory of its class, or _unsure below `min_confidence`.

    Yields Progress, and returns the number of missing image files. Raises UserError if the output directory is not
    empty or cannot be written.
    """
    create_output_directory(output)
    names = make_directory_names(label_table.class_names)
    is_sure = (label_table.confidences >= min_confidence).tolist()
    rows = zip(list_relative_paths(label_table), label_table.class_ids.tolist(), is_sure, strict=True)
    target_paths = [f"{names[class_id] if sure else UNSURE_DIRECTORY}/{path}" for path, class_id, sure in rows]
    return (yield from write_images(label_table, target_paths, copy_files, images, output)).count(None)


def make_directory_names(class_names: Iterable[str]) -> list[str]:
    """Return a directory name for each class, valid on every operating system; duplicates get a number."""
    names: list[str] = []
    for class_name in class_names:
        name = make_safe_name(class_name)
        if name == UNSURE_DIRECTORY:
            name += "_"
        used_names = [used_name.casefold() for used_name in names]
        names.append(name if name.casefold() not in used_names else f"{name}-{len(names)}")
    return names
