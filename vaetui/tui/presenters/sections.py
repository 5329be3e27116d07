"""Lay out headings with rows of two columns."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group
from rich.table import Table
from rich.text import Text

MIN_LEFT_CELLS = 18
"""Cells of the left column, so that sections below one another are aligned."""


def format_section(heading: str, rows: Iterable[tuple[str, str]]) -> Group:
    """Return a heading above rows of a bold left and a wrapped right text."""
    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=MIN_LEFT_CELLS, no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for left, right in rows:
        table.add_row(Text(f"  {left}"), Text(right))
    return Group(Text(heading, style="bold underline"), table, Text())
