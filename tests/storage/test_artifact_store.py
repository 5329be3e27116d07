"""Files beside the facts are kept twice, known by their digest, and read with suspicion."""

from __future__ import annotations

import io
import os
import pickle
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.storage import file_names, npz, round_snapshots, tensors
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.npz import ArraySpec
from vaetui.storage.repository import SessionRepository
from vaetui.storage.round_snapshots import SplitSnapshot

PART = SplitSnapshot(np.arange(6, dtype=np.int32) % 2, np.ones((2, 10), np.float32), np.zeros((2, 28, 28), np.uint8))
NAME = file_names.split_snapshot_name(1)
COPY = file_names.mirror_name(NAME)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[ArtifactStore]:
    facts = SessionRepository.create(tmp_path, Config(), "mnist", (640, 28, 28))
    made = ArtifactStore(tmp_path, facts, [])
    facts.record_files(round_snapshots.save(made, NAME, PART))
    yield made
    facts.close()


def load(vault: ArtifactStore) -> SplitSnapshot:
    return round_snapshots.load(vault, NAME, SplitSnapshot, M=6)


def same(one: SplitSnapshot, other: SplitSnapshot) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("near", "centres", "pictures"))


def test_a_file_stands_twice_and_comes_back(vault: ArtifactStore) -> None:
    assert (vault.directory / NAME).read_bytes() == (vault.directory / COPY).read_bytes()
    assert same(load(vault), PART)
    assert vault.pop_notices() == []
    assert list(vault.verify(repair=False)) == []


@pytest.mark.parametrize("at", [0, 40, 700, -1])
def test_a_damaged_file_is_kept_aside_and_made_anew_from_its_twin(vault: ArtifactStore, at: int) -> None:
    content = bytearray((vault.directory / NAME).read_bytes())
    content[at] ^= 1
    (vault.directory / NAME).write_bytes(content)
    assert same(load(vault), PART)
    assert vault.pop_notices() == [f"{NAME} is damaged: made anew from its twin"]
    assert vault.pop_notices() == []
    assert (vault.directory / NAME).read_bytes() == (vault.directory / COPY).read_bytes()
    assert (vault.directory / "damaged" / NAME).read_bytes() == content


def test_a_swapped_file_is_noticed_though_it_is_whole(vault: ArtifactStore) -> None:
    other = file_names.split_snapshot_name(2)
    vault._repository.record_files(
        round_snapshots.save(vault, other, SplitSnapshot(PART.assignments[::-1], PART.centres, PART.decoded_centres))
    )
    os.replace(vault.directory / other, vault.directory / NAME)
    assert same(load(vault), PART)
    assert vault.pop_notices() == [f"{NAME} is damaged: made anew from its twin"]
    assert [str(found) for found in vault.verify(repair=True)] == [f"{other} is missing: made anew from its twin"]
    assert list(vault.verify(repair=True)) == []


def test_what_a_crash_kept_from_being_recorded_is_swept(vault: ArtifactStore) -> None:
    round_snapshots.save(vault, file_names.split_snapshot_name(7), PART)
    vault.write(file_names.checkpoint_name(3, 20), b"")
    (vault.directory / "notes.txt").touch()
    before = {path.name for path in vault.directory.iterdir()}
    vault.remove_leftovers()
    gone = {
        file_names.split_snapshot_name(7),
        file_names.mirror_name(file_names.split_snapshot_name(7)),
        file_names.checkpoint_name(3, 20),
    }
    assert before - {path.name for path in vault.directory.iterdir()} == gone
    assert same(load(vault), PART)


def test_after_a_mend_what_the_facts_do_not_name_is_kept_aside(vault: ArtifactStore) -> None:
    (vault.directory / NAME).unlink()
    load(vault)
    round_snapshots.save(vault, file_names.split_snapshot_name(7), PART)
    vault.remove_leftovers()
    assert (vault.directory / "damaged" / file_names.split_snapshot_name(7)).exists()


def test_a_file_that_cannot_be_read_just_now_is_not_called_damaged(
    vault: ArtifactStore,
) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (used[0] + 1, limit[1]))
    try:
        with pytest.raises(UserError, match=r"cannot be read \(Too many open files\); mend that and try again"):
            load(vault)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        os.close(used[0])
    assert vault.pop_notices() == []
    assert same(load(vault), PART)


def test_who_may_not_write_reads_the_copy_and_mends_nothing(vault: ArtifactStore) -> None:
    (vault.directory / NAME).unlink()
    assert same(load(ArtifactStore(vault.directory, vault._repository)), PART)
    assert not (vault.directory / NAME).exists()
    assert [found.file_name for found in vault.verify(repair=True)] == [NAME]
    assert (vault.directory / NAME).exists()


def test_with_both_lost_it_says_what_to_do(vault: ArtifactStore) -> None:
    for name in (NAME, COPY):
        (vault.directory / name).write_bytes(b"nothing")
    with pytest.raises(UserError, match="missing or damaged, and so is its copy; put it back from a backup"):
        load(vault)
    assert all(found.is_lost for found in vault.verify(repair=True))


def forged(**changes: object) -> bytes:
    whole = {"near": PART.assignments, "centres": PART.centres, "pictures": PART.decoded_centres, **changes}
    buffer = io.BytesIO()
    np.savez(buffer, **whole)  # type: ignore[arg-type]
    return buffer.getvalue()


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize(
    "content",
    [
        forged(near=np.array([Bomb()], dtype=object)),
        pickle.dumps(Bomb()),
        forged(near=PART.assignments.astype(np.int64)),
        forged(near=PART.assignments - 1),
        forged(near=PART.assignments * 0),
        forged(near=PART.assignments[:5]),
        forged(centres=np.full((2, 10), np.nan, np.float32)),
        forged(centres=np.ones((3, 10), np.float32)),
        forged(pictures=np.zeros((2, 28, 2), np.uint8)),
        forged(near=np.asfortranarray(np.ones((6, 1), np.int32))),
        forged().replace(b"(6,)", b"(9,)"),
        b"",
    ],
)
def test_a_forged_file_is_refused_and_nothing_in_it_executed(
    vault: ArtifactStore, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    vault._repository.record_files(vault.write(NAME, content))  # its digest is right: somebody meant it so
    with pytest.raises(UserError, match="does not fit the session"):
        load(vault)
    assert not Path("exploded").exists()


def test_a_file_that_is_far_too_large_is_not_read(vault: ArtifactStore) -> None:
    for name in (NAME, COPY):
        with (vault.directory / name).open("ab") as file:
            file.truncate(1 << 40)
    with pytest.raises(UserError, match="missing or damaged"):
        load(vault)


def test_what_is_compressed_is_not_unpacked() -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.zeros(10_000_000))
    with pytest.raises(ValueError, match="compressed"):
        npz.from_bytes(buffer.getvalue(), {"a": ArraySpec(np.float64, "N")}, {})


def test_a_checkpoint_comes_back_bit_by_bit_and_is_the_same_bytes_each_time() -> None:
    kept = {"a.b": np.random.default_rng(0).random((3, 4)).astype(np.float32), "step": np.array(7, np.float32)}
    content = tensors.to_bytes(kept)
    assert all(tensors.to_bytes(dict(reversed(kept.items()))) == content for _ in range(20))
    assert {name: (array.shape, array.tobytes()) for name, array in tensors.from_bytes(content).items()} == {
        name: (array.shape, array.tobytes()) for name, array in kept.items()
    }


@pytest.mark.parametrize("size", [0, 7, 100, 400])
def test_a_truncated_checkpoint_is_told(size: int) -> None:
    content = tensors.to_bytes({"a": np.zeros(100, np.float32)})
    with pytest.raises(UserError, match="is damaged"):
        tensors.from_bytes(content[:size])


@pytest.mark.parametrize("array", [np.zeros(3), np.full(3, np.inf, np.float32), np.zeros(3, np.int64)])
def test_a_checkpoint_of_other_numbers_is_told(array: object) -> None:
    with pytest.raises(UserError, match="numbers that are none"):
        tensors.from_bytes(tensors.to_bytes({"a": array}))  # type: ignore[dict-item]
