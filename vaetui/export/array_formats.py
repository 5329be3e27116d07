"""Write labels as NumPy arrays (npz) or an IDX file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from vaetui.export.label_table import SOURCES, LabelTable
from vaetui.storage import atomic_files
from vaetui.storage.dataset_cache import IdxWriter


def write_npz(label_table: LabelTable, output: Path) -> None:
    """Write one array per column; `label` indexes `classes` and `source` `sources`; raises UserError if that fails."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        index=label_table.indices,
        label=label_table.class_ids.astype(np.uint8),
        confidence=label_table.confidences,
        source=label_table.source_ids,
        cluster=np.array([*label_table.cluster_paths, ""])[label_table.cluster_ids],  # "" for id -1
        weight=label_table.weights,
        distance=label_table.distances,
        classes=np.array(label_table.class_names),
        sources=np.array(SOURCES),
    )
    atomic_files.replace_file(output.resolve(), buffer.getvalue())


def write_idx(label_table: LabelTable, output: Path) -> None:
    """Write the class id of each image up to the last labelled one, 255 without; raises UserError if that fails."""
    count = int(label_table.indices[-1]) + 1 if len(label_table) else 0
    class_ids = np.full(count, 255, np.uint8)
    class_ids[label_table.indices] = label_table.class_ids
    partial_path = output.resolve().with_name(f"{output.name}{atomic_files.PARTIAL_SUFFIX}")
    with IdxWriter(partial_path, ()) as writer:
        writer.add(class_ids)
    with atomic_files.translate_os_errors(output):
        partial_path.replace(output.resolve())
