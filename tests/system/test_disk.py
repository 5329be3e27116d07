"""Run on a full disk and on a read-only disk: one error message, no lost answer, the same results."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import run_vaetui
from tests.robustness.session_templates import TINY_CONFIG
from tests.session.scripted_run import create_session, session_digest
from tests.small_disk import fill_disk, mount_small_disk, remount_read_only
from tests.soak import kill_points
from tests.soak.answer_script import AnswerScript
from tests.soak.expected_answers import ExpectedAnswers, read_stored_answers
from tests.soak.killed_run import CONFIG_OPTIONS, KilledRun, KillStats
from tests.soak.plain_driver import PROGRAM, PlainDriver
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.errors import UserError
from vaetui.session import lifecycle, trainer
from vaetui.session.session import Session
from vaetui.storage import atomic_files, file_names, locations

STEP_KB = 4
"""Free kilobytes added after every refusal: one block of the disk."""
SESSION_KB = 4_000
"""Kilobytes that a tiny session never needs."""
FULL_DISK_MESSAGE = "is full. Free some space"


class FullDisk:
    """Runs each operation without free space first, and with a little more after each refusal until it succeeds."""

    def __init__(self, disk: Path) -> None:
        self._disk = disk
        self.refusals: Counter[str] = Counter()
        """Number of refusals by operation."""

    def run(self, name: str, operation: Callable[[], object]) -> None:
        """Run an operation until it succeeds; a refusal changes no answer and leaves no partial file."""
        for free_kb in range(0, SESSION_KB, STEP_KB):
            fill_disk(self._disk, free_kb)
            answers = self._read_answers()
            try:
                operation()
                return
            except UserError as error:
                assert FULL_DISK_MESSAGE in str(error), f"{name} with {free_kb} kB: {error}"
                assert "\n" not in str(error)
                self.refusals[name] += 1
            assert [path.name for path in self._disk.rglob(f"*{atomic_files.PARTIAL_SUFFIX}")] == []
            assert self._read_answers() == answers
        raise AssertionError(f"{name} needs more than {SESSION_KB} kB")

    def _read_answers(self) -> dict[Path, object]:
        return {path: read_stored_answers(path) for path in locations.sessions_directory().glob("[!.]*")}


class SessionOnFullDisk:
    """A session on a full disk, opened again whenever training was refused, as a user would do."""

    def __init__(self, disk: FullDisk) -> None:
        self._run = disk.run
        self.session: Session
        self._run("resume", self._open)

    def run_to_end(self) -> None:
        """Answer both rounds with a split, an undo and a redo, and add a round."""
        for class_id in (1, 2):
            self._run("advance", self._advance)
            self._run("answer", lambda: self.session.record_answer((0,), ClassAnswer(1, 0.4)))
            self._run("split", lambda: list(self.session.split_cluster((1,), 2)))
            self._run("undo", self.session.undo)
            self._run("redo", self.session.redo)
            answer = ClassAnswer(class_id)
            self._run("answer", lambda answer=answer: self.session.record_answer((1, 0), answer))  # type: ignore[misc]
            self._run("answer", lambda: self.session.record_answer((2,), Unreadable()))
            self._run("finish round", self.session.close_round)
        self._run("advance", self._advance)
        self._run("reading test", lambda: self.session.record_reading(1, 0, [1, 2]))
        self._run("add round", self.session.add_round)
        assert self.session.phase == "training"
        self.session.close()

    def _open(self) -> None:
        self.session = lifecycle.resume("demo")

    def _advance(self) -> None:
        """Train until answers are needed; after a refusal open the session again."""
        try:
            for _ in self.session.advance():
                pass
        except UserError:
            self.session.close()
            self._open()
            raise


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_run_on_a_full_disk_ends_with_the_bits_of_a_run_with_space(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)
    results = {}
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
        with mount_small_disk(tmp_path / name, 2 * SESSION_KB) as directory:
            monkeypatch.setenv("VAETUI_HOME", str(directory))
            disk = FullDisk(directory)
            if name == "empty":
                monkeypatch.setattr(disk, "run", lambda _, operation: operation())
            disk.run("new", lambda: create_session("demo", digits, TINY_CONFIG).close())
            SessionOnFullDisk(disk).run_to_end()
            results[name] = session_digest("demo"), read_stored_answers(locations.find_session("demo"))
    assert results["full"] == results["empty"]
    operations = {
        *("new", "advance", "answer", "split", "undo", "redo", "finish round", "reading test", "add round"),
    }
    assert operations <= set(disk.refusals), disk.refusals


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_program_prints_one_message_on_a_full_disk_and_continues_when_there_is_space(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("VAETUI_HOME", str(tmp_path / "home"))
    rng = random.Random(0)
    undisturbed = KilledRun("demo", digits, 0, rng, KillStats()).finish()
    script = AnswerScript(ExpectedAnswers())
    with mount_small_disk(tmp_path, 64_000) as disk:
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        directory = locations.sessions_directory() / "demo"
        new = [*PROGRAM, "new", "demo", "--plain", "--data", str(digits), "--seed", "0", *CONFIG_OPTIONS]
        resume = [*PROGRAM, "resume", "demo", "--plain"]
        # No space for the database, for the first checkpoint, for a second checkpoint beside the first.
        for command, free_kb in ((new, 0), (new, 1_000), (resume, 1_000), (resume, 10_000)):
            fill_disk(disk, free_kb)
            end = PlainDriver(command, script, kill_points.NEVER, rng).run(directory)
            assert end.status == 2, end
            message = end.stderr.strip()
            assert message.startswith("vaetui: ")
            assert FULL_DISK_MESSAGE in message
            assert "\n" not in message
            assert list(disk.rglob(f"*{atomic_files.PARTIAL_SUFFIX}")) == []
        fill_disk(disk, 60_000)
        end = PlainDriver(resume, script, kill_points.NEVER, rng).run(directory)
        assert end.status == 0, end.stderr
        assert session_digest("demo") == undisturbed.digest
        script.expected.compare(directory)
        assert script.expected.lost == script.expected.invented == []


def create_answered_session(digits: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a session in the labelling phase with one answer, and return its directory."""
    monkeypatch.setenv("VAETUI_HOME", str(home))
    session = create_session("demo", digits, TINY_CONFIG)
    list(session.advance())
    session.record_answer((0,), ClassAnswer(1))
    session.close()
    return session.directory


def test_export_to_a_full_disk_keeps_the_old_file(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_answered_session(digits, tmp_path / "home", monkeypatch)
    with mount_small_disk(tmp_path, 64) as disk:
        labels = disk / "labels.csv"
        labels.write_text("old")
        fill_disk(disk, 4)
        process = run_vaetui("export", "demo", "--force", "-o", str(labels))
        assert (process.returncode, process.stderr.count("vaetui: ")) == (2, 1), process.stderr
        assert f"{disk} is full" in process.stderr
        assert labels.read_text() == "old"
        assert sorted(path.name for path in disk.iterdir()) == ["filler", "labels.csv"]
        fill_disk(disk, 40)
        assert run_vaetui("export", "demo", "--force", "-o", str(labels)).returncode == 0
        assert len(labels.read_text().splitlines()) > 8


def test_export_of_a_directory_to_a_full_disk_leaves_nothing(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_answered_session(digits, tmp_path / "home", monkeypatch)
    with mount_small_disk(tmp_path, 200) as disk:
        (disk / "empty").mkdir()
        for format_name in ("folders", "label-studio", "fiftyone", "huggingface"):
            for output in (disk / "new", disk / "empty"):
                process = run_vaetui("export", "demo", "--format", format_name, "-o", str(output))
                assert (process.returncode, process.stderr.count("\n")) == (2, 1), process.stderr
                assert f"{disk} is full" in process.stderr
                assert [path.name for path in disk.rglob("*")] == ["empty"]
    (tmp_path / "other").mkdir()
    with mount_small_disk(tmp_path / "other", 10_000) as disk:
        assert run_vaetui("export", "demo", "--format", "folders", "-o", str(disk)).returncode == 0
        assert "_unsure" in [path.name for path in disk.iterdir()], "the root of a file system can be the output"


def test_session_on_a_read_only_disk_can_be_shown_but_not_resumed(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = create_answered_session(digits, tmp_path / "home", monkeypatch)
    with mount_small_disk(tmp_path, 2 * SESSION_KB) as disk:
        directory = shutil.copytree(template, disk / "sessions/demo")
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        contents = {path.name: path.read_bytes() for path in directory.iterdir()}
        with remount_read_only(disk):
            for arguments in (
                ["resume", "demo", "--plain"],
                ["new", "other", "--plain"],
                ["delete", "demo", "--yes"],
            ):
                process = run_vaetui(*arguments)
                assert process.returncode == 2, (arguments, process.stderr)
                assert process.stderr.startswith("vaetui: "), (arguments, process.stderr)
                assert process.stderr.count("\n") == 1, (arguments, process.stderr)
            assert json.loads(run_vaetui("show", "demo", "--json").stdout)["answers"] == 1
            assert "demo" in run_vaetui("sessions").stdout
            labels = tmp_path / "labels.csv"
            process = run_vaetui("export", "demo", "-o", str(labels))
            assert process.returncode in (0, 2)
            assert process.returncode == 0 or (process.stderr.count("vaetui: "), labels.exists()) == (1, False)
        assert {path.name: path.read_bytes() for path in directory.iterdir()} == contents
        session = lifecycle.resume("demo")
        assert session.round_view().answer_count == 1
        session.close()


KILLED_TRANSACTION_PROGRAM = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN")
database.execute("UPDATE answer SET class_id = 9")
database.execute("CREATE TABLE ballast AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) "
                 "SELECT i, hex(zeroblob(100)) FROM n")
os.kill(os.getpid(), signal.SIGKILL)
"""
"""A process killed in the middle of a transaction, part of which is in the database file already."""


def test_unfinished_transaction_on_a_read_only_disk_is_not_shown_as_committed(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = create_answered_session(digits, tmp_path / "home", monkeypatch)
    with mount_small_disk(tmp_path, 2 * SESSION_KB) as disk:
        directory = shutil.copytree(template, disk / "sessions/demo")
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        database = file_names.database_path(directory)
        subprocess.run([sys.executable, "-c", KILLED_TRANSACTION_PROGRAM, str(database)], check=False)
        assert database.with_name(f"{database.name}-journal").stat().st_size > 0
        with remount_read_only(disk):
            for arguments in (["show", "demo"], ["sessions"], ["resume", "demo", "--plain"]):
                process = run_vaetui(*arguments)
                assert process.returncode in (0, 2), process.stderr
                assert "bug" not in process.stderr
                assert "Traceback" not in process.stderr
        session = lifecycle.resume("demo")
        assert session.round_view().clusters[0].answer == ClassAnswer(1)
        session.close()
