"""Formats of image files, their endings and contents."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.decoding import decode_image
from tests.data.drawing import encode_png, load_digits
from vaetui.data import image_formats
from vaetui.data.image_samples import UnusableImageError

PIXELS = load_digits(1)[0][0]
SIZE = PIXELS.shape
RUNNING_PROGRAMS = {"EPS", "WMF"}
DECODING_NOTHING = {"BUFR", "GRIB", "HDF5", "MPEG", "IPTC"}
IGNORING_SCALES = {"FITS"}


def test_all_formats_that_pillow_decodes_have_their_endings() -> None:
    Image.init()
    registered = {suffix: name for suffix, name in Image.registered_extensions().items() if name in Image.OPEN}
    refused = RUNNING_PROGRAMS | DECODING_NOTHING | IGNORING_SCALES
    for suffix, name in registered.items():
        if name in refused:
            assert suffix in image_formats.REASONS_BY_SUFFIX
        else:
            assert image_formats.FORMATS_BY_SUFFIX[suffix] == name
    assert not image_formats.FORMATS_BY_SUFFIX.keys() & image_formats.REASONS_BY_SUFFIX.keys()


@pytest.mark.parametrize(
    "suffix",
    [
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".tif", ".tiff", ".bmp", ".dib", ".webp", ".avif"),
        *(".jp2", ".pgm", ".pnm", ".tga", ".pcx", ".sgi", ".dds"),
    ],
)
def test_files_of_each_ending_are_decoded(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix.upper()}"
    Image.fromarray(PIXELS).save(path, quality=95)
    assert np.abs(decode_image(path, SIZE).pixels[0].astype(int) - PIXELS).mean() < 3


@pytest.mark.parametrize("name", ["a.jpg", "a.gif", "a.tga", "a.jp2", "a.unknown", "a"])
def test_an_image_with_a_wrong_ending_is_decoded(tmp_path: Path, name: str) -> None:
    for content_format in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "AVIF", "JPEG2000"):
        Image.fromarray(PIXELS).save(tmp_path / name, content_format, quality=95)
        assert np.abs(decode_image(tmp_path / name, SIZE).pixels[0].astype(int) - PIXELS).mean() < 3


def encode_media(brand: bytes, *compatible: bytes) -> bytes:
    """Return the start of an ISO media file of these brands."""
    content = b"ftyp" + brand + bytes(4) + b"".join(compatible)
    return (len(content) + 4).to_bytes(4, "big") + content + bytes(200)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encode_media(b"heic", b"mif1", b"heic"), "is a HEIC image, which needs pillow-heif: pip install pillow-heif"),
        (encode_media(b"mif1", b"mif1", b"heic"), "is a HEIC image, which needs pillow-heif: pip install pillow-heif"),
        (b"\xff\x0a" + bytes(99), "is a JPEG XL image, which needs pillow-jxl-plugin: pip install pillow-jxl-plugin"),
        (encode_media(b"crx "), "is a camera raw file; convert it to TIFF or PNG first"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(99), "is a camera raw file; convert it to TIFF or PNG first"),
        (encode_media(b"qt  "), "is a video; save its frames as images first"),
        (encode_media(b"isom"), "is a video; save its frames as images first"),
        (b"%PDF-1.4 ", "is a document; convert its pages to PNG first"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is a drawing; convert it to PNG first"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "is a drawing; convert it to PNG first"),
        (bytes(128) + b"DICM" + bytes(99), "is a medical image; convert it to PNG or npy first"),
        (b"PK\x03\x04" + bytes(99), "is an archive; unpack it first"),
        (b"\x93NUMPY" + bytes(99), "is an array file; import it separately"),
        (b"<!DOCTYPE html><title>404</title>", "is a web page; download the image again"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "is a pointer of Git LFS; run git lfs pull first"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "cannot be read (damaged PNG header)"),
        (b"this is text", "is not an image in a supported format"),
    ],
)
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tga", "a"])
def test_other_content_under_an_image_name_is_explained(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableImageError) as caught:
        decode_image(tmp_path / name, SIZE)
    assert str(caught.value) == reason or (name in ("a.tga", "a.png") and str(caught.value).startswith("cannot be"))


def test_a_file_is_not_decoded_as_a_format_of_another_ending(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.tga")
    (tmp_path / "a.tga").rename(tmp_path / "a.png")
    with pytest.raises(UnusableImageError, match="is not an image in a supported format"):
        decode_image(tmp_path / "a.png", SIZE)


@pytest.mark.parametrize("name", ["a.cr2", "a.DNG", "a.dcm", "a.pdf", "a.eps", "a.svg", "a.mp4", "a.fits", "a.wmf"])
def test_files_of_these_endings_are_never_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(encode_png(PIXELS))
    with pytest.raises(UnusableImageError, match=re.escape(image_formats.REASONS_BY_SUFFIX[name[1:].lower()])):
        decode_image(tmp_path / name, SIZE)
