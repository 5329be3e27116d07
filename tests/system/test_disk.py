"""A disk that fills up at any write, and one that nobody may write to: one sentence, nothing lost, the same bits."""

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
from tests.fuzz.states import TINY
from tests.session.scripted_run import session_digest, create_session
from tests.small_disk import leave, read_only, small_disk
from tests.soak import ageing, moments
from tests.soak.dialogue import PROGRAM, Dialogue
from tests.soak.ordeal import KNOBS, Ordeal, Tally
from tests.soak.record import Record, facts
from tests.soak.script import Script
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.errors import UserError
from vaetui.session import lifecycle, trainer
from vaetui.session.session import Session
from vaetui.storage import atomic_files, file_names, locations

STEP = 4
"""Kilobytes of room that are added after every refusal."""
ROOM = 4_000
"""Kilobytes that a tiny session never needs."""


class Starved:
    """Does each thing with no room at all first, and with a little more after each refusal, until it succeeds."""

    def __init__(self, disk: Path) -> None:
        self._disk = disk
        self.refused: Counter[str] = Counter()
        """How often each thing was refused."""

    def until_done(self, what: str, deed: Callable[[], object]) -> None:
        """Do it until it succeeds; what is refused leaves the answers, and no half-written file."""
        for room in range(0, ROOM, STEP):
            leave(self._disk, room)
            before = {path: facts(path) for path in locations.sessions_directory().glob("[!.]*")}
            try:
                deed()
                return
            except UserError as trouble:
                assert "is full; make room" in str(trouble), f"{what} with {room} kB: {trouble}"
                assert "\n" not in str(trouble)
                self.refused[what] += 1
            assert [path.name for path in self._disk.rglob(f"*{atomic_files.PARTIAL_SUFFIX}")] == []
            assert {path: facts(path) for path in locations.sessions_directory().glob("[!.]*")} == before
        raise AssertionError(f"{what} needs more than {ROOM} kB")


class Starving:
    """A session on such a disk, opened again whenever a slow verb was refused, as the program would be."""

    def __init__(self, starved: Starved) -> None:
        self._do = starved.until_done
        self._open()

    def run(self) -> None:
        """Answer all rounds, with a split, an undo and a redo, to the end, and then one round more."""
        for round in (1, 2):
            self._do("advance", self._advance)
            self._do("answer", lambda: self.session.answer((0,), ClassAnswer(1, 0.4)))
            self._do("split", lambda: list(self.session.split((1,), 2)))
            self._do("undo", self.session.undo)
            self._do("redo", self.session.redo)
            self._do("answer", lambda round=round: self.session.answer((1, 0), ClassAnswer(round)))  # type: ignore[misc]
            self._do("answer", lambda: self.session.answer((2,), Unreadable()))
            self._do("go on", self.session.finish_round)
        self._do("advance", self._advance)
        self._do("read", lambda: self.session.record_reading(1, 0, [1, 2]))
        self._do("another round", self.session.add_round)
        assert self.session.phase == "training"
        self.session.close()

    def _open(self) -> None:
        self._do("resume", lambda: setattr(self, "session", lifecycle.resume("starved")))
        self.session: Session

    def _advance(self) -> None:
        """Advance until somebody is asked; after a refusal the program would be started again."""
        try:
            for _ in self.session.advance():
                pass
        except UserError:
            self.session.close()
            self.session = lifecycle.resume("starved")
            raise


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint at every report."""
    monkeypatch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)


@pytest.mark.usefixtures("often")
def test_whatever_is_being_written_when_the_disk_is_full_it_goes_on_to_the_same_bits(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {}
    for name in ("roomy", "starved"):
        (tmp_path / name).mkdir()
        with small_disk(tmp_path / name, 2 * ROOM) as disk:
            monkeypatch.setenv("VAETUI_HOME", str(disk))
            starved = Starved(disk)
            if name == "roomy":
                monkeypatch.setattr(starved, "until_done", lambda what, deed: deed())
            starved.until_done("new", lambda: create_session("starved", digits, TINY).close())
            Starving(starved).run()
            told[name] = session_digest("starved"), facts(locations.find_session("starved"))
    assert told["starved"] == told["roomy"]
    acts = {"new", "advance", "answer", "split", "undo", "redo", "go on", "read", "another round"}
    assert acts <= set(starved.refused), starved.refused


@pytest.mark.usefixtures("often")
def test_an_upgrade_on_a_full_disk_waits_for_room(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path, 2 * ROOM) as disk:
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        session = create_session("starved", digits, TINY)
        list(session.advance())
        session.answer((0,), ClassAnswer(1))
        session.close()
        ageing.age(session.directory)
        before = facts(session.directory)
        starved = Starved(disk)
        starved.until_done("upgrade", lambda: lifecycle.resume("starved").close())
        assert starved.refused["upgrade"] > 0
        assert facts(session.directory) == before
        session = lifecycle.resume("starved")
        list(session.advance())
        assert [tile.answer for tile in session.round_view().clusters][:1] == [ClassAnswer(1)]
        session.close()


def test_the_program_says_one_sentence_on_a_full_disk_and_goes_on_when_there_is_room(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("VAETUI_HOME", str(tmp_path / "roomy"))
    draw = random.Random(0)
    undisturbed = Ordeal("full", digits, 0, draw, Tally()).finish()
    script = Script(Record())
    with small_disk(tmp_path, 64_000) as disk:
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        new = [*PROGRAM, "new", "full", "--plain", "--data", str(digits), "--seed", "0", *KNOBS]
        resume = [*PROGRAM, "resume", "full", "--plain"]
        # No room for the facts, for the first checkpoint, for a second one beside the first.
        for command, room in ((new, 0), (new, 1_000), (resume, 1_000), (resume, 10_000)):
            leave(disk, room)
            end = Dialogue(command, script, moments.NEVER, draw).run(locations.sessions_directory() / "full")
            assert end.status == 2, end
            sentence = end.complaint.strip()
            assert sentence.startswith("vaetui: ")
            assert "is full; make room" in sentence
            assert "\n" not in sentence
            assert list(disk.rglob(f"*{atomic_files.PARTIAL_SUFFIX}")) == []
        leave(disk, 60_000)
        end = Dialogue(resume, script, moments.NEVER, draw).run(locations.sessions_directory() / "full")
        assert end.status == 0, end.complaint
        assert session_digest("full") == undisturbed.bits
        script.record.compare(locations.find_session("full"))
        assert script.record.lost == script.record.invented == []


@pytest.mark.usefixtures("home")
def test_labels_that_find_no_room_leave_the_old_file(digits: Path, tmp_path: Path) -> None:
    session = create_session("labels", digits, TINY)
    list(session.advance())
    session.answer((0,), ClassAnswer(1))
    session.close()
    with small_disk(tmp_path, 64) as disk:
        (disk / "labels.csv").write_text("old")
        leave(disk, 4)
        ran = run_vaetui("export", "labels", "-o", str(disk / "labels.csv"))
        assert (ran.returncode, ran.stderr.count("vaetui: ")) == (2, 1), ran.stderr
        assert f"{disk} is full" in ran.stderr
        assert (disk / "labels.csv").read_text() == "old"
        assert sorted(path.name for path in disk.iterdir()) == ["filler", "labels.csv"]
        leave(disk, 40)
        assert run_vaetui("export", "labels", "-o", str(disk / "labels.csv")).returncode == 0
        assert len((disk / "labels.csv").read_text().splitlines()) == 641


def labelled(digits: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a session elsewhere that waits for answers, with one given; a copy of it is open nowhere."""
    monkeypatch.setenv("VAETUI_HOME", str(place / "elsewhere"))
    session = create_session("asked", digits, TINY)
    list(session.advance())
    session.answer((0,), ClassAnswer(1))
    session.close()
    return session.directory


def test_on_a_disk_that_nobody_may_write_a_session_is_shown_and_not_resumed(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = labelled(digits, tmp_path, monkeypatch)
    with small_disk(tmp_path, 2 * ROOM) as disk:
        directory = shutil.copytree(asked, disk / "sessions/fixed")
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        before = {path.name: path.read_bytes() for path in directory.iterdir()}
        with read_only(disk):
            for command in (["resume", "fixed", "--plain"], ["new", "more", "--plain"], ["delete", "fixed", "--yes"]):
                ran = run_vaetui(*command)
                assert ran.returncode == 2, (command, ran.stderr)
                assert ran.stderr.startswith("vaetui: "), (command, ran.stderr)
                assert ran.stderr.count("\n") == 1, (command, ran.stderr)
            assert json.loads(run_vaetui("show", "fixed", "--json").stdout)["answers"] == 1
            assert "fixed" in run_vaetui("sessions").stdout
            labels = tmp_path / "labels.csv"
            ran = run_vaetui("export", "fixed", "-o", str(labels))
            assert ran.returncode in (0, 2)
            assert ran.returncode == 0 or (ran.stderr.count("vaetui: "), labels.exists()) == (1, False)
        assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
        session = lifecycle.resume("fixed")
        assert session.round_view().answer_count == 1
        session.close()


HALF = """
import os, signal, sqlite3, sys
base = sqlite3.connect(sys.argv[1], isolation_level=None)
base.execute("PRAGMA cache_size = 1")
base.execute("BEGIN")
base.execute("UPDATE saying SET label = 9")
base.execute("CREATE TABLE ballast AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) "
             "SELECT i, hex(zeroblob(100)) FROM n")
os.kill(os.getpid(), signal.SIGKILL)
"""
"""Is killed in the midst of a change, part of which is in the file already."""


def test_half_a_change_on_a_disk_that_nobody_may_write_is_not_shown_as_a_whole_one(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = labelled(digits, tmp_path, monkeypatch)
    with small_disk(tmp_path, 2 * ROOM) as disk:
        directory = shutil.copytree(asked, disk / "sessions/half")
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        subprocess.run([sys.executable, "-c", HALF, str(file_names.database_path(directory))], check=False)
        assert (directory / "facts.db-journal").stat().st_size > 0
        with read_only(disk):
            for command in (["show", "half"], ["sessions"], ["resume", "half", "--plain"]):
                ran = run_vaetui(*command)
                assert ran.returncode in (0, 2), ran.stderr
                assert "bug" not in ran.stderr
                assert "Traceback" not in ran.stderr
        session = lifecycle.resume("half")
        assert [tile.answer for tile in session.round_view().clusters][:1] == [ClassAnswer(1)]
        session.close()
