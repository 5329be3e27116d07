"""Labels as arrays: npz and IDX."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from vaetui.export.label_table import SOURCES, Labels
from vaetui.storage import atomic_files
from vaetui.storage.dataset_cache import IdxWriter

UNSURE = 255
"""The label of an image that is left out, where every image needs one."""


def write_npz(labels: Labels, output: Path) -> None:
    """Write a column as an array each; `classes` and `sources` are what their numbers stand for."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        index=labels.indices,
        label=labels.labels.astype(np.uint8),
        confidence=labels.confidences,
        source=labels.sources,
        cluster=np.array([*labels.paths, ""])[labels.clusters],
        weight=labels.weights,
        distance=labels.distances,
        classes=np.array(labels.classes),
        sources=np.array(SOURCES),
    )
    atomic_files.write(output.resolve(), buffer.getvalue())


def write_idx(labels: Labels, output: Path) -> None:
    """Write an IDX file of bytes with a label for each image up to the last; one that is left out is 255."""
    count = int(labels.indices[-1]) + 1 if len(labels) else 0
    everyone = np.full(count, UNSURE, np.uint8)
    everyone[labels.indices] = labels.labels
    partial = output.resolve().with_name(f"{output.name}{atomic_files.PARTIAL}")
    with IdxWriter(partial, ()) as file:
        file.add(everyone)
    with atomic_files.explained(output):
        partial.replace(output.resolve())
