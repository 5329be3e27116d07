"""Load the images of a session and split them into training, validation and test images."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from vaetui.engine import rng
from vaetui.engine.config import count_validation_images
from vaetui.engine.duplicates import ImageDigests
from vaetui.engine.events import Progress
from vaetui.engine.idx import IdxFiles, read_image_header_shape
from vaetui.engine.images import Images, read_images_and_digest, read_images_in_steps
from vaetui.engine.true_labels import read_true_labels, split_train_validation
from vaetui.errors import UserError
from vaetui.session.dataset_location import IdenticalImagesError, locate_session_files
from vaetui.session.vector_loading import SessionVectors, load_vectors
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import TrainValSplit

IMAGES_CHANGED_MESSAGE = "{} changed since the session was created; restore the original file."


@dataclass(frozen=True, slots=True, eq=False)
class SessionImages:
    """All images of a session."""

    train: Images
    """Images to train on and to label."""
    validation: Images
    """Images held out for the reconstructions."""
    test: Images | None
    """Test images, for evaluation only; None without test files."""
    train_val_split: TrainValSplit
    """Indices of training and validation images in their common file."""
    vectors: SessionVectors | None = None
    """The vectors of the images; None without features."""

    @property
    def network_inputs(self) -> SessionImages | SessionVectors:
        """What the networks are trained on: the vectors if there are any, else the images."""
        return self if self.vectors is None else self.vectors


def load_images(
    store: ArtifactStore, repository: SessionRepository, files: IdxFiles | None = None, with_vectors: bool = True
) -> Generator[Progress, None, SessionImages]:
    """Load the images and split them as recorded; the first call draws and records the split, and finds copies.

    `files` are those of the session unless given; vectors are left out unless `with_vectors`. Yields Progress. Raises
    UserError for missing or damaged files, for images that changed since the split and, at the first call, if all
    images are identical, and VectorsLostError for vectors that are missing or changed.
    """
    config, count = repository.config, repository.shape[0]
    files = files or locate_session_files(repository)
    if read_image_header_shape(files.train_images) != repository.shape:
        raise UserError(IMAGES_CHANGED_MESSAGE.format(files.train_images))
    is_recorded = repository.find_fingerprint(file_names.TRAIN_VAL_SPLIT_NAME) is not None
    if is_recorded:
        split = stored_arrays.load_train_val_split(store)
        if not _covers_all_images(split, count):
            path = store.directory / file_names.TRAIN_VAL_SPLIT_NAME
            raise UserError(f"{path} does not match the images; restore it from a backup.")
    else:
        true_labels = read_true_labels(files.train_labels, count) if files.train_labels else None
        generator = rng.derive_generator(config.seed, "division")
        validation_count = count_validation_images(config.training, count)
        train_indices, validation_indices = split_train_validation(count, validation_count, true_labels, generator)
    digests = None if is_recorded else ImageDigests()
    images, digest = yield from read_images_in_steps(files.train_images, None if digests is None else digests.add)
    image_digest = np.frombuffer(digest, np.uint8)
    if digests is not None:
        first_copies = yield from digests.find_first_copies()
        if not first_copies.any():
            raise IdenticalImagesError(files.train_images, count)
        split = TrainValSplit(train_indices, validation_indices, image_digest, first_copies)
        name, activity = file_names.TRAIN_VAL_SPLIT_NAME, "saving the division of the images"
        repository.record_files((yield from stored_arrays.save_large_arrays(store, name, split, activity)))
    elif not np.array_equal(split.image_digest, image_digest):
        raise UserError(IMAGES_CHANGED_MESSAGE.format(files.train_images))
    train, validation = images.subset(split.train_indices), images.subset(split.validation_indices)
    test, features, vectors = read_test_images(files, images.shape), repository.data_record.features, None
    if features is not None and with_vectors:
        test_count = None if test is None else len(test)
        vectors = yield from load_vectors(features, split.train_indices, split.validation_indices, test_count)
    return SessionImages(train, validation, test, split, vectors)


def _covers_all_images(split: TrainValSplit, count: int) -> bool:
    """Return whether each of `count` images is a training image or a validation image, and none is both."""
    is_covered = np.zeros(count, bool)
    is_covered[split.train_indices] = is_covered[split.validation_indices] = True
    return len(split.train_indices) + len(split.validation_indices) == count and bool(is_covered.all())


def read_test_images(files: IdxFiles, shape: tuple[int, ...]) -> Images | None:
    """Read the test images; None without a file.

    Raises UserError for a damaged file and for images of another shape than `shape`.
    """
    if files.test_images is None:
        return None
    images, _ = read_images_and_digest(files.test_images)
    if images.shape != shape:
        raise UserError(
            f"{files.test_images} has images of a different size or colour than {files.train_images}; "
            "remove or replace it."
        )
    return images
