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

from vaetui.engine.config import Config
from vaetui.engine.events import EpochEnded, Losses
from vaetui.session.views import TrainingCurves
from vaetui.tui.presenters.epoch_metrics import (
    LABEL_COVERAGE,
    PIXEL_ACCURACY,
    RELIABLE_CONFIDENCE,
    TEST_ACCURACY,
    UNSUPERVISED_METRICS_HEADING,
    EpochMetric,
    build_curves,
    describe_upcoming_metrics,
    select_unsupervised_metrics,
)
from vaetui.tui.presenters.number_format import format_number, format_percent
from vaetui.tui.presenters.plot_curves import Axis, Curve, choose_ticks
from vaetui.tui.widgets.plot import Plot

LOSS_MARKERS = (("⠒", "cyan"), ("▚", "yellow"), ("•", "magenta"), ("+", "green"), ("×", "red"))
"""Marker and style of each loss term, in the order of `Losses`."""
SHORT_LEGEND_COLUMNS = 40
"""A pane narrower than this has a legend with abbreviated names or without decimals."""
MAX_RANGE_QUANTILE = 0.97
"""The first few losses are much larger than the rest; the plot cuts off losses above this quantile."""


class CurvePane(Vertical):
    """A plot above its legend; a pane that is too small for axes shows a sparkline instead of the plot."""

    DEFAULT_CSS = """
    CurvePane { height: 1fr; width: 1fr; }
    CurvePane > .legend { height: 2; text-wrap: nowrap; text-overflow: ellipsis; }
    CurvePane > Sparkline { display: none; height: 1fr; margin: 0 1; }
    CurvePane.-tiny > Plot { display: none; }
    CurvePane.-tiny > Sparkline { display: block; }
    """

    HEADING = ""

    def compose(self) -> ComposeResult:
        """Mount the plot, the sparkline and the legend."""
        yield Plot(self.HEADING)
        yield Sparkline()
        yield Static(classes="legend", markup=False)

    def on_resize(self, event: Resize) -> None:
        """Switch between plot and sparkline."""
        self.set_class(event.size.width < 28 or event.size.height < 8, "-tiny")

    @property
    def _is_legend_short(self) -> bool:
        return self.size.width < SHORT_LEGEND_COLUMNS

    def _update_legend(self, *lines: Text) -> None:
        self.query_one(".legend", Static).update(Text("\n").join(lines), layout=False)


class LossPane(CurvePane):
    """The loss terms by step.

    The terms differ by factors of ten to a thousand and would be flat lines on a common axis. The axis is
    that of the reconstruction loss; the other terms are scaled to the same height.
    """

    HEADING = "Loss by step, separate scales"

    def __init__(self, id: str | None = None) -> None:
        """Create an empty pane."""
        super().__init__(id=id)
        self._points: list[tuple[int, Losses]] = []
        self._point_array = np.empty((0, 1 + len(Losses._fields)))

    def show_losses(self, curves: TrainingCurves, last_step: int) -> None:
        """Draw the losses so far on an axis up to `last_step`, the last step of the current epoch."""
        self._append_new_points(curves)
        steps, loss_terms = self._point_array[:, 0], self._point_array[:, 1:].T
        latest = self._points[-1][1] if self._points else None
        self._update_legend(*_format_loss_legend(latest, self._is_legend_short))
        if self.has_class("-tiny"):
            self.query_one(Sparkline).data = loss_terms[0][-self.size.width :].tolist()
            return
        low, high = _compute_robust_range(loss_terms[0]) if latest else (0.0, 1.0)
        loss_curves = [
            Curve(marker, style, steps, low + _scale_to_unit(loss_term) * (high - low))
            for (marker, style), loss_term in zip(LOSS_MARKERS, loss_terms, strict=True)
        ]
        plot = self.query_one(Plot)
        margin = 0.06 * (high - low)  # points on the limits would be drawn into the frame
        end = float(max(last_step, steps[-1] if latest else 1, 1))
        x_ticks = choose_ticks(0.0, end, plot.column_count // 8, min_step=1.0)
        y_ticks = choose_ticks(low, high, (plot.row_count + 1) // 2)
        if latest is None:
            x_ticks = y_ticks = ()
        plot.draw_curves(loss_curves[::-1], Axis(0.0, end, x_ticks), Axis(low - margin, high + margin, y_ticks))

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
    """Test accuracy, pixel accuracy and label coverage of every finished epoch, in percent."""

    HEADING = "Accuracy in % by epoch"

    def show_epochs(self, finished_epochs: tuple[EpochEnded, ...], epoch_count: int) -> None:
        """Draw the finished epochs on an axis of `epoch_count` epochs, all of the run."""
        self._update_legend(
            *_format_accuracy_legend(finished_epochs[-1] if finished_epochs else None, self._is_legend_short)
        )
        if self.has_class("-tiny"):
            self.query_one(Sparkline).data = _choose_sparkline_values(finished_epochs, TEST_ACCURACY)
            return
        curves = build_curves((TEST_ACCURACY, PIXEL_ACCURACY, LABEL_COVERAGE), finished_epochs, keep_zeros=True)
        draw_epoch_curves(self.query_one(Plot), curves, epoch_count)


class UnsupervisedMetricsPane(CurvePane):
    """The metrics of every finished epoch that need no true labels, in percent."""

    HEADING = UNSUPERVISED_METRICS_HEADING

    def __init__(self, config: Config, id: str | None = None) -> None:
        """Create an empty pane for the metrics that `config` measures."""
        super().__init__(id=id)
        self._config = config

    def show_epochs(self, finished_epochs: tuple[EpochEnded, ...], epoch_count: int) -> None:
        """Draw the finished epochs on an axis of `epoch_count` epochs; before the first, list the upcoming metrics."""
        if finished_epochs:
            metrics = select_unsupervised_metrics(self._config)
            self._update_legend(*_format_metrics_legend(metrics, finished_epochs[-1], self._is_legend_short))
        else:
            self._update_legend(Text("measured after each epoch"))
        if self.has_class("-tiny"):
            self.query_one(Sparkline).data = _choose_sparkline_values(finished_epochs, RELIABLE_CONFIDENCE)
            return
        draw_unsupervised_metrics(self.query_one(Plot), self._config, finished_epochs, epoch_count)


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
    draw_epoch_curves(plot, curves, epoch_count, low, () if finished_epochs else describe_upcoming_metrics(config))


def _choose_sparkline_values(epochs: Sequence[EpochEnded], metric: EpochMetric) -> list[float]:
    """Return the values of `metric`, or the pixel accuracies if no epoch has any."""
    values = [share for epoch in epochs if (share := metric.get_value(epoch)) is not None]
    return values or [epoch.pixel_accuracy for epoch in epochs]


def _compute_robust_range(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(values.min()), float(np.quantile(values, MAX_RANGE_QUANTILE))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _scale_to_unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(values):
        return values
    low, high = _compute_robust_range(values)
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def _format_legend_entry(marker: str, style: str, name: str, value: str) -> Text:
    return Text.assemble((marker, style), " ", name, " ", (value, "bold"))


def _format_loss_legend(latest: Losses | None, is_short: bool) -> tuple[Text, Text]:
    names = ("recon.", "div.", "class.") if is_short else Losses._fields[:3]
    values = ["-"] * 3
    if latest is not None:
        values = [format_number(loss_term, width) for loss_term, width in zip(latest[:3], (5, 4, 4), strict=True)]
    reconstruction, divergence, classification = (
        _format_legend_entry(marker, style, name, value)
        for (marker, style), name, value in zip(LOSS_MARKERS[:3], names, values, strict=True)
    )
    reconstruction.append("" if is_short else " nats (axis)")
    return reconstruction, Text.assemble(divergence, "  ", classification)


def _format_accuracy_legend(latest: EpochEnded | None, is_short: bool) -> tuple[Text, Text]:
    indent, unit = (0, "") if is_short else (5, " %")
    if latest is None:
        return Text(" " * indent + "measured after each epoch"), Text()
    test, pixels, coverage = (
        _format_legend_entry(
            metric.marker, metric.style, f"{metric.name:<{width}}", format_percent(metric.get_value(latest), 5) + unit
        )
        for metric, width in ((TEST_ACCURACY, 4), (PIXEL_ACCURACY, 7), (LABEL_COVERAGE, 7))
    )
    second_indent = " " * (indent + test.cell_len + 2)
    return Text.assemble(" " * indent, test, "  ", pixels), Text.assemble(second_indent, coverage)


def _format_metrics_legend(metrics: Sequence[EpochMetric], latest: EpochEnded, is_short: bool) -> tuple[Text, Text]:
    entries = []
    for metric in metrics:
        share = metric.get_value(latest)
        short_value = f"{'-' if share is None else round(100 * share):>3}"
        value = short_value if is_short else format_percent(share, 5) + " %"
        entries.append(_format_legend_entry(metric.marker, metric.style, f"{metric.name:<8}", value))
    half, indent, gap = len(metrics) // 2, Text("" if is_short else " "), Text(" " if is_short else "  ")
    first, second = (indent + gap.join(line_entries) for line_entries in (entries[:half], entries[half:]))
    return first, second
