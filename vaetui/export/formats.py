"""Labels in a form that is named; it does not know how any of them looks."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.events import Progressed
from vaetui.export import array_formats, class_folders, labelling_tools, parquet, tabular_formats
from vaetui.export.label_table import Labels

FILES: dict[str, Callable[[Labels, Path], None]] = {
    "csv": tabular_formats.write_csv,
    "jsonl": tabular_formats.write_jsonl,
    "npz": array_formats.write_npz,
    "idx": array_formats.write_idx,
    "parquet": parquet.write_parquet,
}
"""The forms that are one file, by their names."""
Filling = Callable[[Labels, float, bool, NDArray[np.uint8] | None, Path], Generator[Progressed, None, int]]
DIRECTORIES: dict[str, Filling] = {
    "folders": class_folders.write_folders,
    "label-studio": labelling_tools.write_label_studio,
    "fiftyone": labelling_tools.write_fiftyone,
    "huggingface": labelling_tools.write_huggingface,
}
"""The forms that are a directory with pictures, by their names."""


def write(
    labels: Labels, form: str, least: float, copies: bool, images: NDArray[np.uint8] | None, output: Path
) -> Generator[Progressed, None, int]:
    """Write the labels that are at least so sure; `images` [N, H, W] are those of a set without files.

    Yields its progress, and returns how many pictures are gone. Raises Trouble for a place that cannot be written.
    """
    if form in DIRECTORIES:
        return (yield from DIRECTORIES[form](labels, least, copies, images, output))
    yield Progressed("writing the labels", 0, 1)
    FILES[form](labels.only(labels.confidences >= least), output)
    return 0
