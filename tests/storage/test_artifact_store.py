"""Tests that artifacts are stored twice, verified by their fingerprint, and restored from the intact copy."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.storage import file_names, npz, tensors
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository

CONTENT = bytes(range(256)) * 4
NAME = file_names.split_snapshot_name(1)
MIRROR_NAME = file_names.second_copy_name(NAME)
RESTORED = f"{NAME} is damaged: restored from its second copy"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a session directory with one artifact, which tests must not change."""
    directory = tmp_path_factory.mktemp("template")
    with contextlib.closing(SessionRepository.create(directory, Config(), "mnist", (640, 28, 28))) as repository:
        repository.record_files(ArtifactStore(directory, repository, []).write(NAME, CONTENT))
    return directory


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Iterator[ArtifactStore]:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    with contextlib.closing(SessionRepository(tmp_path, is_writable=True)) as repository:
        yield ArtifactStore(tmp_path, repository, [])


def read(store: ArtifactStore, name: str = NAME) -> bytes:
    return store.read(name, 2_000)


def test_file_is_stored_twice_and_read_back(store: ArtifactStore) -> None:
    assert (store.directory / NAME).read_bytes() == (store.directory / MIRROR_NAME).read_bytes() == CONTENT
    assert read(store) == CONTENT
    assert store.pop_repair_notices() == []
    assert list(store.verify_artifacts(repair=False)) == []


@pytest.mark.parametrize("position", [0, 700, -1])
def test_damaged_file_is_quarantined_and_restored(store: ArtifactStore, position: int) -> None:
    content = bytearray(CONTENT)
    content[position] ^= 1
    (store.directory / NAME).write_bytes(content)
    assert read(store) == CONTENT
    assert store.pop_repair_notices() == [RESTORED]
    assert store.pop_repair_notices() == []
    assert (store.directory / NAME).read_bytes() == CONTENT
    assert (store.directory / "quarantine" / NAME).read_bytes() == content


def list_regions(content: bytes) -> list[int]:
    """Return a position in each header and at the start, middle and end of each array of an npz or safetensors file."""
    last = len(content) - 1
    positions = {0, 8, last // 2, last, len(content) - 22}  # the last: the end record of a zip file
    for signature in (b"PK\x03\x04", b"PK\x01\x02", b"\x93NUMPY", b"descr", b"shape", b"\n", b'"', b"[", b"]"):
        start = content.find(signature)
        while start >= 0:
            positions.update((start, min(start + 10, last), min(start + len(signature), last)))
            start = content.find(signature, start + 1)
    return sorted(positions)


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_damage_to_any_region_of_a_file_is_found(store: ArtifactStore, kind: str) -> None:
    arrays = {"first": np.arange(400, dtype=np.float32), "second": np.arange(90, dtype=np.float32).reshape(9, 10)}
    content = npz.encode_npz(arrays) if kind == "npz" else tensors.encode_safetensors(arrays)
    name = file_names.round_snapshot_name(3) if kind == "npz" else file_names.checkpoint_name(1, 8)
    path, positions = store.directory / name, list_regions(content)
    store._repository.record_files(store.write(name, content))
    assert len(positions) > 20
    for position in positions:
        flipped = content[:position] + bytes([content[position] ^ (1 << position % 8)]) + content[position + 1 :]
        for damaged in (flipped, content[:position], content[:position] + content[position + 1 :], content + b"more"):
            path.write_bytes(damaged)
            if kind == "npz":
                assert store.read(name, 10_000) == content
                assert store.pop_repair_notices() == [f"{name} is damaged: restored from its second copy"]
            else:
                with pytest.raises(ArtifactLostError):
                    store.read(name, 10_000)
    path.write_bytes(content)
    assert store.read(name, 10_000) == content


def test_swapped_file_is_restored_although_it_is_intact(store: ArtifactStore) -> None:
    other_name = file_names.split_snapshot_name(2)
    store._repository.record_files(store.write(other_name, CONTENT[::-1]))
    os.replace(store.directory / other_name, store.directory / NAME)
    assert read(store) == CONTENT
    assert store.pop_repair_notices() == [RESTORED]
    findings = [str(finding) for finding in store.verify_artifacts(repair=True)]
    assert findings == [f"{other_name} is missing: restored from its second copy"]
    assert list(store.verify_artifacts(repair=True)) == []


def test_unrecorded_artifacts_are_removed(store: ArtifactStore) -> None:
    unrecorded = {file_names.split_snapshot_name(7), file_names.second_copy_name(file_names.split_snapshot_name(7))}
    store.write(file_names.split_snapshot_name(7), CONTENT)
    store.write(file_names.checkpoint_name(3, 20), b"")
    (store.directory / "notes.txt").touch()
    before = {path.name for path in store.directory.iterdir()}
    store.remove_unlisted_artifacts()
    removed = before - {path.name for path in store.directory.iterdir()}
    assert removed == unrecorded | {file_names.checkpoint_name(3, 20)}
    assert read(store) == CONTENT


def test_unrecorded_artifacts_are_quarantined_after_a_repair(store: ArtifactStore) -> None:
    (store.directory / NAME).unlink()
    read(store)
    store.write(file_names.split_snapshot_name(7), CONTENT)
    store.remove_unlisted_artifacts()
    assert (store.directory / "quarantine" / file_names.split_snapshot_name(7)).exists()


def test_every_artifact_name_matches_the_pattern() -> None:
    names = [
        *(file_names.round_snapshot_name(1), file_names.reconstructions_name(2), file_names.predictions_name(3)),
        *(file_names.split_snapshot_name(1234567), file_names.TRAIN_VAL_SPLIT_NAME),
    ]
    names += [*map(file_names.second_copy_name, names), file_names.checkpoint_name(4, 5)]
    assert all(file_names.ARTIFACT_PATTERN.fullmatch(name) for name in names)
    assert not any(file_names.ARTIFACT_PATTERN.fullmatch(name) for name in file_names.NON_ARTIFACT_NAMES)


def test_file_that_cannot_be_read_now_is_not_treated_as_damaged(store: ArtifactStore) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptor = os.open(os.devnull, os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptor + 1, limit[1]))
    try:
        with pytest.raises(UserError, match=r"Cannot read .* \(Too many open files\). Fix this and try again"):
            read(store)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        os.close(descriptor)
    assert store.pop_repair_notices() == []
    assert read(store) == CONTENT


def test_read_only_store_uses_the_second_copy_and_repairs_nothing(store: ArtifactStore) -> None:
    (store.directory / NAME).unlink()
    assert read(ArtifactStore(store.directory, store._repository)) == CONTENT
    assert not (store.directory / NAME).exists()
    assert [finding.file_name for finding in store.verify_artifacts(repair=True)] == [NAME]
    assert (store.directory / NAME).exists()


def test_loss_of_both_copies_is_refused(store: ArtifactStore) -> None:
    for name in (NAME, MIRROR_NAME):
        (store.directory / name).write_bytes(b"nothing")
    with pytest.raises(
        ArtifactLostError, match=r"missing or damaged, and so is its second copy. Restore it from a backup."
    ):
        read(store)
    assert all(finding.is_lost for finding in store.verify_artifacts(repair=True))


def test_damaged_checkpoint_is_quarantined_and_dropped(store: ArtifactStore) -> None:
    name = file_names.checkpoint_name(1, 8)
    store._repository.record_files(store.write(name, CONTENT))
    (store.directory / name).write_bytes(b"nothing")
    (finding,) = store.verify_artifacts(repair=True)
    assert str(finding) == f"{name} is damaged: dropped; its training is repeated"
    assert not finding.is_lost
    assert store._repository.list_checkpoints() == []
    assert (store.directory / "quarantine" / name).exists()


def test_unrecorded_file_is_not_read(store: ArtifactStore) -> None:
    store.write(file_names.split_snapshot_name(7), CONTENT)
    with pytest.raises(ArtifactLostError):
        read(store, file_names.split_snapshot_name(7))


def test_oversized_file_is_not_read(store: ArtifactStore) -> None:
    for name in (NAME, MIRROR_NAME):
        with (store.directory / name).open("ab") as file:
            file.truncate(1 << 40)
    with pytest.raises(UserError, match="missing or damaged"):
        read(store)
    store._repository.record_files(store.write(NAME, bytes(2_001)))
    with pytest.raises(UserError, match="missing or damaged"):
        read(store)
