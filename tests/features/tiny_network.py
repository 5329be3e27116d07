"""An image model whose vectors are the pixels themselves, so that a test can see which image a vector belongs to."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import ImportedDataset
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx_array, read_images_and_digest
from vaetui.features.embedded_file import EmbeddedFile
from vaetui.features.embedding import import_and_embed
from vaetui.features.preprocessing import Preprocessing
from vaetui.features.pretrained_model import ImageModel
from vaetui.runtime.session_runner import drain_events
from vaetui.storage.feature_record import ModelRecord

SIDE_PX = 16
"""Side of the input, and of the images that tests import."""


def build_pixel_model(batch_images: int = 8) -> ImageModel:
    """Return the model: a vector is an image of SIDE_PX with values from 0 to 1, channel after channel."""
    record = ModelRecord("pixels", "0" * 64, (SIDE_PX, SIDE_PX))
    return ImageModel(
        record,
        Preprocessing((SIDE_PX, SIDE_PX)),
        (0.0,),
        (255.0,),
        "cpu",
        lambda _: lambda images: images.flatten(1),
        batch_images,
    )


def embed_pixels(path: Path, output: Path, **options: Any) -> tuple[ImportedDataset, EmbeddedFile]:
    """Import images in the size of the model, and compute their vectors."""
    return drain_events(start_embedding(path, output, **options))


def start_embedding(
    path: Path, output: Path, model: ImageModel | None = None, **options: Any
) -> Generator[Any, None, tuple[ImportedDataset, EmbeddedFile]]:
    return import_and_embed(
        path, ImportOptions(size=(SIDE_PX, SIDE_PX), **options), model or build_pixel_model(), output
    )


def read_vectors_as_grey(file: EmbeddedFile) -> NDArray[np.float32]:
    """Return the vectors as grey images from 0 to 255, [N, SIDE_PX, SIDE_PX]."""
    colours = np.load(file.path).astype(np.float32).reshape(-1, 3, SIDE_PX, SIDE_PX) * 255
    return np.tensordot(np.array([0.299, 0.587, 0.114], np.float32), colours, (0, 1))


def read_images_as_grey(dataset: ImportedDataset) -> NDArray[np.float32]:
    """Return the imported images, then the test images, [N, SIDE_PX, SIDE_PX]."""
    files = find_idx_files(dataset.directory)
    images = read_images_and_digest(files.train_images)[0][:].astype(np.float32)
    if files.test_images is not None:
        images = np.concatenate([images, read_idx_array(files.test_images, images.ndim).astype(np.float32)])
    return images if images.ndim == 3 else images @ np.array([0.299, 0.587, 0.114], np.float32)


def measure_distances(dataset: ImportedDataset, file: EmbeddedFile) -> NDArray[np.float32]:
    """Return the mean distance, in grey levels, of each vector from the image of the same row."""
    images, vectors = read_images_as_grey(dataset), read_vectors_as_grey(file)
    assert images.shape == vectors.shape
    return np.abs(images - vectors).mean(axis=(1, 2))
