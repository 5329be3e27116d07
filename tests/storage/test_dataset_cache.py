"""Tests of imported datasets: damage anywhere in their description is found."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from vaetui.storage import dataset_cache
from vaetui.storage.dataset_cache import (
    METADATA_NAME,
    SOURCE_FILES_NAME,
    DatasetOrigin,
    IdxWriter,
    SourceFile,
)
from vaetui.storage.import_report import ImportReport

REPORT = ImportReport("images", 3, (28, 28), False, {"8-bit": (0.0, 255.0)}, 1, {"cat": 1, "dog": 2}, fit="resized")
ORIGIN = DatasetOrigin("/home/ann/images", {"size": [28, 28], "labels": True}, ("cat", "dog"), "/home/ann", REPORT)
SOURCE_FILES = [SourceFile("cat/1.png", 120, 5), SourceFile("cat/2.png", 90, 6, "is not an image")]
TRAIN_IMAGES_NAME = "train-images-idx3-ubyte"
IDX_RANKS = {
    TRAIN_IMAGES_NAME: 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}
"""The IDX files of a dataset, with their numbers of dimensions."""

pytestmark = pytest.mark.usefixtures("home")


def flip_every_byte(content: bytes) -> Iterator[bytes]:
    """Yield the content with one bit flipped, for each byte."""
    for index in range(len(content)):
        yield content[:index] + bytes([content[index] ^ (1 << index % 8)]) + content[index + 1 :]


def create_dataset(key: str = "key", origin: DatasetOrigin = ORIGIN) -> Path:
    with dataset_cache.create_dataset_atomically(key) as directory:
        for number, (name, rank) in enumerate(IDX_RANKS.items()):
            with IdxWriter(directory / name, (4, 4)[: rank - 1]) as writer:
                writer.add(np.full((3, *(4, 4)[: rank - 1]), number, np.uint8))
        dataset_cache.write_metadata(directory, origin, SOURCE_FILES)
    return dataset_cache.dataset_directory(key)


def test_description_is_read_back() -> None:
    directory = create_dataset()
    assert dataset_cache.is_dataset_intact(directory)
    assert dataset_cache.load_origin(directory) == ORIGIN
    assert dataset_cache.load_source_files(directory) == SOURCE_FILES


def test_every_file_is_covered_by_a_checksum() -> None:
    directory = create_dataset()
    names = {path.name for path in directory.iterdir()}
    assert names == {METADATA_NAME, SOURCE_FILES_NAME, *IDX_RANKS}
    fields = json.loads((directory / METADATA_NAME).read_bytes())
    assert set(fields) == {*asdict(ORIGIN), "key", "file_sha256", "sha256"}
    assert set(fields["file_sha256"]) == names - {METADATA_NAME}


@pytest.mark.parametrize("name", [METADATA_NAME, SOURCE_FILES_NAME, *IDX_RANKS])
def test_any_flipped_bit_truncation_or_deletion_is_found(name: str) -> None:
    directory = create_dataset()
    content = (directory / name).read_bytes()
    damaged_contents = [*flip_every_byte(content), *(content[:size] for size in range(0, len(content), 5))]
    for damaged in damaged_contents:
        (directory / name).write_bytes(damaged)
        assert not dataset_cache.is_dataset_intact(directory), damaged
        assert dataset_cache.is_dataset_intact(directory, with_images=False) == (name == TRAIN_IMAGES_NAME)
        if name == METADATA_NAME:
            assert dataset_cache.load_origin(directory) is None, damaged
        if name in (METADATA_NAME, SOURCE_FILES_NAME):
            assert dataset_cache.load_source_files(directory) == []
    (directory / name).write_bytes(content)
    assert dataset_cache.is_dataset_intact(directory)
    (directory / name).unlink()
    assert not dataset_cache.is_dataset_intact(directory)


@pytest.mark.parametrize("name", [METADATA_NAME, SOURCE_FILES_NAME, *IDX_RANKS])
def test_file_of_another_dataset_is_found(name: str) -> None:
    """Two datasets of the same files, imported with other options, differ in nothing but their descriptions."""
    first, second = create_dataset("first"), create_dataset("second", replace(ORIGIN, import_options={}))
    names = sorted(path.name for path in first.iterdir())
    assert all(
        (first / other).read_bytes() == (second / other).read_bytes() for other in names if "dataset" not in other
    )
    (first / name).write_bytes((second / name).read_bytes() if name == METADATA_NAME else b"content of another file")
    assert not dataset_cache.is_dataset_intact(first)
    if name == METADATA_NAME:
        assert dataset_cache.load_origin(first) is None
    assert dataset_cache.load_origin(second) == replace(ORIGIN, import_options={})


def test_swapped_files_are_found() -> None:
    directory = create_dataset()
    first, second = directory / "t10k-labels-idx1-ubyte", directory / "train-labels-idx1-ubyte"
    contents = first.read_bytes(), second.read_bytes()
    assert contents[0] != contents[1]
    second.write_bytes(contents[0])
    first.write_bytes(contents[1])
    assert not dataset_cache.is_dataset_intact(directory)


def test_added_test_images_are_found_and_other_files_are_ignored() -> None:
    directory = create_dataset()
    (directory / ".DS_Store").touch()
    assert dataset_cache.is_dataset_intact(directory)
    (directory / "t10k-images-idx3-ubyte.gz").touch()
    assert not dataset_cache.is_dataset_intact(directory)


@pytest.mark.parametrize(
    "replacement",
    [
        {"source_path": "/home/bob/images"},
        {"root_path": None},
        {"import_options": {"size": [28, 28], "labels": False}},
        {"class_names": ["dog", "cat"]},
        {"report": asdict(replace(REPORT, duplicate_count=2))},
        {"key": "other"},
        {"file_sha256": {}},
        {"file_sha256": []},
        {"sha256": "0" * 64},
    ],
    ids=lambda replacement: next(iter(replacement)),
)
def test_every_field_of_the_description_is_covered_by_its_checksum(replacement: dict[str, object]) -> None:
    directory = create_dataset()
    fields = json.loads((directory / METADATA_NAME).read_bytes())
    assert set(replacement) <= set(fields)
    (directory / METADATA_NAME).write_text(json.dumps(fields | replacement))
    assert dataset_cache.load_origin(directory) is None
    assert dataset_cache.load_source_files(directory) == []
    assert not dataset_cache.is_dataset_intact(directory)


@pytest.mark.parametrize("content", [b"{", b"[]", b"null", b"[" * 100_000, b'{"report": {}}', b"\xff"])
def test_description_with_other_content_is_damaged(content: bytes) -> None:
    directory = create_dataset()
    (directory / METADATA_NAME).write_bytes(content)
    assert dataset_cache.load_origin(directory) is None
    assert not dataset_cache.is_dataset_intact(directory)


def test_damaged_description_is_restored_from_its_origin() -> None:
    directory = create_dataset()
    contents = {path: path.read_bytes() for path in directory.iterdir()}
    (directory / METADATA_NAME).unlink()
    dataset_cache.restore_metadata(directory, ORIGIN)
    assert {path: path.read_bytes() for path in directory.iterdir()} == contents


def test_failed_import_leaves_no_directory() -> None:
    with pytest.raises(RuntimeError), dataset_cache.create_dataset_atomically("key"):
        raise RuntimeError
    assert list(dataset_cache.datasets_directory().iterdir()) == []


def test_existing_dataset_is_replaced_only_if_damaged_or_on_request() -> None:
    directory = create_dataset()
    (directory / "extra").touch()
    create_dataset()
    assert (directory / "extra").exists()
    (directory / METADATA_NAME).write_text("{")
    create_dataset()
    assert not (directory / "extra").exists()
    (directory / "extra").touch()
    with dataset_cache.create_dataset_atomically("key", replace_existing=True) as unfinished:
        dataset_cache.write_metadata(unfinished, ORIGIN, [])
    assert not (directory / "extra").exists()
    assert dataset_cache.load_source_files(directory) == []


def test_unused_datasets_are_removed_unless_recent() -> None:
    used, unused, recent = (create_dataset(key) for key in ("used", "unused", "recent"))
    for directory in (used, unused):
        os.utime(directory, (0, 0))
    dataset_cache.remove_unused_datasets([used])
    assert (used.exists(), unused.exists(), recent.exists()) == (True, False, True)
