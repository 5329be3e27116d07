"""Digests of the files beside the training images: labels, test images, and the list of source files.

A session records them when it loads its images first, so that later changes are noticed. The digest of the training
images is part of the train-validation split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from vaetui.engine.idx import IdxFiles, read_header_shape, read_image_header_shape
from vaetui.engine.images import read_idx_chunks
from vaetui.errors import UserError
from vaetui.storage import dataset_cache

LABEL_KINDS = ("train_labels", "test_labels")
"""Fields of IdxFiles with labels."""
TEST_KINDS = ("test_images", "test_labels")
"""Fields of IdxFiles that are of no use without each other."""
SOURCE_FILES_KIND = "source_files"
"""Kind of the list of source files of an imported dataset."""
MISSING_NAMES = {
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
"""The usual names of the files, for messages about missing ones."""
UNREADABLE = ""
"""Stands for the digest of a file that is missing or cannot be read."""


def compute_data_digests(files: IdxFiles) -> dict[str, str]:
    """Return the SHA-256 of shape and content of each existing file, by kind; UNREADABLE for a damaged one."""
    paths = {kind: getattr(files, kind) for kind in ("train_labels", *TEST_KINDS)}
    digests = {kind: _digest_idx_file(path, kind in LABEL_KINDS) for kind, path in paths.items() if path is not None}
    source_files_path = files.train_images.with_name(dataset_cache.SOURCE_FILES_NAME)
    if files.train_images.parent.parent == dataset_cache.datasets_directory():
        digests[SOURCE_FILES_KIND] = _digest_file(source_files_path)
    return digests


def find_changed_kinds(recorded: dict[str, str], current: dict[str, str]) -> list[str]:
    """Return the kinds of files that are damaged, changed or missing; a file that was added is no change."""
    return [kind for kind, digest in recorded.items() if current.get(kind, UNREADABLE) != digest]


def select_unchanged_files(files: IdxFiles, changed_kinds: Collection[str]) -> IdxFiles:
    """Return the files without those that changed; test images and their labels are used together or not at all."""
    if "train_labels" in changed_kinds:
        files = replace(files, train_labels=None)
    if any(kind in changed_kinds for kind in TEST_KINDS):
        files = replace(files, test_images=None, test_labels=None)
    return files


def list_changed_paths(files: IdxFiles, changed_kinds: Collection[str]) -> list[Path]:
    """Return the paths of the files that changed; a missing one gets its usual name."""
    directory, paths = files.train_images.parent, []
    for kind in changed_kinds:
        path = directory / dataset_cache.SOURCE_FILES_NAME if kind == SOURCE_FILES_KIND else getattr(files, kind)
        paths.append(path or directory / MISSING_NAMES[kind])
    return paths


def describe_changes(files: IdxFiles, changed_kinds: Collection[str]) -> str | None:
    """Return a sentence on the files that are not used because they changed; None without any."""
    names = [path.name for path in list_changed_paths(files, changed_kinds)]
    if not names:
        return None
    return (
        f"{' and '.join(names)} in {files.train_images.parent} changed since the session was created and "
        f"{'is' if len(names) == 1 else 'are'} not used; restore the original."
    )


def _digest_idx_file(path: Path, has_labels: bool) -> str:
    try:
        shape = read_header_shape(path, 1) if has_labels else read_image_header_shape(path)
        digest = hashlib.sha256(repr(shape).encode())
        for chunk in read_idx_chunks(path, len(shape)):
            digest.update(chunk.data)
        return digest.hexdigest()
    except UserError:
        return UNREADABLE


def _digest_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return UNREADABLE
