"""The images of a session, divided into those trained on, held out and tested; it does not know what learns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vaetui.engine import rng
from vaetui.engine.config import held_out
from vaetui.engine.ground_truth import hold_out, read_truth
from vaetui.engine.idx import IdxFiles, peek_images
from vaetui.engine.images import Images, read_images
from vaetui.errors import Trouble
from vaetui.session.data_source import located
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.artifact_store import Vault
from vaetui.storage.repository import Facts
from vaetui.storage.round_snapshots import Division

CHANGED = "{} changed since the session was made; put the old file back."


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """All images of a session."""

    train: Images
    """Those trained on and labelled."""
    validation: Images
    """Those held out for the reconstructions."""
    test: Images | None
    """Those that only measure."""
    division: Division
    """Where the first two stand in their file."""


def load(vault: Vault, facts: Facts) -> Data:
    """Read the images, and divide them as before; the first time, draw the division and keep it.

    Raises Trouble for missing or damaged files, and for images that changed since the division was drawn.
    """
    config, found = facts.config, located(facts)
    count = facts.shape[0]
    if peek_images(found.train_images) != facts.shape:
        raise Trouble(CHANGED.format(found.train_images))
    drawn = facts.stamp(file_names.DIVISION) is not None
    if drawn:
        division = round_snapshots.load(vault, file_names.DIVISION, Division)
        if not np.array_equal(np.sort(np.concatenate([division.train, division.validation])), np.arange(count)):
            raise Trouble(f"{vault.directory / file_names.DIVISION} does not divide these images.")
    else:
        truth = read_truth(found.train_labels, count) if found.train_labels else None
        draw = rng.generator(config.seed, "division")
        train, held = hold_out(count, held_out(config.training, count), truth, draw)
        division = Division(train, held, np.empty(0, np.uint8))
    images, digest = read_images(found.train_images)
    checksum = np.frombuffer(digest, np.uint8)
    if not drawn:
        division = replace(division, checksum=checksum)
        facts.keep(round_snapshots.save(vault, file_names.DIVISION, division))
    elif not np.array_equal(division.checksum, checksum):
        raise Trouble(CHANGED.format(found.train_images))
    tested = read_tested(found, images.shape)
    return Data(images.only(division.train), images.only(division.validation), tested, division)


def read_tested(found: IdxFiles, shape: tuple[int, ...]) -> Images | None:
    """Read the images that only measure, where there are any.

    Raises Trouble for damaged ones, and for another size than `shape`.
    """
    if found.test_images is None:
        return None
    images, _ = read_images(found.test_images)
    if images.shape != shape:
        raise Trouble(
            f"{found.test_images} holds images of another size or colour than {found.train_images}; remove or mend it."
        )
    return images
