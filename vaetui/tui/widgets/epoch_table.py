"""A table of the finished epochs."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from textual.widgets import Static

from vaetui.engine.config import Config
from vaetui.engine.events import EpochEnded
from vaetui.tui.presenters.epoch_metrics import (
    READING_ACCURACY,
    TEST_ACCURACY,
    EpochMetric,
    select_decoder_metrics,
)
from vaetui.tui.presenters.loss_terms import LossTerm
from vaetui.tui.presenters.number_format import format_duration, format_number


def select_test_metrics(config: Config) -> tuple[EpochMetric, ...]:
    """Return the metrics of a session with test labels."""
    decoder_metrics = select_decoder_metrics(config)
    return TEST_ACCURACY, *decoder_metrics, *((READING_ACCURACY,) if decoder_metrics else ())


FULL_NAME_COLUMNS = 150
"""From this number of columns on, the loss terms have their full names."""


class EpochTable(Static):
    """One row for each of the last finished epochs."""

    DEFAULT_CSS = """
    EpochTable { height: auto; max-height: 9; padding: 0 1; }
    """
    MAX_ROWS = 7

    def __init__(self, terms: Sequence[LossTerm], metrics: Sequence[EpochMetric], id: str | None = None) -> None:
        """Create an empty table with columns for `terms` of the loss and for `metrics`."""
        super().__init__(id=id)
        self._terms = tuple(terms)
        self._metrics = tuple(metrics)

    def show_epochs(self, epochs: tuple[EpochEnded, ...]) -> None:
        """Show the last of `epochs`, with the reading accuracy if any epoch has one."""
        metrics = self._metrics
        if READING_ACCURACY not in metrics and any(READING_ACCURACY.get_value(epoch) is not None for epoch in epochs):
            metrics = (*metrics, READING_ACCURACY)
        is_wide = self.app.size.width >= FULL_NAME_COLUMNS
        headings = (
            "epoch",
            *(term.name if is_wide else term.short_name for term in self._terms),
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
                *(format_number(getattr(epoch.losses, term.field)) for term in self._terms),
                *(metric.format_value(epoch) for metric in metrics),
                str(epoch.answer_count),
                format_duration(epoch.seconds),
            )
        self.update(table)
