"""Plots of losses and metrics, each above a legend with the latest values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Resize
from textual.widgets import Sparkline, Static

from vaetui.engine.classes import ClassList
from vaetui.engine.config import Config
from vaetui.engine.events import EpochEnded, Losses
from vaetui.session.views import TrainingCurves
from vaetui.tui.presenters.disagreement_text import describe_disagreement
from vaetui.tui.presenters.epoch_metrics import (
    EXPECTED_ACCURACY,
    TEST_ACCURACY,
    UNSUPERVISED_METRICS_HEADING,
    EpochMetric,
    build_curves,
    describe_upcoming_metrics,
    select_decoder_metrics,
    select_unsupervised_metrics,
)
from vaetui.tui.presenters.expected_accuracy import NOT_AUDITED, fit_texts
from vaetui.tui.presenters.loss_terms import (
    MIN_TREND_CELLS,
    VALUE_CELLS,
    LossTerm,
    format_loss_trend,
    select_loss_terms,
)
from vaetui.tui.presenters.number_format import format_number, format_percent
from vaetui.tui.presenters.plot_curves import Axis, Curve, choose_ticks
from vaetui.tui.presenters.size_breakpoints import TALL_ROWS
from vaetui.tui.presenters.unanswered_classes import format_unanswered_classes, select_class_names
from vaetui.tui.widgets.plot import Plot

SHORT_LEGEND_COLUMNS = 40
"""A pane narrower than this has a legend without decimals."""
TALL_SCREEN_ROWS = 50
"""From this number of rows of the terminal on, each loss term has a line of its own below the plot."""
MAX_RANGE_QUANTILE = 0.97
"""The first few losses are much larger than the rest; the plot cuts off losses above this quantile."""


class CurvePane(Vertical):
    """A plot above its legend; a pane that is too small for axes shows a sparkline instead of the plot."""

    DEFAULT_CSS = """
    CurvePane { height: 1fr; width: 1fr; }
    CurvePane > .legend { text-wrap: nowrap; text-overflow: ellipsis; }
    CurvePane > Sparkline { display: none; height: 1fr; margin: 0 1; }
    CurvePane.-tiny > Plot { display: none; }
    CurvePane.-tiny > Sparkline { display: block; }
    """

    HEADING = ""
    X_LABEL = "epoch"

    def compose(self) -> ComposeResult:
        """Mount the plot, the sparkline and the legend."""
        yield Plot(self.HEADING, self.X_LABEL)
        yield Sparkline()
        yield (legend := Static(classes="legend", markup=False))
        legend.styles.height = self._count_legend_rows()

    def on_resize(self, event: Resize) -> None:
        """Switch between plot and sparkline."""
        self.set_class(event.size.width < 28 or event.size.height < 8, "-tiny")

    def _count_legend_rows(self) -> int:
        """Return the rows of the legend, before the size of the pane is known."""
        return 2

    def _format_disagreement(self, curves: TrainingCurves, classes: ClassList) -> Text:
        """Return on how many images classifier and graph differ, as far as it fits."""
        return Text(f" {fit_texts([describe_disagreement(curves.disagreement, classes.names)], self.size.width - 1)}")

    @property
    def _is_legend_short(self) -> bool:
        return self.size.width < SHORT_LEGEND_COLUMNS

    def _update_legend(self, *lines: Text) -> None:
        self.query_one(".legend", Static).update(Text("\n").join(lines), layout=False)


class LossPane(CurvePane):
    """The reconstruction loss by step, above the course of all other terms that training uses.

    The terms differ by factors of ten to a thousand. On a common axis most would be flat lines, so only the largest has
    an axis, and each of the others a trend from its lowest to its highest value beside its latest one.
    """

    HEADING = "Reconstruction loss (nats/image)"
    X_LABEL = "step"

    def __init__(self, config: Config, id: str | None = None) -> None:
        """Create an empty pane for the terms that `config` uses."""
        super().__init__(id=id)
        self._terms = select_loss_terms(config)
        self._points: list[tuple[int, Losses]] = []
        self._point_array = np.empty((0, 1 + len(Losses._fields)))

    def show_losses(self, curves: TrainingCurves, last_step: int) -> None:
        """Draw the losses so far on an axis up to `last_step`, the last step of the current epoch."""
        self._append_new_points(curves)
        steps, reconstruction = self._point_array[:, 0], self._point_array[:, 1]
        latest = self._points[-1][1] if self._points else None
        if self._update_trends():  # the plot gets another height
            self.call_after_refresh(self.show_losses, curves, last_step)
            return
        if self.has_class("-tiny"):
            self.query_one(Sparkline).data = reconstruction[-self.size.width :].tolist()
            return
        plot = self.query_one(Plot)
        plot.set_headings(*_format_loss_headings(latest))
        low, high = _compute_robust_range(reconstruction) if latest else (0.0, 1.0)
        margin = 0.06 * (high - low)  # points on the limits would be drawn into the frame
        end = float(max(last_step, steps[-1] if latest else 1, 1))
        x_ticks = choose_ticks(0.0, end, plot.column_count // 8, min_step=1.0)
        y_ticks = choose_ticks(low, high, (plot.row_count + 1) // 2)
        if latest is None:
            x_ticks = y_ticks = ()
        curve = Curve("⠒", self._terms[0].style, steps, np.clip(reconstruction, low, high))
        plot.draw_curves([curve], Axis(0.0, end, x_ticks), Axis(low - margin, high + margin, y_ticks))

    def _count_legend_rows(self) -> int:
        """Return the rows of the terms below the plot."""
        return -(-(len(self._terms) - 1) // self._count_columns())

    def _count_columns(self) -> int:
        return 1 if self.app.size.height >= TALL_SCREEN_ROWS else 2

    def _update_trends(self) -> bool:
        """Show value and trend of each term that has no axis, in one or two columns; return whether rows changed."""
        terms = self._terms if self.has_class("-tiny") else self._terms[1:]
        column_count = self._count_columns()
        gap = 2 if self.size.width >= SHORT_LEGEND_COLUMNS else 1
        cells = (self.size.width - 1 - gap * (column_count - 1)) // column_count
        is_roomy = cells > max(len(term.name) for term in terms) + VALUE_CELLS + MIN_TREND_CELLS
        name_cells = max(len(term.name if is_roomy else term.short_name) for term in terms)
        entries = [format_loss_trend(term, self._list_values(term), name_cells, cells) for term in terms]
        lines = [
            Text(" ") + Text(" " * gap).join(entries[start : start + column_count])
            for start in range(0, len(entries), column_count)
        ]
        self._update_legend(*lines)
        legend = self.query_one(".legend", Static)
        if legend.styles.height is not None and legend.styles.height.value == len(lines):
            return False
        legend.styles.height = len(lines)
        return True

    def _list_values(self, term: LossTerm) -> list[float]:
        values: list[float] = self._point_array[:, 1 + Losses._fields.index(term.field)].tolist()
        return values

    def _append_new_points(self, curves: TrainingCurves) -> None:
        """Append the new points; start over if the run was reset to an earlier checkpoint."""
        points = curves.loss_points
        count = len(self._points)
        if count and (len(points) < count or points[count - 1] != self._points[-1]):
            self._points, self._point_array = [], np.empty((0, 1 + len(Losses._fields)))
        new_points = points[len(self._points) :]
        if new_points:
            self._points += new_points
            rows = np.array([(step, *losses) for step, losses in new_points], dtype=np.float64)
            self._point_array = np.concatenate([self._point_array, rows])


class AccuracyPane(CurvePane):
    """Test accuracy and pixel accuracy of every finished epoch, in percent, above the disagreement of the graph."""

    HEADING = "Accuracy in % by epoch"

    def __init__(self, config: Config, id: str | None = None) -> None:
        """Create an empty pane for the metrics that `config` measures."""
        super().__init__(id=id)
        self._metrics = (TEST_ACCURACY, *select_decoder_metrics(config))

    def show_epochs(self, curves: TrainingCurves, epoch_count: int, classes: ClassList) -> None:
        """Draw the finished epochs on an axis of `epoch_count` epochs, all of the run."""
        epochs = curves.finished_epochs
        first_line = Text(" measured after each epoch")
        if epochs:
            first_line = _format_metrics(self._metrics, epochs[-1], self._is_legend_short)
        second_line = _format_unanswered(curves, classes, self.size.width - 1)
        self._update_legend(
            first_line, Text(f" {second_line}") if second_line else self._format_disagreement(curves, classes)
        )
        if self.has_class("-tiny"):
            self.query_one(Sparkline).data = _choose_sparkline_values(epochs, TEST_ACCURACY)
            return
        draw_epoch_curves(self.query_one(Plot), build_curves(self._metrics, epochs), epoch_count)


class UnsupervisedMetricsPane(CurvePane):
    """The metrics of every finished epoch that need no true labels, in percent."""

    HEADING = UNSUPERVISED_METRICS_HEADING

    def __init__(self, config: Config, id: str | None = None) -> None:
        """Create an empty pane for the metrics that `config` measures."""
        super().__init__(id=id)
        self._config = config

    def _count_legend_rows(self) -> int:
        """Return the rows of the metrics, and of the disagreement where there is room."""
        return 3 if self.app.size.height >= TALL_ROWS else 2

    def on_resize(self, event: Resize) -> None:
        """Switch between plot and sparkline, and give the legend its rows."""
        super().on_resize(event)
        self.query_one(".legend", Static).styles.height = self._count_legend_rows()

    def show_epochs(self, curves: TrainingCurves, epoch_count: int, classes: ClassList) -> None:
        """Draw the finished epochs on an axis of `epoch_count` epochs; before the first, list the upcoming metrics.

        The classes without an answer stand in place of the expected accuracy.
        """
        epochs = curves.finished_epochs
        metrics = select_unsupervised_metrics(self._config)
        lines = [Text(" measured after each epoch")]
        if epochs:
            expected = [metric for metric in metrics if metric is EXPECTED_ACCURACY]
            others = [metric for metric in metrics if metric is not EXPECTED_ACCURACY]
            lines = [_format_metrics(part, epochs[-1], self._is_legend_short) for part in (expected, others) if part]
            if unanswered := _format_unanswered(curves, classes, self.size.width - 1):
                lines = [Text(f" {unanswered}"), lines[-1]]
            elif curves.disagreement is not None and self.app.size.height >= TALL_ROWS:
                lines.append(self._format_disagreement(curves, classes))
        self._update_legend(*lines)
        if self.has_class("-tiny"):
            self.query_one(Sparkline).data = _choose_sparkline_values(epochs, EXPECTED_ACCURACY)
            return
        draw_unsupervised_metrics(self.query_one(Plot), self._config, epochs, epoch_count)


def draw_epoch_curves(
    plot: Plot, curves: Sequence[Curve], epoch_count: int, low: float = 0.0, placeholder_lines: Sequence[str] = ()
) -> None:
    """Draw curves in percent from `low` to 100, on an axis of `epoch_count` epochs."""
    x_ticks = choose_ticks(1.0, max(epoch_count, 2), plot.column_count // 4, min_step=1.0)
    y_ticks = (low, (low + 100.0) / 2, 100.0) if plot.row_count > 4 else (low, 100.0)
    margin = 0.08 * (100.0 - low)  # points on the limits would be drawn into the frame
    x_axis = Axis(0.6, max(epoch_count, 2) + 0.4, x_ticks)
    plot.draw_curves(curves, x_axis, Axis(low - margin, 100.0 + margin, y_ticks), placeholder_lines)


def draw_unsupervised_metrics(
    plot: Plot, config: Config, finished_epochs: Sequence[EpochEnded], epoch_count: int
) -> None:
    """Draw the metrics that need no true labels; before the first epoch, list the upcoming metrics instead."""
    curves = build_curves(select_unsupervised_metrics(config), finished_epochs)
    min_percent = min((float(curve.y.min()) for curve in curves if len(curve.y)), default=0.0)
    low = min(10.0 * (min_percent // 10), 90.0)
    plot.set_headings(UNSUPERVISED_METRICS_HEADING, "No ground truth, %", "Metrics, %")
    draw_epoch_curves(plot, curves, epoch_count, low, () if finished_epochs else describe_upcoming_metrics(config))


def _choose_sparkline_values(epochs: Sequence[EpochEnded], metric: EpochMetric) -> list[float]:
    """Return the values of `metric`, or the pixel accuracies if no epoch has any."""
    values = [share for epoch in epochs if (share := metric.get_value(epoch)) is not None]
    return values or [epoch.pixel_accuracy for epoch in epochs if epoch.pixel_accuracy is not None]


def _compute_robust_range(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(values.min()), float(np.quantile(values, MAX_RANGE_QUANTILE))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _format_loss_headings(latest: Losses | None) -> tuple[str, ...]:
    """Return headings of the loss plot with the latest value, longest first."""
    if latest is None:
        return LossPane.HEADING, "Reconstruction loss"
    value = format_number(latest.reconstruction).strip()
    return f"{LossPane.HEADING}, now {value}", f"Reconstruction {value} nats/image", f"Reconstruction {value}"


def _format_metrics(metrics: Sequence[EpochMetric], latest: EpochEnded, is_short: bool) -> Text:
    """Return the latest values of metrics, each behind the marker of its curve."""
    entries = []
    for metric in metrics:
        share = metric.get_value(latest)
        if metric.is_expected and share is not None:
            note = f", {NOT_AUDITED}"
            entries.append(
                Text.assemble(
                    (metric.marker, metric.style),
                    f" {metric.name:<8} ",
                    (metric.format_value(latest) + " %" * (not is_short), "bold"),
                    note,
                )
            )
            continue
        short_value = f"{'-' if share is None else round(100 * share):>3}"
        value = short_value if is_short else format_percent(share, 5) + " %"
        entries.append(Text.assemble((metric.marker, metric.style), f" {metric.name:<8} ", (value, "bold")))
    return Text(" ") + Text(" " if is_short else "  ").join(entries)


def _format_unanswered(curves: TrainingCurves, classes: ClassList, max_cells: int) -> str:
    """Return the classes without an answer, once another class has one."""
    if not curves.finished_epochs or len(curves.unanswered_class_ids) >= len(classes.active_ids):
        return ""
    return format_unanswered_classes(select_class_names(classes.names, curves.unanswered_class_ids), max_cells)
