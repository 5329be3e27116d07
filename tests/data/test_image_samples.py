"""Pixels of image files of every mode, bit depth, value range and orientation."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.data.decoding import decode_image, survey_image
from tests.data.drawing import colour_digits, load_digits
from tests.data.image_encoders import encode_png_16, encode_tiff
from vaetui.data.image_samples import UnusableImageError
from vaetui.data.value_range import RangeEstimator, SampleKind, ValueRange

PIXELS = load_digits(1)[0][0]
COLOURS = colour_digits(load_digits(1)[0])[0]
SIZE = PIXELS.shape
TWELVE_BITS = ValueRange(0, 4_095)
UPRIGHT = np.zeros((32, 60), np.uint8)
UPRIGHT[:16, :15], UPRIGHT[:8, 50:] = 255, 128
Transpose = Image.Transpose
STORING_METHODS = {
    **{2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE},
    **{6: Transpose.ROTATE_90, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_270},
}
"""How an upright image is stored for each EXIF orientation."""
TIFF_COMPRESSIONS = (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4")
TIFF_CASES = [
    (mode, compression)
    for mode, compression in itertools.product(("L", "RGB", "I;16", "I", "F", "1"), TIFF_COMPRESSIONS)
    if (compression != "jpeg" or mode in ("L", "RGB")) and (compression != "group4" or mode == "1")
]


def decode_pixels(
    path: Path, shape: tuple[int, ...], value_ranges: dict[SampleKind, ValueRange] | None = None
) -> NDArray[np.uint8]:
    (pixels,) = decode_image(path, shape, value_ranges or {}).pixels
    return pixels


def measure_error(pixels: NDArray[np.uint8], expected: NDArray[Any]) -> int:
    return int(np.abs(pixels.astype(int) - expected).max())


def convert_image(pixels: NDArray[np.uint8], mode: str) -> Image.Image:
    """Return grey pixels as an image of any mode that uses its whole range of values."""
    if mode == "I;16":
        return Image.fromarray(pixels.astype(np.uint16) * 257)
    if mode == "I":
        return Image.fromarray(pixels.astype(np.int32) * 257)
    if mode == "F":
        return Image.fromarray(pixels.astype(np.float32) / 255)
    return Image.fromarray(pixels).convert(mode, dither=Image.Dither.NONE)


@pytest.mark.parametrize(("mode", "compression"), TIFF_CASES)
def test_tiff_files_of_every_orientation_are_upright(tmp_path: Path, mode: str, compression: str | None) -> None:
    path = tmp_path / "turned.tif"
    upright = np.where(UPRIGHT > 127, 255, 0) if mode == "1" else UPRIGHT
    for orientation in range(1, 9):
        stored = Image.fromarray(upright.astype(np.uint8))
        if orientation > 1:
            stored = stored.transpose(STORING_METHODS[orientation])
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {"quality": 100} if compression == "jpeg" else {}
        convert_image(np.asarray(stored), mode).save(path, exif=exif, compression=compression, **options)
        file = decode_image(path, (32, 60))
        assert measure_error(file.pixels[0], upright) <= (60 if compression == "jpeg" else 1), orientation
        assert file.size == survey_image(path).size == (32, 60)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif"])
def test_other_files_of_every_orientation_are_upright(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"turned{suffix}"
    for orientation in range(1, 9):
        stored = Image.fromarray(UPRIGHT).convert("RGB")
        if orientation > 1:
            stored = stored.transpose(STORING_METHODS[orientation])
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored.save(path, exif=exif.tobytes(), quality=95)
        file = decode_image(path, (32, 60))
        assert np.abs(file.pixels[0].astype(int) - UPRIGHT).mean() < 4, orientation
        assert file.size == survey_image(path).size == (32, 60)


def test_the_original_size_of_a_large_jpeg_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PIXELS[:20]).resize((1400, 1000)).save(path, exif=exif)
    assert decode_image(path, SIZE).size == survey_image(path).size == (1400, 1000)


def test_frames_of_one_camera_share_a_range(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 1, 64), (64, 1))
    estimator = RangeEstimator("16-bit")
    for name, scale in (("dark", 255), ("bright", 256)):
        Image.fromarray((ramp * scale).round().astype(np.uint16)).save(tmp_path / f"{name}.png")
        survey = survey_image(tmp_path / f"{name}.png")
        assert (survey.kind, survey.values.max()) == ("16-bit", scale)
        estimator.add(survey.values)
    ranges: dict[SampleKind, ValueRange] = {"16-bit": estimator.estimate()}
    dark, bright = (decode_pixels(tmp_path / f"{name}.png", (64, 64), ranges) for name in ("dark", "bright"))
    assert measure_error(dark, bright) <= 1


@pytest.mark.parametrize("dtype", ["uint16", "int16", "uint32", "int32", "float32"])
@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("deflate", [False, True])
def test_tiff_values_of_every_type_are_scaled_by_the_given_range(
    tmp_path: Path, dtype: str, byte_order: str, deflate: bool
) -> None:
    if dtype == "uint32" and byte_order == ">":
        pytest.skip("Pillow does not read it; the file is skipped with a reason")
    low = -1_000 if dtype.startswith("int") else 0
    white = 4_000_000_000 if dtype == "uint32" else 0.75 if dtype == "float32" else 4_095
    values = (PIXELS / 255 * (white - low) + low).astype(dtype)
    path = tmp_path / "values.tif"
    path.write_bytes(encode_tiff(values, byte_order=byte_order, deflate=deflate))
    survey = survey_image(path)
    assert (survey.values.min(), survey.values.max()) == (values.min(), values.max())
    value_range = ValueRange(low, white)
    assert measure_error(decode_pixels(path, SIZE, {survey.kind: value_range}), PIXELS) <= 1
    assert survey.kind == {"uint16": "16-bit", "int16": "16-bit", "float32": "float"}.get(dtype, "32-bit")
    # Without a range, that of the file is used.
    own_range = RangeEstimator(survey.kind)
    own_range.add(values)
    assert measure_error(decode_pixels(path, SIZE), own_range.estimate().to_pixels(values)) == 0


def write_12_bit_image(path: Path, channels: int, **options: Any) -> NDArray[np.uint16]:
    """Write random 12-bit values [20, 30, C] in 16 bits per channel; the last of 2 or 4 channels is opaque alpha."""
    values = np.random.default_rng(0).integers(0, 4_096, (20, 30, channels)).astype(np.uint16)
    if channels in (2, 4):
        values[..., -1] = 65_535
    if path.suffix == ".png":
        path.write_bytes(encode_png_16(values))
    elif path.suffix == ".ppm":
        path.write_bytes(b"P6 30 20 65535\n" + values.astype(">u2").tobytes())
    else:
        path.write_bytes(encode_tiff(values, **options))
    return values[..., 0] if channels == 2 else values[..., :3]


@pytest.mark.parametrize(
    ("name", "channels", "options"),
    [
        ("a.png", 2, {}),
        ("a.png", 3, {}),
        ("a.png", 4, {}),
        ("a.ppm", 3, {}),
        *(
            ("a.tif", channels, {"byte_order": order, "deflate": deflate})
            for channels, order, deflate in itertools.product((3, 4), "<>", (False, True))
        ),
    ],
)
def test_16_bit_colours_keep_their_precision(tmp_path: Path, name: str, channels: int, options: Any) -> None:
    values = write_12_bit_image(tmp_path / name, channels, **options)
    survey = survey_image(tmp_path / name)
    assert (survey.kind, survey.is_coloured) == ("16-bit", channels > 2)
    assert (survey.values.min(), survey.values.max()) == (values.min(), values.max())
    expected = TWELVE_BITS.to_pixels(values)
    assert measure_error(decode_pixels(tmp_path / name, expected.shape, {"16-bit": TWELVE_BITS}), expected) == 0


def test_16_bit_colours_are_turned_upright(tmp_path: Path) -> None:
    path = tmp_path / "turned.tif"
    values = write_12_bit_image(path, 3)
    for deflate in (False, True):
        path.write_bytes(encode_tiff(np.ascontiguousarray(np.rot90(values)), tags={274: 6}, deflate=deflate))
        pixels = decode_pixels(path, values.shape, {"16-bit": TWELVE_BITS})
        assert measure_error(pixels, TWELVE_BITS.to_pixels(values)) == 0


def test_16_bit_colours_in_separate_planes_are_skipped(tmp_path: Path) -> None:
    write_12_bit_image(tmp_path / "a.tif", 3, planar=True)
    with pytest.raises(UnusableImageError, match="has 16-bit colours in separate planes"):
        decode_image(tmp_path / "a.tif", SIZE)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("deflate", [False, True])
def test_tiff_values_that_count_from_white_are_inverted(tmp_path: Path, dtype: str, deflate: bool) -> None:
    values = (255 - PIXELS).astype(dtype) * (257 if dtype == "uint16" else 1)
    (tmp_path / "a.tif").write_bytes(encode_tiff(values, tags={262: 0}, deflate=deflate))
    assert measure_error(decode_pixels(tmp_path / "a.tif", SIZE), PIXELS) == 0


@pytest.mark.parametrize("deflate", [False, True])
def test_floats_in_tiff_files_that_count_from_white_are_skipped(tmp_path: Path, deflate: bool) -> None:
    (tmp_path / "a.tif").write_bytes(encode_tiff(PIXELS.astype(np.float32), tags={262: 0}, deflate=deflate))
    with pytest.raises(UnusableImageError, match="has float values of which the smallest is white"):
        decode_image(tmp_path / "a.tif", SIZE)


def test_the_transparent_value_of_a_16_bit_image_becomes_background(tmp_path: Path) -> None:
    values = PIXELS.astype(np.uint16) * 16
    (tmp_path / "a.png").write_bytes(encode_png_16(values, transparent=0))
    assert survey_image(tmp_path / "a.png").values.min() > 0
    pixels = decode_pixels(tmp_path / "a.png", SIZE, {"16-bit": ValueRange(0, 4_080)})
    assert pixels[0, 0] in (0, 255)
    assert measure_error(pixels[PIXELS > 0], PIXELS[PIXELS > 0]) <= 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("int8.tif", "has signed 8-bit values; convert it to 16 bits first"),
        ("float64.tif", "is a TIFF image of a kind that is not supported"),
        ("nan.tif", "contains NaN or infinite values"),
        ("infinity.tif", "contains NaN or infinite values"),
    ],
)
def test_values_that_cannot_be_shown_are_a_reason_to_skip(tmp_path: Path, name: str, reason: str) -> None:
    values: NDArray[Any] = PIXELS.astype({"int8.tif": np.int8, "float64.tif": np.float64}.get(name, np.float32))
    if name in ("nan.tif", "infinity.tif"):
        values[3, 4] = np.nan if name == "nan.tif" else -np.inf
    (tmp_path / name).write_bytes(encode_tiff(values))
    with pytest.raises(UnusableImageError, match=reason):
        decode_image(tmp_path / name, SIZE)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".gif", ".pgm"])
@pytest.mark.parametrize("white", [1, 3, 16])
def test_masks_and_small_ranges_of_8_bits_are_stretched(tmp_path: Path, suffix: str, white: int) -> None:
    path = tmp_path / f"mask{suffix}"
    mask = (PIXELS.astype(int) * white // 255).astype(np.uint8)
    Image.fromarray(mask).save(path)
    survey = survey_image(path)
    assert (survey.kind, survey.values.max()) == ("8-bit", white)
    estimator = RangeEstimator("8-bit")
    estimator.add(survey.values)
    assert estimator.estimate() == ValueRange(0, white)
    expected = (mask * (255 / white)).round()
    assert measure_error(decode_pixels(path, SIZE, {"8-bit": ValueRange(0, white)}), expected) <= 1
    assert measure_error(decode_pixels(path, SIZE), mask) == 0  # the default is 0 to 255


def test_dark_colours_are_noticed_and_stretched(tmp_path: Path) -> None:
    Image.fromarray(COLOURS // 16).save(tmp_path / "dark.png")
    survey = survey_image(tmp_path / "dark.png")
    assert survey.is_coloured
    pixels = decode_pixels(tmp_path / "dark.png", (*SIZE, 3), {"8-bit": ValueRange(0, 15)})
    assert measure_error(pixels, COLOURS // 16 * 17) <= 1
    Image.fromarray(PIXELS // 16).convert("RGB").save(tmp_path / "grey.png")
    assert not survey_image(tmp_path / "grey.png").is_coloured


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_composited_after_the_values_are_stretched(tmp_path: Path, mode: str) -> None:
    image = Image.new("L", SIZE, 12).convert(mode)
    image.putalpha(Image.fromarray(PIXELS))
    image.save(tmp_path / "a.png")
    assert survey_image(tmp_path / "a.png").values.tolist() == [12] * len(survey_image(tmp_path / "a.png").values)
    pixels = decode_pixels(tmp_path / "a.png", SIZE, {"8-bit": ValueRange(0, 15)})
    assert pixels[0, 0] == 0  # the background of a light image
    assert measure_error(pixels, PIXELS.astype(float) * 204 / 255) <= 1


def test_a_survey_has_the_extremes_of_a_large_image(tmp_path: Path) -> None:
    values = np.full((500, 500), 1_000, np.uint16)
    values[101, 7], values[444, 433] = 3, 60_000
    Image.fromarray(values).save(tmp_path / "large.png")
    survey = survey_image(tmp_path / "large.png")
    assert len(survey.values) <= 1 << 16
    assert (survey.values.min(), survey.values.max()) == (3, 60_000)
