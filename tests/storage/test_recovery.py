"""Facts and ledger: each is made anew from the other, and no change is lost or invented."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.small_disk import fill_disk, mount_small_disk
from vaetui.engine.answers import Answer, ClassAnswer, Unreadable
from vaetui.engine.classes import AddClass, MergeClass, RenameClass
from vaetui.engine.config import Config
from vaetui.engine.events import Clustered
from vaetui.errors import UserError
from vaetui.storage import journal
from vaetui.storage.answer_log import UserAction
from vaetui.storage.answer_rows import AnswerRecord
from vaetui.storage.fingerprints import compute_fingerprint
from vaetui.storage.recovery import verify_database
from vaetui.storage.repository import SessionRepository
from vaetui.storage.schema import FORMAT_VERSION

FILES = ("facts.db", "ledger.jsonl")


@pytest.fixture
def said(tmp_path: Path) -> list[UserAction]:
    """What was said in a session in the directory of the test."""
    facts = SessionRepository.create(tmp_path, Config(seed=3), "mnist", (640, 28, 28))
    facts.record_round_start(Clustered(1, 5, ()), compute_fingerprint("round-001.npz", b"it"))
    facts.record_class_edit(1, AddClass(10, "ten"))
    for place in range(20):
        facts.record_answer(1, (place,), ClassAnswer(place % 11, place / 20))
    facts.record_class_edit(1, MergeClass(4, 9))
    facts.record_class_edit(1, RenameClass(9, "four or nine"))
    facts.record_answer(1, (3,), Unreadable())
    facts.undo(facts.list_actions(1)[-1])
    acts = facts.list_actions(1)
    facts.close()
    return acts


def found(directory: Path, repair: bool = True) -> list[str]:
    return [each.file_name for each in verify_database(directory, repair)]


def acts(directory: Path) -> list[UserAction]:
    with contextlib.closing(SessionRepository(directory)) as facts:
        return facts.list_actions(1)


def answers(directory: Path) -> list[Answer]:
    return [act.answer for act in acts(directory) if isinstance(act, AnswerRecord)]


def test_what_is_whole_is_left_alone(tmp_path: Path, said: list[UserAction]) -> None:
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    assert found(tmp_path) == []
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == before


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_or_a_cut_changes_nothing_said(
    tmp_path: Path, said: list[UserAction], name: str, seed: int
) -> None:
    draw = random.Random(f"{name} {seed}")
    content = bytearray((tmp_path / name).read_bytes())
    if seed % 4:
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    else:
        del content[draw.randrange(len(content)) :]
    (tmp_path / name).write_bytes(content)
    damaged = found(tmp_path)
    assert damaged in ([name], [])  # SQLite leaves pages unused
    assert acts(tmp_path) == said
    assert found(tmp_path) == []
    with contextlib.closing(SessionRepository(tmp_path, is_writable=True)) as facts:
        facts.record_answer(1, (4, 2), Unreadable())
        assert len(facts.list_actions(1)) == len(said) + 1
    assert found(tmp_path) == []
    if damaged:
        assert (tmp_path / "damaged" / name).read_bytes() == content


@pytest.mark.parametrize("name", FILES)
def test_a_lost_file_is_made_anew(tmp_path: Path, said: list[UserAction], name: str) -> None:
    (tmp_path / name).unlink()
    assert found(tmp_path, repair=False) == [name]
    assert not (tmp_path / name).exists()
    assert found(tmp_path) == [name]
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert acts(tmp_path) == said
    assert found(tmp_path) == []


def test_a_bit_flipped_in_an_answer_that_sqlite_takes_for_good_is_found(tmp_path: Path, said: list[UserAction]) -> None:
    base = sqlite3.connect(tmp_path / "facts.db")
    base.execute("UPDATE saying SET label = label + 1 WHERE id = 7")
    base.execute("UPDATE naming SET target = 8 WHERE id = 22")
    base.commit()
    base.close()
    assert found(tmp_path) == ["facts.db"]
    assert acts(tmp_path) == said


def test_what_a_crash_left_between_ledger_and_facts_is_put_in_order_silently(
    tmp_path: Path, said: list[UserAction]
) -> None:
    before = (tmp_path / "facts.db").read_bytes()
    with contextlib.closing(SessionRepository(tmp_path, is_writable=True)) as facts:
        facts.record_answer(1, (9,), ClassAnswer(4))
    (tmp_path / "facts.db").write_bytes(before)  # the ledger has it, the commit did not come
    assert found(tmp_path) == []
    assert answers(tmp_path)[-1] == ClassAnswer(4)
    with (tmp_path / "ledger.jsonl").open("ab") as file:
        file.write(b'1234abcd [99,[["sayi')  # cut in the middle of a line
    assert found(tmp_path) == []
    assert journal.scan_journal(tmp_path / "ledger.jsonl").intact_bytes == (tmp_path / "ledger.jsonl").stat().st_size
    assert len(acts(tmp_path)) == len(said) + 1


def test_a_change_that_fails_leaves_no_line_in_the_ledger(tmp_path: Path, said: list[UserAction]) -> None:
    facts = SessionRepository(tmp_path, is_writable=True)
    size = (tmp_path / "ledger.jsonl").stat().st_size
    with pytest.raises(UserError):
        facts._database.apply_changes(
            ("saying", (2, 1, "3", "label", 1, 1.0, None, "stands", 1.0))
        )  # the number is taken
    assert (tmp_path / "ledger.jsonl").stat().st_size == size
    assert facts.record_answer(1, (8,), ClassAnswer(2)).id == len(said) + 2
    facts.close()
    assert found(tmp_path) == []


def test_what_a_full_disk_did_not_take_is_not_written_when_there_is_room(tmp_path: Path) -> None:
    with mount_small_disk(tmp_path, kilobytes=512) as disk:
        facts = SessionRepository.create(disk, Config(), "mnist", (640, 28, 28))
        facts.record_round_start(Clustered(1, 5, ()))
        size = (disk / "ledger.jsonl").stat().st_size
        # As much as fills a page of the disk: the next line needs a new one.
        facts.record_round_start(Clustered(2, 5, tuple((k, 0.5) for k in range((4096 - size % 4096) // 8))))
        fill_disk(disk, 0)
        refused = 0
        for label in range(10):
            try:
                facts.record_answer(1, (label,), ClassAnswer(label))
            except UserError:
                refused += 1
        fill_disk(disk, 64)
        facts.record_answer(1, (3,), ClassAnswer(7))
        told = facts.list_answers(1)
        assert facts.list_actions(1) == told
        facts.close()
        assert refused > 0
        assert found(disk) == []
        assert acts(disk) == told
        assert told[-1].answer == ClassAnswer(7)


def test_a_ledger_without_its_beginning_is_not_believed(tmp_path: Path, said: list[UserAction]) -> None:
    lines = (tmp_path / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(lines[1:]))
    assert found(tmp_path) == ["ledger.jsonl"]
    with contextlib.closing(SessionRepository(tmp_path)) as facts:
        assert (facts.config.seed, facts.config.network.classes) == (3, 11)
    assert acts(tmp_path) == said


def test_a_flipped_format_is_not_a_newer_one(tmp_path: Path, said: list[UserAction]) -> None:
    base = sqlite3.connect(tmp_path / "facts.db")
    base.execute(f"PRAGMA user_version = {FORMAT_VERSION ^ 8}")
    base.close()
    assert found(tmp_path) == ["facts.db"]
    assert acts(tmp_path) == said


def test_both_damaged_give_what_is_left_and_say_how_much_is_lost(tmp_path: Path, said: list[UserAction]) -> None:
    (tmp_path / "facts.db").write_bytes(b"nothing")
    lines = (tmp_path / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    lines[10] = lines[10].replace(b"label", b"libel")
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(lines))
    (finding,) = verify_database(tmp_path, repair=True)
    assert "1 changes are lost" in str(finding)
    assert len(acts(tmp_path)) == len(said) - 1
    assert found(tmp_path) == []


def test_with_nothing_left_it_says_what_to_do(tmp_path: Path, said: list[UserAction]) -> None:
    (tmp_path / "facts.db").write_bytes(b"nothing")
    (tmp_path / "ledger.jsonl").write_bytes(b"nothing")
    with pytest.raises(UserError, match="put back a copy of either"):
        found(tmp_path)


@pytest.mark.parametrize(
    "harm",
    [
        "CREATE TRIGGER harm AFTER INSERT ON saying BEGIN DELETE FROM saying; END",
        "CREATE VIEW harm AS SELECT * FROM saying",
        "CREATE TABLE harm (x)",
        "ALTER TABLE saying RENAME COLUMN label TO lable",
        "UPDATE saying SET path = '../..' WHERE id = 2",
        "UPDATE saying SET label = 'seven' WHERE id = 2",
        "UPDATE saying SET confidence = 9e99 WHERE id = 2",
        "UPDATE naming SET kind = 'added', class = 'ten' WHERE id = 1",
        "UPDATE naming SET name = '' WHERE id = 1",
        "UPDATE naming SET name = NULL WHERE id = 1",
        "UPDATE naming SET target = NULL WHERE id = 22",
        "UPDATE naming SET target = -1 WHERE id = 22",
        "UPDATE naming SET id = 7 WHERE id = 22",
        "UPDATE naming SET round = 2 WHERE id = 22",
        "DROP TABLE naming; CREATE VIEW naming AS SELECT 1 id",
        "CREATE TRIGGER harm AFTER INSERT ON naming BEGIN DELETE FROM saying; END",
        "UPDATE round SET round = 7",
        "UPDATE file SET name = '../../somewhere'",
    ],
)
def test_what_no_session_would_hold_is_not_read(tmp_path: Path, said: list[UserAction], harm: str) -> None:
    base = sqlite3.connect(tmp_path / "facts.db")
    base.executescript(harm)
    base.commit()
    base.close()
    with pytest.raises(UserError):
        SessionRepository(tmp_path)
    assert found(tmp_path) == ["facts.db"]
    assert acts(tmp_path) == said


@pytest.mark.parametrize(
    "change", [("shell", ("rm",)), ("saying", ([],)), ("meta", ("changes", "x")), ("file", ()), ("naming", (1, 1))]
)
def test_a_ledger_that_somebody_made_up_is_not_followed(
    tmp_path: Path, said: list[UserAction], change: journal.Change
) -> None:
    last = journal.scan_journal(tmp_path / "ledger.jsonl").last_number
    with (tmp_path / "ledger.jsonl").open("ab") as file:
        file.write(journal.format_line(journal.JournalEntry(last + 1, (change,))))
    found(tmp_path)
    assert acts(tmp_path) == said


def test_values_that_no_type_can_hold_are_told(tmp_path: Path) -> None:
    makers: list[Callable[[], object]] = [lambda: Config(seed=-1), lambda: Config(device="nowhere")]  # type: ignore[arg-type]
    for number, make in enumerate(makers):
        (tmp_path / str(number)).mkdir()
        facts = SessionRepository.create(tmp_path / str(number), make(), "mnist", (640, 28, 28))  # type: ignore[arg-type]
        with pytest.raises(UserError, match="its config is none"):
            _ = facts.config
        facts.close()
