"""Conversion of arrays to pixels: channels, transparency, values that are not finite, sizes and colours."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.data.decoding import decode_image
from tests.data.drawing import colour_digits, load_digits
from vaetui.data.array_conversion import ConvertedChunk, iter_converted_chunks, survey_array
from vaetui.data.array_roles import find_dataset_arrays
from vaetui.data.import_options import ImportOptions
from vaetui.data.value_range import RangeEstimator, ValueRange, get_sample_kind
from vaetui.errors import UserError

IMAGES = load_digits(60)[0]
ICONS = np.zeros((60, 28, 28, 4), np.uint8)
ICONS[..., 3] = IMAGES
"""Black on transparent."""


def survey(path: Path, array: NDArray[Any]) -> tuple[bool, ValueRange, list[int]]:
    """Save an array; return whether it is coloured, its range, and the numbers of images that were yielded."""
    np.save(path, array)
    array_file = find_dataset_arrays(path, ImportOptions()).train_images
    estimator = RangeEstimator(get_sample_kind(array_file.dtype))
    generator, counts = survey_array(array_file, estimator), []
    while True:
        try:
            counts.append(next(generator))
        except StopIteration as end:
            return end.value, estimator.estimate(), counts


def convert_chunks(
    path: Path, array: NDArray[Any], shape: tuple[int, ...], value_range: ValueRange | None = None
) -> list[ConvertedChunk]:
    estimated_range = survey(path, array)[1]
    array_file = find_dataset_arrays(path, ImportOptions()).train_images
    return [*iter_converted_chunks(array_file, shape, value_range or estimated_range)]


def convert(
    path: Path, array: NDArray[Any], shape: tuple[int, ...], value_range: ValueRange | None = None
) -> NDArray[np.uint8]:
    return np.concatenate([chunk.pixels for chunk in convert_chunks(path, array, shape, value_range)])


def decode_as_png_files(directory: Path, images: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the pixels of the same images in PNG files with the range 0-255."""
    path, pixels = directory / "own.png", []
    for image in images:
        Image.fromarray(image).save(path)
        pixels.append(decode_image(path, shape, {"8-bit": ValueRange(0, 255)}).pixels[0])
    return np.stack(pixels)


def draw_transparent_pictures() -> NDArray[np.uint8]:
    """Return light, dark and coloured pictures with hard and soft edges, [60, 28, 28, 4]."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (60, 28, 28, 4)).astype(np.uint8)
    pictures[::4, ..., :3] //= 4
    pictures[1::4, ..., :3] = 255 - pictures[1::4, ..., :3] // 4
    pictures[2::4, ..., 3] = np.where(IMAGES[2::4] > 99, 255, 0)
    pictures[3::4, ..., :3] = colour_digits(IMAGES[3::4])
    pictures[0, ..., 3] = 255
    return pictures


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3), (20, 33), (20, 33, 3)])
@pytest.mark.parametrize("images", [ICONS, 255 - ICONS, draw_transparent_pictures(), colour_digits(IMAGES), IMAGES])
def test_arrays_have_the_pixels_of_the_same_images_in_png_files(
    tmp_path: Path, images: NDArray[np.uint8], shape: tuple[int, ...]
) -> None:
    pixels = convert(tmp_path / "own.npy", images, shape, ValueRange(0, 255))
    assert np.array_equal(pixels, decode_as_png_files(tmp_path, images, shape))


def test_black_images_on_transparent_ground_are_visible_before_white(tmp_path: Path) -> None:
    assert np.abs(convert(tmp_path / "own.npy", ICONS, (28, 28)).astype(int) - (255 - IMAGES)).max() <= 1


@pytest.mark.parametrize(
    ("dtype", "scale", "opaque"),
    [
        ("uint16", 257, 65_535),
        (">u2", 257, 65_535),
        ("int64", 1, 255),
        ("uint16", 1, 255),
        ("float32", 1 / 255, 1),
        ("float16", 1 / 255, 1),
        ("float64", 1, 255),
        ("float64", 257, 65_535),
    ],
)
def test_alpha_is_scaled_by_its_depth(tmp_path: Path, dtype: str, scale: float, opaque: float) -> None:
    pictures = draw_transparent_pictures()
    array = (pictures.astype(np.float64) * scale).round(9).astype(dtype)
    assert float(array[..., 3].max()) == pytest.approx(opaque, rel=1e-3)
    pixels = convert(tmp_path / "own.npy", array, (28, 28, 3))
    expected = convert(tmp_path / "own.npy", pictures, (28, 28, 3))
    assert np.abs(pixels.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32"])
def test_alpha_of_0_and_1_is_transparent_and_opaque(tmp_path: Path, dtype: str) -> None:
    pictures = draw_transparent_pictures()
    pictures[..., 3] = np.where(pictures[..., 3] > 0, 255, 0)
    array = pictures.astype(dtype)
    array[..., 3] //= 255
    pixels = convert(tmp_path / "own.npy", array, (28, 28, 3))
    expected = convert(tmp_path / "own.npy", pictures, (28, 28, 3))
    assert np.abs(pixels.astype(int) - expected).max() <= 1


def test_values_of_transparent_pixels_do_not_decide_the_range(tmp_path: Path) -> None:
    array = np.zeros((60, 28, 28, 4), np.uint16)
    array[..., :3] = IMAGES[..., None].astype(np.uint16) * 16
    array[..., 3] = 65_535
    array[:, :5] = (60_000, 50_000, 40_000, 0)
    assert survey(tmp_path / "own.npy", array)[1] == ValueRange(0, 4_095)


def test_images_that_are_all_transparent_raise_user_error(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"All images of .* are transparent: .* Save array\[..., :3\] if it is no alpha"
    ):
        survey(tmp_path / "own.npy", np.pad(colour_digits(IMAGES), [(0, 0)] * 3 + [(0, 1)]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", ">f8", "longdouble"])
def test_images_that_are_not_finite_are_skipped_and_the_others_stay(tmp_path: Path, value: float, dtype: str) -> None:
    array = (np.tile(IMAGES, (50, 1, 1)) / 255).astype(dtype)
    array[17, 3, 3] = array[2_900, 0, 0] = value
    chunks = convert_chunks(tmp_path / "own.npy", array, (28, 28))
    assert len(chunks) > 1 or dtype == "float16"
    assert sum((chunk.skipped for chunk in chunks), ()) == (
        (17, "contains NaN or infinite values"),
        (2_900, "contains NaN or infinite values"),
    )
    assert sum(chunk.count for chunk in chunks) == 3_000
    pixels = np.concatenate([chunk.pixels for chunk in chunks])
    assert np.array_equal(pixels, np.delete(np.tile(IMAGES, (50, 1, 1)), [17, 2_900], axis=0))


def test_values_beyond_double_precision_are_skipped(tmp_path: Path) -> None:
    array = (IMAGES / 255).astype(np.longdouble)
    if np.finfo(np.longdouble).max <= np.finfo(np.float64).max:
        pytest.skip("long doubles are doubles on this platform")
    array[5, 0, 0] = np.finfo(np.longdouble).max
    (chunk,) = convert_chunks(tmp_path / "own.npy", array, (28, 28))
    assert [index for index, _ in chunk.skipped] == [5]


def test_an_array_of_nothing_but_nan_raises_user_error(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"All images of .* contain NaN or infinite values. Replace them, for example with"
    ):
        survey(tmp_path / "own.npy", np.full((20, 9, 9), np.nan))


def test_a_chunk_without_usable_images_is_empty(tmp_path: Path) -> None:
    array = np.zeros((3_000, 28, 28, 3))
    array[:2_000] = np.nan
    array[2_500:] = 1
    first, *_ = chunks = convert_chunks(tmp_path / "own.npy", array, (14, 14, 3))
    assert first.pixels.shape == (0, 14, 14, 3)
    assert sum(len(chunk.pixels) for chunk in chunks) == 1_000


@pytest.mark.parametrize(
    ("array", "is_coloured"),
    [
        (IMAGES, False),
        (IMAGES[..., None], False),
        (np.stack([IMAGES] * 3, -1), False),
        (colour_digits(IMAGES), True),
        (colour_digits(IMAGES) / 255, True),
        (np.moveaxis(colour_digits(IMAGES), 3, 1), True),
        (ICONS, False),
        (draw_transparent_pictures(), True),
        (
            np.concatenate(
                [np.stack([np.tile(IMAGES, (40, 1, 1))] * 3, -1), np.tile(colour_digits(IMAGES), (40, 1, 1, 1))]
            ),
            True,
        ),
    ],
)
def test_colours_are_found_in_any_type_and_layout(tmp_path: Path, array: NDArray[Any], is_coloured: bool) -> None:
    assert survey(tmp_path / "own.npy", array)[0] == is_coloured


def test_the_survey_yields_the_number_of_images_read(tmp_path: Path) -> None:
    counts = survey(tmp_path / "own.npy", np.tile(IMAGES, (200, 1, 1)))[2]
    assert counts == sorted(counts)
    assert (len(counts) > 2, counts[-1]) == (True, 12_000)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (IMAGES > 0, np.where(IMAGES > 0, 255, 0)),
        ((IMAGES / 255).astype("f4") * np.float32(1.0000002), IMAGES),
        ((IMAGES / 255 * 4_095).astype("u2"), IMAGES),
        ((IMAGES // 16).astype("u1"), IMAGES // 16 * 17),
        (np.array([0, 1, 3], "u1")[IMAGES // 86], np.array([0, 85, 255])[IMAGES // 86]),
        (IMAGES / 127.5 - 1, IMAGES),
    ],
)
def test_values_are_scaled_by_the_range_of_the_whole_array(
    tmp_path: Path, array: NDArray[Any], expected: NDArray[Any]
) -> None:
    assert np.abs(convert(tmp_path / "own.npy", array, (28, 28)).astype(int) - expected).max() <= 1


def test_large_arrays_are_converted_in_little_memory(tmp_path: Path) -> None:
    array = np.zeros((50_000, 28, 28), np.float32)
    array[::2, 3:9] = 1
    np.save(tmp_path / "own.npy", array)
    array_file = find_dataset_arrays(tmp_path / "own.npy", ImportOptions()).train_images
    tracemalloc.start()
    for _ in survey_array(array_file, RangeEstimator("float")):
        pass
    survey_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    count = sum(len(chunk.pixels) for chunk in iter_converted_chunks(array_file, (28, 28), ValueRange(0, 1)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 50_000
    assert max(peak, survey_peak) < 64 << 20 < array.nbytes / 2
