"""Tests that stored arrays are read back unchanged and that forged files are refused."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from vaetui.engine.clusters import NOT_QUERIED
from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.storage import file_names, npz, stored_arrays
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.npz import ArraySpec
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import RoundSnapshot, SplitSnapshot, TrainValSplit

SNAPSHOT = SplitSnapshot(
    np.arange(6, dtype=np.int32) % 2,
    np.ones((2, 10), np.float32),
    np.zeros((2, 28, 28), np.uint8),
    np.ones((2, 28, 28), np.uint8),
)
NAME = file_names.split_snapshot_name(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArtifactStore]:
    directory = tmp_path_factory.mktemp("session")
    with contextlib.closing(SessionRepository.create(directory, Config(), "mnist", (640, 28, 28))) as repository:
        yield ArtifactStore(directory, repository, [])


def load(store: ArtifactStore) -> SplitSnapshot:
    return stored_arrays.load_arrays(store, NAME, SplitSnapshot, M=6)


def encode_arrays(**replacements: object) -> bytes:
    arrays = {name: getattr(SNAPSHOT, name) for name in ("assignments", "centres", "centre_images", "mean_images")}
    buffer = io.BytesIO()
    np.savez(buffer, **(arrays | replacements))
    return buffer.getvalue()


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("exploded",)


def test_snapshot_is_read_back_unchanged(store: ArtifactStore) -> None:
    store._repository.record_files(stored_arrays.save_arrays(store, NAME, SNAPSHOT))
    loaded = load(store)
    for name in ("assignments", "centres", "centre_images", "mean_images"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(SNAPSHOT, name), strict=True)


@pytest.mark.parametrize(
    "content",
    [
        encode_arrays(assignments=np.array([Bomb()], dtype=object)),
        pickle.dumps(Bomb()),
        encode_arrays(assignments=SNAPSHOT.assignments.astype(np.int64)),
        encode_arrays(assignments=SNAPSHOT.assignments - 1),
        encode_arrays(assignments=SNAPSHOT.assignments + 1),
        encode_arrays(assignments=SNAPSHOT.assignments * 0),
        encode_arrays(assignments=SNAPSHOT.assignments[:5]),
        encode_arrays(centres=np.full((2, 10), np.nan, np.float32)),
        encode_arrays(centres=np.ones((3, 10), np.float32)),
        encode_arrays(centre_images=np.zeros((2, 28, 2), np.uint8)),
        encode_arrays(assignments=np.asfortranarray(np.ones((6, 1), np.int32))),
        encode_arrays().replace(b"(6,)", b"(9,)"),
        b"",
    ],
)
def test_forged_file_is_refused_and_nothing_in_it_executed(
    store: ArtifactStore, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store._repository.record_files(store.write(NAME, content))  # with a matching fingerprint
    with pytest.raises(UserError, match="does not fit the session"):
        load(store)
    assert not Path("exploded").exists()


def test_large_arrays_are_saved_in_steps_and_read_into_their_own_memory_alone(store: ArtifactStore) -> None:
    assignments = np.arange(6 << 20, dtype=np.int32) % 2
    snapshot = replace(SNAPSHOT, assignments=assignments)
    progress, fingerprint = [], None
    steps = stored_arrays.save_large_arrays(store, NAME, snapshot, "saving the clusters")
    while fingerprint is None:
        try:
            progress.append(next(steps))
        except StopIteration as end:
            fingerprint = end.value
    assert [step.activity for step in progress] == ["saving the clusters"] * len(progress)
    assert len(progress) > 2
    completed = [step.completed for step in progress]
    assert completed == sorted(completed)
    assert completed[-1] == progress[-1].total
    for name in (NAME, file_names.second_copy_name(NAME)):
        assert (store.directory / name).read_bytes() == npz.encode_npz(
            {field.name: getattr(snapshot, field.name) for field in fields(snapshot)}
        )
    store._repository.record_files(fingerprint)
    tracemalloc.start()
    loaded = stored_arrays.load_arrays(store, NAME, SplitSnapshot, M=len(assignments))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(loaded.assignments, assignments)
    assert peak < 1.8 * assignments.nbytes, "the content of the file was in memory, too"


def test_stopped_saving_leaves_the_earlier_file(store: ArtifactStore) -> None:
    store._repository.record_files(stored_arrays.save_arrays(store, NAME, SNAPSHOT))
    large = replace(SNAPSHOT, assignments=np.zeros(12 << 20, np.int32))
    steps = stored_arrays.save_large_arrays(store, NAME, large, "saving the clusters")
    next(steps)
    assert list(store.directory.glob(f"{NAME}.partial"))
    steps.close()
    assert not list(store.directory.glob("*.partial"))
    assert load(store).assignments.tolist() == SNAPSHOT.assignments.tolist()


def test_damaged_arrays_are_restored_from_their_second_copy(store: ArtifactStore) -> None:
    store._repository.record_files(stored_arrays.save_arrays(store, NAME, SNAPSHOT))
    path = store.directory / NAME
    content = bytearray(path.read_bytes())
    for position in (40, len(content) // 2, len(content) - 10):  # header, values and directory of the archive
        damaged = content.copy()
        damaged[position] ^= 1
        path.write_bytes(damaged)
        assert load(store).assignments.tolist() == SNAPSHOT.assignments.tolist()
        assert path.read_bytes() == content


def test_compressed_array_is_not_inflated() -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.zeros(10_000_000))
    with pytest.raises(ValueError, match="compressed"):
        npz.read_npz(buffer, {"a": ArraySpec(np.float64, "N")}, {})


def test_indices_out_of_range_are_refused() -> None:
    specs = {"index": ArraySpec(np.int64, "N", index_axis="C")}
    file = io.BytesIO(npz.encode_npz({"index": np.array([0, 3])}))
    assert npz.read_npz(file, specs, {"C": 4})[0]["index"].tolist() == [0, 3]
    with pytest.raises(ValueError, match="out of range"):
        npz.read_npz(file, specs, {"C": 3})


def test_no_memory_is_allocated_for_an_array_larger_than_the_file() -> None:
    forged_length, file, header = 1 << 50, io.BytesIO(), io.BytesIO()
    description = {"descr": "|u1", "fortran_order": False, "shape": (forged_length,)}
    np.lib.format.write_array_header_1_0(header, description)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", header.getvalue())
        info = archive.infolist()[0]
        info.file_size = info.compress_size = len(header.getvalue()) + forged_length
    with pytest.raises(ValueError, match="truncated"):
        npz.read_npz(file, {"a": ArraySpec(np.uint8, "N")}, {})


@pytest.mark.parametrize(
    ("index", "first_copy"), [(5, 6), (5, -1), (5, 640), (7, 5)], ids=["later", "negative", "too large", "of a copy"]
)
def test_contradictory_copies_are_refused(store: ArtifactStore, index: int, first_copy: int) -> None:
    first_copies = np.arange(640)
    first_copies[5] = 3
    split = TrainValSplit(np.arange(576), np.arange(576, 640), np.zeros(32, np.uint8), first_copies)
    name = file_names.TRAIN_VAL_SPLIT_NAME
    store._repository.record_files(stored_arrays.save_arrays(store, name, split))
    assert np.array_equal(stored_arrays.load_arrays(store, name, TrainValSplit).first_copies, first_copies)
    distinct_images = stored_arrays.load_arrays(store, name, TrainValSplit).select_distinct_training_images()
    assert (len(distinct_images), distinct_images.first_copies[5]) == (575, 3)
    first_copies[index] = first_copy
    store._repository.record_files(stored_arrays.save_arrays(store, name, split))
    with pytest.raises(UserError, match="does not fit the session"):
        stored_arrays.load_arrays(store, name, TrainValSplit)


@pytest.mark.parametrize(
    ("members", "distances"),
    [
        ([2, 0, 1, 4], [0.5, 0.5, 0, 1]),
        ([0, 2, 4, 1], [0.5, 0.4, 1, 2]),
        ([1, 4, 0, 2], [0, 1, 0.5, 0.5]),
        ([0, 0, 1, 4], [0.5, 0.5, 0, 1]),
        ([0, 2, 1], [0.5, 0.5, 0]),
        ([0, 2, 1, 3], [0.5, 0.5, 0, 1]),
        ([0, 2, 1, 576], [0.5, 0.5, 0, 1]),
        ([0, 2, 1, 4], [0.5, 0.5, 0, np.nan]),
    ],
    ids=["intact", "distance", "cluster", "repeated", "left out", "not queried", "out of range", "not finite"],
)
def test_members_that_contradict_the_assignments_are_refused(
    store: ArtifactStore, members: list[int], distances: list[float], request: pytest.FixtureRequest
) -> None:
    assignments = np.full(576, NOT_QUERIED, np.int32)
    assignments[[0, 2]], assignments[[1, 4]] = 0, 1
    snapshot = RoundSnapshot(
        np.zeros((576, 10), np.float32),
        np.zeros((576, 0), np.float32),
        np.zeros(576, np.uint8),
        assignments,
        np.array(members, np.int32),
        np.array(distances, np.float32),
        SNAPSHOT.centres,
        SNAPSHOT.centre_images,
        SNAPSHOT.mean_images,
    )
    name = file_names.round_snapshot_name(1)
    store._repository.record_files(stored_arrays.save_arrays(store, name, snapshot))
    if request.node.callspec.id == "intact":
        assert stored_arrays.load_arrays(store, name, RoundSnapshot).members.tolist() == members
        return
    with pytest.raises(UserError, match="does not fit the session"):
        stored_arrays.load_arrays(store, name, RoundSnapshot)
