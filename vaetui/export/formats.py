"""Write labels in an export format chosen by name."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.events import Progress
from vaetui.export import array_formats, class_folders, labelling_tools, tabular_formats
from vaetui.export.label_table import LabelTable

FILE_WRITERS: dict[str, Callable[[LabelTable, Path], None]] = {
    "csv": tabular_formats.write_csv,
    "jsonl": tabular_formats.write_jsonl,
    "npz": array_formats.write_npz,
    "idx": array_formats.write_idx,
    "parquet": tabular_formats.write_parquet,
}
"""Writers of formats that are one file."""
DirectoryWriter = Callable[[LabelTable, float, bool, NDArray[np.uint8] | None, Path], Generator[Progress, None, int]]
DIRECTORY_WRITERS: dict[str, DirectoryWriter] = {
    "folders": class_folders.write_class_folders,
    "label-studio": labelling_tools.write_label_studio,
    "fiftyone": labelling_tools.write_fiftyone,
    "huggingface": labelling_tools.write_huggingface,
}
"""Writers of formats that are a directory with images."""


def write_labels(
    label_table: LabelTable,
    format_name: str,
    min_confidence: float,
    copy_files: bool,
    images: NDArray[np.uint8] | None,
    output: Path,
) -> Generator[Progress, None, int]:
    """Write the labels whose confidence is at least `min_confidence`.

    `images` [N, H, W] or [N, H, W, 3] are the pixels of a dataset without image files. Yields Progress, and returns the
    number of missing image files. Raises UserError if the output cannot be written or a directory is not empty.
    """
    if format_name in DIRECTORY_WRITERS:
        return (yield from DIRECTORY_WRITERS[format_name](label_table, min_confidence, copy_files, images, output))
    yield Progress("writing labels", 0, 1)
    FILE_WRITERS[format_name](label_table.select_rows(label_table.confidences >= min_confidence), output)
    return 0
