"""Steps of several actions are stored, undone, interrupted and recovered as a whole."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.recording import record_answer
from vaetui.engine.answers import ClassAnswer, Cleared, Unreadable
from vaetui.engine.classes import AddClass
from vaetui.engine.config import Config
from vaetui.engine.events import Clustered
from vaetui.errors import UserError
from vaetui.storage import file_names, journal
from vaetui.storage.answer_log import UserAction
from vaetui.storage.answer_rows import AnswerRecord
from vaetui.storage.recovery import verify_database
from vaetui.storage.repository import SessionRepository

KILLED_WRITER = """
import sys
from pathlib import Path
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.classes import AddClass
from vaetui.storage.repository import SessionRepository
repository = SessionRepository(Path(sys.argv[1]), is_writable=True)
print("open", flush=True)
while True:
    new_class = AddClass(len(repository.load_class_list()), f"class {repository.next_action_id()}")
    answers = [(1, (index,), ClassAnswer(new_class.class_id)) for index in range(3)]
    step = repository.record_step(1, answers, [new_class])
    repository.record_undo(step[0].step_id)
    repository.record_redo(step[0].step_id)
"""
STEP_ACTIONS = 4
"""Actions of a step of that program."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A session with two rounds, and one answer in the first."""
    directory = tmp_path / "session"
    directory.mkdir()
    with contextlib.closing(SessionRepository.create(directory, Config(), "mnist", (640, 28, 28))) as repository:
        repository.record_round_start(Clustered(1, 5, ()))
        record_answer(repository, 1, (4,), ClassAnswer(2))
    return directory


@contextlib.contextmanager
def open_session(directory: Path, is_writable: bool = True) -> Iterator[SessionRepository]:
    with contextlib.closing(SessionRepository(directory, is_writable)) as repository:
        yield repository


def list_steps(actions: list[UserAction]) -> list[list[int]]:
    """Return the ids of the actions of each step."""
    step_ids = sorted({action.step_id for action in actions})
    return [[action.id for action in actions if action.step_id == step_id] for step_id in step_ids]


def test_step_with_a_new_class_and_answers_is_undone_and_redone_as_a_whole(directory: Path) -> None:
    with open_session(directory) as repository:
        answers = [(1, (0,), ClassAnswer(10)), (1, (1,), Unreadable())]
        step = repository.record_step(1, answers, [AddClass(10, "ten")])
        assert [(action.id, action.step_id) for action in step] == [(2, 2), (3, 2), (4, 2)]
        repository.record_undo(2)
        assert (list_steps(repository.list_actions(1)), len(repository.load_class_list())) == ([[1]], 10)
    with open_session(directory) as repository:
        assert repository.list_actions(1, "undone") == step
        repository.record_redo(2)
        assert list_steps(repository.list_actions(1)) == [[1], [2, 3, 4]]
        repository.record_undo(2)
        record_answer(repository, 1, (0,), ClassAnswer(3))
        assert repository.list_actions(1, "undone") == []
        repository.record_redo(2)  # too late
        assert list_steps(repository.list_actions(1)) == [[1], [5]]


def test_extended_step_is_undone_as_a_whole_and_counts_as_one_answer(directory: Path) -> None:
    with open_session(directory) as repository:
        for confidence in (0.9, 0.8, 0.7):
            repository.record_step(1, [(1, (4,), ClassAnswer(2, confidence))], extended_step_id=1)
        assert list_steps(repository.list_actions(1)) == [[1, 2, 3, 4]]
        assert (repository.count_answers(), repository.count_answers_by_class()) == (1, {2: 1})
        repository.record_undo(1)
        assert (repository.list_actions(1), repository.count_answers()) == ([], 0)
        repository.record_redo(1)
        assert [record.answer for record in repository.list_effective_answers()] == [ClassAnswer(2, 0.7)]


def test_corrections_count_for_their_round_and_are_undone_in_the_round_of_their_making(directory: Path) -> None:
    with open_session(directory) as repository:
        repository.record_round_end(1)
        repository.record_round_start(Clustered(2, 5, ()))
        record_answer(repository, 2, (0,), ClassAnswer(5))
        (correction,) = repository.record_step(2, [(1, (4,), ClassAnswer(3))])
        assert isinstance(correction, AnswerRecord)
        assert (correction.round_number, correction.made_in_round) == (1, 2)
        assert [record.answer for record in repository.list_answers(1)] == [ClassAnswer(2), ClassAnswer(3)]
        assert [record.answer for record in repository.list_answers(1, last_round=1)] == [ClassAnswer(2)]
        assert [action.id for action in repository.list_actions(1)] == [1]
        assert [action.id for action in repository.list_actions(2)] == [2, 3]
        assert [record.id for record in repository.list_effective_answers()] == [2, 3]
        assert [record.id for record in repository.list_effective_answers(1)] == [1]
        assert [repository.count_answers_by_class(last_round) for last_round in (1, 2)] == [{2: 1}, {5: 1, 3: 1}]
        repository.record_undo(correction.step_id)
        assert [record.answer for record in repository.list_answers(1)] == [ClassAnswer(2)]
        assert repository.list_actions(2, "undone") == [correction]
        record_answer(repository, 2, (1,), ClassAnswer(5))
        assert repository.list_actions(2, "undone") == []
        assert len(repository.list_action_times(2)) == 3


def test_replaced_and_cleared_answers_do_not_count(directory: Path) -> None:
    with open_session(directory) as repository:
        record_answer(repository, 1, (4,), ClassAnswer(7))
        record_answer(repository, 1, (4,), Unreadable())
        record_answer(repository, 1, (3,), ClassAnswer(7))
        assert (repository.count_answers(), repository.count_answers_by_class()) == (2, {7: 1})
        repository.record_step(1, [(1, (3,), Cleared()), (1, (4,), Cleared())])
        assert repository.list_effective_answers() == []
        assert (repository.count_answers(), repository.count_answers_by_class()) == (0, {})
        assert repository.find_last_answered_round() == 0


@pytest.mark.parametrize(
    "changes",
    [
        "step_id = 0",
        "step_id = id + 1",
        "step_id = 'x'",
        "made_in_round = 3",
        "made_in_round = 0",
        "made_in_round = 1.5",
    ],
)
def test_impossible_step_or_round_is_refused_and_repaired(directory: Path, changes: str) -> None:
    with contextlib.closing(sqlite3.connect(file_names.database_path(directory))) as connection:
        connection.execute(f"UPDATE answer SET {changes}")
        connection.commit()
    with pytest.raises(UserError, match="invalid row in table answer"):
        SessionRepository(directory)
    assert len(list(verify_database(directory, repair=True))) == 1
    with open_session(directory) as repository:
        assert list_steps(repository.list_actions(1)) == [[1]]


def test_step_cut_at_any_byte_of_the_journal_is_there_whole_or_not_at_all(directory: Path, tmp_path: Path) -> None:
    before = file_names.database_path(directory).read_bytes()
    start = file_names.journal_path(directory).stat().st_size
    with open_session(directory) as repository:
        answers = [(1, (index,), ClassAnswer(10)) for index in range(3)]
        repository.record_step(1, answers, [AddClass(10, "ten")])
    content = file_names.journal_path(directory).read_bytes()
    for end in sorted({*range(start, len(content), 7), len(content) - 1, len(content)}):
        for has_database in (True, False):
            copy = Path(shutil.copytree(directory, tmp_path / f"cut-{end}-{has_database}"))
            file_names.database_path(copy).unlink()
            if has_database:
                file_names.database_path(copy).write_bytes(before)
            file_names.journal_path(copy).write_bytes(content[:end])
            list(verify_database(copy, repair=True))
            with open_session(copy) as repository:
                is_whole = end == len(content)
                assert list_steps(repository.list_actions(1)) == ([[1], [2, 3, 4, 5]] if is_whole else [[1]]), end
                assert len(repository.load_class_list()) == 10 + is_whole


def test_every_kind_of_step_is_recovered_from_the_journal_alone(directory: Path) -> None:
    with open_session(directory) as repository:
        repository.record_step(1, [(1, (0,), ClassAnswer(10)), (1, (1,), Cleared())], [AddClass(10, "ten")])
        repository.record_step(1, [(1, (0,), ClassAnswer(10, 0.9))], extended_step_id=2)
        repository.record_round_start(Clustered(2, 5, ()))
        repository.record_step(2, [(1, (4,), Unreadable())])
        undone = repository.record_step(2, [(2, (0,), ClassAnswer(1))])
        repository.record_undo(undone[0].step_id)
        repository.record_one_key_mode(True)
        states = [repository.list_actions(number, state) for number in (1, 2) for state in ("active", "undone")]  # type: ignore[arg-type]
    file_names.database_path(directory).unlink()
    assert len(list(verify_database(directory, repair=True))) == 1
    with open_session(directory) as repository:
        assert states == [
            repository.list_actions(number, state)  # type: ignore[arg-type]
            for number in (1, 2)
            for state in ("active", "undone")
        ]
        assert repository.one_key_mode is True
    file_names.journal_path(directory).unlink()
    list(verify_database(directory, repair=True))
    entries = journal.scan_journal(file_names.journal_path(directory)).entries
    assert any(name == "answer" for entry in entries for name, _ in entry.changes)
    with open_session(directory, is_writable=False) as repository:
        assert repository.list_actions(2, "undone") == undone


@pytest.mark.parametrize("action_count", [1, 4, 9])
def test_killed_process_leaves_whole_steps(directory: Path, action_count: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", KILLED_WRITER, str(directory)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    size = file_names.journal_path(directory).stat().st_size
    while file_names.journal_path(directory).stat().st_size < size + 200 * action_count:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    list(verify_database(directory, repair=True))
    with open_session(directory) as repository:
        for step in list_steps([*repository.list_actions(1), *repository.list_actions(1, "undone")])[1:]:
            assert len(step) == STEP_ACTIONS
        states = [len(repository.list_actions(1, "active")) - 1, len(repository.list_actions(1, "undone"))]
        assert [count % STEP_ACTIONS for count in states] == [0, 0]


def test_one_key_mode_is_kept_and_damage_to_it_means_not_chosen(directory: Path) -> None:
    with open_session(directory) as repository:
        assert repository.one_key_mode is None
        for is_on in (True, False):
            repository.record_one_key_mode(is_on)
            assert repository.one_key_mode is is_on
    with open_session(directory, is_writable=False) as repository:
        assert repository.one_key_mode is False
    with open_session(directory) as repository:
        repository._write_meta(one_key_mode=json.dumps("perhaps"))
        assert repository.one_key_mode is None
