"""Plots of a finished run, each above a table of its values."""

from __future__ import annotations

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from vaetui.engine.config import TrainingConfig, find_round_of_epoch
from vaetui.engine.events import EpochEnded
from vaetui.tui.presenters.epoch_metrics import UNSUPERVISED_METRICS_HEADING, select_unsupervised_metrics
from vaetui.tui.presenters.number_format import format_number
from vaetui.tui.presenters.plot_curves import Axis, Curve, choose_ticks
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.curve_panes import draw_unsupervised_metrics
from vaetui.tui.widgets.plot import Plot

VALUE_CELLS = 5
"""Columns of a value with the space before it."""


class ResultPlot(Vertical):
    """A plot above a line of rounds or epochs and one line of values for each curve."""

    DEFAULT_CSS = """
    ResultPlot { width: 1fr; }
    """

    def __init__(self, heading: str, x_label: str, line_count: int, session: Session) -> None:
        """Create a plot of `session` above `line_count` lines of values."""
        super().__init__()
        self.session = session
        """The finished session."""
        self._heading, self._x_label, self._line_count = heading, x_label, line_count

    def compose(self) -> ComposeResult:
        """Mount the plot and its values."""
        yield Plot(self._heading, self._x_label)
        yield (values := Static(markup=False))
        values.styles.height = self._line_count


class AccuracyByRoundPlot(ResultPlot):
    """The test accuracy after each round."""

    def __init__(self, session: Session) -> None:
        """Create a plot of the test accuracies of `session`."""
        super().__init__("Test accuracy in % by round", "round", 2, session)
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
        shown = self.round_accuracies[-max(plot.column_count // VALUE_CELLS, 1) :]
        values = Text.assemble(
            ("round", "dim"),
            *(f"{round_number:>{VALUE_CELLS}}" for round_number, _ in shown),
            ("\n    %", "dim"),
            *((_format_value(accuracy), "bold") for _, accuracy in shown),
        )
        self.query_one(Static).update(values, layout=False)


class MetricsByEpochPlot(ResultPlot):
    """The metrics of each epoch that need no true labels."""

    def __init__(self, session: Session) -> None:
        """Create a plot of the metrics of `session`."""
        self._metrics = select_unsupervised_metrics(session.config)
        super().__init__(UNSUPERVISED_METRICS_HEADING, "epoch", 1 + len(self._metrics), session)

    def draw(self) -> None:
        """Draw the curves and their values."""
        plot, epochs = self.query_one(Plot), self.session.training_curves().finished_epochs
        draw_unsupervised_metrics(plot, self.session.config, epochs, self.session.epoch_count)
        name_width = max(len(metric.name) for metric in self._metrics)
        shown = epochs[-max((self.size.width - name_width - 2) // VALUE_CELLS, 1) :]
        values = Text.assemble(
            (f"{'epoch':>{name_width + 2}}", "dim"), *(f"{epoch.epoch:>{VALUE_CELLS}}" for epoch in shown)
        )
        for metric in self._metrics:
            values.append_text(Text.assemble("\n", (metric.marker, metric.style), f" {metric.name:<{name_width}}"))
            values.append_text(Text("".join(_format_value(metric.get_value(epoch)) for epoch in shown), "bold"))
        self.query_one(Static).update(values, layout=False)


def compute_accuracy_by_round(epochs: tuple[EpochEnded, ...], training: TrainingConfig) -> list[tuple[int, float]]:
    """Return round and test accuracy after each round; round 0 is the training before the first round."""
    # Of the epochs of a round, the last one counts.
    accuracies = {find_round_of_epoch(training, epoch.epoch) or 0: epoch.test_accuracy for epoch in epochs}
    return [(round_number, accuracy) for round_number, accuracy in sorted(accuracies.items()) if accuracy is not None]


def _format_value(share: float | None) -> str:
    return f"{'-' if share is None else format_number(100 * share, VALUE_CELLS - 1):>{VALUE_CELLS}}"
