"""Write labels in an export format chosen by name."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.events import Progress
from vaetui.export import array_formats, class_folders, labelling_tools, tabular_formats
from vaetui.export.image_writing import ImageOutput
from vaetui.export.label_table import LabelTable
from vaetui.storage.output_files import create_output_directory

FILE_WRITERS: dict[str, Callable[[LabelTable, Path], None]] = {
    "csv": tabular_formats.write_csv,
    "jsonl": tabular_formats.write_jsonl,
    "npz": array_formats.write_npz,
    "idx": array_formats.write_idx,
    "parquet": tabular_formats.write_parquet,
}
"""Writers of formats that are one file; they omit images without a label, or mark them."""
DIRECTORY_WRITERS: dict[str, Callable[[LabelTable, ImageOutput], Generator[Progress, None, list[str | None]]]] = {
    "folders": class_folders.write_class_folders,
    "label-studio": labelling_tools.write_label_studio,
    "fiftyone": labelling_tools.write_fiftyone,
    "huggingface": labelling_tools.write_huggingface,
}
"""Writers of formats that are a directory with images; they return the path of each image, None if it is missing."""


@dataclass(frozen=True, slots=True)
class ExportCounts:
    """How many images an export wrote and left out."""

    written: int
    """Images that were written with their class."""
    unsure: int
    """Labelled images whose confidence is below the minimum."""
    unlabelled: int
    """Images without a label."""
    missing: int = 0
    """Images that a directory lacks because their files are missing or unreadable."""
    replaced: int = 0
    """Images that a directory lacks because their files contain other pictures now."""


def write_labels(
    label_table: LabelTable,
    format_name: str,
    min_confidence: float,
    copy_files: bool,
    images: NDArray[np.uint8] | None,
    output: Path,
) -> Generator[Progress, None, ExportCounts]:
    """Write the labels of all images of a dataset whose confidence is at least `min_confidence`.

    `images` [N, H, W] or [N, H, W, 3] are the pixels of a dataset without image files. Yields Progress. Raises
    UserError if the output cannot be written or a directory is not empty; then nothing is left of it.
    """
    is_labelled = label_table.class_ids >= 0
    is_sure = is_labelled & (label_table.confidences >= min_confidence)
    unsure_count, unlabelled_count = int((is_labelled & ~is_sure).sum()), int((~is_labelled).sum())
    table = replace(label_table, class_ids=np.where(is_sure, label_table.class_ids, -1))
    if format_name in FILE_WRITERS:
        yield Progress("writing labels", 0, 1)
        FILE_WRITERS[format_name](table, output)
        return ExportCounts(int(is_sure.sum()), unsure_count, unlabelled_count)
    is_taken = is_sure if format_name != "folders" else np.ones(len(table), bool)
    source_files = label_table.source_files
    is_replaced = is_taken & np.isin(table.indices, list(source_files.replaced_indices) if source_files else [])
    table = table.select_rows(is_taken & ~is_replaced)
    with create_output_directory(output) as directory:
        image_output = ImageOutput(directory, output, copy_files, images)
        paths = yield from DIRECTORY_WRITERS[format_name](table, image_output)
    is_missing = np.array([path is None for path in paths], bool)
    written_count = int(((table.class_ids >= 0) & ~is_missing).sum())
    return ExportCounts(written_count, unsure_count, unlabelled_count, int(is_missing.sum()), int(is_replaced.sum()))
