"""One file becomes pixels, or one reason."""

from __future__ import annotations

import os
import random
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.drawing import digits, png, tint
from vaetui.data.image_files import UnusableImageError, decode_image, is_coloured_file, read_size

PIXELS = digits(1)[0][0]
BLUE = tint(digits(3)[0])[2]
SIZE = (28, 28)


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tif", ".webp"])
def test_every_format_without_loss_comes_back_as_it_was(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"seven{ending}"
    Image.fromarray(PIXELS).save(path, **({"lossless": True} if ending == ".webp" else {}))
    assert np.abs(decode_image(path, SIZE).astype(int) - PIXELS).max() <= (2 if ending == ".webp" else 0)


def test_a_photograph_is_brought_to_the_size(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.fromarray(PIXELS).resize((1400, 1400), Image.Resampling.NEAREST).save(path, quality=95)
    assert read_size(path) == (1400, 1400)
    assert np.abs(decode_image(path, SIZE).astype(int) - PIXELS).mean() < 6


def test_the_orientation_that_a_camera_notes_is_honoured(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    turned = Image.fromarray(PIXELS[:, :20]).resize((200, 280))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    turned.save(path, quality=95, exif=exif.tobytes())
    assert read_size(path) == (200, 280)
    upright = np.rot90(np.asarray(turned.resize((20, 28))), -1)
    assert np.abs(decode_image(path, (20, 28)).astype(int) - upright).mean() < 6


@pytest.mark.parametrize(
    ("mode", "levels"),
    [("1", {0, 255}), ("P", None), ("RGB", None), ("CMYK", None), ("I;16", None), ("F", None)],
)
def test_every_mode_becomes_grey(tmp_path: Path, mode: str, levels: set[int] | None) -> None:
    grey = Image.fromarray(PIXELS)
    path = tmp_path / "any.tif"
    if mode == "I;16":
        made = Image.fromarray(PIXELS.astype(np.uint16) * 257)
    elif mode == "F":
        made = Image.fromarray(PIXELS.astype(np.float32) / 255)
    else:
        made = grey.convert(mode)
    made.save(path)
    found = decode_image(path, SIZE)
    assert levels is None or set(np.unique(found).tolist()) <= levels
    assert np.abs(found.astype(int) - PIXELS).mean() < (40 if mode == "1" else 2)


@pytest.mark.parametrize("mode", ["P", "RGB", "CMYK", "YCbCr"])
def test_colours_are_kept_where_they_are_wanted(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "blue.tif"
    Image.fromarray(BLUE).convert(mode).save(path)
    found = decode_image(path, (*SIZE, 3))
    assert np.abs(found.astype(int) - BLUE).mean() < 4
    assert decode_image(path, (14, 20, 3)).shape == (14, 20, 3)
    assert is_coloured_file(path)
    Image.fromarray(PIXELS).convert(mode).save(path)
    assert np.ptp(decode_image(path, (*SIZE, 3)), axis=2).max() <= 1
    assert not is_coloured_file(path)


def test_what_a_jpeg_makes_of_grey_is_no_colour(tmp_path: Path) -> None:
    path = tmp_path / "scan.jpg"
    Image.fromarray(PIXELS).convert("RGB").resize((300, 300)).save(path, quality=20)
    assert not is_coloured_file(path)
    path.write_bytes(b"spoiled")
    assert not is_coloured_file(path)


def test_what_is_transparent_in_a_coloured_picture_becomes_one_ground(tmp_path: Path) -> None:
    path = tmp_path / "glyph.png"
    ink = Image.new("RGB", SIZE, (90, 90, 255))
    ink.putalpha(Image.fromarray(PIXELS))
    ink.save(path)
    found = decode_image(path, (*SIZE, 3))
    assert found[0, 0].tolist() == [255, 255, 255]  # this blue is darker than half
    assert found[PIXELS == 255].tolist() == [[90, 90, 255]] * int((PIXELS == 255).sum())


@pytest.mark.parametrize(("ink", "ground"), [(255, 0), (0, 255)])
def test_what_is_transparent_becomes_the_ground_that_shows_the_picture(tmp_path: Path, ink: int, ground: int) -> None:
    path = tmp_path / "glyph.png"
    Image.merge("LA", [Image.new("L", SIZE, ink), Image.fromarray(PIXELS)]).save(path)
    found = decode_image(path, SIZE)
    assert found[0, 0] == ground
    assert found[PIXELS == 255].tolist() == [ink] * int((PIXELS == 255).sum())


def bomb(width: int, height: int) -> bytes:
    """A PNG whose head announces more pixels than it holds."""
    whole = bytearray(png(PIXELS))
    whole[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    whole[29:33] = zlib.crc32(whole[12:29]).to_bytes(4, "big")
    return bytes(whole)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"these are words, not a picture", "is no picture"),
        (png(PIXELS)[:200], "cannot be decoded"),
        (png(PIXELS)[:12], "is no picture|cannot be read"),
        (png(PIXELS[:1, :1]), "has 1x1 pixels; at least 4x4"),
        (bomb(20_000, 20_000), "has (20000x20000|more than 100,000,000) pixels"),
        (bomb(9_000, 9_000), "cannot be decoded"),
    ],
)
def test_a_hostile_file_is_one_reason(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "hostile.png"
    path.write_bytes(content)
    with pytest.raises(UnusableImageError) as caught:
        decode_image(path, SIZE)
    assert re.search(words, str(caught.value))


def test_links_to_nothing_and_pipes_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UnusableImageError, match="link to nothing"):
        decode_image(tmp_path / "broken.png", SIZE)
    with pytest.raises(UnusableImageError, match="is no file"):
        decode_image(tmp_path / "pipe.png", SIZE)


def test_thousands_of_damaged_pictures_are_pixels_or_one_reason(tmp_path: Path) -> None:
    draw = random.Random(0)
    wholes = {}
    for ending in (".png", ".jpg", ".tif", ".bmp", ".webp"):
        Image.fromarray(PIXELS).save(tmp_path / f"whole{ending}")
        wholes[ending] = (tmp_path / f"whole{ending}").read_bytes()
    unfit = 0
    for case in range(2_500):
        ending = draw.choice(list(wholes))
        damaged = bytearray(wholes[ending])
        if case % 2:
            del damaged[draw.randrange(len(damaged)) :]
        for _ in range(draw.randrange(1, 6)):
            if damaged:
                damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        path = tmp_path / f"damaged{ending}"
        path.write_bytes(damaged)
        try:
            assert decode_image(path, SIZE).shape == SIZE
        except UnusableImageError as error:
            unfit += 1
            assert str(error).isprintable()
    assert 1_000 < unfit < 2_500
