"""Create sessions and open them for writing."""

from __future__ import annotations

import datetime
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vaetui.engine import malloc
from vaetui.engine.config import (
    Config,
    Device,
    count_epochs,
    count_reports_per_epoch,
    count_validation_images,
    find_downsampling,
    shorten_warmup,
)
from vaetui.engine.idx import MIN_SIDE_PX, find_idx_files
from vaetui.errors import UserError
from vaetui.session import dataset_location
from vaetui.session.resources import Resources
from vaetui.session.session import Session
from vaetui.storage import atomic_files, dataset_cache, locations, log, untrusted_entries
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.data_record import DataRecord
from vaetui.storage.feature_record import FeatureRecord
from vaetui.storage.journal import MAX_FILE_BYTES
from vaetui.storage.lock import Lock
from vaetui.storage.recovery import verify_database
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    from vaetui.engine.distributed import World

EPOCH_RECORD_BYTES, REPORT_RECORD_BYTES = 1_500, 130
"""Upper bounds for what an epoch and each report of its losses add to the journal; measured: 600 to 1,000, and 90."""


def create(
    name: str | None, source: str, config: Config, data_record: DataRecord | None = None, title: str = ""
) -> Session:
    """Create a session and open it; without a name, derive one from the title or the source and the date.

    Raises UserError for an invalid or existing name, and as `create_at` does.
    """
    names = [locations.require_free_name(name)] if name else _generate_session_names(title or source)
    shape = _check_images(source, config, data_record)  # before the lock that creating a session needs
    with locations.create_session_atomically(names) as (session_name, directory):
        _write_session(directory, source, shape, config, data_record)
    return resume(session_name)


def create_at(directory: Path, source: str, config: Config, data_record: DataRecord | None = None) -> None:
    """Create a session in an empty directory.

    Raises UserError for missing or damaged data, for images that are all identical, for a full disk, and for whatever
    else would keep the session from being opened.
    """
    _write_session(directory, source, _check_images(source, config, data_record), config, data_record)


def resume(name: str, device: Device | None = None) -> Session:
    """Open a session for writing. `device` overrides the configured device.

    Raises UserError for an unknown name, a session that another process has open, a newer format and damage
    beyond repair.
    """
    return resume_at(locations.find_session(name), device)


def resume_at(directory: Path, device: Device | None = None, world: World | None = None) -> Session:
    """Open the session in a directory for writing; see `resume`.

    The processes of a `world`, whose first is this one, train its networks together.
    """
    malloc.tune_malloc()
    untrusted_entries.refuse_untrusted_entries(directory)
    with ExitStack() as resources:
        lock = Lock(directory)
        resources.callback(lock.release)
        atomic_files.remove_partial_files(directory)
        logger = log.start_file_log(directory)
        resources.callback(log.stop_file_log)
        logger.info("opened")
        repairs = list(verify_database(directory, repair=True))
        for finding in repairs:
            logger.warning(finding)
        repository = SessionRepository(directory, is_writable=True)
        resources.callback(repository.close)
        store = ArtifactStore(directory, repository, repairs)
        store.remove_unlisted_artifacts()
        session = Session(Resources(store, repository, world), lock, device)
        resources.pop_all()  # the session closes them
    return session


def record_device(directory: Path, device: Device) -> None:
    """Record the device that a session is trained on from now on; raises UserError if another process has it open."""
    with ExitStack() as resources:
        resources.callback(Lock(directory).release)
        repository = SessionRepository(directory, is_writable=True)
        resources.callback(repository.close)
        if repository.config.device != device:
            repository.save_config(replace(repository.config, device=device))


def _check_images(source: str, config: Config, data_record: DataRecord | None) -> tuple[int, ...]:
    """Return the shape of the training images; raises UserError if no session with these options can use them."""
    shape = dataset_location.read_dataset_shape(source)
    _require_usable_features(config, None if data_record is None else data_record.features, shape[0])
    _require_usable_downsampling(config, shape)
    dataset_location.require_different_images(source)
    _require_intact_files(source, shape, data_record is None or data_record.uses_true_labels)
    _require_recordable_run(config, shape[0])
    return shape


def _write_session(
    directory: Path, source: str, shape: tuple[int, ...], config: Config, data_record: DataRecord | None
) -> None:
    if config.network.inputs == "images":  # vectors take equally long for images of any size
        network = replace(config.network, downsampling=find_downsampling(config.network, shape[1:]))
        config = replace(config, network=network, training=shorten_warmup(config.training, shape))
    SessionRepository.create(directory, config, source, shape, data_record).close()
    _require_resumable(directory)


def _require_usable_features(config: Config, features: FeatureRecord | None, image_count: int) -> None:
    """Raise UserError if configuration and vectors do not belong together, or there are too few vectors."""
    if features is None and config.network.inputs == "vectors":
        raise UserError(f"The recipe {config.recipe} trains on vectors; pass --features, or choose another --recipe.")
    if features is None:
        return
    if config.network.inputs == "images":
        raise UserError(
            f"The recipe {config.recipe} trains on images; leave out --features, or choose --recipe features."
        )
    if features.count < image_count:
        raise UserError(f"{features.path} has {features.count:,} vectors for {image_count:,} images.")
    from vaetui.engine.vectors import map_vectors  # numpy is not loaded before it is needed

    map_vectors(Path(features.path), features.count, features.width)


def _require_usable_downsampling(config: Config, shape: tuple[int, ...]) -> None:
    """Raise UserError if the networks would see smaller images than those that can be imported."""
    max_factor = (min(shape[1:3]) - 1) // (MIN_SIDE_PX - 1)  # incomplete squares at the end of a side count
    factor = config.network.downsampling or 1
    if config.network.inputs == "images" and factor > max_factor:
        raise UserError(
            f"The images have {shape[1]}x{shape[2]} pixels, of which --downsampling {factor} leaves too few. "
            + ("Omit it." if max_factor == 1 else f"Use 1 to {max_factor}.")
        )


def _require_intact_files(source: str, shape: tuple[int, ...], uses_true_labels: bool) -> None:
    """Raise UserError if files of the user are damaged or do not match; imported files are rebuilt when needed."""
    directory = dataset_location.locate_source_directory(source)
    if source == dataset_location.BUNDLED_DATASET or directory.parent == dataset_cache.datasets_directory():
        return
    from vaetui.engine.images import read_idx_chunks  # numpy is not loaded before it is needed
    from vaetui.session import data_split, session_true_labels

    files = find_idx_files(directory)
    for _ in read_idx_chunks(files.train_images, len(shape)):
        pass
    test_images = data_split.read_test_images(files, shape[1:])
    if uses_true_labels:
        session_true_labels.require_matching_labels(files, shape[0], len(test_images or ()))


def _require_recordable_run(config: Config, image_count: int) -> None:
    """Raise UserError if the run would fill the journal beyond the size that can be opened."""
    train_count = image_count - count_validation_images(config.training, image_count)
    report_count = count_reports_per_epoch(config.training, train_count)
    max_epochs = MAX_FILE_BYTES // (EPOCH_RECORD_BYTES + report_count * REPORT_RECORD_BYTES)
    if count_epochs(config.training) > max_epochs:
        raise UserError(
            f"The run has {count_epochs(config.training):,} epochs; a session of {image_count:,} images can record "
            f"{max_epochs:,}. Choose fewer --rounds or --warmup-epochs."
        )


def _require_resumable(directory: Path) -> None:
    """Open a new session as `resume_at` does; raises UserError if that fails."""
    try:
        findings = [str(finding) for finding in verify_database(directory, repair=False)]
        if findings:
            raise UserError("; ".join(findings))
        with closing(SessionRepository(directory)) as repository:
            repository.require_valid_description()
            dataset_location.locate_session_files(repository)
    except UserError as error:
        cause = error.__cause__ if isinstance(error.__cause__, (UserError, ValueError)) else error
        raise UserError(f"The session cannot be created: {str(cause).rstrip('.')}.") from error


def _generate_session_names(title: str) -> list[str]:
    stem = "".join(letter for letter in Path(title).stem if letter.isascii() and letter.isalnum()) or "images"
    name = f"{stem[:40]}-{datetime.date.today():%Y-%m-%d}"
    return [name, *(f"{name}-{number}" for number in range(2, 1_000))]
