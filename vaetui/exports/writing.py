"""Labels in a form that is named; it does not know how any of them looks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vaetui.exports.arrays import write_idx, write_npz
from vaetui.exports.labels import Labels
from vaetui.exports.tables import write_csv, write_jsonl

FILES: dict[str, Callable[[Labels, Path], None]] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "npz": write_npz,
    "idx": write_idx,
}
"""The forms that are one file, by their names."""


def write(labels: Labels, form: str, least: float, output: Path) -> int:
    """Write the labels that are at least so sure, and tell how many these are."""
    chosen = labels.only(labels.confidences >= least)
    FILES[form](chosen, output)
    return len(chosen)
