"""The finished epochs as a table; it does not know how they are measured."""

from __future__ import annotations

from rich import box
from rich.table import Table
from textual.widgets import Static

from vaetui.engine.events import EpochEnded
from vaetui.tui.gauge import figure, percent, span

COLUMNS = (
    "epoch",
    "reconstruction",
    "divergence",
    "classification",
    "test %",
    "pixels %",
    "read %",
    "covered %",
    "answers",
    "time",
)


class Epochs(Static):
    """One line for each finished epoch, the last ones where there are many."""

    DEFAULT_CSS = """
    Epochs { height: auto; max-height: 9; padding: 0 1; }
    """
    LINES = 7

    def show(self, epochs: tuple[EpochEnded, ...]) -> None:
        """Show these epochs."""
        table = Table(*COLUMNS, box=box.SIMPLE_HEAD, expand=True, show_edge=False, pad_edge=False)
        for column in table.columns:
            column.justify, column.no_wrap, column.header_style = "right", True, "bold"
        for one in epochs[-self.LINES :]:
            table.add_row(
                str(one.epoch),
                figure(one.losses.reconstruction),
                figure(one.losses.divergence),
                figure(one.losses.classification),
                percent(one.test_accuracy),
                percent(one.pixel_accuracy),
                percent(one.reading_accuracy),
                percent(one.covered),
                str(one.answers),
                span(one.seconds),
            )
        self.update(table)
