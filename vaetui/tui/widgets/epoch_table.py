"""The finished epochs as a table; it does not know how they are measured."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from textual.widgets import Static

from vaetui.engine.events import EpochEnded
from vaetui.tui.presenters.epoch_metrics import COVERED, PIXELS, READ, TEST, Known
from vaetui.tui.presenters.number_format import figure, percent, span

LOSSES = ("epoch", "reconstruction", "divergence", "classification")
TESTED = (TEST, PIXELS, READ, COVERED)
"""The shares where true labels tell them."""
LAST = ("answers", "time")


class Epochs(Static):
    """One line for each finished epoch, the last ones where there are many."""

    DEFAULT_CSS = """
    Epochs { height: auto; max-height: 9; padding: 0 1; }
    """
    LINES = 7

    def __init__(self, shares: Sequence[Known], id: str | None = None) -> None:
        """Show these shares of each."""
        super().__init__(id=id)
        self._shares = tuple(shares)

    def show(self, epochs: tuple[EpochEnded, ...]) -> None:
        """Show these epochs."""
        shares = self._shares
        if READ not in shares and any(READ.of(one) is not None for one in epochs):
            shares = (*shares, READ)
        names = (*LOSSES, *(f"{each.name} %" for each in shares), *LAST)
        table = Table(*names, box=box.SIMPLE_HEAD, expand=True, show_edge=False, pad_edge=False, collapse_padding=True)
        for column in table.columns:
            column.justify, column.no_wrap, column.header_style = "right", True, "bold"
        for one in epochs[-self.LINES :]:
            table.add_row(
                str(one.epoch),
                figure(one.losses.reconstruction),
                figure(one.losses.divergence),
                figure(one.losses.classification),
                *(percent(each.of(one)) for each in shares),
                str(one.answers),
                span(one.seconds),
            )
        self.update(table)
