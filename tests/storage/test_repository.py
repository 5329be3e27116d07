"""Tests of the session repository: records are on the disk when a method returns, and stay."""

from __future__ import annotations

import contextlib
import math
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.storage.recording import record_answer, record_class_edit
from vaetui.engine.answers import Answer, ClassAnswer, Cleared, Split, Unreadable
from vaetui.engine.classes import AddClass, ClassList, MergeClass, RenameClass
from vaetui.engine.config import Config
from vaetui.engine.events import BatchesTrained, Clustered, EpochEnded, Losses
from vaetui.errors import UserError
from vaetui.storage import file_names
from vaetui.storage.answer_log import UserAction
from vaetui.storage.data_record import DataRecord
from vaetui.storage.fingerprints import compute_fingerprint
from vaetui.storage.recovery import verify_database
from vaetui.storage.repository import SessionRepository
from vaetui.storage.schema import FORMAT_VERSION


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a session directory with one open round, which tests must not change."""
    directory = tmp_path_factory.mktemp("template")
    with contextlib.closing(SessionRepository.create(directory, Config(seed=3), "mnist", (640, 28, 28))) as repository:
        repository.record_round_start(Clustered(1, 5, ((3, 2.5), (4, 1.5))))
    return directory


@pytest.fixture
def repository(template: Path, tmp_path: Path) -> Iterator[SessionRepository]:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    with contextlib.closing(SessionRepository(tmp_path, is_writable=True)) as repository:
        yield repository


@contextlib.contextmanager
def reopen(repository: SessionRepository, directory: Path) -> Iterator[SessionRepository]:
    repository.close()
    with contextlib.closing(SessionRepository(directory, is_writable=True)) as reopened:
        yield reopened


def execute_sql(directory: Path, statement: str) -> None:
    """Change the database without the program's own code."""
    with contextlib.closing(sqlite3.connect(file_names.database_path(directory))) as connection:
        connection.execute(statement)
        connection.commit()


def test_session_properties_survive(repository: SessionRepository, tmp_path: Path) -> None:
    with reopen(repository, tmp_path) as reopened:
        assert (reopened.config, reopened.data_source, reopened.shape) == (Config(seed=3), "mnist", (640, 28, 28))
        assert reopened.data_record == DataRecord()
        assert [(number, ended_at) for number, _, ended_at in reopened.list_rounds()] == [(1, None)]
        reopened.record_round_end(1)
        ((_, started_at, ended_at),) = reopened.list_rounds()
        assert ended_at is not None
        assert reopened.created_at <= started_at <= ended_at


@pytest.mark.parametrize("answer", [ClassAnswer(3, 0.7), Unreadable(), Split(4), Cleared()])
def test_every_kind_of_answer_survives(repository: SessionRepository, tmp_path: Path, answer: Answer) -> None:
    record_answer(repository, 1, (2, 0, 11), answer)
    with reopen(repository, tmp_path) as reopened:
        (record,) = reopened.list_answers(1)
    assert (record.path, record.answer) == ((2, 0, 11), answer)


def test_undone_answers_can_be_redone_until_the_next_answer(repository: SessionRepository) -> None:
    first = record_answer(repository, 1, (0,), ClassAnswer(1))
    second = record_answer(repository, 1, (1,), ClassAnswer(2))
    repository.record_undo(second.step_id)
    assert repository.list_answers(1) == [first]
    assert repository.list_actions(1, "undone") == [second]
    repository.record_redo(second.step_id)
    assert repository.list_answers(1) == [first, second]
    repository.record_undo(second.step_id)
    third = record_answer(repository, 1, (1,), ClassAnswer(3))
    assert repository.list_answers(1) == [first, third]
    assert repository.list_actions(1, "undone") == []
    assert repository.count_answers() == 2


def test_answers_and_class_edits_share_one_order(repository: SessionRepository, tmp_path: Path) -> None:
    actions: list[UserAction] = [
        record_class_edit(repository, 1, AddClass(10, "ten")),
        record_answer(repository, 1, (0,), ClassAnswer(10)),
        record_class_edit(repository, 1, MergeClass(4, 9)),
        record_class_edit(repository, 1, RenameClass(9, "nine")),
    ]
    assert [action.id for action in actions] == [1, 2, 3, 4]
    with reopen(repository, tmp_path) as reopened:
        assert reopened.list_actions(1) == actions
        class_list = reopened.load_class_list()
        assert (class_list.names[9:], class_list.canonical[4]) == (("nine", "ten"), 9)
        assert reopened.config.network.classes == 11
        for action in actions[:0:-1]:
            reopened.record_undo(action.step_id)
        assert (reopened.list_actions(1), reopened.list_actions(1, "undone")) == (actions[:1], actions[1:])
        reopened.record_redo(actions[1].step_id)
        record_class_edit(reopened, 1, AddClass(11, "eleven"))
        assert reopened.list_actions(1, "undone") == []
        assert reopened.count_answers() == 1
        assert len(reopened.list_action_times(1)) == 5


def test_class_list_and_counts_can_be_limited_to_earlier_rounds(repository: SessionRepository) -> None:
    record_class_edit(repository, 1, AddClass(10, "ten"))
    record_answer(repository, 1, (0,), ClassAnswer(10))
    repository.record_round_start(Clustered(2, 5, ()))
    record_class_edit(repository, 2, RenameClass(10, "X"))
    record_answer(repository, 2, (0,), ClassAnswer(10))
    assert repository.load_class_list(0) == ClassList.from_names(tuple("0123456789"))
    assert [repository.load_class_list(last_round).names[10] for last_round in (1, 2, None)] == ["ten", "X", "X"]
    assert [len(repository.list_class_edits(last_round)) for last_round in (0, 1, 2, None)] == [0, 1, 2, 2]
    counts = [repository.count_answers_by_class(last_round) for last_round in (0, 1, 2, None)]
    assert counts == [{}, {10: 1}, {10: 2}, {10: 2}]
    assert repository.find_last_answered_round() == 2


def test_saved_configuration_keeps_the_initial_number_of_classes(repository: SessionRepository) -> None:
    before = repository.config
    addition = record_class_edit(repository, 1, AddClass(10, "ten"))
    repository.save_config(replace(before, threads=2))  # a configuration from before the addition
    assert (repository.config.threads, repository.config.network.classes) == (2, 11)
    repository.record_undo(addition.step_id)
    assert repository.config == replace(before, threads=2)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE class_edit SET class_name = char(27) || '[2J' WHERE id = 1",
        "UPDATE class_edit SET class_name = '9' WHERE id = 1",
        "UPDATE class_edit SET class_id = 12 WHERE id = 1",
        "UPDATE class_edit SET target_class_id = 4 WHERE id = 2",
        "UPDATE class_edit SET target_class_id = 99 WHERE id = 2",
        "INSERT INTO class_edit VALUES (3, 3, 1, 'merge', 9, NULL, 4, 'active', 0.0)",
        "INSERT INTO class_edit SELECT 10 + class, 10 + class, 1, 'merge', class, NULL, 10, 'active', 0.0 FROM "
        "(SELECT 0 class UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 "
        "UNION SELECT 8 UNION SELECT 9 UNION SELECT 10)",
    ],
)
def test_inconsistent_class_edits_are_refused(repository: SessionRepository, tmp_path: Path, statement: str) -> None:
    record_class_edit(repository, 1, AddClass(10, "ten"))
    record_class_edit(repository, 1, MergeClass(4, 9))
    repository.close()
    execute_sql(tmp_path, statement)
    file_names.journal_path(tmp_path).unlink()  # otherwise the difference from it is refused
    with contextlib.closing(SessionRepository(tmp_path)) as reader:
        with pytest.raises(UserError, match="invalid class list"):
            reader.load_class_list()
        with pytest.raises(UserError, match="invalid class list"):
            _ = reader.config


def test_number_of_class_names_has_to_fit_the_configuration(tmp_path: Path) -> None:
    record = DataRecord(False, ("cat", "dog"))
    with (
        contextlib.closing(SessionRepository.create(tmp_path, Config(), "mnist", (640, 28, 28), record)) as repository,
        pytest.raises(UserError, match="2 names for 10 classes"),
    ):
        repository.load_class_list()


@pytest.mark.parametrize("config", [Config(seed=-1), Config(device="nowhere")])  # type: ignore[arg-type]
def test_invalid_configuration_is_refused(tmp_path: Path, config: Config) -> None:
    with (
        contextlib.closing(SessionRepository.create(tmp_path, config, "mnist", (640, 28, 28))) as repository,
        pytest.raises(UserError, match="invalid config"),
    ):
        _ = repository.config


def test_losses_are_replaced_and_deleted_by_position(repository: SessionRepository) -> None:
    events = [
        BatchesTrained(epoch, step, 16, Losses(step, 1.0, 0.0, 2.5, 0.125), 100.0, 0.5)
        for epoch in (1, 2)
        for step in (8, 16)
    ]
    repository.record_training(events, compute_fingerprint("checkpoint-002-000016.safetensors", b""))
    repository.record_training(events[:1], compute_fingerprint("checkpoint-001-000008.safetensors", b""))
    assert repository.list_losses()[0][2] == Losses(8.0, 1.0, 0.0, 2.5, 0.125)
    assert [(epoch, step, seconds) for epoch, step, _, seconds in repository.list_losses()] == [
        (1, 8, 0.5),
        (1, 16, 0.5),
        (2, 8, 0.5),
        (2, 16, 0.5),
    ]
    assert repository.list_checkpoints() == [(2, 16), (1, 8)]
    repository.delete_losses_after(1, 16, ["checkpoint-002-000016.safetensors"])
    assert [(epoch, step) for epoch, step, _, _ in repository.list_losses()] == [(1, 8), (1, 16)]
    assert repository.list_checkpoints() == [(1, 8)]


def test_epochs_survive(repository: SessionRepository, tmp_path: Path) -> None:
    events = [
        EpochEnded(1, Losses(150.5, 5.0, 0.0), None, 0.9, 0.0, 0, 20.0),
        EpochEnded(2, Losses(140.5, 6.0, 0.5, 3.5, 0.25), 0.7, 0.92, 0.8, 12, 21.0, 0.25, 0.1, 0.95),
    ]
    for event in events:
        repository.record_epoch(event)
    with reopen(repository, tmp_path) as reopened:
        assert reopened.list_epochs() == events


def test_reading_answers_are_replaced_from_a_position(repository: SessionRepository) -> None:
    repository.record_epoch(EpochEnded(1, Losses(150.5, 5.0, 0.0), None, 0.9, 0.0, 0, 20.0))
    assert repository.load_reading_answers(1) == ()
    repository.record_reading_answers(1, 0, [4, None, 7], None)
    repository.record_reading_answers(1, 1, [5], 0.5)
    assert repository.load_reading_answers(1) == (4, 5)
    assert repository.list_epochs()[0].reading_accuracy == 0.5


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_answer_is_accepted_can_be_read_back(template: Path, data: st.DataObject) -> None:
    answers = st.one_of(
        st.builds(ClassAnswer, st.integers(), st.floats() | st.integers(0, 1)),
        st.just(Unreadable()),
        st.builds(Split, st.integers()),
    )
    paths = st.lists(st.integers(-1, 10**6), max_size=150).map(tuple)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        shutil.copytree(template, directory, dirs_exist_ok=True)
        accepted = []
        with contextlib.closing(SessionRepository(directory, is_writable=True)) as repository:
            for path, answer in data.draw(st.lists(st.tuples(paths, answers), max_size=4)):
                with contextlib.suppress(UserError):
                    record_answer(repository, 1, path, answer)
                    accepted.append((path, answer))
        assert list(verify_database(directory, repair=False)) == []
        with contextlib.closing(SessionRepository(directory)) as reader:
            assert [(record.path, record.answer) for record in reader.list_answers(1)] == accepted


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(), max_size=120), max_size=6))
def test_whatever_class_name_is_accepted_can_be_read_back(template: Path, names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        shutil.copytree(template, directory, dirs_exist_ok=True)
        with contextlib.closing(SessionRepository(directory, is_writable=True)) as repository:
            class_list = repository.load_class_list()
            for class_name in names:
                with contextlib.suppress(UserError):
                    edit = AddClass(len(class_list), class_name)
                    class_list = class_list.with_edit(edit)
                    record_class_edit(repository, 1, edit)
        with contextlib.closing(SessionRepository(directory)) as reader:
            assert reader.load_class_list() == class_list


@pytest.mark.parametrize("path", [(3,) * 101, (0, -1), ()])
def test_answer_that_could_not_be_read_back_is_refused_and_changes_nothing(
    repository: SessionRepository, tmp_path: Path, path: tuple[int, ...]
) -> None:
    record_answer(repository, 1, (0,), ClassAnswer(3))
    with pytest.raises(UserError, match=r"cannot be stored \(invalid row in table answer\). Nothing was changed"):
        record_answer(repository, 1, path, ClassAnswer(3))
    record_answer(repository, 1, (1,), ClassAnswer(4))
    with reopen(repository, tmp_path) as reopened:
        assert [record.path for record in reopened.list_answers(1)] == [(0,), (1,)]
    assert list(verify_database(tmp_path, repair=False)) == []


@pytest.mark.parametrize("losses", [Losses(math.nan, 1.0, 0.0), Losses(math.inf, 1.0, 0.0)])
def test_losses_that_could_not_be_read_back_are_refused(repository: SessionRepository, losses: Losses) -> None:
    with pytest.raises(UserError, match="cannot be stored"):
        repository.record_epoch(EpochEnded(1, losses, None, 0.9, 0.0, 0, 20.0))
    assert repository.list_epochs() == []


def test_data_source_may_contain_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    SessionRepository.create(tmp_path, Config(), "/caf\udce9 \x1b\n", (640, 28, 28)).close()
    with contextlib.closing(SessionRepository(tmp_path)) as repository:
        assert repository.data_source == "/caf\udce9 \x1b\n"


def test_newer_format_is_refused(repository: SessionRepository, tmp_path: Path) -> None:
    repository.close()
    execute_sql(tmp_path, f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    expected = rf"made by a newer vaetui \(format {FORMAT_VERSION + 1}; this version reads format {FORMAT_VERSION}\)"
    with pytest.raises(UserError, match=expected):
        SessionRepository(tmp_path)


@pytest.mark.parametrize("version", [0, -1])
def test_unknown_format_is_damage(repository: SessionRepository, tmp_path: Path, version: int) -> None:
    repository.close()
    execute_sql(tmp_path, f"PRAGMA user_version = {version}")
    with pytest.raises(UserError, match=f"is damaged .unknown format {version}"):
        SessionRepository(tmp_path)


def test_file_that_is_not_a_database_is_damage(tmp_path: Path) -> None:
    file_names.database_path(tmp_path).write_bytes(b"no database, but longer than the header of one" * 50)
    with pytest.raises(UserError, match="is damaged"):
        SessionRepository(tmp_path)


def test_a_reader_keeps_the_state_that_it_opened_and_the_next_one_sees_what_a_writer_added(
    repository: SessionRepository, tmp_path: Path
) -> None:
    with contextlib.closing(SessionRepository(tmp_path)) as reader:
        record_answer(repository, 1, (0,), ClassAnswer(1))
        assert reader.count_answers() == 0
    with contextlib.closing(SessionRepository(tmp_path)) as reader:
        assert reader.count_answers() == 1
