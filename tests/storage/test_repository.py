"""Facts are on the disk when the verb returns, and stay."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from vaetui.engine.answers import Answer, ClassAnswer, Split, Unreadable
from vaetui.engine.classes import AddClass, ClassList, MergeClass, RenameClass
from vaetui.engine.config import Config
from vaetui.engine.config_text import to_json
from vaetui.engine.events import BatchesTrained, Clustered, EpochEnded, Losses
from vaetui.errors import UserError
from vaetui.storage.data_record import DataRecord
from vaetui.storage.fingerprints import compute_fingerprint
from vaetui.storage.migrations import upgrade
from vaetui.storage.recovery import verify_database
from vaetui.storage.repository import SessionRepository
from vaetui.storage.schema import FORMAT_VERSION


@pytest.fixture
def facts(tmp_path: Path) -> SessionRepository:
    made = SessionRepository.create(tmp_path, Config(seed=3), "mnist", (640, 28, 28))
    made.record_round_start(Clustered(1, 5, ((3, 2.5), (4, 1.5))))
    return made


def again(facts: SessionRepository, tmp_path: Path) -> SessionRepository:
    facts.close()
    return SessionRepository(tmp_path, is_writable=True)


def test_what_the_session_is_survives(facts: SessionRepository, tmp_path: Path) -> None:
    facts = again(facts, tmp_path)
    assert (facts.config, facts.data_source, facts.shape) == (Config(seed=3), "mnist", (640, 28, 28))
    assert [(number, ended) for number, _, ended in facts.list_rounds()] == [(1, None)]


@pytest.mark.parametrize("answer", [ClassAnswer(3, 0.7), Unreadable(), Split(4)])
def test_every_kind_of_answer_survives(facts: SessionRepository, tmp_path: Path, answer: Answer) -> None:
    facts.record_answer(1, (2, 0, 11), answer)
    (saying,) = again(facts, tmp_path).list_answers(1)
    assert (saying.path, saying.answer) == ((2, 0, 11), answer)


def test_what_was_undone_can_be_redone_until_something_new_is_said(facts: SessionRepository) -> None:
    first = facts.record_answer(1, (0,), ClassAnswer(1))
    second = facts.record_answer(1, (1,), ClassAnswer(2))
    facts.undo(second)
    assert facts.list_answers(1) == [first]
    assert facts.list_answers(1, "undone") == [second]
    facts.redo(second)
    facts.undo(second)
    third = facts.record_answer(1, (1,), ClassAnswer(3))
    assert facts.list_answers(1) == [first, third]
    assert facts.list_answers(1, "undone") == []
    assert facts.count_answers() == 2


def test_what_was_done_to_the_classes_stands_in_one_order_with_what_was_said(
    facts: SessionRepository, tmp_path: Path
) -> None:
    acts = [
        facts.record_class_edit(1, AddClass(10, "ten")),
        facts.record_answer(1, (0,), ClassAnswer(10)),
        facts.record_class_edit(1, MergeClass(4, 9)),
        facts.record_class_edit(1, RenameClass(9, "nine")),
    ]
    assert [act.id for act in acts] == [1, 2, 3, 4]
    facts = again(facts, tmp_path)
    assert facts.list_actions(1) == acts
    assert (facts.load_class_list().names[9:], facts.load_class_list().canonical[4]) == (("nine", "ten"), 9)
    assert facts.load_class_list(0) == ClassList.from_names(tuple("0123456789"))
    assert facts.config.network.classes == 11
    for act in acts[:0:-1]:
        facts.undo(act)
    assert (facts.list_actions(1), facts.list_actions(1, "undone")) == (acts[:1], acts[1:])
    facts.redo(acts[1])
    facts.record_class_edit(1, AddClass(11, "eleven"))
    assert facts.list_actions(1, "undone") == []
    assert facts.count_answers() == 1
    assert facts.answer_counts(1) == {10: 1}
    assert len(facts.list_action_times(1)) == 5
    facts.close()


def test_the_configuration_is_kept_without_the_number_of_classes(facts: SessionRepository, tmp_path: Path) -> None:
    before = facts.config
    added = facts.record_class_edit(1, AddClass(10, "ten"))
    facts.save_config(replace(before, threads=2))  # as who did not yet hear of the new class
    assert (facts.config.threads, facts.config.network.classes) == (2, 11)
    facts.undo(added)
    assert facts.config == replace(before, threads=2)


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE naming SET name = char(27) || '[2J' WHERE id = 1",
        "UPDATE naming SET name = '9' WHERE id = 1",
        "UPDATE naming SET class = 12 WHERE id = 1",
        "UPDATE naming SET target = 4 WHERE id = 2",
        "UPDATE naming SET target = 99 WHERE id = 2",
        "INSERT INTO naming VALUES (3, 1, 'merged', 9, NULL, 4, 'stands', 0.0)",
        "INSERT INTO naming SELECT 10 + class, 1, 'merged', class, NULL, 10, 'stands', 0.0 FROM "
        "(SELECT 0 class UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 "
        "UNION SELECT 8 UNION SELECT 9 UNION SELECT 10)",
    ],
)
def test_classes_that_nobody_can_have_made_are_refused(facts: SessionRepository, tmp_path: Path, harm: str) -> None:
    facts.record_class_edit(1, AddClass(10, "ten"))
    facts.record_class_edit(1, MergeClass(4, 9))
    facts.close()
    base = sqlite3.connect(tmp_path / "facts.db")
    base.execute(harm)
    base.commit()
    base.close()
    facts = SessionRepository(tmp_path)
    with pytest.raises(UserError, match="its list of classes is none"):
        facts.load_class_list()
    with pytest.raises(UserError, match="its list of classes is none"):
        _ = facts.config
    facts.close()


def test_as_many_names_as_classes_are_wanted(tmp_path: Path) -> None:
    facts = SessionRepository.create(tmp_path, Config(), "mnist", (640, 28, 28), DataRecord(False, ("cat", "dog")))
    with pytest.raises(UserError, match="2 names for 10 classes"):
        facts.load_class_list()
    facts.close()


def test_reports_of_training_are_replaced_and_forgotten_by_place(facts: SessionRepository) -> None:
    reports = [
        BatchesTrained(epoch, step, 16, Losses(step, 1.0, 0.0), 100.0, 0.5) for epoch in (1, 2) for step in (8, 16)
    ]
    facts.record_training(reports, compute_fingerprint("checkpoint-002-000016.safetensors", b""))
    facts.record_training(reports[:1], compute_fingerprint("checkpoint-001-000008.safetensors", b""))
    assert [(epoch, step, seconds) for epoch, step, _, seconds in facts.list_losses()] == [
        (1, 8, 0.5),
        (1, 16, 0.5),
        (2, 8, 0.5),
        (2, 16, 0.5),
    ]
    facts.delete_losses_after(1, 16)
    assert [(epoch, step) for epoch, step, _, _ in facts.list_losses()] == [(1, 8), (1, 16)]


def test_epochs_come_back_as_they_were(facts: SessionRepository, tmp_path: Path) -> None:
    ended = [
        EpochEnded(1, Losses(150.5, 5.0, 0.0), None, 0.9, 0.0, 0, 20.0),
        EpochEnded(2, Losses(140.5, 6.0, 0.5), 0.7, 0.92, 0.8, 12, 21.0),
    ]
    for it in ended:
        facts.record_epoch(it)
    assert again(facts, tmp_path).list_epochs() == ended


def test_a_newer_format_is_refused_in_one_sentence(facts: SessionRepository, tmp_path: Path) -> None:
    facts.close()
    base = sqlite3.connect(tmp_path / "facts.db")
    base.execute(f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    base.close()
    with pytest.raises(UserError, match="made by a newer vaetui"):
        SessionRepository(tmp_path)


def test_a_file_that_is_no_session_is_told(tmp_path: Path) -> None:
    (tmp_path / "facts.db").write_bytes(b"no database, but long enough to be looked at" * 50)
    with pytest.raises(UserError, match="is damaged"):
        SessionRepository(tmp_path)


def test_a_reader_looks_on_while_a_writer_writes(facts: SessionRepository, tmp_path: Path) -> None:
    reader = SessionRepository(tmp_path)
    facts.record_answer(1, (0,), ClassAnswer(1))
    assert reader.count_answers() == 1
    reader.close()


def old(directory: Path) -> Path:
    """Make a session's facts as format 1 wrote them."""
    base = sqlite3.connect(directory / "facts.db")
    base.executescript(Path(__file__).with_name("version-1.sql").read_text())
    base.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        [("config", to_json(Config())), ("data", "mnist"), ("shape", "[640, 28, 28]"), ("created", "5.0")],
    )
    base.execute("INSERT INTO epoch VALUES (1, 200.0, 5.0, 0.0, 0.1, 0.9, 0.0, 0, 20.0)")
    base.execute("INSERT INTO round VALUES (1, 10, '[]', 5.0, NULL)")
    base.execute(
        "INSERT INTO saying (round, path, kind, label, confidence, said) VALUES (1, '3', 'label', 7, 0.9, 6.0)"
    )
    base.execute("PRAGMA user_version = 1")
    base.commit()
    base.close()
    return directory


def test_an_older_format_is_upgraded_and_loses_nothing(tmp_path: Path) -> None:
    path = old(tmp_path) / "facts.db"
    before = path.read_bytes()
    facts = SessionRepository(tmp_path)  # who merely looks changes nothing
    assert [(ended.test_accuracy, ended.reading_accuracy) for ended in facts.list_epochs()] == [(0.1, None)]
    facts.close()
    assert path.read_bytes() == before
    for _ in range(2):  # the second time there is nothing to upgrade
        upgrade(tmp_path)
        assert list(verify_database(tmp_path, repair=True)) == []
        facts = SessionRepository(tmp_path, is_writable=True)
        (ended,) = facts.list_epochs()
        assert (ended.test_accuracy, ended.reading_accuracy) == (0.1, None)
        assert [saying.answer for saying in facts.list_answers(1)] == [ClassAnswer(7, 0.9)]
        assert facts.load_reading(1) == ()
        facts.close()
    facts = SessionRepository(tmp_path, is_writable=True)
    assert facts.record_class_edit(1, AddClass(10, "ten")).id == 2
    facts.record_reading(1, 0, [4, None], 0.5)
    assert facts.load_reading(1) == (4, None)
    assert facts.list_epochs()[0].reading_accuracy == 0.5
    facts.close()
    base = sqlite3.connect(path)
    assert base.execute("PRAGMA user_version").fetchone() == (FORMAT_VERSION,)
    base.close()


def test_upgraded_and_new_files_have_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    upgrade(old(tmp_path / "old"))
    SessionRepository.create(tmp_path / "new", Config(), "mnist", (10, 8, 8)).close()
    columns = []
    for name in ("old", "new"):
        base = sqlite3.connect(tmp_path / name / "facts.db")
        names = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        columns.append({name: [row[1:3] for row in base.execute(f"PRAGMA table_info({name})")] for name in names})
        base.close()
    assert columns[0] == columns[1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"labels": 1, "names": []}',
        '{"labels": true, "names": ["\\u001b[2J"]}',
        '{"labels": true, "names": [3]}',
    ],
)
def test_a_material_that_nobody_would_write_is_refused(tmp_path: Path, text: str) -> None:
    facts = SessionRepository.create(tmp_path, Config(), "mnist", (640, 28, 28), DataRecord(False, ("cat", "dog")))
    assert facts.data_record == DataRecord(False, ("cat", "dog"))
    facts._write_meta(material=text)
    with pytest.raises(UserError, match="its material is none"):
        facts.data_record  # noqa: B018 (it is read)
    facts.close()
