"""Load the images of a session and verify the files beside them; rebuild the imported dataset if it is damaged."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vaetui.data import importing
from vaetui.engine.events import Progress
from vaetui.engine.idx import IdxFiles
from vaetui.engine.slow_calls import run_in_background
from vaetui.errors import UserError
from vaetui.session import data_digests
from vaetui.session.data_split import SessionImages, load_images
from vaetui.session.dataset_location import IdenticalImagesError, locate_session_files, locate_source_directory
from vaetui.session.session_true_labels import SessionTrueLabels
from vaetui.session.vector_loading import VectorsLostError
from vaetui.storage import dataset_cache, file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.dataset_cache import DatasetOrigin
from vaetui.storage.repository import SessionRepository


@dataclass(frozen=True, slots=True)
class LoadedData:
    """The images of a session, and the files beside them."""

    images: SessionImages
    """The images."""
    true_labels: SessionTrueLabels
    """Their true labels, for evaluation only."""
    changed_kinds: tuple[str, ...]
    """The kinds of files that changed since the session was created and are not used."""
    notice: str | None
    """A sentence on them; None without any."""


def load_or_rebuild_images(
    store: ArtifactStore, repository: SessionRepository
) -> Generator[Progress, None, tuple[SessionImages, SessionTrueLabels, str | None]]:
    """Load images and true labels; the third value is a notice on files that were rebuilt or are not used.

    Labels and test images that are damaged or changed are rebuilt like the images, if possible; else they are not used.
    Raises UserError for missing or changed images that cannot be rebuilt from their source.
    """
    directory, origin = locate_source_directory(repository.data_source), find_dataset_origin(repository)
    is_imported = directory.parent == dataset_cache.datasets_directory()
    try:
        data = yield from _load_data(store, repository)
    except (ArtifactLostError, IdenticalImagesError, VectorsLostError):  # the files of the dataset are intact
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
        if not is_imported or origin is None:
            return data.images, data.true_labels, data.notice
        if not data.changed_kinds:
            notice = _restore_metadata(directory, origin)
            return data.images, data.true_labels, notice
        is_rebuilt = False
        with suppress(UserError):  # the images are intact, so the session stays usable if the rebuild fails
            is_rebuilt = yield from _rebuild_images(store, repository, origin)
        if not is_rebuilt:
            return data.images, data.true_labels, data.notice
    assert origin is not None
    data = yield from _load_data(store, repository)
    notice = f"The images in {directory} were lost or damaged; they were rebuilt from {origin.source_path}."
    return data.images, data.true_labels, f"{notice} {data.notice or ''}".strip()


def find_changed_files(repository: SessionRepository) -> tuple[IdxFiles, list[str]]:
    """Return the IDX files of a session, and the kinds of files that changed since it was created.

    Raises UserError if the training images are missing.
    """
    files = locate_session_files(repository)
    recorded = repository.data_digests or {}
    return files, data_digests.find_changed_kinds(recorded, data_digests.compute_data_digests(files))


def describe_damaged_files(repository: SessionRepository) -> str | None:
    """Return a sentence on damaged or changed files beside the training images; None if they are intact.

    Opening the session for writing repairs those of an imported dataset. Raises UserError if the training images are
    missing.
    """
    files, changed_kinds = find_changed_files(repository)
    origin = find_dataset_origin(repository)
    if not changed_kinds and origin is not None and not _has_intact_metadata(files.train_images.parent, origin):
        return f"{files.train_images.parent / dataset_cache.METADATA_NAME} is damaged."
    return data_digests.describe_changes(files, changed_kinds)


def find_dataset_origin(repository: SessionRepository) -> DatasetOrigin | None:
    """Return the source of an imported dataset; None if the user provided the directory of IDX files."""
    directory = locate_source_directory(repository.data_source)
    if directory.parent != dataset_cache.datasets_directory():
        return None
    return repository.data_record.origin or dataset_cache.load_origin(directory)


def _load_data(store: ArtifactStore, repository: SessionRepository) -> Generator[Progress, None, LoadedData]:
    """Load the images, and the files beside them that did not change; record digests of files that are new.

    Raises UserError for missing, damaged or changed images and, before digests are recorded, for any damage to an
    imported dataset.
    """
    files, recorded = locate_session_files(repository), repository.data_digests
    directory = files.train_images.parent
    is_imported = directory.parent == dataset_cache.datasets_directory()
    if recorded is None and is_imported:
        is_intact = partial(dataset_cache.is_dataset_intact, directory)
        if not (yield from run_in_background("verifying the images", is_intact)):
            raise UserError(f"The imported images in {directory} are damaged. Import them again with: vaetui new")
    compute_digests = partial(data_digests.compute_data_digests, files)
    current = yield from run_in_background("verifying labels and test images", compute_digests)
    changed_kinds = tuple(data_digests.find_changed_kinds(recorded or {}, current))
    usable_files = data_digests.select_unchanged_files(files, changed_kinds)
    images = yield from load_images(store, repository, usable_files)
    true_labels = SessionTrueLabels(usable_files, images, repository.load_class_list)
    if recorded is None or not current.keys() <= recorded.keys():
        repository.record_data_digests({**current, **(recorded or {})})
    return LoadedData(images, true_labels, changed_kinds, data_digests.describe_changes(files, changed_kinds))


def _restore_metadata(directory: Path, origin: DatasetOrigin) -> str | None:
    """Write damaged metadata of a dataset again, whose other files are intact; return a notice if that was needed."""
    if _has_intact_metadata(directory, origin):
        return None
    dataset_cache.restore_metadata(directory, origin)
    return f"{directory / dataset_cache.METADATA_NAME} was damaged; it was restored from the session."


def _has_intact_metadata(directory: Path, origin: DatasetOrigin) -> bool:
    is_intact = dataset_cache.is_dataset_intact(directory, with_images=False)
    return is_intact and dataset_cache.load_origin(directory) == origin


def _rebuild_images(
    store: ArtifactStore, repository: SessionRepository, origin: DatasetOrigin | None
) -> Generator[Progress, None, bool]:
    if origin is None:
        return False
    image_digest = None
    if repository.find_fingerprint(file_names.TRAIN_VAL_SPLIT_NAME) is not None:
        split = stored_arrays.load_train_val_split(store)
        image_digest = split.image_digest.tobytes()
    return (yield from importing.rebuild_dataset(locate_source_directory(repository.data_source), origin, image_digest))
