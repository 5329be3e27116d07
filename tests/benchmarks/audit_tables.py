"""Tables of the results of `audit`."""

from __future__ import annotations

import textwrap
from typing import Any

from tests.benchmarks.markdown import LINE_WIDTH, format_table
from tests.benchmarks.results import load_results

SET_NAMES = {
    "mnist": "MNIST",
    "fashion": "Fashion-MNIST",
    "imbalanced": "MNIST, 1 to 30 % per class",
    "digits": "scikit-learn digits",
    "coloured": "MNIST in colour",
    "background": "MNIST on photographs",
    "cifar10": "CIFAR-10 photographs",
    "blood32": "blood cells",
}


def audit_table() -> str:
    """Return how often intervals hold, how wide they are and how many keys they take."""
    results = load_results("audit")
    summary = (
        f"{results['audits']} simulated audits for each line, {results['date']}, {results['machine']}. An interval "
        "holds if it contains the share of right labels. Half-width in points and keys are medians."
    )
    head = ["images", "rounds", "right labels", "plan", "interval holds", "half-width", "keys", "planted errors found"]
    rows = [
        [
            SET_NAMES.get(unit["set"], unit["set"]),
            str(unit["rounds"]),
            f"{100 * unit['accuracy']:.1f} %",
            unit["plan"],
            f"{100 * unit['coverage']:.1f} %",
            f"{100 * unit['half_width']:.1f}",
            f"{unit['keys']:.0f}",
            "–" if unit["catch_share"] is None else f"{100 * unit['catch_share']:.0f} %",
        ]
        for unit in results["units"]
        if unit["error_rate"] == 0
    ]
    return f"{textwrap.fill(summary, LINE_WIDTH)}\n\n" + format_table(head, rows)


def audit_errors_table() -> str:
    """Return what happens if some of the checks of a full audit are wrong."""
    units = [unit for unit in load_results("audit")["units"] if unit["plan"] == "full"]
    error_rates = sorted({unit["error_rate"] for unit in units} - {0})
    head = ["images", "rounds", "right labels"]
    for rate in error_rates:
        head += [f"interval holds, {100 * rate:.0f} % wrong checks", "error of the figure, points"]
    rows = []
    for unit in units:
        if unit["error_rate"] == 0:
            others = [_find_unit(units, unit, rate) for rate in error_rates]
            row = [SET_NAMES.get(unit["set"], unit["set"]), str(unit["rounds"]), f"{100 * unit['accuracy']:.1f} %"]
            for other in others:
                row += [f"{100 * other['coverage']:.1f} %", f"{100 * other['bias']:+.1f}"]
            rows.append(row)
    return format_table(head, rows)


def _find_unit(units: list[dict[str, Any]], unit: dict[str, Any], error_rate: float) -> dict[str, Any]:
    key = unit["set"], unit["rounds"], error_rate
    return next(other for other in units if (other["set"], other["rounds"], other["error_rate"]) == key)
