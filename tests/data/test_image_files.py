"""Decoding of single image files."""

from __future__ import annotations

import contextlib
import os
import random
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageCms import ImageCmsProfile, createProfile
from PIL.PngImagePlugin import PngImageFile

from tests.data.decoding import decode_image, survey_image
from tests.data.drawing import colour_digits, encode_png, load_digits
from tests.data.image_encoders import encode_png_16, encode_tiff
from vaetui.data.image_samples import UnusableImageError

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


@pytest.mark.parametrize("damage", ["half", "flipped byte", "no end"])
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a.gif", "a.bmp", "a.avif", "a.jp2"])
def test_a_damaged_file_raises_a_reason_or_keeps_its_pixels(tmp_path: Path, name: str, damage: str) -> None:
    path = tmp_path / name
    noise = np.random.default_rng(0).integers(0, 256, (96, 96)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    content = bytearray(path.read_bytes())
    intact = decode_pixels(path, (96, 96))
    if damage == "flipped byte":
        content[len(content) // 2] ^= 16
    path.write_bytes(
        content[: len(content) // 2] if damage == "half" else content[:-2] if damage == "no end" else content
    )
    for function in (survey_image, lambda file: decode_image(file, (96, 96))):
        try:
            function(path)
        except UnusableImageError as error:
            assert re.match("cannot be (read|decoded)", str(error))
            continue
        assert damage != "half"
        if name == "a.png":
            assert np.array_equal(decode_pixels(path, (96, 96)), intact)


BROKEN_EXIF = b"\0\x08\0\x02\x01\x12\0\x03"


@pytest.mark.parametrize(
    "options",
    [
        {"exif": BROKEN_EXIF},
        {"exif": b"Exif\0\0" + BROKEN_EXIF},
        {"exif": b"Exif\0\0II*\0\xff\xff\xff\xff"},
        {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04\xff\xff\xff\xff"},
        {"icc_profile": b"broken profile"},
        {"icc_profile": bytes(200)},
        {"exif": b"Exif\0\0", "icc_profile": b"\xff" * 60},
    ],
)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif", ".tif"])
def test_broken_metadata_does_not_lose_the_picture(tmp_path: Path, suffix: str, options: Any) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".tif":
        options = {name: value for name, value in options.items() if name == "icc_profile"}
    try:
        Image.fromarray(PIXELS).convert("RGB").save(path, quality=95, **options)
    except (ValueError, SyntaxError, RuntimeError, UserWarning):
        pytest.skip("this encoder refuses such metadata")
    assert np.abs(decode_pixels(path, SIZE).astype(int) - PIXELS).mean() < 3
    assert survey_image(path).size == SIZE


def test_a_broken_block_of_a_phone_picture_does_not_lose_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    images = [Image.fromarray(PIXELS).convert("RGB")] * 2
    images[0].save(path, "MPO", save_all=True, append_images=images[1:], quality=95)
    content = bytearray(path.read_bytes())
    start = content.index(b"MPF\0") + 4
    rng = random.Random(0)
    for _ in range(50):
        damaged = bytearray(content)
        damaged[start + rng.randrange(60)] = rng.randrange(256)
        path.write_bytes(damaged)
        assert np.abs(decode_pixels(path, SIZE).astype(int) - PIXELS).mean() < 3


def test_damaged_tiff_files_write_nothing_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(PIXELS).save(path, compression="tiff_lzw")
    path.write_bytes(path.read_bytes()[:10] + b"\xff" * 60 + path.read_bytes()[70:])
    with pytest.raises(UnusableImageError, match="cannot be decoded"):
        decode_image(path, SIZE)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("error", [MemoryError, RecursionError, SyntaxError, struct.error, OverflowError, KeyError])
def test_any_exception_of_a_decoder_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(PIXELS))

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(PngImageFile, "load_end", fail)
    with pytest.raises(UnusableImageError, match=r"cannot be decoded|needs more memory than is available"):
        decode_image(tmp_path / "a.png", SIZE)
    monkeypatch.setattr(PngImageFile, "_open", fail)
    with pytest.raises(UnusableImageError, match=r"cannot be read|damaged PNG header"):
        survey_image(tmp_path / "a.png")


def encode_fuzz_files(directory: Path) -> dict[str, bytes]:
    """Return files of many formats, with metadata and pages, by name."""
    grey = Image.fromarray(PIXELS)
    colours = Image.fromarray(BLUE)
    pages = [Image.fromarray(digit) for digit in load_digits(4)[0]]
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "description"
    exif.get_ifd(0x8769)[0x9003] = "2026:01:01 00:00:00"
    for suffix in (".png", ".jpg", ".tif", ".webp", ".avif"):
        profile = ImageCmsProfile(createProfile("sRGB")).tobytes()[:400]
        colours.save(directory / f"exif{suffix}", exif=exif, icc_profile=profile)
    for suffix in (".png", ".tif", ".webp", ".gif", ".avif"):
        pages[0].save(directory / f"pages{suffix}", save_all=True, append_images=pages[1:])
    for suffix in (".png", ".jpg", ".tif", ".bmp", ".webp", ".gif", ".jp2", ".tga", ".pcx", ".sgi", ".dds", ".ico"):
        grey.resize((32, 32)).save(directory / f"grey{suffix}")
    for compression in ("tiff_lzw", "jpeg", "packbits"):
        colours.save(directory / f"{compression}.tif", compression=compression)
    grey.convert("1").save(directory / "fax.tif", compression="group4")
    grey.convert("LA").save(directory / "alpha.png")
    colours.save(directory / "phone.jpg", "MPO", save_all=True, append_images=[colours])
    deep = np.random.default_rng(0).integers(0, 4_096, (20, 30, 3)).astype(np.uint16)
    (directory / "deep.png").write_bytes(encode_png_16(deep))
    (directory / "deep.tif").write_bytes(encode_tiff(deep))
    (directory / "float.tif").write_bytes(encode_tiff(PIXELS.astype(np.float32), deflate=True))
    (directory / "deep.ppm").write_bytes(b"P6 30 20 4095\n" + deep.astype(">u2").tobytes())
    (directory / "plain.pgm").write_bytes(b"P2 4 4 4095\n" + b" ".join(b"%d" % number for number in range(16)))
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


@pytest.mark.parametrize("case_count", [600, pytest.param(5_000, marks=pytest.mark.slow)])
def test_randomly_damaged_files_are_decoded_or_raise_one_printable_reason(tmp_path: Path, case_count: int) -> None:
    rng = random.Random(case_count)
    (tmp_path / "intact").mkdir()
    files = encode_fuzz_files(tmp_path / "intact")
    unusable_count = 0
    for case in range(case_count):
        name = rng.choice(list(files))
        damaged = bytearray(files[name])
        if case % 3 == 0:
            del damaged[rng.randrange(len(damaged)) :]
        for _ in range(rng.randrange(1, 6)):
            if damaged:
                # Half of the damage is done to headers.
                damaged[rng.randrange(min(len(damaged), rng.choice([200, len(damaged)])))] ^= 1 << rng.randrange(8)
        path = tmp_path / f"damaged-{name}"
        path.write_bytes(damaged)
        shape = (*SIZE, 3) if case % 2 else SIZE
        try:
            file = decode_image(path, shape)
            assert file.pixels.shape[1:] == shape
            assert len(file.pixels) == (1 if file.pages is None else len(file.pages))
        except UnusableImageError as error:
            unusable_count += 1
            assert str(error).isprintable()
        with contextlib.suppress(UnusableImageError):
            survey = survey_image(path)
            assert len(survey.values) <= 1 << 16
    assert 0.3 * case_count < unusable_count < case_count
