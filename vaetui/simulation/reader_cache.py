"""Train reader networks and cache them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from vaetui.engine.classes import NO_LABEL
from vaetui.engine.events import Progress
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_images_and_digest
from vaetui.engine.metrics import accuracy
from vaetui.engine.true_labels import TrueLabels, read_true_labels
from vaetui.errors import UserError
from vaetui.session.data_split import read_test_images
from vaetui.session.dataset_location import locate_source_directory
from vaetui.simulation.reader_network import ReaderNetwork, train_reader
from vaetui.storage import atomic_files, locations

CACHE_VERSION = "3"
"""Part of the cache key; increase it if the network, its training or the file changes."""
CHECKSUM_BYTES = 32
"""Length of the SHA-256 before the content of a cached file."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedReader:
    """A trained reader network and its accuracy."""

    reader: ReaderNetwork
    """The network."""
    accuracy: float
    """Accuracy on the labelled test images, or on the labelled training images if there are none; from 0 to 1."""


def load_or_train_reader(source: str, class_count: int) -> Generator[Progress, None, TrainedReader]:
    """Load the reader for the labelled images of a source, or train and cache it; yields the training progress.

    Raises UserError if the images have no labels, a label is outside the session's classes, or a file is damaged.
    """
    directory = locate_source_directory(source)
    idx_files = find_idx_files(directory)
    labels_file, test_labels_file = idx_files.train_labels, idx_files.test_labels
    if labels_file is None:
        raise UserError(
            f"{directory} has no labels of the training images; simulate needs them. Add train-labels-idx1-ubyte, or "
            "label the images yourself with: vaetui new"
        )
    images, images_digest = read_images_and_digest(idx_files.train_images)
    true_labels = read_true_labels(labels_file, len(images))
    class_ids = true_labels.class_ids[true_labels.is_labelled]
    if not len(class_ids):
        raise UserError(f"No image has a label in {labels_file}: all are {NO_LABEL}, which means no label.")
    if class_ids.max() >= class_count:
        raise UserError(
            f"{labels_file} contains class {class_ids.max()}; the session has classes 0 to {class_count - 1}."
        )
    cache_key = _compute_cache_key(images.shape, images_digest, true_labels, class_count)
    cache_file = locations.cache_directory() / "readers" / f"{cache_key}.safetensors"
    cached_reader = _read_cached_reader(cache_file)
    if cached_reader is not None:
        return cached_reader
    test_images = read_test_images(idx_files, images.shape)  # Raises UserError before the training.
    test_labels = None
    if test_images is not None and test_labels_file is not None:
        test_labels = read_true_labels(test_labels_file, len(test_images))
    if test_images is None or test_labels is None or not test_labels.is_labelled.any():
        test_images, test_labels = images, true_labels
    reader = yield from train_reader(images, true_labels, class_count)
    predicted_class_ids = reader.predict(test_images[:]).class_ids.astype(np.uint8)
    trained_reader = TrainedReader(reader, accuracy(predicted_class_ids, test_labels))
    _write_cached_reader(cache_file, trained_reader, images.shape, class_count)
    return trained_reader


def _compute_cache_key(shape: tuple[int, ...], images_digest: bytes, true_labels: TrueLabels, class_count: int) -> str:
    digest = hashlib.sha256(f"{CACHE_VERSION} {class_count} {shape} {torch.__version__}".encode())
    digest.update(images_digest)
    digest.update(true_labels.class_ids.data)
    return digest.hexdigest()


def _write_cached_reader(
    cache_file: Path, trained_reader: TrainedReader, shape: tuple[int, ...], class_count: int
) -> None:
    with atomic_files.translate_os_errors(cache_file):
        cache_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    metadata = {"accuracy": repr(trained_reader.accuracy), "shape": json.dumps(shape), "classes": str(class_count)}
    tensors = {name: tensor.contiguous() for name, tensor in trained_reader.reader.state_dict().items()}
    content = save(tensors, metadata=metadata)
    atomic_files.replace_file(cache_file, [hashlib.sha256(content).digest(), content])


def _read_cached_reader(cache_file: Path) -> TrainedReader | None:
    """Return the cached reader, or None if the file is missing or damaged."""
    try:
        stored = cache_file.read_bytes()
        checksum, content = stored[:CHECKSUM_BYTES], stored[CHECKSUM_BYTES:]
        if hashlib.sha256(content).digest() != checksum:
            return None
        metadata = _parse_metadata(content)
        reader = ReaderNetwork(tuple(json.loads(metadata["shape"])), int(metadata["classes"]))
        reader.load_state_dict(load(content))
        return TrainedReader(reader, float(metadata["accuracy"]))
    except (OSError, SafetensorError, RuntimeError, LookupError, TypeError, ValueError):
        return None


def _parse_metadata(content: bytes) -> dict[str, str]:
    """Return the metadata of a safetensors file: its header is JSON after eight bytes with the length."""
    header_bytes = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + header_bytes])["__metadata__"]
    return metadata
