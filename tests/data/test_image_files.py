"""Decoding of single image files."""

from __future__ import annotations

import os
import random
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.data.drawing import colour_digits, encode_png, load_digits
from vaetui.data.image_files import UnusableImageError, decode_image, survey_image

PIXELS = load_digits(1)[0][0]
BLUE = colour_digits(load_digits(3)[0])[2]
SIZE = (28, 28)


def decode_pixels(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the pixels of a file with one image."""
    (pixels,) = decode_image(path, shape).pixels
    return pixels


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp"])
def test_lossless_formats_are_decoded_unchanged(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"seven{suffix}"
    Image.fromarray(PIXELS).save(path, lossless=True)  # an option of WebP; the other formats ignore it
    assert np.abs(decode_pixels(path, SIZE).astype(int) - PIXELS).max() <= (2 if suffix == ".webp" else 0)


def test_a_large_jpeg_is_resized(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.fromarray(PIXELS).resize((1400, 1400), Image.Resampling.NEAREST).save(path, quality=95)
    assert survey_image(path).size == (1400, 1400)
    assert np.abs(decode_pixels(path, SIZE).astype(int) - PIXELS).mean() < 6


def test_exif_orientation_rotates_the_image(tmp_path: Path) -> None:
    path = tmp_path / "rotated.jpg"
    stored = Image.fromarray(PIXELS[:, :20]).resize((200, 280))
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate clockwise by 90 degrees
    stored.save(path, quality=95, exif=exif.tobytes())
    assert survey_image(path).size == (200, 280)
    displayed = np.rot90(np.asarray(stored.resize((20, 28))), -1)
    assert np.abs(decode_pixels(path, (20, 28)).astype(int) - displayed).mean() < 6


@pytest.mark.parametrize(
    ("mode", "levels"),
    [("1", {0, 255}), ("P", None), ("RGB", None), ("CMYK", None), ("I;16", None), ("F", None)],
)
def test_every_mode_is_converted_to_grey(tmp_path: Path, mode: str, levels: set[int] | None) -> None:
    path = tmp_path / "any.tif"
    if mode == "I;16":
        image = Image.fromarray(PIXELS.astype(np.uint16) * 257)
    elif mode == "F":
        image = Image.fromarray(PIXELS.astype(np.float32) / 255)
    else:
        image = Image.fromarray(PIXELS).convert(mode)
    image.save(path)
    decoded = decode_pixels(path, SIZE)
    assert levels is None or set(np.unique(decoded).tolist()) <= levels
    assert np.abs(decoded.astype(int) - PIXELS).mean() < (40 if mode == "1" else 2)


@pytest.mark.parametrize("mode", ["P", "RGB", "CMYK", "YCbCr"])
def test_a_coloured_shape_keeps_colours(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "blue.tif"
    Image.fromarray(BLUE).convert(mode).save(path)
    assert np.abs(decode_pixels(path, (*SIZE, 3)).astype(int) - BLUE).mean() < 4
    assert decode_pixels(path, (14, 20, 3)).shape == (14, 20, 3)
    assert survey_image(path).is_coloured
    Image.fromarray(PIXELS).convert(mode).save(path)
    assert np.ptp(decode_pixels(path, (*SIZE, 3)), axis=2).max() <= 1
    assert not survey_image(path).is_coloured


def test_jpeg_artefacts_of_a_grey_image_do_not_count_as_colour(tmp_path: Path) -> None:
    path = tmp_path / "scan.jpg"
    Image.fromarray(PIXELS).convert("RGB").resize((300, 300)).save(path, quality=20)
    assert not survey_image(path).is_coloured


def test_the_survey_of_a_damaged_file_raises_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "damaged.jpg"
    path.write_bytes(b"damaged")
    with pytest.raises(UnusableImageError, match="is not an image in a supported format"):
        survey_image(path)


def test_transparent_pixels_of_a_dark_coloured_image_become_white(tmp_path: Path) -> None:
    path = tmp_path / "glyph.png"
    image = Image.new("RGB", SIZE, (90, 90, 255))
    image.putalpha(Image.fromarray(PIXELS))
    image.save(path)
    decoded = decode_pixels(path, (*SIZE, 3))
    assert decoded[0, 0].tolist() == [255, 255, 255]  # the grey level of this blue is below 128
    assert decoded[PIXELS == 255].tolist() == [[90, 90, 255]] * int((PIXELS == 255).sum())


@pytest.mark.parametrize(("ink", "background"), [(255, 0), (0, 255)])
def test_transparent_pixels_contrast_with_the_image(tmp_path: Path, ink: int, background: int) -> None:
    path = tmp_path / "glyph.png"
    Image.merge("LA", [Image.new("L", SIZE, ink), Image.fromarray(PIXELS)]).save(path)
    decoded = decode_pixels(path, SIZE)
    assert decoded[0, 0] == background
    assert decoded[PIXELS == 255].tolist() == [ink] * int((PIXELS == 255).sum())


def encode_bomb(width: int, height: int) -> bytes:
    """Return a PNG file whose header announces more pixels than its data holds."""
    content = bytearray(encode_png(PIXELS))
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"this is text, not an image", "is not an image in a supported format"),
        (encode_png(PIXELS)[:200], "cannot be decoded"),
        (encode_png(PIXELS)[:12], "is not an image in a supported format|cannot be read"),
        (encode_png(PIXELS[:1, :1]), "has 1x1 pixels; at least 4x4"),
        (encode_bomb(20_000, 20_000), "has (20000x20000|more than 100,000,000) pixels"),
        (encode_bomb(9_000, 9_000), "cannot be decoded"),
    ],
)
def test_a_hostile_file_raises_one_reason(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "hostile.png"
    path.write_bytes(content)
    with pytest.raises(UnusableImageError) as caught:
        decode_pixels(path, SIZE)
    assert re.search(message, str(caught.value))


def test_broken_links_and_pipes_are_unusable(tmp_path: Path) -> None:
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UnusableImageError, match="is a broken link"):
        decode_pixels(tmp_path / "broken.png", SIZE)
    with pytest.raises(UnusableImageError, match="is not a regular file"):
        decode_pixels(tmp_path / "pipe.png", SIZE)
    with pytest.raises(UnusableImageError, match="does not exist"):
        decode_pixels(tmp_path / "nowhere.png", SIZE)


@pytest.mark.parametrize("case_count", [500, pytest.param(5_000, marks=pytest.mark.slow)])
def test_randomly_damaged_files_are_decoded_or_raise_one_printable_reason(tmp_path: Path, case_count: int) -> None:
    rng = random.Random(case_count)
    contents = {}
    for suffix in (".png", ".jpg", ".tif", ".bmp", ".webp"):
        Image.fromarray(PIXELS).save(tmp_path / f"intact{suffix}")
        contents[suffix] = (tmp_path / f"intact{suffix}").read_bytes()
    unusable_count = 0
    for case in range(case_count):
        suffix = rng.choice(list(contents))
        damaged = bytearray(contents[suffix])
        if case % 2:
            del damaged[rng.randrange(len(damaged)) :]
        for _ in range(rng.randrange(1, 6)):
            if damaged:
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path = tmp_path / f"damaged{suffix}"
        path.write_bytes(damaged)
        try:
            assert decode_pixels(path, SIZE).shape == SIZE
        except UnusableImageError as error:
            unusable_count += 1
            assert str(error).isprintable()
    assert 0.4 * case_count < unusable_count < case_count
