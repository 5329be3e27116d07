"""New images as input of the networks of a session: pixels, or vectors by the session's image model or from a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaetui.data.image_stream import MAX_BATCH_IMAGES, ImageBatch, convert_image_array, stream_image_batches
from vaetui.data.import_options import ImportOptions
from vaetui.engine.clusters import Indices
from vaetui.errors import UserError, format_count
from vaetui.features.feature_paths import NO_ROW, SEVERAL_ROWS, match_paths

if TYPE_CHECKING:
    from vaetui.features.pretrained_model import ImageModel
    from vaetui.features.vector_arrays import FeatureFile

NetworkInputs: TypeAlias = "NDArray[Any]"
"""Pixels [N, H, W] or [N, H, W, 3], or vectors [N, D]."""
MISSING_TEXTS = {NO_ROW: "no vector", SEVERAL_ROWS: "several vectors"}
"""Why an image has no row, by what stands for it."""


class NewImageReader(Protocol):
    """Reads new images in the form in which a session's networks take them in."""

    def iter_batches(self, paths: Iterable[str], batch_size: int = MAX_BATCH_IMAGES) -> Iterator[ImageBatch]:
        """Yield the images of files, directories, tables and arrays in their order; `paths` is consumed lazily."""
        ...

    def convert_array(self, array: NDArray[Any]) -> NetworkInputs:
        """Return the inputs of the images of an array [N, H, W] or [N, H, W, C]; raises UserError for any other."""
        ...


@dataclass(frozen=True, slots=True)
class PixelReader:
    """Resizes and scales new images as those of the session."""

    shape: tuple[int, ...]
    """Height and width in pixels; for colour images also 3."""
    value_ranges: Mapping[str, tuple[float, float]]
    """The values of black and white of the session, by kind."""
    options: ImportOptions
    """The options of the import of the session."""

    def iter_batches(self, paths: Iterable[str], batch_size: int = MAX_BATCH_IMAGES) -> Iterator[ImageBatch]:
        """Return the pixels of images; see `NewImageReader`."""
        return stream_image_batches(paths, self.shape, batch_size, self.value_ranges, self.options)

    def convert_array(self, array: NDArray[Any]) -> NetworkInputs:
        """Return the pixels of the images of an array; see `NewImageReader`."""
        return convert_image_array(array, self.shape, self.value_ranges, self.options)


@dataclass(frozen=True, slots=True)
class EmbeddingReader:
    """Computes the vectors of new images by the image model of the session, from the original files."""

    model: ImageModel
    """The model."""
    image_shape: tuple[int, ...]
    """Shape of an image of the session, which decides between two possible orders of an array's axes."""
    value_ranges: Mapping[str, tuple[float, float]]
    """The values of black and white of the session, by kind."""
    options: ImportOptions
    """The options of the import of the session."""

    def iter_batches(self, paths: Iterable[str], batch_size: int = MAX_BATCH_IMAGES) -> Iterator[ImageBatch]:
        """Return the vectors of images; see `NewImageReader`."""
        from vaetui.features.embedding import embed_paths

        return embed_paths(self.model, paths, batch_size, *self._settings)

    def convert_array(self, array: NDArray[Any]) -> NetworkInputs:
        """Return the vectors of the images of an array; see `NewImageReader`."""
        from vaetui.features.embedding import embed_array

        return embed_array(self.model, array, *self._settings)

    @property
    def _settings(self) -> tuple[Mapping[str, tuple[float, float]], ImportOptions, tuple[int, ...]]:
        return self.value_ranges, self.options, self.image_shape


@dataclass(frozen=True, slots=True)
class VectorFileReader:
    """Reads the vectors of new images from a file: by path where the file has paths, else by order."""

    feature_file: FeatureFile
    """The file of vectors."""
    pixel_reader: PixelReader
    """Finds out which images there are, and which of them cannot be read."""

    def iter_batches(self, paths: Iterable[str], batch_size: int = MAX_BATCH_IMAGES) -> Iterator[ImageBatch]:
        """Yield the vectors of images, or of all rows of the file if there is no path; see `NewImageReader`.

        An image without a vector is skipped. Raises UserError for vectors without paths whose number is not that of
        the images.
        """
        remaining = iter(paths)
        first_path = next(remaining, None)
        if first_path is None:
            yield from self._iter_all_rows()
        else:
            yield from self._iter_matched_rows(chain([first_path], remaining), batch_size)

    def convert_array(self, array: NDArray[Any]) -> NetworkInputs:
        """Raise UserError: an array of images needs an array of vectors, which is what the networks take in."""
        raise UserError("Pass an array of images or its vectors, not both.")

    def _iter_all_rows(self) -> Iterator[ImageBatch]:
        from vaetui.features.feature_checks import read_checked_blocks

        paths, first_row = self.feature_file.paths, 0
        for vectors in read_checked_blocks(self.feature_file):
            rows = range(first_row, first_row + len(vectors))
            names = [f"{self.feature_file.path}#{row}" if paths is None else paths[row] for row in rows]
            yield ImageBatch(tuple(names), vectors)
            first_row += len(vectors)

    def _iter_matched_rows(self, paths: Iterable[str], batch_size: int) -> Iterator[ImageBatch]:
        names, skipped_count = list[str](), 0
        for images in self.pixel_reader.iter_batches(paths, batch_size):
            names += images.names
            skipped_count += len(images.skipped)
            if images.skipped:
                yield ImageBatch((), np.empty((0, self.feature_file.width), np.float32), images.skipped)
        rows = self._find_rows(names, skipped_count)
        read_rows = self._open_rows(rows)
        for start in range(0, len(names), MAX_BATCH_IMAGES):
            batch = slice(start, start + MAX_BATCH_IMAGES)
            named_rows = list(zip(names[batch], rows[batch].tolist(), strict=True))
            found = [(name, row) for name, row in named_rows if row >= 0]
            file_name = self.feature_file.name
            yield ImageBatch(
                tuple(name for name, _ in found),
                read_rows(np.array([row for _, row in found], np.int64)),
                tuple((name, f"has {MISSING_TEXTS[row]} in {file_name}") for name, row in named_rows if row < 0),
            )

    def _find_rows(self, names: list[str], skipped_count: int) -> Indices:
        """Return the row of each image; below 0 for images without one, as keys of MISSING_TEXTS."""
        feature_file = self.feature_file
        if feature_file.paths is not None:
            rows = _match_absolute_paths(feature_file, feature_file.paths, [*map(os.path.abspath, names)])
            if names and (rows < 0).all():
                raise UserError(
                    f"{feature_file.name} has no vector of {names[0]} or any other of these images; its first one is "
                    f"of {feature_file.paths[0]}. Pass the vectors of these images."
                )
            return rows
        if feature_file.count != len(names):
            skipped_note = f"; {skipped_count:,} more could not be read" if skipped_count else ""
            raise UserError(
                f"{feature_file.name} has {feature_file.count:,} vectors for {format_count(len(names), 'image')}"
                f"{skipped_note}. Save one vector per image in their order, or add the paths of the images (npz, "
                "Parquet)."
            )
        return np.arange(len(names))

    def _open_rows(self, rows: Indices) -> Callable[[Indices], NetworkInputs]:
        """Return a function that returns the vectors of some of these rows; it refuses numbers that are not finite."""
        from vaetui.features.feature_checks import VectorCheck, read_checked_blocks

        feature_file = self.feature_file
        if feature_file.is_mappable:
            all_vectors = np.load(feature_file.path, mmap_mode="r", allow_pickle=False)
            check = VectorCheck(feature_file)

            def read_rows(batch_rows: Indices) -> NetworkInputs:
                vectors: NetworkInputs = all_vectors[batch_rows]
                check.add(vectors, lambda index: int(batch_rows[index]))
                return vectors

            return read_rows
        wanted_rows = np.unique(rows[rows >= 0])
        wanted_vectors = np.empty((len(wanted_rows), feature_file.width), feature_file.dtype)
        first_row = first = 0
        for block in read_checked_blocks(feature_file):
            end = int(np.searchsorted(wanted_rows, first_row + len(block)))
            wanted_vectors[first:end] = block[wanted_rows[first:end] - first_row]
            first_row, first = first_row + len(block), end
        return lambda batch_rows: wanted_vectors[np.searchsorted(wanted_rows, batch_rows)]


def _match_absolute_paths(feature_file: FeatureFile, row_paths: tuple[str, ...], names: list[str]) -> Indices:
    """Return the row of each image by absolute paths; those of rows may be relative.

    Vectors that vaetui computed belong to the directory that it read, as long as that exists: images of the same names
    in another one are other images.
    """
    source = None if feature_file.sidecar is None else Path(feature_file.sidecar.source)
    if source is not None and source.exists():
        roots = [source]
    else:
        common = os.path.commonpath([os.path.dirname(name) for name in names]) if names else ""
        roots = [Path(), feature_file.path.parent, Path(common)]
    return max((match_paths(row_paths, names, root) for root in roots), key=lambda rows: int((rows >= 0).sum()))
