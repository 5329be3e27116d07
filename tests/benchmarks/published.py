"""What the paper publishes, and how what we measured is laid beside it; it measures nothing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.results import RESULTS

PAPER = RESULTS / "paper.json"
TEST_ACCURACY = (9.2, 65.1, 68.9, 69.5, 71.3, 75.3)
"""Figure 4: % after epochs 1 to 6."""
BY_SIZE = {1: 25.0, 2: 41.9, 3: 63.3, 4: 75.5, 5: 77.8, 9: 81.3, 13: 80.6, 17: 78.6, 21: 75.9}
"""Figure 5: % of the reconstructions read right, by z_dim."""
BEST_READ = (78.9, 75.8)
"""Figure 6: the best %, with and without the classification loss."""
READ_GAP = 6.5
"""Figure 6: percentage points between the two, mean over 15 checks."""
LABELS = {0.6: 83.0, 0.7: 91.0}
"""% of the spread labels that are right, above a weight."""


def told() -> dict[str, Any]:
    """Give everything measured, by unit and seed."""
    measured: dict[str, Any] = json.loads(PAPER.read_text())
    return measured


def runs(unit: str) -> list[dict[str, Any]]:
    """Give the runs of a unit, one for each seed."""
    return [told()[name] for name in sorted(told()) if name.split("/")[0] == unit]


def column(unit: str, key: str) -> NDArray[np.float64]:
    """Give one figure of each run of a unit in %, [seeds, ...]."""
    return 100 * np.array([run[key] for run in runs(unit)], dtype=np.float64)


def spread(values: NDArray[np.float64]) -> str:
    """Write the mean of some figures, and from where to where they go."""
    if not len(values):
        return "–"
    return f"{values.mean():.1f} ({values.min():.1f}–{values.max():.1f})"


def read_by_size() -> dict[int, NDArray[np.float64]]:
    """Give the reading accuracy after five epochs without classification loss, in %, [seeds] by z_dim."""
    found = {size: column(f"z{size}", "reading_accuracy") for size in BY_SIZE}
    found[10] = column("plain", "reading_accuracy")
    return {size: values[:, 4] for size, values in sorted(found.items()) if len(values)}


def labels_above(weight: float, unit: str) -> NDArray[np.float64]:
    """Give the % of labels above a weight that are right in the last round, [seeds]."""
    rows = [next(row for row in run["label_accuracy"]["by_weight"] if row["above"] == weight) for run in runs(unit)]
    return 100 * np.array([row["accuracy"] for row in rows], dtype=np.float64)


def named(unit: str, count: int) -> NDArray[np.float64]:
    """Give the test accuracy of so many clusters named right, in %, [seeds]."""
    return 100 * np.array([run["clusters"][str(count)] for run in runs(unit)], dtype=np.float64)
