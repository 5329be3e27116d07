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
from vaetui.session.views import Curves
from vaetui.tui.presenters import epoch_metrics
from vaetui.tui.presenters.epoch_metrics import COVERED, EXPECTED, PIXELS, TEST, Known
from vaetui.tui.presenters.number_format import figure, percent
from vaetui.tui.widgets.plot import Axis, Curve, Plot, round_ticks

RECONSTRUCTION = ("⠒", "cyan")
DIVERGENCE = ("▚", "yellow")
CLASSIFICATION = ("•", "magenta")


class Pane(Vertical):
    """A plot above its legend; where there is no room for axes, a sparkline instead."""

    DEFAULT_CSS = """
    Pane { height: 1fr; width: 1fr; }
    Pane > .legend { height: 2; text-wrap: nowrap; text-overflow: ellipsis; }
    Pane > Sparkline { display: none; height: 1fr; margin: 0 1; }
    Pane.-tiny > Plot { display: none; }
    Pane.-tiny > Sparkline { display: block; }
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

    def _spark(self, values: NDArray[np.float64]) -> None:
        self.query_one(Sparkline).data = [float(value) for value in values]

    def _explain(self, *lines: Text) -> None:
        self.query_one(".legend", Static).update(Text("\n").join(lines), layout=False)


class LossPane(Pane):
    """The named parts of the loss by step.

    They differ by factors of ten to a thousand, so that one axis would make flat lines of two of them: the
    axis is the reconstruction's, and the others are each stretched to the same height.
    """

    HEADING = "loss by step, own scale each"

    def __init__(self, id: str | None = None) -> None:
        """Begin without points."""
        super().__init__(id=id)
        self._known: list[tuple[int, Losses]] = []
        self._table = np.empty((0, 4))

    def show(self, curves: Curves, end: int) -> None:
        """Draw the points so far on an axis that goes to that step of the run."""
        self._learn(curves)
        step, parts = self._table[:, 0], self._table[:, 1:].T
        now = self._known[-1][1] if self._known else None
        self._explain(*_losses_legend(now, self.size.width < 40))
        if self.has_class("-tiny"):
            self._spark(parts[0][-self.size.width :])
            return
        low, high = _range(parts[0]) if now else (0.0, 1.0)
        drawn = [
            Curve(mark, style, step, low + _stretched(part) * (high - low))
            for (mark, style), part in zip((RECONSTRUCTION, DIVERGENCE, CLASSIFICATION), parts, strict=True)
        ]
        plot = self.query_one(Plot)
        room = 0.06 * (high - low)  # what lies on the limits would be drawn into the frame
        last = float(max(end, step[-1] if now else 1, 1))
        across = round_ticks(0.0, last, plot.columns // 8, least=1.0)
        up = round_ticks(low, high, (plot.rows + 1) // 2)
        if now is None:
            across = up = ()
        plot.draw(drawn[::-1], Axis(0.0, last, across), Axis(low - room, high + room, up))

    def _learn(self, curves: Curves) -> None:
        """Take over the new points; the run may have gone back to its last save."""
        points = curves.points
        known = len(self._known)
        if known and (len(points) < known or points[known - 1] != self._known[-1]):
            self._known, self._table = [], np.empty((0, 4))
        new = points[len(self._known) :]
        if new:
            self._known += new
            rows = np.array([(step, *losses) for step, losses in new], dtype=np.float64)
            self._table = np.concatenate([self._table, rows])


class AccuracyPane(Pane):
    """What is known of every finished epoch, in percent."""

    HEADING = "accuracy in % by epoch"

    def show(self, epochs: tuple[EpochEnded, ...], total: int) -> None:
        """Draw the finished epochs on an axis of all epochs of the run."""
        now = epochs[-1] if epochs else None
        self._explain(*_accuracy_legend(now, self.size.width < 40))
        tested = [(one.epoch, one.test_accuracy) for one in epochs if one.test_accuracy is not None]
        if self.has_class("-tiny"):
            self._spark(np.array([share for _, share in tested] or [one.pixel_accuracy for one in epochs]))
            return
        at = np.array([one.epoch for one in epochs], dtype=np.float64)
        pixels = 100 * np.array([one.pixel_accuracy for one in epochs], dtype=np.float64)
        covered = 100 * np.array([one.covered for one in epochs], dtype=np.float64)
        test = 100 * np.array([share for _, share in tested], dtype=np.float64)
        drawn = []
        for (mark, style), x, y in (
            ((COVERED.mark, COVERED.style), at, covered),
            ((PIXELS.mark, PIXELS.style), at, pixels),
            ((TEST.mark, TEST.style), np.array([epoch for epoch, _ in tested], dtype=np.float64), test),
        ):
            drawn += [Curve("⠒", style, x, y), Curve(mark, style, x, y)]
        draw_epochs(self.query_one(Plot), drawn, total)


class KnownPane(Pane):
    """What is known of every finished epoch without true labels, in percent."""

    HEADING = epoch_metrics.HEADING

    def __init__(self, config: Config, id: str | None = None) -> None:
        """Begin without points; the configuration tells what there will be to know."""
        super().__init__(id=id)
        self._config = config

    def show(self, epochs: tuple[EpochEnded, ...], total: int) -> None:
        """Draw the finished epochs on an axis of all epochs of the run; before the first, say what will be there."""
        what = epoch_metrics.known(self._config)
        if epochs:
            self._explain(*_known_legend(what, epochs[-1], self.size.width < 40))
        else:
            self._explain(Text("measured after each epoch"))
        if self.has_class("-tiny"):
            expected = [share for one in epochs if (share := EXPECTED.of(one)) is not None]
            self._spark(np.array(expected or [one.pixel_accuracy for one in epochs]))
            return
        draw_known(self.query_one(Plot), self._config, epochs, total)


def draw_epochs(plot: Plot, drawn: Sequence[Curve], total: int, low: float = 0.0, words: Sequence[str] = ()) -> None:
    """Draw curves in percent, from `low` to 100, on an axis of so many epochs."""
    across = round_ticks(1.0, max(total, 2), plot.columns // 4, least=1.0)
    up = (low, (low + 100.0) / 2, 100.0) if plot.rows > 4 else (low, 100.0)
    room = 0.08 * (100.0 - low)  # what lies on the limits would be drawn into the frame
    plot.draw(drawn, Axis(0.6, max(total, 2) + 0.4, across), Axis(low - room, 100.0 + room, up), words)


def draw_known(plot: Plot, config: Config, epochs: Sequence[EpochEnded], total: int) -> None:
    """Draw what is known without true labels on an axis that begins below all of it, or say what will be there."""
    drawn = epoch_metrics.curves(epoch_metrics.known(config), epochs)
    least = min((float(curve.y.min()) for curve in drawn if len(curve.y)), default=0.0)
    draw_epochs(plot, drawn, total, min(10.0 * (least // 10), 90.0), () if epochs else epoch_metrics.coming(config))


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    """Give the least value and one above all but the first few, which are far above the rest."""
    low, high = float(values.min()), float(np.quantile(values, 0.97))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _stretched(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(values):
        return values
    low, high = _range(values)
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def _entry(mark: tuple[str, str], name: str, value: str) -> Text:
    return Text.assemble((mark[0], mark[1]), " ", name, " ", (value, "bold"))


def _losses_legend(now: Losses | None, short: bool) -> tuple[Text, Text]:
    names = ("recon.", "div.", "class.") if short else Losses._fields
    values = ["-"] * 3
    if now is not None:
        values = [figure(part, width) for part, width in zip(now, (5, 4, 4), strict=True)]
    marks = (RECONSTRUCTION, DIVERGENCE, CLASSIFICATION)
    first, second, third = (_entry(*entry) for entry in zip(marks, names, values, strict=True))
    return first.append("" if short else " nats, the axis"), Text.assemble(second, "  ", third)


def _accuracy_legend(now: EpochEnded | None, short: bool) -> tuple[Text, Text]:
    indent, sign = (0, "") if short else (5, " %")
    if now is None:
        return Text(" " * indent + "measured after each epoch"), Text()
    test = _entry((TEST.mark, TEST.style), "test", percent(now.test_accuracy, 5) + sign)
    pixels = _entry((PIXELS.mark, PIXELS.style), "pixels ", percent(now.pixel_accuracy, 5) + sign)
    covered = _entry((COVERED.mark, COVERED.style), "covered", percent(now.covered, 5) + sign)
    beside = " " * (indent + test.cell_len + 2)
    return Text.assemble(" " * indent, test, "  ", pixels), Text.assemble(beside, covered)


def _known_legend(what: Sequence[Known], now: EpochEnded, short: bool) -> tuple[Text, Text]:
    """Tell the latest figures in two lines; where room is short without decimals."""
    entries = []
    for each in what:
        share = each.of(now)
        value = percent(share, 5) + " %" if not short else f"{'-' if share is None else round(100 * share):>3}"
        entries.append(_entry((each.mark, each.style), f"{each.name:<8}", value))
    half, indent, apart = len(what) // 2, Text("" if short else " "), Text(" " if short else "  ")
    upper, lower = (indent + apart.join(some) for some in (entries[:half], entries[half:]))
    return upper, lower
