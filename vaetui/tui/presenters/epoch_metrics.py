"""What is known of an epoch, with true labels and without: names, marks, curves; not how it was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vaetui.engine.config import Config, total_epochs
from vaetui.engine.events import EpochEnded
from vaetui.tui.widgets.plot import Curve

HEADING = "known without labels, % by epoch"


@dataclass(frozen=True, slots=True)
class Known:
    """One figure of an epoch."""

    name: str
    """What it is called."""
    mark: str
    """What its points are drawn with, by which curves are told from each other; empty where it has no curve."""
    style: str
    """Their colour."""
    of: Callable[[EpochEnded], float | None]
    """Gives it, from 0 to 1; None where it is not known."""


TEST = Known("test", "●", "green", lambda one: one.test_accuracy)
READ = Known("read", "", "", lambda one: one.reading_accuracy)
AGREED = Known("agreed", "▲", "green", lambda one: one.agreed)
EXPECTED = Known("expected", "●", "magenta", lambda one: one.trusted)
PIXELS = Known("pixels", "◆", "cyan", lambda one: one.pixel_accuracy)
COVERED = Known("covered", "■", "yellow", lambda one: one.covered)
FIGURES = (
    ("agreed", "share of the training images that the classifier calls as it did an epoch before"),
    ("expected", "share of them that it expects to have called right: the mean of its certainty"),
)
"""What those mean that only these screens show."""


def known(config: Config) -> tuple[Known, ...]:
    """Give what there is to know without truth: only some recipes classify all images after each epoch."""
    classified = (AGREED, EXPECTED) if config.spread.over == "neighbours" else ()
    return (*classified, PIXELS, COVERED)


def curves(what: Sequence[Known], epochs: Sequence[EpochEnded]) -> list[Curve]:
    """Make curves of these figures by epoch, in percent; of those that lie on each other the first is seen.

    What is 0, as what is covered before the first round, is left out: it would press all others to the upper edge.
    """
    drawn = []
    for each in reversed(what):
        points = [(one.epoch, 100 * share) for one in epochs if (share := each.of(one))]
        x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
        drawn += [Curve("⠒", each.style, x, y), Curve(each.mark, each.style, x, y)]
    return drawn


def coming(config: Config) -> list[str]:
    """Say in lines what will be known, and when."""
    first = config.training.warmup + 1
    since = {PIXELS: 1, COVERED: first, EXPECTED: first, AGREED: first + 1}
    what = sorted(known(config), key=lambda each: since[each])
    return [
        f"{each.mark} {each.name:<8} from epoch {since[each]} on"
        for each in what
        if since[each] <= total_epochs(config.training)
    ]
