"""Damaged PNG files: no wrong picture without notice, and no picture lost for damaged metadata."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.data.drawing import draw_shapes
from vaetui.data.image_files import decode_image
from vaetui.data.image_samples import UnusableImageError

PICTURE = draw_shapes(2, 96)[0][1]
MODES = ("L", "RGB", "P", "1", "LA")


def encode(mode: str = "L", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PICTURE).convert(mode).save(file, "PNG", **options)
    return file.getvalue()


def decode(path: Path, content: bytes) -> np.ndarray | None:
    """Return the pixels of a file with this content, or None if it cannot be used."""
    path.write_bytes(content)
    try:
        return decode_image(path, PICTURE.shape).pixels
    except UnusableImageError:
        return None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["picture.png", "picture.jpg"])
def test_a_flipped_bit_anywhere_never_changes_the_pixels_without_notice(mode: str, name: str, tmp_path: Path) -> None:
    content = encode(mode)
    expected = decode(tmp_path / name, content)
    assert expected is not None
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        pixels = decode(tmp_path / name, bytes(damaged))
        assert pixels is None or np.array_equal(pixels, expected)


@pytest.mark.parametrize("mode", MODES)
def test_a_truncated_file_never_gives_other_pixels(mode: str, tmp_path: Path) -> None:
    content = encode(mode)
    expected = decode(tmp_path / "picture.png", content)
    for length in range(len(content)):
        pixels = decode(tmp_path / "picture.png", content[:length])
        assert pixels is None or np.array_equal(pixels, expected)
    assert decode(tmp_path / "picture.png", content[: len(content) // 2]) is None


def test_damaged_metadata_does_not_lose_the_picture(tmp_path: Path) -> None:
    texts = PngInfo()
    texts.add_text("Comment", "text")
    damaged = bytearray(encode(pnginfo=texts, exif=b"Exif\0\0" + bytes(20), icc_profile=bytes(200)))
    for kind in (b"tEXt", b"eXIf", b"iCCP"):
        damaged[damaged.index(kind) + 6] ^= 1
    assert np.array_equal(decode(tmp_path / "picture.png", bytes(damaged)), PICTURE[None])
