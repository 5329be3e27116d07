"""The images of a session, divided into those trained on, held out and tested; it does not know what learns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vaetui.engine import rng
from vaetui.engine.config import count_validation_images
from vaetui.engine.ground_truth import read_true_labels, stratified_split
from vaetui.engine.idx import IdxFiles, image_header_shape
from vaetui.engine.images import Images, read_images
from vaetui.errors import UserError
from vaetui.session.data_source import locate_session_files
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.round_snapshots import TrainValSplit

IMAGES_CHANGED_MESSAGE = "{} changed since the session was made; put the old file back."


@dataclass(frozen=True, slots=True, eq=False)
class SessionImages:
    """All images of a session."""

    train: Images
    """Those trained on and labelled."""
    validation: Images
    """Those held out for the reconstructions."""
    test: Images | None
    """Those that only measure."""
    train_val_split: TrainValSplit
    """Where the first two stand in their file."""


def load_images(store: ArtifactStore, repository: SessionRepository) -> SessionImages:
    """Read the images, and divide them as before; the first time, draw the division and keep it.

    Raises Trouble for missing or damaged files, and for images that changed since the division was drawn.
    """
    config, found = repository.config, locate_session_files(repository)
    count = repository.shape[0]
    if image_header_shape(found.train_images) != repository.shape:
        raise UserError(IMAGES_CHANGED_MESSAGE.format(found.train_images))
    drawn = repository.find_fingerprint(file_names.TRAIN_VAL_SPLIT_NAME) is not None
    if drawn:
        division = round_snapshots.load(store, file_names.TRAIN_VAL_SPLIT_NAME, TrainValSplit)
        if not np.array_equal(
            np.sort(np.concatenate([division.train_indices, division.validation_indices])), np.arange(count)
        ):
            raise UserError(f"{store.directory / file_names.TRAIN_VAL_SPLIT_NAME} does not divide these images.")
    else:
        truth = read_true_labels(found.train_labels, count) if found.train_labels else None
        draw = rng.derive_generator(config.seed, "division")
        train, held = stratified_split(count, count_validation_images(config.training, count), truth, draw)
        division = TrainValSplit(train, held, np.empty(0, np.uint8))
    images, digest = read_images(found.train_images)
    checksum = np.frombuffer(digest, np.uint8)
    if not drawn:
        division = replace(division, image_digest=checksum)
        repository.record_files(round_snapshots.save(store, file_names.TRAIN_VAL_SPLIT_NAME, division))
    elif not np.array_equal(division.image_digest, checksum):
        raise UserError(IMAGES_CHANGED_MESSAGE.format(found.train_images))
    tested = read_test_images(found, images.shape)
    return SessionImages(
        images.subset(division.train_indices), images.subset(division.validation_indices), tested, division
    )


def read_test_images(files: IdxFiles, shape: tuple[int, ...]) -> Images | None:
    """Read the images that only measure, where there are any.

    Raises Trouble for damaged ones, and for another size than `shape`.
    """
    if files.test_images is None:
        return None
    images, _ = read_images(files.test_images)
    if images.shape != shape:
        raise UserError(
            f"{files.test_images} holds images of another size or colour than {files.train_images}; remove or mend it."
        )
    return images
