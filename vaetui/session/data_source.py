"""Where the images of a session come from, by name; it reads no image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import vaetui
from vaetui.engine.idx import IdxFiles, find_idx_files, image_header_shape, require_supported
from vaetui.errors import UserError
from vaetui.storage import dataset_cache, locations
from vaetui.storage.repository import SessionRepository

BUNDLED_DATASET = "mnist"
"""What a session without --data trains on."""


def source_directory(source: str) -> Path:
    """Give the directory that a session's source names."""
    if source != BUNDLED_DATASET:
        return Path(source)
    package = Path(vaetui.__file__).parent
    # In the wheel the data lies inside the package; in a checkout beside it.
    return next(path for path in (package / "assets/mnist", package.parent / "assets/mnist") if path.is_dir())


def locate_session_files(repository: SessionRepository) -> IdxFiles:
    """Find the files of a session; those of labels only where they may be looked at.

    Raises Trouble where there are no training images any more.
    """
    found = find_idx_files(source_directory(repository.data_source))
    return found if repository.data_record.uses_true_labels else replace(found, train_labels=None, test_labels=None)


def remove_unused_datasets() -> None:
    """Remove the decoded images that no session uses any more; none where it cannot be told what is used."""
    used = []
    for name in locations.session_names():
        try:
            facts = SessionRepository(locations.find_session(name))
            used.append(Path(facts.data_source))
            facts.close()
        except UserError:
            return
    dataset_cache.remove_unused_datasets(used)


def read_dataset_shape(source: str) -> tuple[int, ...]:
    """Give the shape (N, H, W) or (N, H, W, 3) of the training images, from the header alone.

    Raises Trouble for missing files and for what cannot be learned from.
    """
    files = find_idx_files(source_directory(source))
    shape = image_header_shape(files.train_images)
    require_supported(files.train_images, shape)
    return shape
