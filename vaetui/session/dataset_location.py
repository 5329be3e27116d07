"""The directory of a session's images and the files in it."""

from __future__ import annotations

import math
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from vaetui.engine import idx
from vaetui.engine.idx import IdxFiles, find_idx_files, read_image_header_shape, require_supported_shape
from vaetui.errors import UserError
from vaetui.storage import dataset_cache, locations
from vaetui.storage.output_files import is_same_file
from vaetui.storage.repository import SessionRepository

BUNDLED_DATASET = "mnist"
"""Source name of the bundled dataset, the default without --data."""


class IdenticalImagesError(UserError):
    """All images of a dataset have the same pixels."""

    def __init__(self, path: Path, count: int) -> None:
        """Describe the file and the number of its images."""
        super().__init__(f"All {count:,} images in {path} are identical. Use a set with different images.")


def locate_source_directory(source: str) -> Path:
    """Return the directory of a source name."""
    if source != BUNDLED_DATASET:
        return Path(source)
    package = Path(__file__).parents[1]
    # A wheel contains the data inside the package, a checkout beside it.
    return next(path for path in (package / "assets/mnist", package.parent / "assets/mnist") if path.is_dir())


def locate_session_files(repository: SessionRepository) -> IdxFiles:
    """Return the IDX files of a session, without label files if the session must not use them.

    Raises UserError if the training images are missing.
    """
    files = find_idx_files(locate_source_directory(repository.data_source))
    return files if repository.data_record.uses_true_labels else replace(files, train_labels=None, test_labels=None)


def has_scorable_test_images(repository: SessionRepository) -> bool:
    """Return whether there are test images with true labels and, in a session with features, with vectors.

    Return False if the images are missing, which loading them reports.
    """
    features = repository.data_record.features
    try:
        files = locate_session_files(repository)
        if files.test_images is None or files.test_labels is None:
            return False
        test_count = 0 if features is None else read_image_header_shape(files.test_images)[0]
    except UserError:
        return False
    return features is None or features.count == repository.shape[0] + test_count


def remove_unused_datasets() -> None:
    """Remove imported datasets and stored vectors that no session uses; do nothing if a session cannot be read."""
    from vaetui.features import feature_store  # numpy is not loaded before it is needed

    used_directories, used_features = [], []
    for name in locations.list_session_names():
        try:
            with closing(SessionRepository(locations.find_session(name))) as repository:
                used_directories.append(Path(repository.data_source))
                if repository.data_record.features is not None:
                    used_features.append(Path(repository.data_record.features.path))
        except locations.OlderFormatError:
            continue  # its images lie elsewhere
        except UserError:
            return
    dataset_cache.remove_unused_datasets(used_directories)
    feature_store.remove_unused_features(used_features)


def find_session_with_vectors(path: Path) -> str | None:
    """Return the name of a session that trains on the vectors of a file; None if no readable session does."""
    for name in locations.list_session_names():
        with suppress(UserError), closing(SessionRepository(locations.find_session(name))) as repository:
            features = repository.data_record.features
            if features is not None and is_same_file(path, Path(features.path)):
                return name
    return None


def read_dataset_shape(source: str) -> tuple[int, ...]:
    """Return the shape (N, H, W) or (N, H, W, 3) of the training images from the file header.

    Raises UserError for missing files and unsupported shapes.
    """
    files = find_idx_files(locate_source_directory(source))
    shape = read_image_header_shape(files.train_images)
    require_supported_shape(files.train_images, shape)
    return shape


def require_different_images(source: str) -> None:
    """Raise IdenticalImagesError if all training images have the same pixels; stop reading at the first difference."""
    path = find_idx_files(locate_source_directory(source)).train_images
    shape = read_image_header_shape(path)
    with idx.open_idx(path) as file, idx.translate_read_errors(path):
        idx.read_header(file, path, len(shape))
        image_bytes = math.prod(shape[1:])
        first_image = file.read(image_bytes)
        if all(file.read(image_bytes) == first_image for _ in range(shape[0] - 1)):
            raise IdenticalImagesError(path, shape[0])
