"""Open files of vectors, .npy, .npz and Parquet, and read them in blocks; nothing is ever unpickled."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vaetui.data.array_files import open_npy, translate_read_errors
from vaetui.data.image_formats import get_suffix
from vaetui.engine.vectors import VectorArray
from vaetui.errors import UserError
from vaetui.features.feature_sidecar import read_sidecar
from vaetui.features.npz_features import open_npz_vectors
from vaetui.features.parquet_features import open_parquet_vectors
from vaetui.features.vector_arrays import FeatureFile, build_array_features, to_float

FILE_SUFFIXES = (".npy", ".npz", ".parquet")
"""Endings of files that are read."""
OTHER_FILE_SUFFIXES = frozenset(
    (
        *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib"),
        *(".h5", ".hdf5", ".mat", ".safetensors", ".feather", ".arrow", ".gz", ".zip", ".zst", ".pq", ".xlsx"),
    )
)
"""Endings of files that are not read, but which no image model has."""
PREFIX_BYTES = 8
"""Bytes by which formats are recognised."""
FORTRAN_BLOCK_ROWS = 16_384
"""Vectors that are read at a time from a file that stores column after column."""


def is_feature_file(text: str) -> bool:
    """Return whether the text of the option --features means a file and not an image model.

    A directory may contain an image model.
    """
    if os.path.isdir(text):
        return False
    is_path = text.startswith(("/", "./", "../", "~"))
    return is_path or os.path.lexists(text) or get_suffix(text) in (*FILE_SUFFIXES, *OTHER_FILE_SUFFIXES)


def open_feature_file(path: Path, key: str | None = None) -> FeatureFile:
    """Open a file of vectors.

    `key` is the array of an npz file, or the column of a Parquet file. Raises UserError if the file is missing, damaged
    or of another format, or if it is not clear which array contains the vectors.
    """
    path = path.absolute()
    prefix = _read_prefix(path)
    if prefix.startswith(b"\x93NUMPY"):
        return _open_npy_vectors(path, key)
    if prefix.startswith(b"PK") and get_suffix(path) not in (".pt", ".pth", ".ckpt", ".bin"):
        return open_npz_vectors(path, key)
    if prefix.startswith(b"PAR1"):
        return open_parquet_vectors(path, key)
    raise UserError(_explain_format(path, prefix))


def _open_npy_vectors(path: Path, key: str | None) -> FeatureFile:
    if key is not None:
        raise UserError(
            f"{path} contains one array, so --features-key {key} cannot choose anything in it. Omit the option."
        )
    array = open_npy(path)
    feature_file = build_array_features(array, path)
    if array.file_axes and len(array.shape) == 2:
        feature_file = replace(feature_file, iter_blocks=partial(_iter_fortran_blocks, path, feature_file, array.dtype))
    is_mappable = not array.file_axes and len(array.shape) == 2 and array.dtype == feature_file.dtype
    description = read_sidecar(path)
    if description is None:
        return replace(feature_file, is_mappable=is_mappable)
    sidecar, paths = description
    count = sidecar.image_count + sidecar.test_count
    if (count, sidecar.width) != (feature_file.count, feature_file.width):
        raise UserError(
            f"{path.name} has the shape ({feature_file.count:,}, {feature_file.width:,}), its description "
            f"{path.name}.json says ({count:,}, {sidecar.width:,}). Compute the vectors again, or remove the "
            "description to use them without their paths."
        )
    return replace(feature_file, is_mappable=is_mappable, sidecar=sidecar, paths=paths, test_count=sidecar.test_count)


def _iter_fortran_blocks(path: Path, feature_file: FeatureFile, dtype: np.dtype[Any]) -> Iterator[VectorArray]:
    """Read vectors in blocks from a .npy file that stores column after column, without reading the whole file first."""
    count, width = feature_file.count, feature_file.width
    with translate_read_errors(str(path)), path.open("rb", buffering=0) as file:
        offset = os.fstat(file.fileno()).st_size - count * width * dtype.itemsize
        for start in range(0, count, FORTRAN_BLOCK_ROWS):
            columns = np.empty((width, min(FORTRAN_BLOCK_ROWS, count - start)), dtype)
            for number, column in enumerate(columns):
                file.seek(offset + (number * count + start) * dtype.itemsize)
                if file.readinto(column.view(np.uint8)) < column.nbytes:
                    raise EOFError("it is truncated")
            yield to_float(columns.T, feature_file.dtype)


def _read_prefix(path: Path) -> bytes:
    """Return the first bytes of a file; raises UserError if it is missing, empty or not a regular file."""
    with translate_read_errors(str(path)):
        try:
            mode = os.stat(path).st_mode
        except (FileNotFoundError, NotADirectoryError) as error:
            if os.path.lexists(path):
                raise UserError(f"{path} is a link to a file that does not exist. Correct the link.") from error
            raise UserError(
                f"{path} does not exist. Pass a file of vectors ({', '.join(FILE_SUFFIXES)}) or the name of an image "
                "model."
            ) from error
        if stat.S_ISDIR(mode):
            raise UserError(f"{path} is a directory. Pass a file of vectors: {', '.join(FILE_SUFFIXES)}.")
        if not stat.S_ISREG(mode):  # a pipe would block, and cannot be read twice
            raise UserError(f"{path} is not a regular file. Save the vectors in a file first.")
        with path.open("rb") as file:
            prefix = file.read(PREFIX_BYTES)
    if not prefix:
        raise UserError(f"{path} is empty. Pass a file with one vector per image.")
    return prefix


def _explain_format(path: Path, prefix: bytes) -> str:
    """Return the message for a file of another format."""
    advice = "Save the vectors with numpy.save, one row per image."
    if prefix.startswith(b"\x1f\x8b"):
        return f"{path} is compressed by gzip. Decompress it first."
    if get_suffix(path) in (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib") or prefix[:1] == b"\x80":
        return f"{path} is a file of Python objects, which are never loaded. {advice}"
    if get_suffix(path) in FILE_SUFFIXES:
        return f"{path} is not a {get_suffix(path)} file: its first bytes are wrong. Check or replace the file."
    return f"{path} is not a file of vectors ({', '.join(FILE_SUFFIXES)}). {advice}"
