"""The same pictures have the same pixels in arrays of any type, byte order, range, layout and container."""

from __future__ import annotations

import tempfile
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.data.decoding import decode_image
from vaetui.data.array_conversion import iter_converted_chunks, survey_array
from vaetui.data.array_files import ArrayFile
from vaetui.data.array_roles import find_dataset_arrays
from vaetui.data.import_options import ImportOptions
from vaetui.data.value_range import RangeEstimator, ValueRange, get_sample_kind

BITS_BY_DTYPE = {
    **{"i1": (7,), "u1": (8,), "i2": (8, 10, 12, 14), "u2": (8, 10, 12, 14, 16)},
    **{"i4": (8, 12, 16, 20, 31), "u4": (8, 16, 32), "i8": (8, 16, 40), "u8": (8, 16, 50)},
}
"""Numbers of bits of integers that are tried: usual depths, or a range of its own."""
FLOAT_DTYPES = ("f2", "f4", "f8", "longdouble")
GREY_ORDERS = ["".join(order) for order in permutations("NHW")]
CHANNEL_ORDERS = ["".join(order) for order in permutations("NHWC")]


@st.composite
def linear_ranges(draw: st.DrawFn) -> tuple[str, float, float]:
    """Draw a dtype, and the values of black and white in it."""
    byte_order = draw(st.sampled_from("<>"))
    dtype = draw(st.sampled_from([*BITS_BY_DTYPE, *FLOAT_DTYPES]))
    if dtype in BITS_BY_DTYPE:
        return byte_order + dtype, 0.0, 2.0 ** draw(st.sampled_from(BITS_BY_DTYPE[dtype])) - 1
    dtype = dtype if dtype == "longdouble" else byte_order + dtype
    if dtype.endswith("f2") or draw(st.booleans()):
        return dtype, *draw(st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (0.0, 1.0000002)]))
    scale = draw(st.floats(1e-4, 0.4) | st.floats(2.1, 1e6)) + 1e-5  # other ranges may be part of 0 to 1 or -1 to 1
    black = draw(st.just(0.0) | st.floats(-100, 100)) * scale
    return dtype, black, black + scale


def save_array(path: Path, array: NDArray[Any]) -> None:
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.stem == "compressed":
        np.savez_compressed(path, images=array)
    else:
        np.savez(path, images=array)


def convert(array_file: ArrayFile, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    estimator = RangeEstimator(get_sample_kind(array_file.dtype))
    assert [*survey_array(array_file, estimator)][-1] == array_file.shape[0]
    chunks = iter_converted_chunks(array_file, shape, estimator.estimate())
    return np.concatenate([chunk.pixels for chunk in chunks])


@pytest.mark.parametrize("name", ["own.npy", "own.npz", "compressed.npz"])
@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    values=linear_ranges(),
    order=st.sampled_from([*GREY_ORDERS, *CHANNEL_ORDERS]),
    memory_order=st.sampled_from("CF"),
    nan_indices=st.sets(st.integers(0, 11), max_size=4),
)
def test_pixels_do_not_depend_on_type_range_layout_or_container(
    name: str, seed: int, values: tuple[str, float, float], order: str, memory_order: Any, nan_indices: set[int]
) -> None:
    dtype, black, white = values
    rng = np.random.default_rng(seed)
    shape = (12, 11, 9, 3) if "C" in order else (12, 11, 9)
    pictures = rng.integers(0, 256, shape).astype(np.uint8)
    pictures[:, 3, 0], pictures[:, 3, 1] = 0, 255  # so often that they are no outliers
    scaled = black + pictures / 255 * (white - black)
    array = (scaled.round() if np.dtype(dtype).kind in "iu" else scaled).astype(dtype)
    if array.dtype.kind == "f":
        array[sorted(nan_indices), 2, 2] = np.nan
        pictures = np.delete(pictures, sorted(nan_indices), axis=0)
    letters = "NHWC"[: len(shape)]
    array = np.array(array.transpose([letters.index(letter) for letter in order]), order=memory_order)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / name
        save_array(path, array)
        array_file = find_dataset_arrays(path, ImportOptions(axes=order)).train_images
        pixels = convert(array_file, pictures.shape[1:])
    assert pixels.shape == pictures.shape
    assert np.abs(pixels.astype(int) - pictures).max() <= 1


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([("u1", 1), (">u2", 257), ("i8", 1), ("f4", 1 / 255), (">f8", 1), ("f2", 1 / 255)]),
    in_colour=st.booleans(),
    memory_order=st.sampled_from("CF"),
)
def test_transparent_arrays_have_the_pixels_of_the_same_images_in_png_files(
    seed: int, scale: tuple[str, float], in_colour: bool, memory_order: Any
) -> None:
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (12, 10, 9, 4)).astype(np.uint8)
    darkness = rng.integers(0, 200, (12, 1, 1, 1))
    pictures[..., :3] = np.where(
        rng.random((12, 1, 1, 1)) < 0.5, pictures[..., :3], pictures[..., :3] * darkness // 255
    )
    pictures[rng.random((12, 10, 9)) < 0.3, 3] = 0
    pictures[0, 0, 0], pictures[0, 0, 1] = 255, (0, 0, 0, 255)
    dtype, factor = scale
    array = np.array((pictures.astype(np.float64) * factor).round(9).astype(dtype), order=memory_order)
    shape = (10, 9, 3) if in_colour else (10, 9)
    with tempfile.TemporaryDirectory() as directory:
        np.save(Path(directory) / "own.npy", array)
        array_file = find_dataset_arrays(Path(directory) / "own.npy", ImportOptions()).train_images
        pixels = convert(array_file, shape)
        expected = []
        for picture in pictures:
            Image.fromarray(picture).save(Path(directory) / "own.png")
            decoded = decode_image(Path(directory) / "own.png", shape, {"8-bit": ValueRange(0, 255)})
            expected.append(decoded.pixels[0])
    assert np.abs(pixels.astype(int) - np.stack(expected)).max() <= 1
