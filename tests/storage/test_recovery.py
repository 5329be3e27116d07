"""Facts and ledger: each is made anew from the other, and no change is lost or invented."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.small_disk import leave, small_disk
from vaetui.engine.answers import Answer, Label, Unreadable
from vaetui.engine.classes import Added, Merged, Renamed
from vaetui.engine.config import Config
from vaetui.engine.events import Clustered
from vaetui.errors import Trouble
from vaetui.storage import journal
from vaetui.storage.answer_log import Act
from vaetui.storage.answer_rows import Saying
from vaetui.storage.fingerprints import stamped
from vaetui.storage.recovery import audit
from vaetui.storage.repository import Facts
from vaetui.storage.schema import VERSION

FILES = ("facts.db", "ledger.jsonl")


@pytest.fixture
def said(tmp_path: Path) -> list[Act]:
    """What was said in a session in the directory of the test."""
    facts = Facts.create(tmp_path, Config(seed=3), "mnist", (640, 28, 28))
    facts.begin_round(Clustered(1, 5, ()), stamped("round-001.npz", b"it"))
    facts.amend(1, Added(10, "ten"))
    for place in range(20):
        facts.say(1, (place,), Label(place % 11, place / 20))
    facts.amend(1, Merged(4, 9))
    facts.amend(1, Renamed(9, "four or nine"))
    facts.say(1, (3,), Unreadable())
    facts.undo(facts.acts(1)[-1])
    acts = facts.acts(1)
    facts.close()
    return acts


def found(directory: Path, repair: bool = True) -> list[str]:
    return [each.file for each in audit(directory, repair)]


def acts(directory: Path) -> list[Act]:
    with contextlib.closing(Facts(directory)) as facts:
        return facts.acts(1)


def answers(directory: Path) -> list[Answer]:
    return [act.answer for act in acts(directory) if isinstance(act, Saying)]


def test_what_is_whole_is_left_alone(tmp_path: Path, said: list[Act]) -> None:
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    assert found(tmp_path) == []
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == before


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_or_a_cut_changes_nothing_said(tmp_path: Path, said: list[Act], name: str, seed: int) -> None:
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
    with contextlib.closing(Facts(tmp_path, writes=True)) as facts:
        facts.say(1, (4, 2), Unreadable())
        assert len(facts.acts(1)) == len(said) + 1
    assert found(tmp_path) == []
    if damaged:
        assert (tmp_path / "damaged" / name).read_bytes() == content


@pytest.mark.parametrize("name", FILES)
def test_a_lost_file_is_made_anew(tmp_path: Path, said: list[Act], name: str) -> None:
    (tmp_path / name).unlink()
    assert found(tmp_path, repair=False) == [name]
    assert not (tmp_path / name).exists()
    assert found(tmp_path) == [name]
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert acts(tmp_path) == said
    assert found(tmp_path) == []


def test_a_bit_flipped_in_an_answer_that_sqlite_takes_for_good_is_found(tmp_path: Path, said: list[Act]) -> None:
    base = sqlite3.connect(tmp_path / "facts.db")
    base.execute("UPDATE saying SET label = label + 1 WHERE id = 7")
    base.execute("UPDATE naming SET target = 8 WHERE id = 22")
    base.commit()
    base.close()
    assert found(tmp_path) == ["facts.db"]
    assert acts(tmp_path) == said


def test_what_a_crash_left_between_ledger_and_facts_is_put_in_order_silently(tmp_path: Path, said: list[Act]) -> None:
    before = (tmp_path / "facts.db").read_bytes()
    with contextlib.closing(Facts(tmp_path, writes=True)) as facts:
        facts.say(1, (9,), Label(4))
    (tmp_path / "facts.db").write_bytes(before)  # the ledger has it, the commit did not come
    assert found(tmp_path) == []
    assert answers(tmp_path)[-1] == Label(4)
    with (tmp_path / "ledger.jsonl").open("ab") as file:
        file.write(b'1234abcd [99,[["sayi')  # cut in the middle of a line
    assert found(tmp_path) == []
    assert journal.read(tmp_path / "ledger.jsonl").size == (tmp_path / "ledger.jsonl").stat().st_size
    assert len(acts(tmp_path)) == len(said) + 1


def test_a_change_that_fails_leaves_no_line_in_the_ledger(tmp_path: Path, said: list[Act]) -> None:
    facts = Facts(tmp_path, writes=True)
    size = (tmp_path / "ledger.jsonl").stat().st_size
    with pytest.raises(Trouble):
        facts._base.change(("saying", (2, 1, "3", "label", 1, 1.0, None, "stands", 1.0)))  # the number is taken
    assert (tmp_path / "ledger.jsonl").stat().st_size == size
    assert facts.say(1, (8,), Label(2)).id == len(said) + 2
    facts.close()
    assert found(tmp_path) == []


def test_what_a_full_disk_did_not_take_is_not_written_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path, kilobytes=512) as disk:
        facts = Facts.create(disk, Config(), "mnist", (640, 28, 28))
        facts.begin_round(Clustered(1, 5, ()))
        size = (disk / "ledger.jsonl").stat().st_size
        # As much as fills a page of the disk: the next line needs a new one.
        facts.begin_round(Clustered(2, 5, tuple((k, 0.5) for k in range((4096 - size % 4096) // 8))))
        leave(disk, 0)
        refused = 0
        for label in range(10):
            try:
                facts.say(1, (label,), Label(label))
            except Trouble:
                refused += 1
        leave(disk, 64)
        facts.say(1, (3,), Label(7))
        told = facts.sayings(1)
        assert facts.acts(1) == told
        facts.close()
        assert refused > 0
        assert found(disk) == []
        assert acts(disk) == told
        assert told[-1].answer == Label(7)


def test_a_ledger_without_its_beginning_is_not_believed(tmp_path: Path, said: list[Act]) -> None:
    lines = (tmp_path / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(lines[1:]))
    assert found(tmp_path) == ["ledger.jsonl"]
    with contextlib.closing(Facts(tmp_path)) as facts:
        assert (facts.config.seed, facts.config.network.classes) == (3, 11)
    assert acts(tmp_path) == said


def test_a_flipped_format_is_not_a_newer_one(tmp_path: Path, said: list[Act]) -> None:
    base = sqlite3.connect(tmp_path / "facts.db")
    base.execute(f"PRAGMA user_version = {VERSION ^ 8}")
    base.close()
    assert found(tmp_path) == ["facts.db"]
    assert acts(tmp_path) == said


def test_both_damaged_give_what_is_left_and_say_how_much_is_lost(tmp_path: Path, said: list[Act]) -> None:
    (tmp_path / "facts.db").write_bytes(b"nothing")
    lines = (tmp_path / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    lines[10] = lines[10].replace(b"label", b"libel")
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(lines))
    (finding,) = audit(tmp_path, repair=True)
    assert "1 changes are lost" in str(finding)
    assert len(acts(tmp_path)) == len(said) - 1
    assert found(tmp_path) == []


def test_with_nothing_left_it_says_what_to_do(tmp_path: Path, said: list[Act]) -> None:
    (tmp_path / "facts.db").write_bytes(b"nothing")
    (tmp_path / "ledger.jsonl").write_bytes(b"nothing")
    with pytest.raises(Trouble, match="put back a copy of either"):
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
def test_what_no_session_would_hold_is_not_read(tmp_path: Path, said: list[Act], harm: str) -> None:
    base = sqlite3.connect(tmp_path / "facts.db")
    base.executescript(harm)
    base.commit()
    base.close()
    with pytest.raises(Trouble):
        Facts(tmp_path)
    assert found(tmp_path) == ["facts.db"]
    assert acts(tmp_path) == said


@pytest.mark.parametrize(
    "change", [("shell", ("rm",)), ("saying", ([],)), ("meta", ("changes", "x")), ("file", ()), ("naming", (1, 1))]
)
def test_a_ledger_that_somebody_made_up_is_not_followed(
    tmp_path: Path, said: list[Act], change: journal.Change
) -> None:
    last = journal.read(tmp_path / "ledger.jsonl").last
    with (tmp_path / "ledger.jsonl").open("ab") as file:
        file.write(journal.line(journal.Entry(last + 1, (change,))))
    found(tmp_path)
    assert acts(tmp_path) == said


def test_values_that_no_type_can_hold_are_told(tmp_path: Path) -> None:
    makers: list[Callable[[], object]] = [lambda: Config(seed=-1), lambda: Config(device="nowhere")]  # type: ignore[arg-type]
    for number, make in enumerate(makers):
        (tmp_path / str(number)).mkdir()
        facts = Facts.create(tmp_path / str(number), make(), "mnist", (640, 28, 28))  # type: ignore[arg-type]
        with pytest.raises(Trouble, match="its config is none"):
            _ = facts.config
        facts.close()
