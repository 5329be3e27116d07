"""Trained readers, kept in the platform's cache directory; it does not know what they read."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from vaetui.engine.events import Progressed
from vaetui.engine.idx import IdxFiles, locate
from vaetui.engine.images import Images, read_images
from vaetui.engine.metrics import accuracy
from vaetui.engine.truth import Truth, read_truth
from vaetui.session.source import directory
from vaetui.simulation.reader import Reader, train
from vaetui.store import files, home
from vaetui.trouble import Trouble

EDITION = "1"
"""What a reader is made of; another number makes all readers anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Shelved:
    """A reader and how good it is."""

    reader: Reader
    """The network."""
    accuracy: float
    """The share of sharp images that it never saw and reads right, from 0 to 1."""


def labelled(source: str) -> tuple[IdxFiles, Path]:
    """Give the files of a source, and the one that labels the training images.

    Raises Trouble where there is none.
    """
    found = locate(directory(source))
    if found.train_labels is None:
        raise Trouble(
            f"{directory(source)} holds no labels of the training images, so nobody can stand in for you; "
            "add train-labels-idx1-ubyte, or label them yourself with: vaetui new"
        )
    return found, found.train_labels


def fetch(source: str, classes: int) -> Generator[Progressed, None, Shelved]:
    """Give the reader for the labelled images of a source; one that is not there yet is trained and kept.

    Raises Trouble for images without labels, and for labels that are no classes of the session.
    """
    found, labels = labelled(source)
    place = home.cache() / "readers" / f"{_checksum(found.train_images, labels, classes)}.safetensors"
    kept = _read(place)
    if kept is not None:
        return kept
    images = read_images(found.train_images)
    truth = read_truth(labels, len(images))
    if truth.classes.max() >= classes:
        raise Trouble(f"{labels} knows a class {truth.classes.max()}; the classes are 0 to {classes - 1}.")
    reader = yield from train(images, truth, classes)
    shelved = Shelved(reader, _accuracy(reader, found, images, truth))
    _keep(place, shelved, images.shape, classes)
    return shelved


def _accuracy(reader: Reader, found: IdxFiles, images: Images, truth: Truth) -> float:
    """Measure on the test images where they have labels, else on the training images."""
    if found.test_images and found.test_labels:
        images = read_images(found.test_images)
        truth = read_truth(found.test_labels, len(images))
    return accuracy(reader.read(images.pixels).classes.astype(np.uint8), truth)


def _checksum(images: Path, labels: Path, classes: int) -> str:
    digest = hashlib.sha256(f"{EDITION} {classes} {torch.__version__}".encode())
    for path in (images, labels):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _keep(place: Path, shelved: Shelved, shape: tuple[int, int], classes: int) -> None:
    with files.explained(place):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = {
        "accuracy": repr(shelved.accuracy),
        "height": str(shape[0]),
        "width": str(shape[1]),
        "classes": str(classes),
    }
    tensors = {name: tensor.contiguous() for name, tensor in shelved.reader.state_dict().items()}
    files.write(place, save(tensors, metadata={name: str(value) for name, value in told.items()}))


def _read(place: Path) -> Shelved | None:
    """Read a reader; a missing or damaged one is simply trained anew."""
    try:
        with safe_open(place, framework="pt") as file:
            told = file.metadata()
            reader = Reader((int(told["height"]), int(told["width"])), int(told["classes"]))
            reader.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 (no mapping)
            return Shelved(reader, float(told["accuracy"]))
    except (OSError, SafetensorError, RuntimeError, KeyError, TypeError, ValueError):
        return None
