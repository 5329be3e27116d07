"""What a run came to, as curves above their figures; it does not know what stands beside them."""

from __future__ import annotations

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from vaetui.engine.config import TrainingConfig, find_label_round
from vaetui.engine.events import EpochEnded
from vaetui.tui.presenters.epoch_metrics import UNSUPERVISED_METRICS_HEADING, select_unsupervised_metrics
from vaetui.tui.presenters.number_format import format_number
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.curves import draw_label_free_metrics
from vaetui.tui.widgets.plot import Axis, Curve, Plot, choose_ticks

VALUE_CELLS = 5
"""Columns of a figure with the blank before it."""


class ResultPlot(Vertical):
    """A plot, and below it a line of figures for each curve under a line of what they are of."""

    DEFAULT_CSS = """
    ResultPlot { width: 1fr; }
    """

    def __init__(self, heading: str, line_count: int, session: Session) -> None:
        """Show that session, with so many lines of figures."""
        super().__init__()
        self.session = session
        """The one door to everything below."""
        self._heading, self._line_count = heading, line_count

    def compose(self) -> ComposeResult:
        """Lay out the plot and its figures."""
        yield Plot(self._heading)
        yield (values := Static(markup=False))
        values.styles.height = self._line_count


class AccuracyByRound(ResultPlot):
    """The accuracy after each round."""

    def __init__(self, session: Session) -> None:
        """Show that of a session's test images."""
        super().__init__("test accuracy in % by round", 2, session)
        self.round_accuracies = compute_accuracy_by_round(
            session.training_curves().finished_epochs, session.config.training
        )
        """The rounds, and the share that is right after each."""

    def draw(self) -> None:
        """Draw accuracy by round."""
        plot = self.query_one(Plot)
        x = np.array([number for number, _ in self.round_accuracies], dtype=np.float64)
        y = 100 * np.array([share for _, share in self.round_accuracies], dtype=np.float64)
        last = max(self.session.rounds, 1)
        across = Axis(-0.4, last + 0.4, choose_ticks(0.0, last, plot.columns // 4, min_step=1.0))
        curves = [Curve("⠒", "green", x, y), Curve("●", "green", x, y)]
        plot.draw(curves, across, Axis(-8.0, 108.0, (0.0, 50.0, 100.0)))
        shown = self.round_accuracies[-max(plot.columns // VALUE_CELLS, 1) :]
        values = Text.assemble(
            ("round", "dim"),
            *(f"{number:>{VALUE_CELLS}}" for number, _ in shown),
            ("\n    %", "dim"),
            *((_format_value(share), "bold") for _, share in shown),
        )
        self.query_one(Static).update(values, layout=False)


class MetricsByEpoch(ResultPlot):
    """What is known of each epoch without true labels."""

    def __init__(self, session: Session) -> None:
        """Show that of a session."""
        self._metrics = select_unsupervised_metrics(session.config)
        super().__init__(UNSUPERVISED_METRICS_HEADING, 1 + len(self._metrics), session)

    def draw(self) -> None:
        """Draw it by epoch."""
        plot, epochs = self.query_one(Plot), self.session.training_curves().finished_epochs
        draw_label_free_metrics(plot, self.session.config, epochs, self.session.epochs)
        names = max(len(each.name) for each in self._metrics)
        shown = epochs[-max((self.size.width - names - 2) // VALUE_CELLS, 1) :]
        values = Text.assemble((f"{'epoch':>{names + 2}}", "dim"), *(f"{one.epoch:>{VALUE_CELLS}}" for one in shown))
        for each in self._metrics:
            values.append_text(Text.assemble("\n", (each.marker, each.style), f" {each.name:<{names}}"))
            values.append_text(Text("".join(_format_value(each.get_value(one)) for one in shown), "bold"))
        self.query_one(Static).update(values, layout=False)


def compute_accuracy_by_round(epochs: tuple[EpochEnded, ...], training: TrainingConfig) -> list[tuple[int, float]]:
    """Give the accuracy on the test images after each round; 0 is before the first."""
    # The last epoch of a round has the last word on it.
    shares = {find_label_round(training, one.epoch) or 0: one.test_accuracy for one in epochs}
    return [(number, share) for number, share in sorted(shares.items()) if share is not None]


def _format_value(share: float | None) -> str:
    return f"{'-' if share is None else format_number(100 * share, VALUE_CELLS - 1):>{VALUE_CELLS}}"
