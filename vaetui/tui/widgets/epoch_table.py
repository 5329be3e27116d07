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
FIXED_TIME_COLUMNS = 100
"""From this number of columns on, times take the width of hours, so that the columns do not move."""
SIDE_COLUMNS = 2
"""Columns of the screen to the left and right of the table."""


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
        """Show the last of `epochs`, with the reading accuracy if any epoch has one.

        Where the screen is too narrow, the last terms of the loss are left out, so that no text is cut.
        """
        metrics = self._metrics
        if READING_ACCURACY not in metrics and any(READING_ACCURACY.get_value(epoch) is not None for epoch in epochs):
            metrics = (*metrics, READING_ACCURACY)
        room = self.app.size.width - SIDE_COLUMNS
        terms = self._terms
        rows = self._list_rows(epochs[-self.MAX_ROWS :], terms, metrics)
        while terms and _measure_width(rows) > room:
            terms = terms[:-1]
            rows = self._list_rows(epochs[-self.MAX_ROWS :], terms, metrics)
        has_room = _measure_width(rows) + len(rows[0]) - 1 <= room
        table = Table(
            *rows[0],
            box=box.SIMPLE_HEAD,
            expand=True,
            show_edge=False,
            pad_edge=False,
            collapse_padding=True,
            padding=(0, 1) if has_room else 0,
        )
        for column in table.columns:
            column.justify, column.no_wrap, column.header_style = "right", True, "bold"
        for row in rows[1:]:
            table.add_row(*row)
        self.update(table)

    def _list_rows(
        self, epochs: Sequence[EpochEnded], terms: Sequence[LossTerm], metrics: Sequence[EpochMetric]
    ) -> list[list[str]]:
        """Return the headings, then the texts of each epoch."""
        is_wide, is_narrow = self.app.size.width >= FULL_NAME_COLUMNS, self.app.size.width < FIXED_TIME_COLUMNS
        headings = [
            "epoch",
            *(term.name if is_wide else term.short_name for term in terms),
            *(f"{metric.name} %" for metric in metrics),
            "answers",
            "time",
        ]
        rows = [
            [
                str(epoch.epoch),
                *(format_number(getattr(epoch.losses, term.field)) for term in terms),
                *(metric.format_value(epoch) for metric in metrics),
                str(epoch.answer_count),
                format_duration(epoch.seconds).strip(None if is_narrow else ""),
            ]
            for epoch in epochs
        ]
        return [headings, *rows]


def _measure_width(rows: Sequence[Sequence[str]]) -> int:
    """Return the columns of the screen that rows of texts need with one space between the texts."""
    return sum(max(map(len, texts)) for texts in zip(*rows, strict=True)) + len(rows[0]) - 1
