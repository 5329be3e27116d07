"""The images of a session are read, and made anew where their set is damaged; it does not know what they are for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

from vaetui.data import importing
from vaetui.engine.events import Progress
from vaetui.errors import UserError
from vaetui.session.data_source import locate_session_files, source_directory
from vaetui.session.data_split import SessionImages, load_images
from vaetui.session.session_labels import SessionLabels
from vaetui.storage import dataset_cache, file_names, round_snapshots
from vaetui.storage.artifact_store import ArtifactLost, ArtifactStore
from vaetui.storage.dataset_cache import DatasetOrigin
from vaetui.storage.repository import SessionRepository
from vaetui.storage.round_snapshots import TrainValSplit


def load_or_rebuild(
    store: ArtifactStore, repository: SessionRepository
) -> Generator[Progress, None, tuple[SessionImages, SessionLabels, str | None]]:
    """Read the images and their true classes, and say in a sentence what had to be made anew for that.

    Raises Trouble for images that are gone or changed, where they cannot be made anew of what they were made of.
    """
    place = source_directory(repository.data_source)
    ours, origin = place.parent == dataset_cache.datasets_directory(), find_origin(repository)
    try:
        found = _load_images_and_labels(store, repository)
    except ArtifactLost:  # a file of the session, not of the set
        raise
    except UserError as trouble:
        if not (yield from _rebuild_images(store, repository, origin)):
            raise UserError(_restore_hint(place, origin) if ours or not place.is_dir() else str(trouble)) from trouble
    else:
        # What is not needed at once should be whole as well: labels, and which files the images were made of.
        if not ours or (dataset_cache.is_intact(place) and dataset_cache.load_origin(place) == origin):
            return *found, None
        mended = False
        with suppress(UserError):  # the images are whole: nothing that goes wrong with the rest keeps a person out
            mended = yield from _rebuild_images(store, repository, origin)
        if not mended:
            return *found, None
    assert origin is not None
    return *_load_images_and_labels(
        store, repository
    ), f"the images in {place} were lost or damaged: made anew from {origin.source_path}"


def find_origin(repository: SessionRepository) -> DatasetOrigin | None:
    """Tell what the images can be made anew from; None where a person made the directory that they are in."""
    place = source_directory(repository.data_source)
    return (
        (repository.data_record.origin or dataset_cache.load_origin(place))
        if place.parent == dataset_cache.datasets_directory()
        else None
    )


def _load_images_and_labels(store: ArtifactStore, repository: SessionRepository) -> tuple[SessionImages, SessionLabels]:
    data = load_images(store, repository)
    return data, SessionLabels(locate_session_files(repository), data, repository.load_class_list)


def _rebuild_images(
    store: ArtifactStore, repository: SessionRepository, origin: DatasetOrigin | None
) -> Generator[Progress, None, bool]:
    if origin is None:
        return False
    drawn = repository.find_fingerprint(file_names.TRAIN_VAL_SPLIT_NAME) is not None
    checksum = (
        round_snapshots.load(store, file_names.TRAIN_VAL_SPLIT_NAME, TrainValSplit).image_digest.tobytes()
        if drawn
        else None
    )
    return (yield from importing.rebuild(source_directory(repository.data_source), origin, checksum))


def _restore_hint(images_directory: Path, origin: DatasetOrigin | None) -> str:
    """Say what brings images back that are lost or damaged."""
    if origin is not None:
        return (
            f"The images in {images_directory} are lost or damaged, and {origin.source_path}, of which they were made, is gone or has "
            "changed; put either back as it was: no answer is lost."
        )
    return f"The images in {images_directory} are lost or damaged; put them back from a backup: no answer is lost."
