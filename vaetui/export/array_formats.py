"""Encode labels as NumPy arrays (npz) or an IDX file."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.classes import NO_LABEL
from vaetui.export.label_table import CHECKS, NO_CHECK_ID, SOURCES, LabelTable

PATHS_PER_CHUNK = 4096
"""Paths converted at a time: NumPy stores each with the length of the longest one."""


def encode_npz(label_table: LabelTable, info: Mapping[str, Any]) -> bytes:
    """Return an archive of one array per column; `label` indexes `classes`, `source` `sources` and `check` `checks`.

    Images that were not checked have NO_CHECK_ID. The array `info` contains `info` as JSON, a text.
    """
    positions, is_labelled = label_table.find_positions(), label_table.class_ids >= 0
    labelled = label_table.select_rows(is_labelled)
    arrays: dict[str, NDArray[Any]] = {
        "index": positions[is_labelled],
        "label": labelled.class_ids.astype(np.uint8),
        labelled.confidence_column: labelled.confidences,
        "source": labelled.source_ids,
        "check": np.full(len(labelled), NO_CHECK_ID, np.uint8) if labelled.check_ids is None else labelled.check_ids,
        "cluster": np.array([*labelled.cluster_paths, ""])[labelled.cluster_ids],  # "" for id -1
        "weight": labelled.weights,
        "distance": labelled.distances,
        "classes": np.array(labelled.class_names),
        "sources": np.array(SOURCES),
        "checks": np.array(CHECKS),
        "info": np.array(json.dumps(info)),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        with archive.open("path.npy", "w", force_zip64=True) as member:
            member.writelines(_iter_string_array(labelled.list_path_texts()))
    return buffer.getvalue()


def encode_idx(label_table: LabelTable, info: Mapping[str, Any]) -> bytes:
    """Return an IDX file with the class id of each image of the source, 255 without a label."""
    values = np.full(len(label_table) + len(label_table.omitted_positions), NO_LABEL, np.uint8)
    is_labelled = label_table.class_ids >= 0
    values[label_table.find_positions()[is_labelled]] = label_table.class_ids[is_labelled]
    header = struct.pack(">BBBBI", 0, 0, 8, 1, len(values))
    return header + values.tobytes()


def _iter_string_array(texts: list[str]) -> Iterator[bytes]:
    """Yield the content of an npy file of strings, in chunks."""
    dtype = np.dtype(f"<U{max(map(len, texts), default=0) or 1}")
    header = io.BytesIO()
    header_fields = {"descr": dtype.str, "fortran_order": False, "shape": (len(texts),)}
    np.lib.format.write_array_header_1_0(header, header_fields)
    yield header.getvalue()
    for start in range(0, len(texts), PATHS_PER_CHUNK):
        yield np.array(texts[start : start + PATHS_PER_CHUNK], dtype).tobytes()
