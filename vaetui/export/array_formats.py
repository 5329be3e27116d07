"""Labels as arrays: npz and IDX."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from vaetui.export.label_table import SOURCES, LabelTable
from vaetui.storage import atomic_files
from vaetui.storage.dataset_cache import IdxWriter

UNLABELLED_CLASS_ID = 255
"""The label of an image that is left out, where every image needs one."""


def write_npz(label_table: LabelTable, output: Path) -> None:
    """Write a column as an array each; `classes` and `sources` are what their numbers stand for."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        index=label_table.indices,
        label=label_table.class_ids.astype(np.uint8),
        confidence=label_table.confidences,
        source=label_table.source_ids,
        cluster=np.array([*label_table.cluster_paths, ""])[label_table.cluster_ids],
        weight=label_table.weights,
        distance=label_table.distances,
        classes=np.array(label_table.class_names),
        sources=np.array(SOURCES),
    )
    atomic_files.write(output.resolve(), buffer.getvalue())


def write_idx(label_table: LabelTable, output: Path) -> None:
    """Write an IDX file of bytes with a label for each image up to the last; one that is left out is 255."""
    count = int(label_table.indices[-1]) + 1 if len(label_table) else 0
    everyone = np.full(count, UNLABELLED_CLASS_ID, np.uint8)
    everyone[label_table.indices] = label_table.class_ids
    partial = output.resolve().with_name(f"{output.name}{atomic_files.PARTIAL_SUFFIX}")
    with IdxWriter(partial, ()) as file:
        file.add(everyone)
    with atomic_files.translate_os_errors(output):
        partial.replace(output.resolve())
