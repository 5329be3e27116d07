"""Label tables of a few images, with and without image files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.data.drawing import encode_png, load_digits, write_image_folder
from vaetui.export import formats
from vaetui.export.label_info import ExportCounts, LabelInfo
from vaetui.export.label_table import NO_CHECK_ID, LabelTable, SourceFiles
from vaetui.runtime.session_runner import drain_events

LABELS = LabelTable(
    ("cat", "sea horse"),
    np.arange(4),
    np.array([1, 0, 1, 0]),
    np.array([1.0, 0.25, 0.75, 0.5], np.float32),
    np.array([0, 1, 2, 2], np.uint8),
    np.array([1, 0, -1, 0], np.int32),
    np.array([1.0, 0.25, 0, 0], np.float32),
    np.array([0.5, 1.5, np.nan, 2.0], np.float32),
    ("1", "2.1"),
)
"""Labels of four images without files."""
AUDITED_LABELS = replace(
    LABELS, calibration="0123456789ab", check_ids=np.array([NO_CHECK_ID, 1, 0, NO_CHECK_ID], np.uint8)
)
"""The same labels after an audit, in which the second and the third were checked."""
INFO = LabelInfo("pets", "0123456789ab", 3, 2, 16, {})
"""What is known about them."""

UNUSUAL_PATHS = (
    "a.png",
    "a.jpg",
    "test/x.png",
    "train/a.png",
    "r\\s.png",
    "e::f.png",
    "c [1]/d*.png",
    "__old/.g #1.png",
    "ü/H.png",
    "$HOME/${PATH}.png",
    "new\nline/#?%41 ~.png",
)
"""Paths that other tools took for directories, parts of a dataset, patterns, hidden files, or for each other."""


def write_labels(
    label_table: LabelTable,
    format_name: str,
    min_confidence: float,
    output: Path,
    *,
    copy_files: bool = False,
    images: NDArray[np.uint8] | None = None,
) -> ExportCounts:
    """Write the labels, and return how many images were written and left out."""
    return drain_events(
        formats.write_labels(label_table, INFO, format_name, min_confidence, copy_files, images, output)
    )


def write_labelled_files(root: Path) -> LabelTable:
    """Write four image files below a directory, and return LABELS for them."""
    write_image_folder(root, 4)
    paths = tuple(str(path.relative_to(root)) for path in sorted(root.rglob("*.png")))
    return replace(LABELS, source_files=SourceFiles(root, paths))


def write_unusual_files(root: Path) -> LabelTable:
    """Write image files with UNUSUAL_PATHS below a directory, and return labels of two classes for them."""
    count = len(UNUSUAL_PATHS)
    for unusual_path, pixels in zip(UNUSUAL_PATHS, load_digits(count)[0], strict=True):
        path = root / unusual_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(pixels))
    return LabelTable(
        ('cat, "wild"', "<dog & ü>"),
        np.arange(count),
        np.arange(count) % 2,
        np.ones(count, np.float32),
        np.zeros(count, np.uint8),
        np.zeros(count, np.int32),
        np.ones(count, np.float32),
        np.ones(count, np.float32),
        ("1",),
        SourceFiles(root, UNUSUAL_PATHS),
    )
