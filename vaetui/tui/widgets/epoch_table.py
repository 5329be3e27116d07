"""A table of the finished epochs."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from textual.widgets import Static

from vaetui.engine.events import EpochEnded, Losses
from vaetui.tui.presenters.epoch_metrics import (
    LABEL_COVERAGE,
    PIXEL_ACCURACY,
    READING_ACCURACY,
    TEST_ACCURACY,
    EpochMetric,
)
from vaetui.tui.presenters.number_format import format_duration, format_number, format_percent

TEST_METRICS = (TEST_ACCURACY, PIXEL_ACCURACY, READING_ACCURACY, LABEL_COVERAGE)
"""The metrics of a session with test labels."""


LOSS_HEADINGS = {
    "reconstruction": "recon. loss",
    "divergence": "KL div.",
    "classification": "class. loss",
    "contrastive": "contrast.",
    "consistency": "consist.",
}
"""Headings of the loss terms that are in use."""


class EpochTable(Static):
    """One row for each of the last finished epochs."""

    DEFAULT_CSS = """
    EpochTable { height: auto; max-height: 9; padding: 0 1; }
    """
    MAX_ROWS = 7

    def __init__(self, metrics: Sequence[EpochMetric], id: str | None = None) -> None:
        """Create an empty table with columns for `metrics`."""
        super().__init__(id=id)
        self._metrics = tuple(metrics)

    def show_epochs(self, epochs: tuple[EpochEnded, ...]) -> None:
        """Show the last of `epochs`, with the reading accuracy if any epoch has one."""
        metrics = self._metrics
        if READING_ACCURACY not in metrics and any(READING_ACCURACY.get_value(epoch) is not None for epoch in epochs):
            metrics = (*metrics, READING_ACCURACY)
        terms = [name for name in Losses._fields if any(getattr(epoch.losses, name) for epoch in epochs)]
        headings = (
            "epoch",
            *(LOSS_HEADINGS[name] for name in terms),
            *(f"{metric.name} %" for metric in metrics),
            "answers",
            "time",
        )
        table = Table(
            *headings, box=box.SIMPLE_HEAD, expand=True, show_edge=False, pad_edge=False, collapse_padding=True
        )
        for column in table.columns:
            column.justify, column.no_wrap, column.header_style = "right", True, "bold"
        for epoch in epochs[-self.MAX_ROWS :]:
            table.add_row(
                str(epoch.epoch),
                *(format_number(getattr(epoch.losses, name)) for name in terms),
                *(format_percent(metric.get_value(epoch)) for metric in metrics),
                str(epoch.answer_count),
                format_duration(epoch.seconds),
            )
        self.update(table)
