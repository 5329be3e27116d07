"""Names and headers of the IDX files of a data set.

Headers suffice to check whether a session can start, so this module imports nothing heavy.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vaetui.errors import UserError, format_count

MIN_IMAGES = 10
"""Fewest images of a session: one of them is held out."""
MIN_SIDE_PX, MAX_SIDE_PX = 8, 64
"""Shortest and longest side of an image that the networks and the screen support."""
COLOUR_CHANNELS = 3
"""Red, green and blue: the last dimension of colour images."""


@dataclass(frozen=True, slots=True)
class IdxFiles:
    """Paths of the IDX files of one data set."""

    train_images: Path
    """Images to label."""
    train_labels: Path | None
    """Their true labels, for evaluation."""
    test_images: Path | None
    """Images that training never uses."""
    test_labels: Path | None
    """Their true labels."""


def find_idx_files(directory: Path) -> IdxFiles:
    """Return the IDX files in a directory, named like MNIST's; raises UserError if there are no training images."""
    if not os.path.isdir(directory):  # unlike Path.is_dir, False also for a path that is too long
        raise UserError(f"There is no directory {directory}. Pass a directory with IDX files to --data.")

    def find_file(stem: str, ndim: int) -> Path | None:
        names = (f"{stem}-idx{ndim}-ubyte", f"{stem}.idx{ndim}-ubyte")
        paths = (directory / f"{name}{suffix}" for name in names for suffix in ("", ".gz"))
        return next((path for path in paths if path.is_file()), None)

    train_images = find_file("train-images", 3) or find_file("train-images", 4)
    if train_images is None:
        raise UserError(
            f"{directory} has no training images. Add a file train-images-idx3-ubyte or train-images-idx3-ubyte.gz."
        )
    test_images = find_file("t10k-images", 3) or find_file("t10k-images", 4)
    return IdxFiles(train_images, find_file("train-labels", 1), test_images, find_file("t10k-labels", 1))


def read_header_shape(path: Path, ndim: int) -> tuple[int, ...]:
    """Return the shape in the header of an IDX file of bytes with `ndim` dimensions; raises UserError for any other."""
    with open_idx(path) as file:
        return read_header(file, path, ndim)


def read_image_header_shape(path: Path) -> tuple[int, ...]:
    """Return the shape of an IDX file of images, (N, H, W) or (N, H, W, 3); raises UserError for any other file."""
    with open_idx(path) as file, translate_read_errors(path):
        magic_number = file.read(4)
    return read_header_shape(path, 4 if magic_number == _build_magic_number(4) else 3)


def is_supported_shape(shape: tuple[int, ...]) -> bool:
    """Return whether a session can use images of a shape, (N, H, W) or (N, H, W, 3)."""
    has_rank = len(shape) == 3 or (len(shape) == 4 and shape[3] == COLOUR_CHANNELS)
    return has_rank and shape[0] >= MIN_IMAGES and all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in shape[1:3])


def require_supported_shape(path: Path, shape: tuple[int, ...]) -> None:
    """Raise UserError if a session cannot use images of a shape."""
    if is_supported_shape(shape):
        return
    count, *sides = shape
    if count < MIN_IMAGES:
        raise UserError(f"{path} has {format_count(count, 'image')}; at least {MIN_IMAGES} are needed.")
    if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in sides[:2]):
        raise UserError(
            f"{path} has images of {sides[0]}x{sides[1]} pixels; sides must have {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels."
        )
    raise UserError(
        f"{path} has images with {sides[2]} channels. Use grey images, or {COLOUR_CHANNELS} channels: red, green, blue."
    )


def open_idx(path: Path) -> BinaryIO:
    """Open a plain or gzipped file for reading; raises UserError if that fails."""
    try:
        return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from error


def read_header(file: BinaryIO, path: Path, ndim: int) -> tuple[int, ...]:
    """Read the shape in the header of an IDX file of bytes with `ndim` dimensions; raises UserError for any other."""
    with translate_read_errors(path):
        header = file.read(4 + 4 * ndim)
    if len(header) < 4 + 4 * ndim or header[:4] != _build_magic_number(ndim):
        raise UserError(f"{path} is not an IDX file of bytes with {ndim} dimension{'s' * (ndim > 1)}.")
    return struct.unpack(f">{ndim}I", header[4:])


@contextmanager
def translate_read_errors(path: Path) -> Iterator[None]:
    """Convert errors in reading a damaged file to UserError."""
    try:
        yield
    except (EOFError, zlib.error, OSError) as error:
        raise UserError(f"{path} is damaged ({error}). Download or copy it again.") from error


def _build_magic_number(ndim: int) -> bytes:
    """Return the first bytes of an IDX file: two zeros, the type (8: unsigned bytes) and the number of dimensions."""
    return bytes((0, 0, 8, ndim))
