"""Markdown tables and ranges of figures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LINE_WIDTH = 118
"""Characters in a line of the documentation."""


def format_table(head: list[str], rows: list[list[str]]) -> str:
    """Format a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def format_range(values: NDArray[np.float64]) -> str:
    """Format mean, lowest and highest of some figures."""
    if not len(values):
        return "–"
    return f"{values.mean():.1f} ({values.min():.1f}–{values.max():.1f})"


def describe_results(results: dict[str, Any]) -> str:
    """Return date, machine and seed of some results."""
    return f"{results['date']}, {results['machine']}, seed {results['seed']}"
