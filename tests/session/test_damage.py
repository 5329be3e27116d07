"""A session with damaged files reports them and continues to the same bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.session.conftest import RunResult, RunTemplates
from tests.session.scripted_run import answer_round, list_answers, run_to_end, session_digest
from vaetui.engine.events import Notice
from vaetui.runtime.session_runner import drain_events
from vaetui.session import checkpoints, lifecycle
from vaetui.session.session import Session
from vaetui.session.verification import verify_session
from vaetui.storage import file_names
from vaetui.storage.findings import Finding

ROUND_1, ROUND_2, SPLIT = (
    file_names.round_snapshot_name(1),
    file_names.round_snapshot_name(2),
    file_names.split_snapshot_name(1),
)
MIRRORED_SPLIT = file_names.second_copy_name(SPLIT)


@pytest.fixture
def directory(runs: RunTemplates, home: Path) -> Path:
    """A session in its second round, half answered, with a split in each round."""
    directory = runs.copy("damaged", round_number=2)
    session = lifecycle.resume("damaged")
    steps = answer_round(session)
    for _ in range(4):
        next(steps)
    session.close()
    return directory


def finish(session: Session) -> RunResult:
    list(run_to_end(session))
    session.close()
    return session_digest("damaged"), list_answers("damaged")


def flip_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def newest_checkpoints(directory: Path, count: int) -> list[Path]:
    return sorted(directory.glob("checkpoint-*"))[-count:]


def advance_and_list_notices(session: Session) -> list[str]:
    return [event.message for event in session.advance() if isinstance(event, Notice)]


def test_three_checkpoints_are_kept(directory: Path) -> None:
    assert len(list(directory.glob("checkpoint-*"))) == checkpoints.MAX_CHECKPOINTS == 3


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("damage", [flip_bit, truncate, Path.unlink])
def test_training_after_damaged_checkpoints_is_repeated_to_the_same_bits(
    directory: Path, runs: RunTemplates, count: int, damage: Callable[[Path], None]
) -> None:
    damaged_paths = newest_checkpoints(directory, count)
    for path in damaged_paths:
        damage(path)
    session = lifecycle.resume("damaged")
    assert session.phase == "labelling"
    notices = advance_and_list_notices(session)
    assert [notice.split()[0] for notice in notices] == [path.name for path in reversed(damaged_paths)]
    assert finish(session) == runs.result()


@pytest.mark.parametrize("name", [ROUND_1, ROUND_2, SPLIT, file_names.TRAIN_VAL_SPLIT_NAME, file_names.DATABASE_NAME])
@pytest.mark.parametrize("damage", [halve, truncate])
def test_other_damaged_files_are_restored_and_no_answer_is_lost(
    directory: Path, runs: RunTemplates, name: str, damage: Callable[[Path], None]
) -> None:
    damage(directory / name)
    session = lifecycle.resume("damaged")
    notices = advance_and_list_notices(session)
    log = (directory / file_names.LOG_NAME).read_text()
    assert all(f"WARNING {notice}" in log for notice in notices)
    is_read = name not in (ROUND_1, SPLIT)  # finished rounds are read only on request
    assert [notice.split()[0] for notice in notices] == [name] * is_read
    assert finish(session) == runs.result()
    findings = drain_events(verify_session("damaged", repair=True))
    assert [finding.file_name for finding in findings] == ([] if is_read else [name])
    assert drain_events(verify_session("damaged", repair=False)) == []
    assert (file_names.quarantine_directory(directory) / name).exists()


def test_verifying_an_intact_session_finds_and_changes_nothing(directory: Path) -> None:
    names = sorted(path.name for path in directory.iterdir())
    assert drain_events(verify_session("damaged", repair=False)) == []
    assert sorted(path.name for path in directory.iterdir()) == names


def test_findings_are_repaired_only_on_request(directory: Path, runs: RunTemplates) -> None:
    (checkpoint,) = newest_checkpoints(directory, 1)
    flip_bit(directory / ROUND_1)
    truncate(checkpoint)
    (directory / MIRRORED_SPLIT).unlink()
    (directory / "notes.txt").write_text("a file of the user")
    expected = [
        Finding(checkpoint.name, "is damaged", "dropped; its training is repeated"),
        Finding(ROUND_1, "is damaged", "restored from its second copy"),
        Finding(MIRRORED_SPLIT, "is missing", "restored from its second copy"),
        Finding("notes.txt", "does not belong to the session", "moved to quarantine"),
    ]
    assert drain_events(verify_session("damaged", repair=False)) == expected
    repaired = drain_events(verify_session("damaged", repair=True))
    assert [finding.file_name for finding in repaired] == [finding.file_name for finding in expected]
    assert drain_events(verify_session("damaged", repair=False)) == []
    assert finish(lifecycle.resume("damaged")) == runs.result()


def test_round_without_an_intact_copy_is_reported_as_lost(directory: Path) -> None:
    names = [ROUND_1, file_names.second_copy_name(ROUND_1)]
    for name in names:
        (directory / name).unlink()
    findings = drain_events(verify_session("damaged", repair=True))
    assert [(finding.file_name, finding.is_lost) for finding in findings] == [(name, True) for name in names]
