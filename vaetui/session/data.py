"""The images of a session, divided into those trained on, held out and tested; it does not know what learns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaetui.engine import draws
from vaetui.engine.config import Config, held_out
from vaetui.engine.idx import locate
from vaetui.engine.images import Images, read_images
from vaetui.engine.truth import Truth, hold_out, read_truth
from vaetui.session.source import directory
from vaetui.store import clusterings
from vaetui.store.clusterings import Division
from vaetui.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Truths:
    """The true classes, for those who measure or stand in for a person; None where no labels are known."""

    train: Truth | None
    """Of the images trained on."""
    validation: Truth | None
    """Of those held out."""
    test: Truth | None
    """Of those that only measure."""


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """All images of a session in memory, as bytes."""

    train: Images
    """Those trained on and labelled."""
    validation: Images
    """Those held out for the reconstructions."""
    test: Images | None
    """Those that only measure."""
    truths: Truths
    """What is known of them; only measures may look."""
    division: Division
    """Where the first two stand in their file."""


def load(source: str, config: Config, kept: Path) -> Data:
    """Read the images, and divide them as `kept` tells; the first time, draw the division and keep it there.

    Raises Trouble for missing or damaged files, and for images that changed since the division was drawn.
    """
    files = locate(directory(source))
    images = read_images(files.train_images)
    checksum = np.frombuffer(hashlib.sha256(images.pixels.data).digest(), np.uint8)
    truth = read_truth(files.train_labels, len(images)) if files.train_labels else None
    if kept.exists():
        division = clusterings.load(kept, Division)
        if not np.array_equal(division.checksum, checksum):
            raise Trouble(f"{files.train_images} changed since the session was made; put the old file back.")
    else:
        draw = draws.generator(config.seed, "division")
        division = Division(*hold_out(len(images), held_out(config.training, len(images)), truth, draw), checksum)
        clusterings.save(kept, division)
    test = read_images(files.test_images) if files.test_images else None
    if test and test.shape != images.shape:
        raise Trouble(f"{files.test_images} holds images of another size than {files.train_images}; remove or mend it.")
    return Data(
        Images(images.pixels[division.train]),
        Images(images.pixels[division.validation]),
        test,
        Truths(
            Truth(truth.classes[division.train]) if truth else None,
            Truth(truth.classes[division.validation]) if truth else None,
            read_truth(files.test_labels, len(test)) if test and files.test_labels else None,
        ),
        division,
    )
