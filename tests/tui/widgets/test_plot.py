"""Decimation and ticks: pure functions."""

from __future__ import annotations

import numpy as np
import pytest

from vaetui.tui.widgets.plot import choose_ticks, decimate


def test_few_points_stay_as_they_are() -> None:
    x, y = np.arange(20.0), np.arange(20.0)
    assert decimate(x, y, 10)[0] is x


@pytest.mark.parametrize("count", [21, 99, 1_000, 12_345])
def test_decimation_keeps_order_peaks_and_at_most_two_points_a_column(count: int) -> None:
    draws = np.random.default_rng(count)
    x, y = np.arange(float(count)), draws.normal(size=count)
    few_x, few_y = decimate(x, y, 10)
    assert len(few_x) == len(few_y) <= 20
    assert (np.diff(few_x) > 0).all()
    assert few_y.max() == y.max()
    assert few_y.min() == y.min()
    assert (y[few_x.astype(int)] == few_y).all()


def test_one_peak_is_seen_among_many_points() -> None:
    y = np.zeros(10_000)
    y[4_321] = 1.0
    assert decimate(np.arange(10_000.0), y, 40)[1].max() == 1.0


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0.0, 1_872.0, 4, (0.0, 500.0, 1_000.0, 1_500.0)),
        (97.0, 131.0, 3, (100.0, 120.0)),
        (1.0, 6.0, 10, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)),
        (3.0, 3.0, 4, ()),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, most: int, ticks: tuple[float, ...]) -> None:
    assert choose_ticks(low, high, most, min_step=1.0) == ticks
