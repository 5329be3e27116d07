"""The values of black and white in a set of images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vaetui.data.value_range import RangeEstimator, ValueRange, get_sample_kind

PICTURES = np.zeros((60, 28, 28), np.uint8)
PICTURES[:, 4:24, 4:24] = np.linspace(0, 255, 400).round().reshape(20, 20)


def estimate(*arrays: NDArray[Any]) -> ValueRange:
    estimator = RangeEstimator(get_sample_kind(arrays[0].dtype))
    for array in arrays:
        estimator.add(array)
    return estimator.estimate()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (PICTURES, (0, 255)),
        (PICTURES // 2, (0, 127)),
        ((PICTURES // 16).astype(np.float32), (0, 15)),
        (PICTURES / 255, (0, 1)),
        ((PICTURES / 255).astype(np.float32) * np.float32(1.0000002), (0, 1)),
        (PICTURES / 250, (0, 1.02)),
        (PICTURES / 127.5, (0, 2)),
        (PICTURES / 127.5 - 1, (-1, 1)),
        (PICTURES / 255 - 0.5, (-0.5, 0.5)),
        (PICTURES / 255 * 0.3 - 0.1, (-0.1, 0.2)),
        (PICTURES.astype(np.uint16) * 4, (0, 1023)),
        ((PICTURES / 255 * 4095).astype(">u2"), (0, 4095)),
        (PICTURES.astype(np.uint16) * 257, (0, 65535)),
        (PICTURES.astype(np.int64), (0, 255)),
        (PICTURES > 128, (0, 1)),
        (np.array([0, 1, 3], np.uint8)[PICTURES // 86], (0, 3)),
        (PICTURES.astype(np.float32) / 13 + 290, (290, 290 + 255 / 13)),
        (PICTURES.astype(np.int16) * 8 - 1000, (-1000, 1040)),
    ],
)
def test_range_is_that_of_the_bit_depth_if_filled_else_of_the_values(
    values: NDArray[Any], expected: tuple[float, float]
) -> None:
    value_range = estimate(*np.array_split(values, 7))
    assert (value_range.black, value_range.white) == pytest.approx(expected, rel=1e-3)
    pixels = value_range.to_pixels(values)
    assert (pixels.min(), pixels.max()) in ((0, 254), (0, 255))


@pytest.mark.parametrize("outlier", [-9999.0, 1e9, -3.4e38])
@pytest.mark.parametrize("count", [1, 30])
def test_single_outliers_do_not_decide(outlier: float, count: int) -> None:
    values = (PICTURES / 255).astype(np.float32)
    values[:count, 0, 0] = outlier
    assert estimate(*np.array_split(values, 3)) == ValueRange(0, 1)


def test_hot_pixels_among_8_bit_values_do_not_decide() -> None:
    values = PICTURES.astype(np.uint16)
    values[3, 5, 5], values[7, 9, 9] = 65_535, 65_000
    assert estimate(*np.array_split(values, 20)) == ValueRange(0, 255)


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_usual_nodata_values_do_not_decide_even_if_frequent(share: float) -> None:
    values = (PICTURES / 255).astype(np.float32)
    values[np.random.default_rng(0).random(values.shape) < share] = -9999
    assert estimate(values) == ValueRange(0, 1)
    integers = PICTURES.astype(np.int16) * 4
    integers[np.random.default_rng(0).random(values.shape) < share] = -32768
    assert estimate(integers) == ValueRange(0, 1023)


@pytest.mark.parametrize(("dtype", "value"), [("uint16", 65_535), ("int16", 32_767), ("float32", 65_535)])
def test_the_largest_number_far_above_all_other_values_does_not_decide(dtype: str, value: int) -> None:
    values = (PICTURES.astype(np.float64) * 4).astype(dtype)
    values[:, :3] = value
    assert estimate(*np.array_split(values, 7)) == ValueRange(0, 1023)


def test_white_decides_in_8_bit_images_that_were_scaled_to_16_bits() -> None:
    values = (PICTURES // 20).astype(np.uint16) * 257
    values[:, :3] = 65_535
    assert estimate(values) == ValueRange(0, 65_535)
    assert estimate(np.where(PICTURES > 128, 65_535, 0).astype(np.uint16)) == ValueRange(0, 65_535)


def test_rare_bright_pixels_without_a_gap_decide() -> None:
    values = np.zeros((20, 64, 64), np.uint16)
    values[:, ::2] = np.arange(64) % 10
    values[0, 0, :40] = np.geomspace(10, 60_000, 40)
    assert estimate(values) == ValueRange(0, 65_535)


def test_one_bright_image_among_dark_ones_decides() -> None:
    dark = (PICTURES / 255 * 30).astype(np.uint16)
    assert estimate(dark, (PICTURES[:1] / 255 * 4095).astype(np.uint16), dark) == ValueRange(0, 4095)


def test_images_of_few_pixels_above_black_keep_their_values() -> None:
    values = np.zeros((20, 64, 64), np.uint16)
    values[:, 3, 3] = 900
    assert estimate(values) == ValueRange(0, 1023)


def test_nan_and_infinity_are_ignored() -> None:
    values = (PICTURES / 255).astype(np.float32)
    values[0, 0, :3] = np.nan, np.inf, -np.inf
    assert estimate(values) == ValueRange(0, 1)


def test_many_values_keep_a_bounded_sample() -> None:
    estimator = RangeEstimator("8-bit")
    for _ in range(200):
        estimator.add(np.tile(PICTURES, (2, 1, 1)))
    assert sum(map(len, estimator._samples)) < 6_000_000
    assert estimator.estimate() == ValueRange(0, 255)


@pytest.mark.parametrize(
    ("value_range", "text"),
    [(ValueRange(0, 4095), "0-4095"), (ValueRange(-1, 1), "-1 to 1"), (ValueRange(0, 1.02), "0-1.02")],
)
def test_range_is_shown_as(value_range: ValueRange, text: str) -> None:
    assert str(value_range) == text


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [(0, np.uint8, (0, 255)), (9, np.uint8, (0, 255)), (700, np.uint16, (0, 1023)), (0.3, np.float32, (0, 1))],
)
def test_constant_values_keep_the_usual_range(value: float, dtype: Any, expected: tuple[float, float]) -> None:
    assert estimate(np.full((20, 8, 8), value, dtype)) == ValueRange(*expected)


@pytest.mark.parametrize(
    "values",
    [
        np.full((10, 8, 8), -(2**63), np.int64),
        np.linspace(-1, 1, 640) * 1.7e308,
        np.linspace(0, 1e-310, 640),
        np.linspace(0, 2**63, 640).astype(np.uint64),
        np.full((10, 8, 8), 3e38, np.float32),
    ],
    ids=["lowest", "widest", "tiny", "unsigned", "constant"],
)
def test_extreme_values_are_scaled_without_overflow(values: NDArray[Any]) -> None:
    with np.errstate(all="raise", under="ignore"):
        pixels = estimate(values).to_pixels(values)
    order = np.argsort(values, axis=None)
    assert (np.diff(pixels.reshape(-1)[order].astype(int)) >= 0).all()
    assert values.min() == values.max() or (pixels.min(), pixels.max()) == (0, 255)
