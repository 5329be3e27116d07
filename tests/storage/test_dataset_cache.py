"""Tests of imported datasets: damage anywhere in their description is found."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from vaetui.storage import dataset_cache
from vaetui.storage.dataset_cache import METADATA_NAME, SOURCE_FILES_NAME, DatasetOrigin, IdxWriter, SourceFile
from vaetui.storage.import_report import ImportReport

REPORT = ImportReport("images", 3, (28, 28), False, {"8-bit": (0.0, 255.0)}, 1, {"cat": 1, "dog": 2}, fit="resized")
ORIGIN = DatasetOrigin("/home/ann/images", {"size": [28, 28], "labels": True}, ("cat", "dog"), "/home/ann", REPORT)
SOURCE_FILES = [SourceFile("cat/1.png", 120, 5), SourceFile("cat/2.png", 90, 6, "is not an image")]
LABELS_NAME = "train-labels-idx1-ubyte"

pytestmark = pytest.mark.usefixtures("home")


def create_dataset(key: str = "key") -> Path:
    with dataset_cache.create_dataset_atomically(key) as directory:
        with IdxWriter(directory / LABELS_NAME, ()) as writer:
            writer.add(np.array([0, 1, 1], np.uint8))
        dataset_cache.write_metadata(directory, ORIGIN, SOURCE_FILES)
    return dataset_cache.dataset_directory(key)


def test_description_is_read_back() -> None:
    directory = create_dataset()
    assert dataset_cache.is_metadata_intact(directory)
    assert dataset_cache.load_origin(directory) == ORIGIN
    assert dataset_cache.load_source_files(directory) == SOURCE_FILES
    assert (directory / "skipped.txt").read_text() == "cat/2.png is not an image\n"


@pytest.mark.parametrize("name", [METADATA_NAME, SOURCE_FILES_NAME, LABELS_NAME])
def test_any_flipped_bit_truncation_or_deletion_is_found(name: str) -> None:
    directory = create_dataset()
    content = (directory / name).read_bytes()
    for index in range(len(content)):
        damaged = bytearray(content)
        damaged[index] ^= 1 << index % 8
        (directory / name).write_bytes(damaged)
        assert not dataset_cache.is_metadata_intact(directory), index
    for size in range(0, len(content), 5):
        (directory / name).write_bytes(content[:size])
        assert not dataset_cache.is_metadata_intact(directory), size
    (directory / name).write_bytes(content)
    assert dataset_cache.is_metadata_intact(directory)
    (directory / name).unlink()
    assert not dataset_cache.is_metadata_intact(directory)


@pytest.mark.parametrize(
    "replacement",
    [
        {"source_path": "/home/bob/images"},
        {"root_path": None},
        {"import_options": {"size": [28, 28], "labels": False}},
        {"class_names": ["dog", "cat"]},
    ],
    ids=lambda replacement: next(iter(replacement)),
)
def test_every_field_of_the_origin_is_covered_by_the_checksum(replacement: dict[str, object]) -> None:
    directory = create_dataset()
    fields = json.loads((directory / METADATA_NAME).read_bytes())
    assert set(fields) == {*asdict(ORIGIN), "metadata_sha256"}
    (directory / METADATA_NAME).write_text(json.dumps(fields | replacement, sort_keys=True))
    assert dataset_cache.load_origin(directory) is not None
    assert not dataset_cache.is_metadata_intact(directory)


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
