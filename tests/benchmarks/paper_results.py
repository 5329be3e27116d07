"""The figures that the paper publishes, and access to the measured ones beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.results import load_results

TEST_ACCURACY = (9.2, 65.1, 68.9, 69.5, 71.3, 75.3)
"""Figure 4: test accuracy in % after epochs 1 to 6."""
READING_ACCURACY_BY_Z_DIM = {1: 25.0, 2: 41.9, 3: 63.3, 4: 75.5, 5: 77.8, 9: 81.3, 13: 80.6, 17: 78.6, 21: 75.9}
"""Figure 5: share of the reconstructions read correctly in %."""
BEST_READING_ACCURACY = (78.9, 75.8)
"""Figure 6: the best share in %, with and without the classification loss."""
READING_ACCURACY_GAP = 6.5
"""Figure 6: mean difference of the two over 15 evaluations, in percentage points."""
LABEL_ACCURACY_BY_WEIGHT = {0.6: 83.0, 0.7: 91.0}
"""Share of the pseudo-labels above a weight that are correct, in %."""


def list_runs(unit: str) -> list[dict[str, Any]]:
    """Return the measured runs of a unit, one per seed."""
    results = load_results("paper")
    return [results[name] for name in sorted(results) if name.split("/")[0] == unit]


def measured(unit: str, key: str) -> NDArray[np.float64]:
    """Return one figure of each run of a unit in %, [seeds, ...]."""
    return 100 * np.array([run[key] for run in list_runs(unit)], dtype=np.float64)


def reading_accuracy_by_z_dim() -> dict[int, NDArray[np.float64]]:
    """Return the reading accuracy after five epochs without classification loss in %, [seeds] by z_dim."""
    by_z_dim = {z_dim: measured(f"z{z_dim}", "reading_accuracy") for z_dim in READING_ACCURACY_BY_Z_DIM}
    by_z_dim[10] = measured("plain", "reading_accuracy")
    return {z_dim: values[:, 4] for z_dim, values in sorted(by_z_dim.items()) if len(values)}


def label_accuracy_above(weight: float, unit: str) -> NDArray[np.float64]:
    """Return the share of pseudo-labels above a weight that are correct in the last round, in %, [seeds]."""
    rows = [
        next(row for row in run["label_accuracy"]["by_weight"] if row["min_weight"] == weight)
        for run in list_runs(unit)
    ]
    return 100 * np.array([row["accuracy"] for row in rows], dtype=np.float64)


def cluster_accuracy(unit: str, cluster_count: int) -> NDArray[np.float64]:
    """Return the test accuracy if each of so many clusters is named correctly, in %, [seeds]."""
    return 100 * np.array([run["clusters"][str(cluster_count)] for run in list_runs(unit)], dtype=np.float64)
