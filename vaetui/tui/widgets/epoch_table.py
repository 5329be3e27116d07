"""The finished epochs as a table; it does not know how they are measured."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from textual.widgets import Static

from vaetui.engine.events import EpochEnded
from vaetui.tui.presenters.epoch_metrics import (
    LABEL_COVERAGE,
    PIXEL_ACCURACY,
    READING_ACCURACY,
    TEST_ACCURACY,
    EpochMetric,
)
from vaetui.tui.presenters.number_format import format_duration, format_number, format_percent

LEADING_COLUMNS = ("epoch", "reconstruction", "divergence", "classification")
TEST_METRICS = (TEST_ACCURACY, PIXEL_ACCURACY, READING_ACCURACY, LABEL_COVERAGE)
"""The shares where true labels tell them."""
TRAILING_COLUMNS = ("answers", "time")


class EpochTable(Static):
    """One line for each finished epoch, the last ones where there are many."""

    DEFAULT_CSS = """
    EpochTable { height: auto; max-height: 9; padding: 0 1; }
    """
    MAX_ROWS = 7

    def __init__(self, metrics: Sequence[EpochMetric], id: str | None = None) -> None:
        """Show these shares of each."""
        super().__init__(id=id)
        self._metrics = tuple(metrics)

    def show(self, epochs: tuple[EpochEnded, ...]) -> None:
        """Show these epochs."""
        shares = self._metrics
        if READING_ACCURACY not in shares and any(READING_ACCURACY.get_value(one) is not None for one in epochs):
            shares = (*shares, READING_ACCURACY)
        names = (*LEADING_COLUMNS, *(f"{each.name} %" for each in shares), *TRAILING_COLUMNS)
        table = Table(*names, box=box.SIMPLE_HEAD, expand=True, show_edge=False, pad_edge=False, collapse_padding=True)
        for column in table.columns:
            column.justify, column.no_wrap, column.header_style = "right", True, "bold"
        for one in epochs[-self.MAX_ROWS :]:
            table.add_row(
                str(one.epoch),
                format_number(one.losses.reconstruction),
                format_number(one.losses.divergence),
                format_number(one.losses.classification),
                *(format_percent(each.get_value(one)) for each in shares),
                str(one.answer_count),
                format_duration(one.seconds),
            )
        self.update(table)
