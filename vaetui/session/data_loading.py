"""Load the images of a session; rebuild the imported dataset if it is damaged."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress

from vaetui.data import importing
from vaetui.engine.events import Progress
from vaetui.errors import UserError
from vaetui.session.data_split import SessionImages, load_images
from vaetui.session.dataset_location import IdenticalImagesError, locate_session_files, locate_source_directory
from vaetui.session.session_true_labels import SessionTrueLabels
from vaetui.storage import dataset_cache, file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.dataset_cache import DatasetOrigin
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import TrainValSplit


def load_or_rebuild_images(
    store: ArtifactStore, repository: SessionRepository
) -> Generator[Progress, None, tuple[SessionImages, SessionTrueLabels, str | None]]:
    """Load images and true labels; the third value is a notice if the dataset was rebuilt.

    Raises UserError for missing or changed images that cannot be rebuilt from their source.
    """
    directory, origin = locate_source_directory(repository.data_source), find_dataset_origin(repository)
    is_imported = directory.parent == dataset_cache.datasets_directory()
    try:
        images, labels = yield from _load_images_and_labels(store, repository)
    except (ArtifactLostError, IdenticalImagesError):  # the files of the dataset are intact
        raise
    except UserError as error:
        if not (yield from _rebuild_images(store, repository, origin)):
            if not is_imported and directory.is_dir():
                raise
            hint = ". Restore them from a backup"
            if origin is not None:
                hint = f", and their source {origin.source_path} is missing or has changed. Restore either"
            raise UserError(f"The images in {directory} are lost or damaged{hint}; no answer is lost.") from error
    else:
        # Labels and the list of source files are read later but must be intact as well.
        if not is_imported or (
            dataset_cache.is_metadata_intact(directory) and dataset_cache.load_origin(directory) == origin
        ):
            return images, labels, None
        is_rebuilt = False
        with suppress(UserError):  # the images are intact, so the session stays usable if the rebuild fails
            is_rebuilt = yield from _rebuild_images(store, repository, origin)
        if not is_rebuilt:
            return images, labels, None
    assert origin is not None
    images, labels = yield from _load_images_and_labels(store, repository)
    notice = f"The images in {directory} were lost or damaged; they were rebuilt from {origin.source_path}."
    return images, labels, notice


def find_dataset_origin(repository: SessionRepository) -> DatasetOrigin | None:
    """Return the source of an imported dataset; None if the user provided the directory of IDX files."""
    directory = locate_source_directory(repository.data_source)
    if directory.parent != dataset_cache.datasets_directory():
        return None
    return repository.data_record.origin or dataset_cache.load_origin(directory)


def _load_images_and_labels(
    store: ArtifactStore, repository: SessionRepository
) -> Generator[Progress, None, tuple[SessionImages, SessionTrueLabels]]:
    images = yield from load_images(store, repository)
    return images, SessionTrueLabels(locate_session_files(repository), images, repository.load_class_list)


def _rebuild_images(
    store: ArtifactStore, repository: SessionRepository, origin: DatasetOrigin | None
) -> Generator[Progress, None, bool]:
    if origin is None:
        return False
    image_digest = None
    if repository.find_fingerprint(file_names.TRAIN_VAL_SPLIT_NAME) is not None:
        split = stored_arrays.load_arrays(store, file_names.TRAIN_VAL_SPLIT_NAME, TrainValSplit)
        image_digest = split.image_digest.tobytes()
    return (yield from importing.rebuild_dataset(locate_source_directory(repository.data_source), origin, image_digest))
