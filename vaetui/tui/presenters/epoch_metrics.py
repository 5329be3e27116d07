"""The metrics of an epoch, with and without true labels: names, markers and curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vaetui.engine.config import Config, count_epochs, decodes_images
from vaetui.engine.events import EpochEnded
from vaetui.tui.presenters.expected_accuracy import round_percent
from vaetui.tui.presenters.number_format import format_percent
from vaetui.tui.presenters.plot_curves import Curve

UNSUPERVISED_METRICS_HEADING = "Progress without ground truth, %"


@dataclass(frozen=True, slots=True)
class EpochMetric:
    """One metric of an epoch."""

    name: str
    """Short name for legends and tables."""
    marker: str
    """Character of the points of its curve; empty if it has no curve."""
    style: str
    """Colour of its curve, as a Rich style."""
    get_value: Callable[[EpochEnded], float | None]
    """Returns the value, from 0 to 1, or None if it was not measured."""
    is_expected: bool = False
    """Whether the value is an expectation that nobody measured: it is shown without decimals."""

    def format_value(self, epoch: EpochEnded) -> str:
        """Return the value in percent, such as "96.2", "~96" for an expectation and "-" for None."""
        share = self.get_value(epoch)
        return f"~{round_percent(share)}" if share is not None and self.is_expected else format_percent(share).strip()


TEST_ACCURACY = EpochMetric("test", "●", "green", lambda epoch: epoch.test_accuracy)
READING_ACCURACY = EpochMetric("read", "", "", lambda epoch: epoch.reading_accuracy)
PREDICTION_AGREEMENT = EpochMetric("stable", "▲", "green", lambda epoch: epoch.prediction_agreement)
EXPECTED_ACCURACY = EpochMetric("expected", "●", "magenta", lambda epoch: epoch.expected_accuracy, is_expected=True)
PIXEL_ACCURACY = EpochMetric("pixels", "◆", "cyan", lambda epoch: epoch.pixel_accuracy)


def select_unsupervised_metrics(config: Config) -> tuple[EpochMetric, ...]:
    """Return the metrics that need no true labels; two need a recipe that classifies all images, one a decoder."""
    classifier_metrics = (EXPECTED_ACCURACY, PREDICTION_AGREEMENT) if config.propagation.method == "graph" else ()
    return (*classifier_metrics, *select_decoder_metrics(config))


def select_decoder_metrics(config: Config) -> tuple[EpochMetric, ...]:
    """Return the metrics of reconstructions; none without a decoder of images."""
    return (PIXEL_ACCURACY,) if decodes_images(config.network) else ()


def build_curves(metrics: Sequence[EpochMetric], epochs: Sequence[EpochEnded]) -> list[Curve]:
    """Return the curves of `metrics` by epoch, in percent; the first metric is drawn last, above the others."""
    curves = []
    for metric in reversed(metrics):
        points = [(epoch.epoch, 100 * share) for epoch in epochs if (share := metric.get_value(epoch)) is not None]
        x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
        curves += [Curve("⠒", metric.style, x, y), Curve(metric.marker, metric.style, x, y)]
    return curves


def describe_upcoming_metrics(config: Config) -> list[str]:
    """Return one line for each metric, with the first epoch that measures it."""
    first = config.training.warmup_epochs + 1
    first_epochs = {
        PIXEL_ACCURACY: 1,
        EXPECTED_ACCURACY: first,
        PREDICTION_AGREEMENT: first + 1,
    }
    metrics = sorted(select_unsupervised_metrics(config), key=lambda metric: first_epochs[metric])
    return [
        f"{metric.marker} {metric.name:<8} from epoch {first_epochs[metric]} on"
        for metric in metrics
        if first_epochs[metric] <= count_epochs(config.training)
    ]
