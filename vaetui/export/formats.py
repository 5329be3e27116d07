"""Write labels in an export format chosen by name."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.events import Progress
from vaetui.engine.slow_calls import run_in_background
from vaetui.export import array_formats, class_folders, labelling_tools, tabular_formats
from vaetui.export.file_naming import DIRECTORY_INFO_NAME
from vaetui.export.image_writing import ImageOutput, WrittenPaths
from vaetui.export.label_info import (
    ExportCounts,
    LabelInfo,
    build_info,
    encode_info,
    find_info_path,
)
from vaetui.export.label_table import BEYOND_BORDER_ID, NO_CLASS_ID, UNREADABLE_ID, LabelTable
from vaetui.storage.output_files import create_output_directory, write_described_file

FILE_ENCODERS: dict[str, Callable[[LabelTable, Mapping[str, Any]], bytes | Iterable[bytes]]] = {
    "csv": tabular_formats.encode_csv,
    "jsonl": tabular_formats.encode_jsonl,
    "npz": array_formats.encode_npz,
    "idx": array_formats.encode_idx,
    "parquet": tabular_formats.encode_parquet,
}
"""Encoders of formats that are one file; they omit images without a label, or mark them. Some store the info, too."""
DIRECTORY_WRITERS: dict[str, Callable[[LabelTable, ImageOutput, str], WrittenPaths]] = {
    "folders": class_folders.write_class_folders,
    "label-studio": labelling_tools.write_label_studio,
    "fiftyone": labelling_tools.write_fiftyone,
    "huggingface": labelling_tools.write_huggingface,
}
"""Writers of formats that are a directory with images; they return the path of each image, None if it is missing."""


def write_labels(
    label_table: LabelTable,
    info: LabelInfo,
    format_name: str,
    min_confidence: float,
    copy_files: bool,
    images: NDArray[np.uint8] | None,
    output: Path,
) -> Generator[Progress, None, ExportCounts]:
    """Write the labels of all images of a dataset whose confidence is at least `min_confidence`, and their info file.

    `images` [N, H, W] or [N, H, W, 3] are the pixels of a dataset without image files. Yields Progress. Raises
    UserError if the output cannot be written or a directory is not empty; then nothing is left of it.
    """
    is_labelled = label_table.class_ids >= 0
    is_sure = is_labelled & (label_table.confidences >= min_confidence)
    table = replace(label_table, class_ids=np.where(is_sure, label_table.class_ids, NO_CLASS_ID))
    unlabelled_source_ids = label_table.source_ids[~is_labelled]
    unreadable_count = int((unlabelled_source_ids == UNREADABLE_ID).sum())
    beyond_border_count = int((unlabelled_source_ids == BEYOND_BORDER_ID).sum())
    counts = ExportCounts(
        written=int(is_sure.sum()),
        unsure=int((is_labelled & ~is_sure).sum()),
        unlabelled=len(unlabelled_source_ids) - unreadable_count - beyond_border_count,
        unreadable=unreadable_count,
        beyond_border=beyond_border_count,
    )
    if format_name in FILE_ENCODERS:
        yield Progress("writing labels", 0, 1)
        document = build_info(info, table.select_rows(is_sure), counts, format_name, min_confidence)
        content = yield from run_in_background("writing labels", partial(FILE_ENCODERS[format_name], table, document))
        describe = partial(encode_info, document, output.name)
        for line_count in write_described_file(output, content, find_info_path(output), describe):
            yield Progress("writing labels", min(line_count, counts.written), max(counts.written, 1))
        return counts
    is_taken = is_sure if format_name != "folders" else np.ones(len(table), bool)
    source_files = label_table.source_files
    is_replaced = is_taken & np.isin(table.indices, list(source_files.replaced_indices) if source_files else [])
    table = table.select_rows(is_taken & ~is_replaced)
    with create_output_directory(output) as directory:
        image_output = ImageOutput(directory, output, copy_files, images)
        paths = yield from DIRECTORY_WRITERS[format_name](table, image_output, info.version)
        is_missing = np.array([path is None for path in paths], bool)
        is_written = (table.class_ids >= 0) & ~is_missing
        counts = replace(
            counts, written=int(is_written.sum()), missing=int(is_missing.sum()), replaced=int(is_replaced.sum())
        )
        document = build_info(info, table.select_rows(is_written), counts, format_name, min_confidence)
        (directory / DIRECTORY_INFO_NAME).write_bytes(encode_info(document))
    return counts
