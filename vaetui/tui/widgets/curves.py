"""The panes of the curves, each with a legend of current values; they do not know who measures them."""

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
from vaetui.tui.presenters import epoch_metrics
from vaetui.tui.presenters.epoch_metrics import (
    LABEL_COVERAGE,
    PIXEL_ACCURACY,
    RELIABLE_CONFIDENCE,
    TEST_ACCURACY,
    EpochMetric,
)
from vaetui.tui.presenters.number_format import format_number, format_percent
from vaetui.tui.widgets.plot import Axis, Curve, Plot, choose_ticks

RECONSTRUCTION_STYLE = ("⠒", "cyan")
DIVERGENCE_STYLE = ("▚", "yellow")
CLASSIFICATION_STYLE = ("•", "magenta")


class CurvePane(Vertical):
    """A plot above its legend; where there is no room for axes, a sparkline instead."""

    DEFAULT_CSS = """
    CurvePane { height: 1fr; width: 1fr; }
    CurvePane > .legend { height: 2; text-wrap: nowrap; text-overflow: ellipsis; }
    CurvePane > Sparkline { display: none; height: 1fr; margin: 0 1; }
    CurvePane.-tiny > Plot { display: none; }
    CurvePane.-tiny > Sparkline { display: block; }
    """

    HEADING = ""

    def compose(self) -> ComposeResult:
        """Lay out the plot, what stands in for it, and the legend."""
        yield Plot(self.HEADING)
        yield Sparkline()
        yield Static(classes="legend", markup=False)

    def on_resize(self, event: Resize) -> None:
        """Change to the sparkline and back."""
        self.set_class(event.size.width < 28 or event.size.height < 8, "-tiny")

    def _update_sparkline(self, values: NDArray[np.float64]) -> None:
        self.query_one(Sparkline).data = [float(value) for value in values]

    def _update_legend(self, *lines: Text) -> None:
        self.query_one(".legend", Static).update(Text("\n").join(lines), layout=False)


class LossPane(CurvePane):
    """The named parts of the loss by step.

    They differ by factors of ten to a thousand, so that one axis would make flat lines of two of them: the
    axis is the reconstruction's, and the others are each stretched to the same height.
    """

    HEADING = "loss by step, own scale each"

    def __init__(self, id: str | None = None) -> None:
        """Begin without points."""
        super().__init__(id=id)
        self._points: list[tuple[int, Losses]] = []
        self._point_array = np.empty((0, 4))

    def show(self, curves: TrainingCurves, last_step: int) -> None:
        """Draw the points so far on an axis that goes to that step of the run."""
        self._update_points(curves)
        step, parts = self._point_array[:, 0], self._point_array[:, 1:].T
        now = self._points[-1][1] if self._points else None
        self._update_legend(*_format_loss_legend(now, self.size.width < 40))
        if self.has_class("-tiny"):
            self._update_sparkline(parts[0][-self.size.width :])
            return
        low, high = _robust_range(parts[0]) if now else (0.0, 1.0)
        drawn = [
            Curve(mark, style, step, low + _scale_to_unit(part) * (high - low))
            for (mark, style), part in zip(
                (RECONSTRUCTION_STYLE, DIVERGENCE_STYLE, CLASSIFICATION_STYLE), parts, strict=True
            )
        ]
        plot = self.query_one(Plot)
        room = 0.06 * (high - low)  # what lies on the limits would be drawn into the frame
        last = float(max(last_step, step[-1] if now else 1, 1))
        across = choose_ticks(0.0, last, plot.columns // 8, min_step=1.0)
        up = choose_ticks(low, high, (plot.rows + 1) // 2)
        if now is None:
            across = up = ()
        plot.draw(drawn[::-1], Axis(0.0, last, across), Axis(low - room, high + room, up))

    def _update_points(self, curves: TrainingCurves) -> None:
        """Take over the new points; the run may have gone back to its last save."""
        points = curves.loss_points
        known = len(self._points)
        if known and (len(points) < known or points[known - 1] != self._points[-1]):
            self._points, self._point_array = [], np.empty((0, 4))
        new = points[len(self._points) :]
        if new:
            self._points += new
            rows = np.array([(step, *losses) for step, losses in new], dtype=np.float64)
            self._point_array = np.concatenate([self._point_array, rows])


class AccuracyPane(CurvePane):
    """What is known of every finished epoch, in percent."""

    HEADING = "accuracy in % by epoch"

    def show(self, epochs: tuple[EpochEnded, ...], total_epochs: int) -> None:
        """Draw the finished epochs on an axis of all epochs of the run."""
        now = epochs[-1] if epochs else None
        self._update_legend(*_format_accuracy_legend(now, self.size.width < 40))
        tested = [(one.epoch, one.test_accuracy) for one in epochs if one.test_accuracy is not None]
        if self.has_class("-tiny"):
            self._update_sparkline(np.array([share for _, share in tested] or [one.pixel_accuracy for one in epochs]))
            return
        at = np.array([one.epoch for one in epochs], dtype=np.float64)
        pixels = 100 * np.array([one.pixel_accuracy for one in epochs], dtype=np.float64)
        covered = 100 * np.array([one.label_coverage for one in epochs], dtype=np.float64)
        test = 100 * np.array([share for _, share in tested], dtype=np.float64)
        drawn = []
        for (mark, style), x, y in (
            ((LABEL_COVERAGE.marker, LABEL_COVERAGE.style), at, covered),
            ((PIXEL_ACCURACY.marker, PIXEL_ACCURACY.style), at, pixels),
            (
                (TEST_ACCURACY.marker, TEST_ACCURACY.style),
                np.array([epoch for epoch, _ in tested], dtype=np.float64),
                test,
            ),
        ):
            drawn += [Curve("⠒", style, x, y), Curve(mark, style, x, y)]
        draw_epoch_curves(self.query_one(Plot), drawn, total_epochs)


class LabelFreeMetricsPane(CurvePane):
    """What is known of every finished epoch without true labels, in percent."""

    HEADING = epoch_metrics.UNSUPERVISED_METRICS_HEADING

    def __init__(self, config: Config, id: str | None = None) -> None:
        """Begin without points; the configuration tells what there will be to know."""
        super().__init__(id=id)
        self._config = config

    def show(self, epochs: tuple[EpochEnded, ...], total_epochs: int) -> None:
        """Draw the finished epochs on an axis of all epochs of the run; before the first, say what will be there."""
        what = epoch_metrics.select_unsupervised_metrics(self._config)
        if epochs:
            self._update_legend(*_format_metrics_legend(what, epochs[-1], self.size.width < 40))
        else:
            self._update_legend(Text("measured after each epoch"))
        if self.has_class("-tiny"):
            expected = [share for one in epochs if (share := RELIABLE_CONFIDENCE.get_value(one)) is not None]
            self._update_sparkline(np.array(expected or [one.pixel_accuracy for one in epochs]))
            return
        draw_label_free_metrics(self.query_one(Plot), self._config, epochs, total_epochs)


def draw_epoch_curves(
    plot: Plot, curves: Sequence[Curve], total_epochs: int, low: float = 0.0, placeholder_lines: Sequence[str] = ()
) -> None:
    """Draw curves in percent, from `low` to 100, on an axis of so many epochs."""
    across = choose_ticks(1.0, max(total_epochs, 2), plot.columns // 4, min_step=1.0)
    up = (low, (low + 100.0) / 2, 100.0) if plot.rows > 4 else (low, 100.0)
    room = 0.08 * (100.0 - low)  # what lies on the limits would be drawn into the frame
    plot.draw(
        curves, Axis(0.6, max(total_epochs, 2) + 0.4, across), Axis(low - room, 100.0 + room, up), placeholder_lines
    )


def draw_label_free_metrics(plot: Plot, config: Config, epochs: Sequence[EpochEnded], total_epochs: int) -> None:
    """Draw what is known without true labels on an axis that begins below all of it, or say what will be there."""
    drawn = epoch_metrics.build_curves(epoch_metrics.select_unsupervised_metrics(config), epochs)
    least = min((float(curve.y.min()) for curve in drawn if len(curve.y)), default=0.0)
    draw_epoch_curves(
        plot,
        drawn,
        total_epochs,
        min(10.0 * (least // 10), 90.0),
        () if epochs else epoch_metrics.describe_upcoming_metrics(config),
    )


def _robust_range(values: NDArray[np.float64]) -> tuple[float, float]:
    """Give the least value and one above all but the first few, which are far above the rest."""
    low, high = float(values.min()), float(np.quantile(values, 0.97))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _scale_to_unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(values):
        return values
    low, high = _robust_range(values)
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def _format_legend_entry(marker_style: tuple[str, str], name: str, value: str) -> Text:
    return Text.assemble((marker_style[0], marker_style[1]), " ", name, " ", (value, "bold"))


def _format_loss_legend(latest: Losses | None, is_short: bool) -> tuple[Text, Text]:
    names = ("recon.", "div.", "class.") if is_short else Losses._fields
    values = ["-"] * 3
    if latest is not None:
        values = [format_number(part, width) for part, width in zip(latest, (5, 4, 4), strict=True)]
    marks = (RECONSTRUCTION_STYLE, DIVERGENCE_STYLE, CLASSIFICATION_STYLE)
    first, second, third = (_format_legend_entry(*entry) for entry in zip(marks, names, values, strict=True))
    return first.append("" if is_short else " nats, the axis"), Text.assemble(second, "  ", third)


def _format_accuracy_legend(latest: EpochEnded | None, is_short: bool) -> tuple[Text, Text]:
    indent, sign = (0, "") if is_short else (5, " %")
    if latest is None:
        return Text(" " * indent + "measured after each epoch"), Text()
    test = _format_legend_entry(
        (TEST_ACCURACY.marker, TEST_ACCURACY.style), "test", format_percent(latest.test_accuracy, 5) + sign
    )
    pixels = _format_legend_entry(
        (PIXEL_ACCURACY.marker, PIXEL_ACCURACY.style), "pixels ", format_percent(latest.pixel_accuracy, 5) + sign
    )
    covered = _format_legend_entry(
        (LABEL_COVERAGE.marker, LABEL_COVERAGE.style), "covered", format_percent(latest.label_coverage, 5) + sign
    )
    beside = " " * (indent + test.cell_len + 2)
    return Text.assemble(" " * indent, test, "  ", pixels), Text.assemble(beside, covered)


def _format_metrics_legend(metrics: Sequence[EpochMetric], latest: EpochEnded, is_short: bool) -> tuple[Text, Text]:
    """Tell the latest figures in two lines; where room is short without decimals."""
    entries = []
    for each in metrics:
        share = each.get_value(latest)
        value = (
            format_percent(share, 5) + " %" if not is_short else f"{'-' if share is None else round(100 * share):>3}"
        )
        entries.append(_format_legend_entry((each.marker, each.style), f"{each.name:<8}", value))
    half, indent, apart = len(metrics) // 2, Text("" if is_short else " "), Text(" " if is_short else "  ")
    upper, lower = (indent + apart.join(some) for some in (entries[:half], entries[half:]))
    return upper, lower
