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

from vaetui.engine.events import Progressed
from vaetui.engine.ground_truth import Truth, read_truth
from vaetui.engine.idx import locate
from vaetui.engine.images import read_images
from vaetui.engine.metrics import accuracy
from vaetui.errors import Trouble
from vaetui.session.data_source import directory
from vaetui.session.data_split import read_tested
from vaetui.simulation.reader_network import Reader, train
from vaetui.storage import atomic_files, locations

EDITION = "2"
"""What a reader is made of; another number makes all readers anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Shelved:
    """A reader and how good it is."""

    reader: Reader
    """The network."""
    accuracy: float
    """The share of sharp images that it reads right, from 0 to 1: of the test where it has labels, else of those
    that it was trained on."""


def fetch(source: str, classes: int) -> Generator[Progressed, None, Shelved]:
    """Give the reader for the labelled images of a source; one that is not there yet is trained and kept.

    Raises Trouble for images without labels, for damaged files, and for labels that are no classes of the session.
    """
    found = locate(directory(source))
    if found.train_labels is None:
        raise Trouble(
            f"{directory(source)} holds no labels of the training images, so nobody can stand in for you; "
            "add train-labels-idx1-ubyte, or label them yourself with: vaetui new"
        )
    images, digest = read_images(found.train_images)
    truth = read_truth(found.train_labels, len(images))
    if truth.classes.max() >= classes:
        raise Trouble(f"{found.train_labels} knows a class {truth.classes.max()}; the classes are 0 to {classes - 1}.")
    place = locations.cache() / "readers" / f"{_checksum(images.shape, digest, truth, classes)}.safetensors"
    kept = _read(place)
    if kept is not None:
        return kept
    tested, labels = read_tested(found, images.shape), found.test_labels
    reader = yield from train(images, truth, classes)
    if tested is None or labels is None:
        tested, labels = images, found.train_labels
    opinions = reader.read(tested[:])
    shelved = Shelved(reader, accuracy(opinions.classes.astype(np.uint8), read_truth(labels, len(tested))))
    _keep(place, shelved, images.shape, classes)
    return shelved


def _checksum(shape: tuple[int, ...], images: bytes, truth: Truth, classes: int) -> str:
    digest = hashlib.sha256(f"{EDITION} {classes} {shape} {torch.__version__}".encode())
    digest.update(images)
    digest.update(truth.classes.data)
    return digest.hexdigest()


def _keep(place: Path, shelved: Shelved, shape: tuple[int, ...], classes: int) -> None:
    with atomic_files.explained(place):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = {
        "accuracy": repr(shelved.accuracy),
        "shape": json.dumps(shape),
        "classes": str(classes),
    }
    tensors = {name: tensor.contiguous() for name, tensor in shelved.reader.state_dict().items()}
    atomic_files.write(place, save(tensors, metadata=told))


def _read(place: Path) -> Shelved | None:
    """Read a reader; a missing or damaged one is simply trained anew."""
    try:
        with safe_open(place, framework="pt") as file:
            told = file.metadata()
            reader = Reader(tuple(json.loads(told["shape"])), int(told["classes"]))
            reader.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 (no mapping)
            return Shelved(reader, float(told["accuracy"]))
    except (OSError, SafetensorError, RuntimeError, KeyError, TypeError, ValueError):
        return None
