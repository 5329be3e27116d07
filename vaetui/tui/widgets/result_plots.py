"""Plots of a finished run, each above a table of its values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from vaetui.engine.config import TrainingConfig, find_round_of_epoch
from vaetui.engine.events import EpochEnded
from vaetui.tui.presenters.epoch_metrics import (
    UNSUPERVISED_METRICS_HEADING,
    select_unsupervised_metrics,
)
from vaetui.tui.presenters.expected_accuracy import round_percent
from vaetui.tui.presenters.number_format import format_number
from vaetui.tui.presenters.plot_curves import Axis, Curve, choose_ticks
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.curve_panes import draw_unsupervised_metrics
from vaetui.tui.widgets.plot import Plot

VALUE_CELLS = 5
"""Columns of a value with the space before it."""


class ResultPlot(Vertical):
    """A plot above a line of values for each curve, each value below its round or epoch."""

    DEFAULT_CSS = """
    ResultPlot { width: 1fr; }
    """

    def __init__(self, heading: str, x_label: str, names: Sequence[Text], session: Session) -> None:
        """Create a plot of `session` above a line of values for each of `names`."""
        super().__init__()
        self.session = session
        """The finished session."""
        self._heading, self._x_label, self._names = heading, x_label, names
        self._margin_cells = max([5, *(name.cell_len + 1 for name in names)])

    def compose(self) -> ComposeResult:
        """Mount the plot and its values."""
        yield Plot(self._heading, self._x_label, self._margin_cells)
        yield (values := Static(markup=False))
        values.styles.height = len(self._names)

    def draw(self) -> None:
        """Draw the curves and their values; the base class has none."""

    def on_resize(self) -> None:
        """Draw again: a plot that was hidden had no room for its axes."""
        self.call_after_refresh(self.draw)

    def _show_values(self, rows: Sequence[Sequence[tuple[int, float | None, bool]]]) -> None:
        """Show a line of values behind each name, in percent, from (x, share, whether it is only expected).

        Without room for decimals the values are whole numbers, as expected ones always are; what then has no room is
        left out, the last value not.
        """
        plot = self.query_one(Plot)
        columns = [plot.find_column(x) for x, *_ in (rows[0] if rows else ())]
        is_narrow = any(second - first < VALUE_CELLS for first, second in pairwise(columns))
        lines = []
        for name, row in zip(self._names, rows, strict=True):
            placed: list[tuple[int, str]] = []
            next_start = self.size.width + 1
            for x, share, is_expected in reversed(row):
                value = _format_value(share, is_narrow, is_expected)
                start = min(plot.find_column(x) - len(value) // 2, self.size.width - len(value))
                if start > self._margin_cells and start + len(value) < next_start:
                    placed.append((start, value))
                    next_start = start
            line = name.copy()
            for start, value in reversed(placed):
                line.pad_right(start - line.cell_len)
                line.append(value, "bold")
            lines.append(line)
        self.query_one(Static).update(Text("\n").join(lines), layout=False)


class AccuracyByRoundPlot(ResultPlot):
    """The test accuracy after each round."""

    def __init__(self, session: Session) -> None:
        """Create a plot of the test accuracies of `session`."""
        super().__init__("Test accuracy in % by round", "round", [Text("   %")], session)
        self.round_accuracies = compute_accuracy_by_round(
            session.training_curves().finished_epochs, session.config.training
        )
        """Round and test accuracy, from 0 to 1."""

    def draw(self) -> None:
        """Draw the curve and its values."""
        plot = self.query_one(Plot)
        x, accuracies = np.array(self.round_accuracies, dtype=np.float64).reshape(-1, 2).T
        last_round = max(self.session.round_count, 1)
        x_axis = Axis(-0.4, last_round + 0.4, choose_ticks(0.0, last_round, plot.column_count // 4, min_step=1.0))
        curves = [Curve(marker, "green", x, 100 * accuracies) for marker in "⠒●"]
        plot.draw_curves(curves, x_axis, Axis(-8.0, 108.0, (0.0, 50.0, 100.0)))
        self._show_values([[(x, share, False) for x, share in self.round_accuracies]])


class MetricsByEpochPlot(ResultPlot):
    """The metrics of each epoch that need no true labels."""

    def __init__(self, session: Session) -> None:
        """Create a plot of the metrics of `session`."""
        self._metrics = select_unsupervised_metrics(session.config)
        names = [Text.assemble((metric.marker, metric.style), f" {metric.name}") for metric in self._metrics]
        super().__init__(UNSUPERVISED_METRICS_HEADING, "epoch", names, session)

    def draw(self) -> None:
        """Draw the curves and their values."""
        plot, epochs = self.query_one(Plot), self.session.training_curves().finished_epochs
        draw_unsupervised_metrics(plot, self.session.config, epochs, self.session.epoch_count)
        self._show_values(
            [
                [(epoch.epoch, metric.get_value(epoch), metric.is_expected) for epoch in epochs]
                for metric in self._metrics
            ]
        )


def compute_accuracy_by_round(epochs: tuple[EpochEnded, ...], training: TrainingConfig) -> list[tuple[int, float]]:
    """Return round and test accuracy after each round; round 0 is the training before the first round."""
    # Of the epochs of a round, the last one counts.
    accuracies = {find_round_of_epoch(training, epoch.epoch) or 0: epoch.test_accuracy for epoch in epochs}
    return [(round_number, accuracy) for round_number, accuracy in sorted(accuracies.items()) if accuracy is not None]


def _format_value(share: float | None, is_narrow: bool, is_expected: bool) -> str:
    if share is not None and is_expected:
        return f"~{round_percent(share)}"
    if share is not None and is_narrow:
        return f"{100 * share:.0f}"
    return "-" if share is None else format_number(100 * share, VALUE_CELLS - 1).strip()
