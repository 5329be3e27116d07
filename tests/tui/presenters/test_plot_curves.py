"""Tests of the decimation of curves and the choice of ticks."""

from __future__ import annotations

import numpy as np
import pytest

from vaetui.tui.presenters.plot_curves import choose_ticks, decimate_min_max


def test_curve_with_two_points_per_column_is_not_decimated() -> None:
    x, y = np.arange(20.0), np.arange(20.0)
    assert decimate_min_max(x, y, 10)[0] is x


@pytest.mark.parametrize("count", [21, 99, 12_345])
def test_decimated_curve_keeps_order_and_extremes_with_at_most_two_points_per_column(count: int) -> None:
    x, y = np.arange(float(count)), np.random.default_rng(count).normal(size=count)
    decimated_x, decimated_y = decimate_min_max(x, y, 10)
    assert len(decimated_x) == len(decimated_y) <= 20
    assert (np.diff(decimated_x) > 0).all()
    assert decimated_y.max() == y.max()
    assert decimated_y.min() == y.min()
    assert (y[decimated_x.astype(int)] == decimated_y).all()


def test_decimated_curve_keeps_a_single_peak() -> None:
    y = np.zeros(10_000)
    y[4_321] = 1.0
    assert decimate_min_max(np.arange(10_000.0), y, 40)[1].max() == 1.0


@pytest.mark.parametrize(
    ("low", "high", "max_ticks", "ticks"),
    [
        (0.0, 1_872.0, 4, (0.0, 500.0, 1_000.0, 1_500.0)),
        (97.0, 131.0, 3, (100.0, 120.0)),
        (1.0, 6.0, 10, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)),
        (3.0, 3.0, 4, ()),
    ],
)
def test_ticks_are_round_numbers_within_the_range(
    low: float, high: float, max_ticks: int, ticks: tuple[float, ...]
) -> None:
    assert choose_ticks(low, high, max_ticks, min_step=1.0) == ticks
