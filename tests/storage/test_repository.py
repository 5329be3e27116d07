"""Facts are on the disk when the verb returns, and stay."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from vaetui.engine.answers import Answer, Label, Split, Unreadable
from vaetui.engine.classes import Added, Classes, Merged, Renamed
from vaetui.engine.config import Config
from vaetui.engine.config_text import to_json
from vaetui.engine.events import Clustered, EpochEnded, Losses, Stepped
from vaetui.errors import Trouble
from vaetui.storage.data_record import Material
from vaetui.storage.fingerprints import stamped
from vaetui.storage.migrations import upgrade
from vaetui.storage.recovery import audit
from vaetui.storage.repository import Facts
from vaetui.storage.schema import VERSION


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    made = Facts.create(tmp_path, Config(seed=3), "mnist", (640, 28, 28))
    made.begin_round(Clustered(1, 5, ((3, 2.5), (4, 1.5))))
    return made


def again(facts: Facts, tmp_path: Path) -> Facts:
    facts.close()
    return Facts(tmp_path, writes=True)


def test_what_the_session_is_survives(facts: Facts, tmp_path: Path) -> None:
    facts = again(facts, tmp_path)
    assert (facts.config, facts.data, facts.shape) == (Config(seed=3), "mnist", (640, 28, 28))
    assert [(number, ended) for number, _, ended in facts.rounds()] == [(1, None)]


@pytest.mark.parametrize("answer", [Label(3, 0.7), Unreadable(), Split(4)])
def test_every_kind_of_answer_survives(facts: Facts, tmp_path: Path, answer: Answer) -> None:
    facts.say(1, (2, 0, 11), answer)
    (saying,) = again(facts, tmp_path).sayings(1)
    assert (saying.path, saying.answer) == ((2, 0, 11), answer)


def test_what_was_undone_can_be_redone_until_something_new_is_said(facts: Facts) -> None:
    first = facts.say(1, (0,), Label(1))
    second = facts.say(1, (1,), Label(2))
    facts.undo(second)
    assert facts.sayings(1) == [first]
    assert facts.sayings(1, "undone") == [second]
    facts.redo(second)
    facts.undo(second)
    third = facts.say(1, (1,), Label(3))
    assert facts.sayings(1) == [first, third]
    assert facts.sayings(1, "undone") == []
    assert facts.answers() == 2


def test_what_was_done_to_the_classes_stands_in_one_order_with_what_was_said(facts: Facts, tmp_path: Path) -> None:
    acts = [
        facts.amend(1, Added(10, "ten")),
        facts.say(1, (0,), Label(10)),
        facts.amend(1, Merged(4, 9)),
        facts.amend(1, Renamed(9, "nine")),
    ]
    assert [act.id for act in acts] == [1, 2, 3, 4]
    facts = again(facts, tmp_path)
    assert facts.acts(1) == acts
    assert (facts.classes().names[9:], facts.classes().roots[4]) == (("nine", "ten"), 9)
    assert facts.classes(0) == Classes.named(tuple("0123456789"))
    assert facts.config.network.classes == 11
    for act in acts[:0:-1]:
        facts.undo(act)
    assert (facts.acts(1), facts.acts(1, "undone")) == (acts[:1], acts[1:])
    facts.redo(acts[1])
    facts.amend(1, Added(11, "eleven"))
    assert facts.acts(1, "undone") == []
    assert facts.answers() == 1
    assert facts.tally(1) == {10: 1}
    assert len(facts.times(1)) == 5
    facts.close()


def test_the_configuration_is_kept_without_the_number_of_classes(facts: Facts, tmp_path: Path) -> None:
    before = facts.config
    added = facts.amend(1, Added(10, "ten"))
    facts.keep_config(replace(before, threads=2))  # as who did not yet hear of the new class
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
def test_classes_that_nobody_can_have_made_are_refused(facts: Facts, tmp_path: Path, harm: str) -> None:
    facts.amend(1, Added(10, "ten"))
    facts.amend(1, Merged(4, 9))
    facts.close()
    base = sqlite3.connect(tmp_path / "facts.db")
    base.execute(harm)
    base.commit()
    base.close()
    facts = Facts(tmp_path)
    with pytest.raises(Trouble, match="its list of classes is none"):
        facts.classes()
    with pytest.raises(Trouble, match="its list of classes is none"):
        _ = facts.config
    facts.close()


def test_as_many_names_as_classes_are_wanted(tmp_path: Path) -> None:
    facts = Facts.create(tmp_path, Config(), "mnist", (640, 28, 28), Material(False, ("cat", "dog")))
    with pytest.raises(Trouble, match="2 names for 10 classes"):
        facts.classes()
    facts.close()


def test_reports_of_training_are_replaced_and_forgotten_by_place(facts: Facts) -> None:
    reports = [Stepped(epoch, step, 16, Losses(step, 1.0, 0.0), 100.0, 0.5) for epoch in (1, 2) for step in (8, 16)]
    facts.record_training(reports, stamped("checkpoint-002-000016.safetensors", b""))
    facts.record_training(reports[:1], stamped("checkpoint-001-000008.safetensors", b""))
    assert [(epoch, step, seconds) for epoch, step, _, seconds in facts.figures()] == [
        (1, 8, 0.5),
        (1, 16, 0.5),
        (2, 8, 0.5),
        (2, 16, 0.5),
    ]
    facts.forget_figures(1, 16)
    assert [(epoch, step) for epoch, step, _, _ in facts.figures()] == [(1, 8), (1, 16)]


def test_epochs_come_back_as_they_were(facts: Facts, tmp_path: Path) -> None:
    ended = [
        EpochEnded(1, Losses(150.5, 5.0, 0.0), None, 0.9, 0.0, 0, 20.0),
        EpochEnded(2, Losses(140.5, 6.0, 0.5), 0.7, 0.92, 0.8, 12, 21.0),
    ]
    for it in ended:
        facts.record_epoch(it)
    assert again(facts, tmp_path).epochs() == ended


def test_a_newer_format_is_refused_in_one_sentence(facts: Facts, tmp_path: Path) -> None:
    facts.close()
    base = sqlite3.connect(tmp_path / "facts.db")
    base.execute(f"PRAGMA user_version = {VERSION + 1}")
    base.close()
    with pytest.raises(Trouble, match="made by a newer vaetui"):
        Facts(tmp_path)


def test_a_file_that_is_no_session_is_told(tmp_path: Path) -> None:
    (tmp_path / "facts.db").write_bytes(b"no database, but long enough to be looked at" * 50)
    with pytest.raises(Trouble, match="is damaged"):
        Facts(tmp_path)


def test_a_reader_looks_on_while_a_writer_writes(facts: Facts, tmp_path: Path) -> None:
    reader = Facts(tmp_path)
    facts.say(1, (0,), Label(1))
    assert reader.answers() == 1
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
    facts = Facts(tmp_path)  # who merely looks changes nothing
    assert [(ended.test_accuracy, ended.reading_accuracy) for ended in facts.epochs()] == [(0.1, None)]
    facts.close()
    assert path.read_bytes() == before
    for _ in range(2):  # the second time there is nothing to upgrade
        upgrade(tmp_path)
        assert list(audit(tmp_path, repair=True)) == []
        facts = Facts(tmp_path, writes=True)
        (ended,) = facts.epochs()
        assert (ended.test_accuracy, ended.reading_accuracy) == (0.1, None)
        assert [saying.answer for saying in facts.sayings(1)] == [Label(7, 0.9)]
        assert facts.reading(1) == ()
        facts.close()
    facts = Facts(tmp_path, writes=True)
    assert facts.amend(1, Added(10, "ten")).id == 2
    facts.record_reading(1, 0, [4, None], 0.5)
    assert facts.reading(1) == (4, None)
    assert facts.epochs()[0].reading_accuracy == 0.5
    facts.close()
    base = sqlite3.connect(path)
    assert base.execute("PRAGMA user_version").fetchone() == (VERSION,)
    base.close()


def test_upgraded_and_new_files_have_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    upgrade(old(tmp_path / "old"))
    Facts.create(tmp_path / "new", Config(), "mnist", (10, 8, 8)).close()
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
    facts = Facts.create(tmp_path, Config(), "mnist", (640, 28, 28), Material(False, ("cat", "dog")))
    assert facts.material == Material(False, ("cat", "dog"))
    facts._put(material=text)
    with pytest.raises(Trouble, match="its material is none"):
        facts.material  # noqa: B018 (it is read)
    facts.close()
