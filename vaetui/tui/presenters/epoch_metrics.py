"""What is known of an epoch, with true labels and without: names, marks, curves; not how it was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vaetui.engine.config import Config, count_epochs
from vaetui.engine.events import EpochEnded
from vaetui.tui.widgets.plot import Curve

UNSUPERVISED_METRICS_HEADING = "known without labels, % by epoch"


@dataclass(frozen=True, slots=True)
class EpochMetric:
    """One figure of an epoch."""

    name: str
    """What it is called."""
    marker: str
    """What its points are drawn with, by which curves are told from each other; empty where it has no curve."""
    style: str
    """Their colour."""
    get_value: Callable[[EpochEnded], float | None]
    """Gives it, from 0 to 1; None where it is not known."""


TEST_ACCURACY = EpochMetric("test", "●", "green", lambda one: one.test_accuracy)
READING_ACCURACY = EpochMetric("read", "", "", lambda one: one.reading_accuracy)
PREDICTION_AGREEMENT = EpochMetric("agreed", "▲", "green", lambda one: one.prediction_agreement)
RELIABLE_CONFIDENCE = EpochMetric("expected", "●", "magenta", lambda one: one.reliable_confidence)
PIXEL_ACCURACY = EpochMetric("pixels", "◆", "cyan", lambda one: one.pixel_accuracy)
LABEL_COVERAGE = EpochMetric("covered", "■", "yellow", lambda one: one.label_coverage)
METRIC_HELP = (
    ("agreed", "share of the training images that the classifier calls as it did an epoch before"),
    ("expected", "share of them that it expects to have called right: the mean of its certainty"),
)
"""What those mean that only these screens show."""


def select_unsupervised_metrics(config: Config) -> tuple[EpochMetric, ...]:
    """Give what there is to know without truth: only some recipes classify all images after each epoch."""
    classified = (PREDICTION_AGREEMENT, RELIABLE_CONFIDENCE) if config.propagation.method == "neighbours" else ()
    return (*classified, PIXEL_ACCURACY, LABEL_COVERAGE)


def build_curves(metrics: Sequence[EpochMetric], epochs: Sequence[EpochEnded]) -> list[Curve]:
    """Make curves of these figures by epoch, in percent; of those that lie on each other the first is seen.

    What is 0, as what is covered before the first round, is left out: it would press all others to the upper edge.
    """
    drawn = []
    for each in reversed(metrics):
        points = [(one.epoch, 100 * share) for one in epochs if (share := each.get_value(one))]
        x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
        drawn += [Curve("⠒", each.style, x, y), Curve(each.marker, each.style, x, y)]
    return drawn


def describe_upcoming_metrics(config: Config) -> list[str]:
    """Say in lines what will be known, and when."""
    first = config.training.warmup_epochs + 1
    since = {PIXEL_ACCURACY: 1, LABEL_COVERAGE: first, RELIABLE_CONFIDENCE: first, PREDICTION_AGREEMENT: first + 1}
    what = sorted(select_unsupervised_metrics(config), key=lambda each: since[each])
    return [
        f"{each.marker} {each.name:<8} from epoch {since[each]} on"
        for each in what
        if since[each] <= count_epochs(config.training)
    ]
