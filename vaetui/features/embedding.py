"""Compute the vectors of images by an image model: for a new session, for a file, or for images to classify.

Files are decoded in other processes, while threads of this one compute.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaetui.data.array_conversion import get_image_size, iter_converted_chunks
from vaetui.data.array_files import ArrayFile
from vaetui.data.image_files import ResizeTransform
from vaetui.data.image_folder import FileList
from vaetui.data.image_stream import ImageBatch, convert_image_array, stream_image_batches
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import ImportedDataset, compute_dataset_key, import_dataset
from vaetui.data.parallel_decoding import DecodedBatch, DecodingPool, decode_transformed_files
from vaetui.data.value_range import ValueRange, ValueRanges, read_value_ranges
from vaetui.engine.events import Progress
from vaetui.engine.idx import COLOUR_CHANNELS
from vaetui.errors import UserError
from vaetui.features.embedded_file import EmbeddedFile
from vaetui.features.embedding_threads import EmbeddedVectors, EmbeddingThreads, PreparedPixels
from vaetui.features.feature_sidecar import FeatureSidecar, paths_path, sidecar_path, write_sidecar
from vaetui.features.partial_vectors import PartialVectors, compute_identity
from vaetui.features.pretrained_model import ImageModel
from vaetui.storage import dataset_cache

KEY_CHARS = 24
"""Characters of the key of vectors."""
MIN_RATE_S = 0.5
"""Time after which a speed is shown."""


def embed_paths(
    model: ImageModel,
    paths: Iterable[str],
    batch_size: int,
    value_ranges: Mapping[str, tuple[float, float]],
    options: ImportOptions,
    image_shape: tuple[int, ...] = (0, 0),
) -> Iterator[ImageBatch]:
    """Yield the vectors of image files, directories, tables and arrays, from their original size.

    Names, order, skipping and reasons are those of `stream_image_batches`, whose arguments these are; `image_shape` is
    that of the session's images, which decides between two possible orders of an array's axes.
    """
    with EmbeddingThreads(model) as threads:
        for batch in stream_image_batches(paths, image_shape, batch_size, value_ranges, options, model.transform):
            yield replace(batch, inputs=threads.embed_all(batch.inputs))


def embed_array(
    model: ImageModel,
    array: NDArray[Any],
    value_ranges: Mapping[str, tuple[float, float]],
    options: ImportOptions,
    image_shape: tuple[int, ...] = (0, 0),
) -> EmbeddedVectors:
    """Return the vectors of the images of an array, as `convert_image_array` reads them.

    Raises UserError for an array that does not contain images, and for images with NaN or infinite values.
    """
    pixels = convert_image_array(array, image_shape, value_ranges, options, model.transform)
    with EmbeddingThreads(model) as threads:
        return threads.embed_all(pixels)


def compute_embedding_key(path: Path, options: ImportOptions, model: ImageModel) -> str:
    """Return a name for the vectors of the images at a path, which changes with the files, the options and the model.

    Raises UserError as an import does.
    """
    fields = [compute_dataset_key(path, options), *_list_model_fields(model)]
    return compute_identity(fields)[:KEY_CHARS]


def import_and_embed(
    path: Path, options: ImportOptions, model: ImageModel, output: Path
) -> Generator[Progress, None, tuple[ImportedDataset, EmbeddedFile]]:
    """Import the images at a path and write their vectors, then those of the test images, to a .npy file.

    Files that the import has not decoded yet are decoded once for both. If the run ends early, the next one with the
    same images and model goes on where it was, and the file gets the same bytes. Yields Progress. Raises UserError as
    `import_dataset` does, and if the file cannot be written.
    """
    output = Path(os.path.realpath(output))
    with _EmbeddingRun(model, output) as run:
        try:
            dataset = yield from run.show_speed(import_dataset(path, options, run.decode_for_import))
        except UserError:
            if run.is_complete:  # the images are unsuitable, such as too few
                run.discard()
            raise
        if not run.is_complete:
            yield from run.show_speed(run.embed_source(dataset))
        yield from run.show_speed(run.wait())
        vectors = run.vectors
        if run.image_count != dataset.report.image_count:
            run.discard()
            raise UserError(f"The images at {path} changed while they were read. Start again.")
        test_count, sha256 = vectors.row_count - run.image_count, vectors.complete()
        sidecar = FeatureSidecar(model.record, run.image_count, test_count, vectors.width, sha256, str(path.absolute()))
        image_paths = None
        if isinstance(dataset.source, FileList):
            records = dataset_cache.load_source_files(dataset.directory)
            image_paths = [name for record in records for name in record.list_image_paths()]
        yield Progress("writing the vectors", 0, 1)
        sidecar = write_sidecar(output, sidecar, image_paths)
        vectors.publish()
        for described_path in (sidecar_path(output), paths_path(output)):
            with suppress(OSError):
                shutil.copymode(output, described_path)  # what is not in the store may be for others, too
    return dataset, EmbeddedFile(output, sidecar)


class _EmbeddingRun:
    """The computation of one file of vectors."""

    def __init__(self, model: ImageModel, output: Path) -> None:
        self.image_count = 0
        """Images so far, without test images."""
        self.is_complete = False
        """Whether all images were decoded for the vectors, too."""
        self._model, self._output = model, output
        self._threads = EmbeddingThreads(model)
        self._vectors: PartialVectors | None = None
        self._pending: list[NDArray[np.uint8]] = []
        self._prepare: Callable[[NDArray[np.uint8]], PreparedPixels] = _keep
        self._index = 0  # of the next image, test images included
        self._started_at, self._first_row = 0.0, 0

    def __enter__(self) -> _EmbeddingRun:
        self._threads.__enter__()
        return self

    def __exit__(self, error_type: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self._threads.__exit__(error_type, error, trace)
        if self._vectors is not None:
            if error_type is not None:
                with suppress(UserError, OSError):  # of a full disk: the earlier state stays
                    self._vectors.save()
            self._vectors.close()

    @property
    def vectors(self) -> PartialVectors:
        """The unfinished file."""
        assert self._vectors is not None
        return self._vectors

    def discard(self) -> None:
        """Remove the unfinished file."""
        self.vectors.remove()
        self._vectors = None

    def show_speed(self, events: Generator[Progress, None, Any]) -> Generator[Progress, None, Any]:
        """Pass the events of a step on, with the images per second; return its value."""
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                return end.value
            activity, rate = event.activity, self._compute_rate()
            if self._vectors is not None:
                activity = "computing vectors" + (f", {rate:,.0f} images/s" if rate else "")
            yield Progress(activity, event.completed, event.total)

    def decode_for_import(
        self, paths: Sequence[str], shape: tuple[int, ...], value_ranges: ValueRanges, pool: DecodingPool | None
    ) -> Iterator[DecodedBatch]:
        """Decode files for the import and the vectors at once; see FileDecoder."""
        self._open(_list_file_fields(paths, value_ranges))
        file_count = 0
        for batch in self.vectors.replay_images(shape):
            file_count += len(batch[1])
            self._index += len(batch[0])
            yield batch
        transforms = (ResizeTransform(shape), self._model.transform)
        for (pixels, model_pixels), results in decode_transformed_files(
            paths[file_count:], transforms, value_ranges, pool
        ):
            self.vectors.record_images((pixels, results))
            file_count += len(results)
            self.vectors.add_boundary(self._index + len(pixels), file_count)
            self._add(model_pixels)
            yield pixels, results
        self.image_count = self._index
        self.is_complete = True

    def embed_source(self, dataset: ImportedDataset) -> Generator[Progress, None, None]:
        """Compute the vectors of the images of a dataset that was imported before."""
        source, value_ranges = dataset.source, read_value_ranges(dataset.report.value_ranges)
        if isinstance(source, FileList):
            yield from self._embed_files(source.list_paths(), value_ranges)
            return
        arrays = [array for array in (source.train_images, source.test_images) if array is not None]
        files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in source.files]
        self._open([files, [array.display_name for array in arrays], _list_range_fields(value_ranges)])
        (value_range, *_) = value_ranges.values()  # test images are scaled by the same range
        yield from self._embed_array(source.train_images, value_range)
        self.image_count = self._index
        if source.test_images is not None:
            yield from self._embed_array(source.test_images, value_range)

    def wait(self) -> Generator[Progress, None, None]:
        """Compute what is left."""
        self._submit()
        for vectors in self._threads.iter_remaining():
            self.vectors.add_vectors(vectors)
            yield Progress("", self.vectors.row_count, self._index)
        yield Progress("", self._index, self._index)

    def _open(self, image_fields: list[Any]) -> None:
        """Open the unfinished file for images that are described by some fields."""
        identity = compute_identity([*_list_model_fields(self._model), image_fields])
        if self._vectors is not None:  # the import starts again with other value ranges
            list(self._threads.iter_remaining())
            self.discard()
        self._vectors = PartialVectors(self._output, identity, self._model.batch_images)
        self._pending, self._index = [], 0
        self._started_at, self._first_row = time.monotonic(), self._vectors.row_count

    def _embed_files(self, paths: list[str], value_ranges: ValueRanges) -> Iterator[Progress]:
        self._open(_list_file_fields(paths, value_ranges))
        file_count = self.vectors.resumed_file_count
        self._index = self.vectors.resumed_image_count
        for (pixels,), results in decode_transformed_files(paths[file_count:], (self._model.transform,), value_ranges):
            file_count += len(results)
            self.vectors.add_boundary(self._index + len(pixels), file_count)
            self._add(pixels)
            yield Progress("", file_count, len(paths))
        self.image_count = self._index

    def _embed_array(self, array_file: ArrayFile, value_range: ValueRange) -> Iterator[Progress]:
        self._prepare = self._apply_transform
        source_shape = (*get_image_size(array_file), COLOUR_CHANNELS)
        done = 0
        for chunk in iter_converted_chunks(array_file, source_shape, value_range):
            for start in range(0, len(chunk.pixels), self._model.batch_images):
                yield Progress("", done + start, array_file.shape[0])
                self._add(chunk.pixels[start : start + self._model.batch_images])
            done += chunk.count
            yield Progress("", done, array_file.shape[0])

    def _apply_transform(self, images: NDArray[np.uint8]) -> PreparedPixels:
        return np.stack([self._model.transform.apply(Image.fromarray(image)) for image in images])

    def _add(self, images: NDArray[np.uint8]) -> None:
        """Add the next images; those that have vectors already are skipped."""
        done_count = min(max(self.vectors.row_count_at_start - self._index, 0), len(images))
        self._index += len(images)
        size = self._model.batch_images
        for image in images[done_count:]:
            self._pending.append(image)
            if len(self._pending) == size:
                self._submit()

    def _submit(self) -> None:
        """Queue the images that wait as a batch."""
        if not self._pending:
            return
        images, self._pending = np.stack(self._pending), []
        prepare = self._prepare
        for vectors in self._threads.submit(lambda: prepare(images)):
            self.vectors.add_vectors(vectors)

    def _compute_rate(self) -> float:
        """Return the images per second of this run; 0 at its start."""
        seconds = time.monotonic() - self._started_at
        if self._vectors is None or seconds < MIN_RATE_S:
            return 0.0
        return (self._vectors.row_count - self._first_row) / seconds


def _keep(images: NDArray[np.uint8]) -> PreparedPixels:
    return images


def _list_model_fields(model: ImageModel) -> list[Any]:
    record = model.record
    return [record.name, record.version, record.size, model.device, model.batch_images]


def _list_file_fields(paths: Sequence[str], value_ranges: ValueRanges) -> list[Any]:
    """Return what the vectors of files depend on: paths, lengths, modification times and value ranges."""
    digest = hashlib.sha256()
    for path in paths:
        status: os.stat_result | None = None
        with suppress(OSError, ValueError):
            status = os.stat(path)
        facts = None if status is None else [status.st_size, status.st_mtime_ns]
        digest.update(json.dumps([path, facts]).encode())
    return [digest.hexdigest(), _list_range_fields(value_ranges)]


def _list_range_fields(value_ranges: ValueRanges) -> list[Any]:
    return [[kind, float(values.black), float(values.white)] for kind, values in value_ranges.items()]
