"""Every file of a session is damaged, deleted, exchanged or swapped: nothing that the session contains changes."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import run_vaetui
from tests.session.conftest import RunTemplates
from tests.session.scripted_run import SMALL_CONFIG, answer_round, create_session
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.session.predictor import Predictor
from vaetui.session.session_status import load_status
from vaetui.storage import file_names, locations
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore, has_second_copy
from vaetui.storage.repository import SessionRepository

NAME, OTHER_NAME = "damaged", "other"
UNTRUSTED_NAMES = (file_names.LOCK_NAME, file_names.LOG_NAME)
"""Files from which nothing is read that a session contains."""
SLOW = [pytest.mark.slow, pytest.mark.timeout(1_800)]
MAX_ARTIFACT_BYTES = 1 << 30


@pytest.fixture
def directory(runs: RunTemplates, home: Path) -> Path:
    """A session in its second round, half answered, with a split in each round."""
    directory = runs.copy(NAME, round_number=2)
    with closing(lifecycle.resume(NAME)) as session:
        list(session.advance())
        for _ in itertools.islice(answer_round(session), 4):
            pass
    return directory


@pytest.fixture
def other_directory(directory: Path, digits: Path) -> Path:
    """Another session of the same images, in its first round."""
    with closing(create_session(OTHER_NAME, digits, replace(SMALL_CONFIG, seed=5))) as session:
        list(session.advance())
        for _ in itertools.islice(answer_round(session), 3):
            pass
    return locations.find_session(OTHER_NAME)


def list_trusted_files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if path.is_file() and path.name not in UNTRUSTED_NAMES)


def read_content(repair: bool) -> dict[str, Any]:
    """Return everything that the session contains; None stands for a lost checkpoint."""
    if repair:
        lifecycle.resume(NAME).close()
    directory = locations.find_session(NAME)
    with closing(SessionRepository(directory)) as repository:
        store = ArtifactStore(directory, repository, [] if repair else None)
        content: dict[str, Any] = {
            "config": repository.config,
            "record": repository.data_record,
            "digests": repository.data_digests,
            "classes": repository.load_class_list(),
            "losses": repository.list_losses(),
            "epochs": repository.list_epochs(),
            "rounds": repository.list_rounds(),
        }
        for round_number, *_ in repository.list_rounds():
            content[f"actions {round_number}"] = repository.list_actions(round_number)
        for fingerprint in repository.list_fingerprints():
            try:
                content[fingerprint.name] = store.read(fingerprint.name, MAX_ARTIFACT_BYTES)
            except ArtifactLostError:
                assert not has_second_copy(fingerprint.name)
                content[fingerprint.name] = None
        return content


def drop_lost_checkpoints(intact: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    """Return the intact content without the checkpoints that the other content has lost."""
    return {name: None if content.get(name, "") is None else value for name, value in intact.items()}


def restore(directory: Path, contents: dict[Path, bytes]) -> None:
    for path in list_trusted_files(directory):
        path.unlink()
    for path, content in contents.items():
        path.write_bytes(content)
    shutil.rmtree(file_names.quarantine_directory(directory), ignore_errors=True)


def flip_first_bit(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


def flip_middle_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 16]) + content[middle + 1 :]


def flip_last_bit(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 128])


def halve(content: bytes) -> bytes:
    return content[: len(content) // 2]


def cut_last_byte(content: bytes) -> bytes:
    return content[:-1]


def empty(content: bytes) -> bytes:
    return b""


def zero(content: bytes) -> bytes:
    return bytes(len(content))


DAMAGES = [
    flip_middle_bit,
    *(
        pytest.param(damage, marks=pytest.mark.slow)
        for damage in (flip_first_bit, flip_last_bit, halve, cut_last_byte, empty, zero)
    ),
]


def assert_unchanged(intact: dict[str, Any], status: dict[str, Any], case: object) -> None:
    """Check that reading without repair is right or refused, and that reading with repair is right."""
    try:
        content = read_content(repair=False)
        assert content == drop_lost_checkpoints(intact, content), case
        assert load_status(NAME) == status, case
        Predictor(NAME)
    except UserError as error:
        assert str(error).isprintable(), case
    content = read_content(repair=True)
    assert content == drop_lost_checkpoints(intact, content), case


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_file_changes_nothing(directory: Path, damage: Callable[[bytes], bytes]) -> None:
    contents = {path: path.read_bytes() for path in list_trusted_files(directory)}
    intact, status = read_content(repair=False), load_status(NAME)
    assert len(contents) > 10
    for path, content in contents.items():
        path.write_bytes(damage(content))
        assert path.read_bytes() != content
        assert_unchanged(intact, status, path.name)
        restore(directory, contents)


def test_deleted_file_changes_nothing(directory: Path) -> None:
    contents = {path: path.read_bytes() for path in list_trusted_files(directory)}
    intact, status = read_content(repair=False), load_status(NAME)
    for path in contents:
        path.unlink()
        assert_unchanged(intact, status, path.name)
        restore(directory, contents)


def test_file_of_another_session_changes_nothing(directory: Path, other_directory: Path) -> None:
    contents = {path: path.read_bytes() for path in list_trusted_files(directory)}
    intact, status = read_content(repair=False), load_status(NAME)
    exchanged_count = 0
    for path, content in contents.items():
        other_path = other_directory / path.name
        if not other_path.exists():  # files of later rounds and epochs
            other_path = other_directory / file_names.round_snapshot_name(1)
        assert other_path.read_bytes() != content, path.name
        shutil.copyfile(other_path, path)
        exchanged_count += 1
        assert_unchanged(intact, status, path.name)
        restore(directory, contents)
    assert exchanged_count == len(contents)


@pytest.mark.parametrize("step", [13, pytest.param(1, marks=SLOW)])
def test_swapped_files_change_nothing(directory: Path, step: int) -> None:
    contents = {path: path.read_bytes() for path in list_trusted_files(directory)}
    intact, status = read_content(repair=False), load_status(NAME)
    pairs = list(itertools.combinations(contents, 2))[::step]
    for first, second in pairs:
        if {first.name, second.name} == {*file_names.DATABASE_AND_JOURNAL_NAMES}:
            continue  # refused: see the tests of the database
        first.write_bytes(contents[second])
        second.write_bytes(contents[first])
        assert_unchanged(intact, status, (first.name, second.name))
        restore(directory, contents)


@pytest.mark.parametrize("name", UNTRUSTED_NAMES)
def test_damaged_lock_or_log_has_no_effect(directory: Path, name: str) -> None:
    intact = read_content(repair=False)
    for content in (b"", b"nothing", bytes(5_000)):
        (directory / name).write_bytes(content)
        assert read_content(repair=True) == intact


def test_export_names_the_files_that_it_repaired(directory: Path, tmp_path: Path) -> None:
    (directory / file_names.TRAIN_VAL_SPLIT_NAME).unlink()
    process = run_vaetui("export", NAME, "-o", str(tmp_path / "labels.csv"))
    assert process.returncode == 0, process.stderr
    notice = f"{file_names.TRAIN_VAL_SPLIT_NAME} is missing: restored from its second copy"
    assert notice in process.stderr.splitlines()
