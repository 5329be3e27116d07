"""A session whose files are damaged goes on to the same bits, and says what was damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.session.scripted_run import answer_round, session_digest, create_session, run_to_end, list_answers
from vaetui.runtime.runner import drain
from vaetui.engine.events import Notice
from vaetui.session import checkpoints, lifecycle, trainer
from vaetui.session.session import Session
from vaetui.session.verification import verify_session
from vaetui.storage import locations as sessions
from vaetui.storage.findings import Finding

Undisturbed = tuple[str, list[object]]


@pytest.fixture(scope="module")
def asked(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session in its second round, half answered, with a split."""
    home = tmp_path_factory.mktemp("asked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(home))
        patch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)
        session = create_session("it", digits)
        list(session.advance())
        list(answer_round(session))
        session.finish_round()
        list(session.advance())
        acts = answer_round(session)
        [next(acts) for _ in range(4)]
        session.close()
    return home


@pytest.fixture(scope="module")
def undisturbed(asked: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What comes of it when nothing is damaged."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    shutil.copytree(asked, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(home))
        return finish(lifecycle.resume("it"))


@pytest.fixture
def directory(asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that session."""
    shutil.copytree(asked, tmp_path / "home")
    monkeypatch.setenv("VAETUI_HOME", str(tmp_path / "home"))
    return sessions.find_session("it")


def finish(session: Session) -> Undisturbed:
    list(run_to_end(session))
    session.close()
    return session_digest("it"), list(list_answers("it"))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def newest(directory: Path, count: int) -> list[Path]:
    return sorted(directory.glob("checkpoint-*"))[-count:]


def test_three_checkpoints_are_kept(directory: Path) -> None:
    assert len(list(directory.glob("checkpoint-*"))) == checkpoints.MAX_CHECKPOINTS == 3


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
def test_where_checkpoints_are_damaged_training_is_repeated_to_the_same_bits(
    directory: Path, undisturbed: Undisturbed, count: int, damage: Callable[[Path], None]
) -> None:
    lost = newest(directory, count)
    for path in lost:
        damage(path)
    session = lifecycle.resume("it")
    assert session.phase == "labelling"
    told = [event.message for event in session.advance() if isinstance(event, Notice)]
    assert [line.split()[0] for line in told] == [path.name for path in reversed(lost)]
    assert finish(session) == undisturbed


@pytest.mark.parametrize("name", ["round-001.npz", "round-002.npz", "split-000001.npz", "division.npz", "facts.db"])
@pytest.mark.parametrize("damage", [halve, cut])
def test_any_other_file_is_made_anew_and_no_answer_lost(
    directory: Path, undisturbed: Undisturbed, name: str, damage: Callable[[Path], None]
) -> None:
    damage(directory / name)
    session = lifecycle.resume("it")
    told = [event.message for event in session.advance() if isinstance(event, Notice)]
    log = (directory / "log.txt").read_text()
    assert all(f"WARNING {line}" in log for line in told)
    needed = name not in ("round-001.npz", "split-000001.npz")  # a round that is over is read when it is asked for
    assert [line.split()[0] for line in told] == [name] * needed
    assert finish(session) == undisturbed
    found = drain(verify_session("it", repair=True))
    assert [each.file_name for each in found] == ([] if needed else [name])
    assert drain(verify_session("it", repair=False)) == []
    assert (directory / "damaged" / name).exists()


def test_all_is_whole_where_nothing_was_done(directory: Path) -> None:
    before = sorted(path.name for path in directory.iterdir())
    assert drain(verify_session("it", repair=False)) == []
    assert sorted(path.name for path in directory.iterdir()) == before


def test_what_is_found_is_only_told_until_it_is_to_be_mended(directory: Path, undisturbed: Undisturbed) -> None:
    flip(directory / "round-001.npz")
    cut(newest(directory, 1)[0])
    (directory / "split-000001.copy.npz").unlink()
    (directory / "notes.txt").write_text("what is this?")
    expected = [
        Finding(newest(directory, 1)[0].name, "is damaged", "forgotten, and what it held is trained again"),
        Finding("round-001.npz", "is damaged", "made anew from its twin"),
        Finding("split-000001.copy.npz", "is missing", "made anew from its twin"),
        Finding("notes.txt", "is no part of the session", "kept aside"),
    ]
    assert drain(verify_session("it", repair=False)) == expected
    assert [each.file_name for each in drain(verify_session("it", repair=True))] == [
        each.file_name for each in expected
    ]
    assert drain(verify_session("it", repair=False)) == []
    assert finish(lifecycle.resume("it")) == undisturbed


def test_a_round_that_is_lost_altogether_is_told(directory: Path) -> None:
    for name in ("round-001.npz", "round-001.copy.npz"):
        (directory / name).unlink()
    found = drain(verify_session("it", repair=True))
    assert [(each.file_name, each.is_lost) for each in found] == [("round-001.npz", True), ("round-001.copy.npz", True)]
