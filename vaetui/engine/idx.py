"""The IDX files of a data set: their names and what their headers announce; it reads no image.

The header alone tells whether a session can begin, so nothing heavy is imported here.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vaetui.errors import UserError

MIN_IMAGES = 10
"""Images that a session needs, so that one of them can be held out."""
MIN_SIDE_PX, MAX_SIDE_PX = 8, 64
"""Sides of a picture that the networks and the screen can use, in pixels."""
COLOUR_CHANNELS = 3
"""Red, green and blue, the last side of images in colour; grey ones have none."""


@dataclass(frozen=True, slots=True)
class IdxFiles:
    """The IDX files of one data set; only the training images must be there."""

    train_images: Path
    """Images to be labelled."""
    train_labels: Path | None
    """Their true classes, for measuring."""
    test_images: Path | None
    """Images that are never trained on."""
    test_labels: Path | None
    """Their true classes."""


def find_idx_files(directory: Path) -> IdxFiles:
    """Find the IDX files in a directory, by the names that MNIST and its kin use.

    Raises Trouble where there are no training images.
    """
    if not os.path.isdir(directory):  # asks also for a path that is too long to be one
        raise UserError(f"There is no directory {directory}; give one that holds IDX files with --data.")

    def find_file(stem: str, rank: int) -> Path | None:
        names = (f"{stem}-idx{rank}-ubyte", f"{stem}.idx{rank}-ubyte")
        found = (directory / f"{name}{end}" for name in names for end in ("", ".gz"))
        return next((path for path in found if path.is_file()), None)

    train = find_file("train-images", 3) or find_file("train-images", 4)
    if train is None:
        raise UserError(
            f"{directory} holds no training images; a file train-images-idx3-ubyte, or the same with .gz, is needed."
        )
    tested = find_file("t10k-images", 3) or find_file("t10k-images", 4)
    return IdxFiles(train, find_file("train-labels", 1), tested, find_file("t10k-labels", 1))


def header_shape(path: Path, rank: int) -> tuple[int, ...]:
    """Read the shape that an IDX file announces, without its data.

    Raises Trouble where the header is not one of `rank` dimensions of bytes.
    """
    with open_idx(path) as file:
        return read_header(file, path, rank)


def image_header_shape(path: Path) -> tuple[int, ...]:
    """Read the shape (N, H, W) or (N, H, W, 3) of the images in an IDX file, without its data.

    Raises Trouble where the header is no such one.
    """
    with open_idx(path) as file:
        head = _read_bytes(file, path, 4)
    return header_shape(path, 4 if head == _magic_number(4) else 3)


def is_supported(shape: tuple[int, ...]) -> bool:
    """Tell whether images of a shape can be learned from: (N, H, W) or (N, H, W, 3)."""
    sides = shape[1:3]
    return (
        len(sides) == 2
        and shape[0] >= MIN_IMAGES
        and all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in sides)
        and shape[3:] in ((), (COLOUR_CHANNELS,))
    )


def require_supported(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse a shape that does not fit, with Trouble that says why."""
    if is_supported(shape):
        return
    count, *sides = shape
    if count < MIN_IMAGES:
        raise UserError(f"{path} holds {count} images; at least {MIN_IMAGES} are needed.")
    if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in sides[:2]):
        raise UserError(
            f"{path} holds images of {sides[0]}x{sides[1]} pixels; sides from {MIN_SIDE_PX} to {MAX_SIDE_PX} can be used."
        )
    raise UserError(
        f"{path} holds images of {sides[2]} channels; none are for grey, and {COLOUR_CHANNELS} for red, green and blue."
    )


def open_idx(path: Path) -> BinaryIO:
    """Open a file, gzipped or plain, or raise Trouble."""
    try:
        return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from error


def read_header(file: BinaryIO, path: Path, rank: int) -> tuple[int, ...]:
    """Read the shape from the beginning of an IDX file of bytes, or raise Trouble."""
    head = _read_bytes(file, path, 4 + 4 * rank)
    if len(head) < 4 + 4 * rank or head[:4] != _magic_number(rank):
        raise UserError(f"{path} is no IDX file of bytes with {rank} dimension{'s' * (rank > 1)}.")
    return struct.unpack(f">{rank}I", head[4:])


def _read_bytes(file: BinaryIO, path: Path, byte_count: int) -> bytes:
    try:
        return file.read(byte_count)
    except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
        raise UserError(f"{path} is damaged ({error}); get it anew.") from error


def _magic_number(rank: int) -> bytes:
    """Give how an IDX file begins: two zero bytes, the type (8: unsigned bytes) and the number of dimensions."""
    return bytes((0, 0, 8, rank))
