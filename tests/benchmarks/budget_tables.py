"""Tables of what `budget` measured: ways of spending answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.benchmarks.markdown import format_table
from tests.benchmarks.results import load_results

Rows = list[dict[str, Any]]
SET_NAMES = {
    "mnist": "MNIST",
    "fashion": "Fashion-MNIST",
    "imbalanced": "MNIST, classes from 1 % to 30 %",
    "coloured": "MNIST in colour",
    "digits": "scikit-learn's digits",
    "cifar10": "CIFAR-10",
    "blood32": "blood cells",
}
"""Image sets and their descriptions."""
STRATEGY_NAMES = {
    "clusters": "clusters",
    "clusters and varied pages": "half clusters, half mixed pages",
    "varied pages": "mixed pages",
    "suspicious pages": "most suspicious pages",
    "varied pages of a class": "varied pages of one class",
    "single images": "single images, most doubtful",
    "random images": "single images at random",
}
"""Strategies and their descriptions."""


def budget_table() -> str:
    """Return the table of the ways of spending 64 answers."""
    return _format_accuracies("budget", "image set, answers", digits=1)


def review_table() -> str:
    """Return the table of what further answers bring after 64 cluster answers."""
    return _format_accuracies("review", "image set, answers in all", digits=2)


def _format_accuracies(name: str, head: str, digits: int) -> str:
    """Return the mean accuracy of the exported labels by set, number of answers and strategy, in percent."""
    results = load_results(name)
    rows: Rows = results["rows"]
    strategies = [strategy for strategy in STRATEGY_NAMES if any(row["strategy"] == strategy for row in rows)]
    lines = []
    for set_name, description in SET_NAMES.items():
        set_rows = [row for row in rows if row["set"] == set_name]
        seed_count = len({row["seed"] for row in set_rows})
        answer_counts = sorted({row["answers"] for row in set_rows})
        for answers in answer_counts:
            cells = [
                [row["exported"] for row in set_rows if (row["answers"], row["strategy"]) == (answers, strategy)]
                for strategy in strategies
            ]
            best = max(float(np.mean(cell)) for cell in cells if cell)
            figures = [_format_cell(cell, best, digits) for cell in cells]
            seeds = f" ({seed_count} seeds)" if seed_count > 1 else " (1 seed)"
            lines.append([f"{description}, {answers}{seeds if answers == answer_counts[0] else ''}", *figures])
    table = format_table([head, *(STRATEGY_NAMES[strategy] for strategy in strategies)], lines)
    return f"{results['date']}, {results['machine']}; mean accuracy of the exported labels in %:\n\n{table}"


def _format_cell(accuracies: list[float], best: float, digits: int) -> str:
    if not accuracies:
        return "–"
    mean = float(np.mean(accuracies))
    figure = f"{100 * mean:.{digits}f}"
    return f"**{figure}**" if mean == best else figure
