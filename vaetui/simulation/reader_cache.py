"""Trained readers, kept in the platform's cache directory; it does not know what they read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from vaetui.engine.events import Progress
from vaetui.engine.ground_truth import TrueLabels, read_true_labels
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_images
from vaetui.engine.metrics import accuracy
from vaetui.errors import UserError
from vaetui.session.data_source import source_directory
from vaetui.session.data_split import read_test_images
from vaetui.simulation.reader_network import ReaderNetwork, train_reader
from vaetui.storage import atomic_files, locations

CACHE_VERSION = "2"
"""What a reader is made of; another number makes all readers anew."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedReader:
    """A reader and how good it is."""

    reader: ReaderNetwork
    """The network."""
    accuracy: float
    """The share of sharp images that it reads right, from 0 to 1: of the test where it has labels, else of those
    that it was trained on."""


def load_or_train_reader(source: str, class_count: int) -> Generator[Progress, None, TrainedReader]:
    """Give the reader for the labelled images of a source; one that is not there yet is trained and kept.

    Raises Trouble for images without labels, for damaged files, and for labels that are no classes of the session.
    """
    found = find_idx_files(source_directory(source))
    if found.train_labels is None:
        raise UserError(
            f"{source_directory(source)} holds no labels of the training images, so nobody can stand in for you; "
            "add train-labels-idx1-ubyte, or label them yourself with: vaetui new"
        )
    images, digest = read_images(found.train_images)
    truth = read_true_labels(found.train_labels, len(images))
    if truth.class_ids.max() >= class_count:
        raise UserError(
            f"{found.train_labels} knows a class {truth.class_ids.max()}; the classes are 0 to {class_count - 1}."
        )
    place = (
        locations.cache_directory()
        / "readers"
        / f"{_compute_cache_key(images.shape, digest, truth, class_count)}.safetensors"
    )
    kept = _read_reader(place)
    if kept is not None:
        return kept
    tested, labels = read_test_images(found, images.shape), found.test_labels
    reader = yield from train_reader(images, truth, class_count)
    if tested is None or labels is None:
        tested, labels = images, found.train_labels
    opinions = reader.predict(tested[:])
    shelved = TrainedReader(
        reader, accuracy(opinions.class_ids.astype(np.uint8), read_true_labels(labels, len(tested)))
    )
    _write_reader(place, shelved, images.shape, class_count)
    return shelved


def _compute_cache_key(shape: tuple[int, ...], images_digest: bytes, true_labels: TrueLabels, class_count: int) -> str:
    digest = hashlib.sha256(f"{CACHE_VERSION} {class_count} {shape} {torch.__version__}".encode())
    digest.update(images_digest)
    digest.update(true_labels.class_ids.data)
    return digest.hexdigest()


def _write_reader(cache_file: Path, trained_reader: TrainedReader, shape: tuple[int, ...], class_count: int) -> None:
    with atomic_files.translate_os_errors(cache_file):
        cache_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = {
        "accuracy": repr(trained_reader.accuracy),
        "shape": json.dumps(shape),
        "classes": str(class_count),
    }
    tensors = {name: tensor.contiguous() for name, tensor in trained_reader.reader.state_dict().items()}
    atomic_files.write(cache_file, save(tensors, metadata=told))


def _read_reader(cache_file: Path) -> TrainedReader | None:
    """Read a reader; a missing or damaged one is simply trained anew."""
    try:
        with safe_open(cache_file, framework="pt") as file:
            told = file.metadata()
            reader = ReaderNetwork(tuple(json.loads(told["shape"])), int(told["classes"]))
            reader.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 (no mapping)
            return TrainedReader(reader, float(told["accuracy"]))
    except (OSError, SafetensorError, RuntimeError, KeyError, TypeError, ValueError):
        return None
