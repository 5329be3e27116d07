"""The commands, run as a person runs them: what goes wrong is one sentence and exit status 2."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import assert_refused, run_in_terminal, run_vaetui
from tests.idx import write_small_mnist, write_idx
from tests.session.scripted_run import SMALL_CONFIG, create_session, run_to_end, start_labelling
from tests.small_disk import mount_small_disk
from vaetui.engine.events import BatchesTrained
from vaetui.engine.images import read_idx
from vaetui.session import lifecycle
from vaetui.storage import file_names
from vaetui.storage import locations as sessions
from vaetui.storage.repository import SessionRepository

pytestmark = pytest.mark.usefixtures("home")


def test_help_and_version_answer() -> None:
    told = run_vaetui("--help")
    assert told.returncode == 0
    for command in ("new", "resume", "sessions", "show", "export", "delete"):
        assert command in told.stdout
    assert run_vaetui("--version").stdout.startswith("vaetui ")
    for option in (
        "--data",
        "--recipe",
        "--rounds",
        "--clusters",
        "--latent-dim",
        "--beta",
        "--gamma",
        "--seed",
        "--device",
    ):
        assert option in run_vaetui("new", "--help").stdout


@pytest.mark.parametrize("arguments", [["new"], ["resume"]])
def test_without_a_terminal_the_screens_are_refused(arguments: list[str], home: Path) -> None:
    told = run_vaetui(*arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("vaetui: Needs a terminal")
    assert not home.exists()


def test_an_unknown_session_is_told_with_near_ones(digits: Path) -> None:
    create_session("demo-mnist", digits).close()
    assert_refused("There is no session demo-mnits; did you mean demo-mnist?", "resume", "demo-mnits")
    for command in (["show", "nothing"], ["export", "nothing", "-o", "x.csv"], ["delete", "nothing"]):
        told = run_vaetui(*command)
        assert (told.returncode, told.stderr) == (
            2,
            "vaetui: There is no session nothing; vaetui sessions lists them.\n",
        )


def test_without_any_session_resume_says_how_to_begin() -> None:
    assert_refused("There is no session yet; begin one with: vaetui new", "resume")


def test_a_taken_name_is_refused(digits: Path) -> None:
    create_session("one", digits).close()
    assert_refused("A session one is there already; resume it with: vaetui resume one", "new", "one")


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/b", ".."])
def test_a_path_is_no_name(name: str, home: Path) -> None:
    assert_refused("cannot name a session", "new", name)
    told = run_vaetui("delete", "--yes", "--", name)
    assert told.returncode == 2
    assert "cannot name a session" in told.stderr
    assert not (home / "outside").exists()


def test_a_session_in_use_is_refused_and_its_holder_named(digits: Path) -> None:
    session = create_session("busy", digits)
    for command in (["resume", "busy"], ["export", "busy", "-o", "busy.csv"], ["delete", "busy", "--yes"]):
        assert_refused(f"The session busy is in use by {_me()}", *command)
    assert run_vaetui("show", "busy").returncode == 0
    session.close()


def _me() -> str:
    import getpass

    return getpass.getuser()


def test_a_newer_session_is_refused(digits: Path) -> None:
    create_session("newer", digits).close()
    base = sqlite3.connect(file_names.database_path(sessions.find_session("newer")))
    base.execute("PRAGMA user_version = 99")
    base.close()
    assert_refused("The session newer was made by a newer vaetui (format 99", "resume", "newer")
    assert run_vaetui("show", "newer").returncode == 2
    assert "made by a newer vaetui" in " ".join(run_vaetui("sessions").stdout.split())


def test_a_whole_session_is_called_whole_and_a_damaged_one_mended(digits: Path) -> None:
    start_labelling("checked", digits)
    assert (run_vaetui("check", "checked").stdout, run_vaetui("check", "checked").returncode) == (
        "checked is whole.\n",
        0,
    )
    path = sessions.find_session("checked") / "round-001.npz"
    path.write_bytes(path.read_bytes()[:1000])
    told = run_vaetui("check", "checked")
    assert told.stdout.splitlines() == [
        "round-001.npz is damaged: with --repair it is made anew from its twin",
        "Mend what can be mended with: vaetui check checked --repair",
    ]
    assert told.returncode == 1
    assert json.loads(run_vaetui("check", "checked", "--json").stdout)[0]["file"] == "round-001.npz"
    told = run_vaetui("check", "checked", "--repair")
    assert (told.stdout.splitlines()[-1], told.returncode) == ("checked is mended.", 0)
    assert run_vaetui("check", "checked").returncode == 0
    session = lifecycle.resume("checked")
    assert_refused("The session checked is in use by", "check", "checked")
    session.close()


def test_images_that_are_gone_are_found_by_the_check(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path, train=100, test=20)
    start_labelling("imageless", data)
    (data / "train-images-idx3-ubyte").unlink()
    told = run_vaetui("check", "imageless")
    assert "has no training images" in told.stdout
    assert told.returncode == 1


def test_a_session_of_a_stranger_leads_nowhere_and_prints_nothing_odd(digits: Path, tmp_path: Path) -> None:
    start_labelling("theirs", digits)
    directory = sessions.find_session("theirs")
    facts = SessionRepository(directory, is_writable=True)
    facts._write_meta(data="/nowhere/\x1b[2J\x1b]0;owned\x07[bold]here[/bold]")
    facts.close()
    for command in (["show", "theirs"], ["sessions"], ["resume", "theirs", "--plain"], ["check", "theirs"]):
        told = run_vaetui(*command)
        assert "\x1b[2J" not in told.stdout + told.stderr
        assert "\x07" not in told.stdout + told.stderr
    assert "[bold]here[/bold]" in run_vaetui("show", "theirs").stdout
    mine = tmp_path / "mine"
    mine.write_text("mine")
    (directory / "log.txt").unlink()
    (directory / "log.txt").symlink_to(mine)
    for command in (["show", "theirs"], ["resume", "theirs"], ["export", "theirs", "-o", str(tmp_path / "out.csv")]):
        assert_refused("log.txt is a link, and a session holds plain files only", *command)
    assert run_vaetui("check", "theirs", "--repair").stdout.splitlines()[0].endswith("plain files only: removed")
    assert mine.read_text() == "mine"


def test_missing_and_damaged_data_is_refused_and_leaves_no_session(tmp_path: Path) -> None:
    assert_refused("There is no ", "new", "--data", str(tmp_path / "none"))
    assert_refused("holds no images", "new", "--data", str(tmp_path))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"nothing of the kind")
    assert_refused("is not an IDX file of bytes with 3 dimensions", "new", "--data", str(tmp_path))
    assert sessions.session_names() == []


def test_data_that_is_gone_or_cut_short_when_resumed_is_told(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path, train=100, test=20)
    create_session("gone", data).close()
    images = (data / "train-images-idx3-ubyte").read_bytes()
    (data / "train-images-idx3-ubyte").write_bytes(images[:-100])
    assert_refused("is truncated", "resume", "gone")
    (data / "train-images-idx3-ubyte").unlink()
    assert_refused("has no training images", "resume", "gone")
    assert sessions.session_names() == ["gone"]


def test_a_full_disk_is_told(tmp_path: Path, digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mount_small_disk(tmp_path, kilobytes=300) as disk:
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        (disk / "filler").write_bytes(bytes(240 << 10))
        assert_refused("is full. Free some space and try again", "new", "full", "--data", str(digits))
        (disk / "filler").unlink()
        assert_refused("is full. Free some space and try again", "new", "fills", "--data", str(digits))
        assert run_vaetui("show", "fills").returncode == 0


def test_a_device_that_is_not_there_is_told(digits: Path) -> None:
    import torch

    if torch.backends.mps.is_available():
        return
    assert_refused("Device mps is not available", "new", "abacus", "--data", str(digits), "--device", "mps")
    session = lifecycle.resume("abacus", "cpu")
    assert next(event for event in session.advance() if isinstance(event, BatchesTrained)).step == 8
    session.close()


@pytest.mark.parametrize(
    "arguments", [["--recipe", "soup"], ["--clusters", "1"], ["--seed", "-3"], ["--device", "abacus"], ["--what"]]
)
def test_a_wrong_option_ends_with_status_2(arguments: list[str]) -> None:
    status, text = run_in_terminal("new", *arguments)
    assert status == 2
    assert "Traceback" not in text
    assert sessions.session_names() == []


def test_show_tells_how_a_session_stands_while_it_is_held(digits: Path) -> None:
    start_labelling("shown", digits)
    session = lifecycle.resume("shown")
    told = json.loads(run_vaetui("show", "shown", "--json").stdout)
    assert (told["phase"], told["round"], told["rounds"], told["answers"]) == ("labelling", 1, 2, 1)
    assert (told["answered_clusters"], told["clusters"], told["epoch"], told["epochs"]) == (1, 5, 1, 3)
    assert 0 < told["label_coverage"] < 1
    assert len(told["test_accuracy"]) == 1
    text = run_vaetui("show", "shown").stdout
    assert "labelling, epoch 1 of 3, round 1 of 2, 1 of 5 centres answered" in text
    session.close()


def test_sessions_lists_all_latest_first(digits: Path) -> None:
    assert run_vaetui("sessions").stdout.startswith("There is no session yet")
    for at, name in enumerate(("old", "new")):
        create_session(name, digits).close()
        os.utime(file_names.database_path(sessions.find_session(name)), (at, at))
    told = json.loads(run_vaetui("sessions", "--json").stdout)
    assert [it["name"] for it in told] == ["new", "old"]
    assert "training" in run_vaetui("sessions").stdout


def test_export_writes_one_row_per_image(digits: Path, tmp_path: Path) -> None:
    start_labelling("out", digits)
    path = tmp_path / "labels.csv"
    told = run_vaetui("export", "out", "-o", str(path))
    assert told.returncode == 0, told.stderr
    rows = list(csv.DictReader(path.open()))
    assert [int(row["index"]) for row in rows] == list(range(640))
    answered = [row for row in rows if row["source"] in ("answer", "propagated")]
    assert {(row["label"], row["class"], row["cluster"]) for row in answered} == {("6", "6", "1")}
    assert "640 labels; 8 images were seen in answers" in told.stdout
    assert all(0 <= float(row["confidence"]) <= 1 for row in rows)
    assert sum(row["cluster"] == "" for row in rows) == 64
    none = run_vaetui("export", "out", "-o", str(tmp_path / "none" / "labels.csv"))
    assert (none.returncode, "There is no directory" in none.stderr) == (2, True)
    assert run_vaetui("export", "out", "-o", str(tmp_path)).returncode == 2
    printed = run_vaetui("export", "out", "-o", "/dev/stdout")
    assert printed.stdout.startswith("index,path,label,class,confidence,source,cluster,weight,distance\n0,,")


def test_export_before_any_answer_is_refused(digits: Path, tmp_path: Path) -> None:
    create_session("early", digits).close()
    told = run_vaetui("export", "early", "-o", str(tmp_path / "x.csv"))
    assert (told.returncode, "No labels yet" in told.stderr) == (2, True)


def test_delete_asks_first(digits: Path) -> None:
    create_session("doomed", digits).close()
    assert "Nothing was deleted" in run_vaetui("delete", "doomed", typed="n\n").stdout
    assert sessions.session_names() == ["doomed"]
    assert run_vaetui("delete", "doomed", typed="y\n").returncode == 0
    assert sessions.session_names() == []


def test_a_name_is_made_up_readable_and_dated(digits: Path) -> None:
    first, second = (lifecycle.create(None, str(digits), SMALL_CONFIG) for _ in range(2))
    assert first.name != second.name
    assert first.name.startswith("digits0-20")
    first.close(), second.close()


def test_names_of_sessions_complete_themselves(digits: Path) -> None:
    for name in ("alpha", "alps", "beta"):
        create_session(name, digits).close()
    completed = subprocess.run(
        [Path(sys.executable).with_name("vaetui")],
        env={**os.environ, "_VAETUI_COMPLETE": "bash_complete", "COMP_WORDS": "vaetui show al", "COMP_CWORD": "2"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert sorted(completed.split()) == ["plain,alpha", "plain,alps"]


def test_a_finished_run_is_shown_with_every_accuracy(digits: Path) -> None:
    session = create_session("finished", digits)
    list(run_to_end(session))
    session.close()
    told = json.loads(run_vaetui("show", "finished", "--json").stdout)
    assert told["phase"] == "finished"
    assert len(told["test_accuracy"]) == 3
    assert told["training_seconds"] > 0


def test_images_of_another_size_are_trained_on_too(tmp_path: Path) -> None:
    images = read_idx(write_small_mnist(tmp_path, train=80, test=10) / "train-images-idx3-ubyte", 3)
    for path in tmp_path.iterdir():
        path.unlink()
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", images[:, 4:24, 2:26].copy())
    session = create_session("cut", tmp_path)
    list(run_to_end(session))
    assert session.phase == "finished"
    session.close()
