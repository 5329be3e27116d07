"""The commands new, resume, sessions, show, check and delete, and the help texts."""

from __future__ import annotations

import getpass
import json
import os
import re
import sqlite3
from pathlib import Path

import pytest

from tests.command_line import assert_refused, run_vaetui, spawn_vaetui
from tests.idx import write_idx, write_small_mnist
from tests.session.scripted_run import SMALL_CONFIG, create_session, run_to_end, start_labelling
from tests.session_templates import SessionTemplates
from tests.small_disk import mount_small_disk
from vaetui.cli.main import app
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.events import BatchesTrained
from vaetui.engine.images import read_idx_array
from vaetui.session import lifecycle
from vaetui.storage import file_names, locations
from vaetui.storage.repository import SessionRepository
from vaetui.storage.training_run import TrainingRunLock

pytestmark = pytest.mark.usefixtures("home")


def test_help_lists_every_command_with_an_uncut_summary() -> None:
    process = run_vaetui("--help")
    assert process.returncode == 0
    command_lines = process.stdout.partition("Commands:")[2].splitlines()
    for command in app.commands:
        (line,) = [line for line in command_lines if line.startswith(f"  {command} ")]
        assert line.endswith("."), line
        assert not line.endswith("..."), line


@pytest.mark.parametrize("command", sorted(app.commands))
def test_help_of_a_command_fits_80_columns_and_prints_no_long_numbers(command: str) -> None:
    process = run_vaetui(command, "--help")
    assert process.returncode == 0
    assert max(map(len, process.stdout.splitlines())) <= 80
    assert not re.search(r"\d{12}", process.stdout)


def test_help_of_new_lists_the_options() -> None:
    help_text = run_vaetui("new", "--help").stdout
    for option in ("--data", "--recipe", "--rounds", "--clusters", "--latent-dim", "--beta", "--gamma", "--device"):
        assert option in help_text
    assert re.search(r"--seed INTEGER +Random seed\.  \[0 or more\]\n", help_text)


def test_version_is_printed_by_a_process_without_pytorch() -> None:
    assert spawn_vaetui("--version").stdout.startswith("vaetui ")


@pytest.mark.parametrize(("command", "reason"), [("new", "Needs a terminal."), ("resume", "There is no session yet.")])
def test_without_a_terminal_the_screens_are_refused_and_nothing_is_written(
    command: str, reason: str, home: Path
) -> None:
    process = spawn_vaetui(command)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith(f"vaetui: {reason}")
    assert not home.exists()


def test_an_unknown_session_is_named_also_without_a_terminal() -> None:
    process = run_vaetui("resume", "nosuch")
    assert process.returncode == 2
    assert process.stderr == "vaetui: There is no session nosuch. List all with: vaetui sessions\n"


def test_an_unknown_session_is_refused_with_a_similar_name(templates: SessionTemplates) -> None:
    templates.copy("training", "demo-mnist")
    assert_refused("There is no session demo-mnits. Did you mean demo-mnist?", "resume", "demo-mnits")
    for command in (["show", "nothing"], ["export", "nothing", "-o", "x.csv"], ["delete", "nothing"]):
        assert_refused("There is no session nothing. ", *command)


def test_resume_without_any_session_explains_how_to_create_one() -> None:
    assert_refused("There is no session yet. Create one with: vaetui new", "resume")


def test_new_with_an_existing_name_is_refused(templates: SessionTemplates) -> None:
    templates.copy("training", "existing")
    assert_refused("Session existing already exists. Resume it with: vaetui resume existing", "new", "existing")


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/b", ".."])
def test_a_path_is_refused_as_a_name(name: str, home: Path) -> None:
    assert_refused("cannot be the name of a session", "new", name)
    assert_refused("cannot be the name of a session", "delete", "--yes", "--", name)
    assert not (home / "outside").exists()


def test_a_session_that_is_open_is_refused_with_its_holder_but_can_be_shown(templates: SessionTemplates) -> None:
    templates.copy("training", "busy")
    session = lifecycle.resume("busy")
    for command in (
        ["resume", "busy"],
        ["delete", "busy", "--yes"],
        ["check", "busy"],
    ):
        assert_refused(f"Session busy is open in process {os.getpid()} of {getpass.getuser()} on ", *command)
    assert run_vaetui("show", "busy").returncode == 0
    session.close()


def test_a_session_of_a_newer_format_is_refused(templates: SessionTemplates) -> None:
    directory = templates.copy("training", "newer")
    connection = sqlite3.connect(file_names.database_path(directory))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for command in ("resume", "show"):
        assert_refused("Session newer was made by a newer vaetui (format 99", command, "newer")
    assert "made by a newer vaetui" in " ".join(run_vaetui("sessions").stdout.split())


def test_check_reports_damage_and_repairs_it(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "checked")
    process = run_vaetui("check", "checked")
    assert (process.stdout, process.returncode) == ("Session checked is undamaged.\n", 0)
    path = directory / "round-001.npz"
    path.write_bytes(path.read_bytes()[:1000])
    process = run_vaetui("check", "checked")
    assert process.stdout.splitlines() == [
        "round-001.npz is damaged: with --repair, restored from its second copy",
        "Repair with: vaetui check checked --repair",
    ]
    assert process.returncode == 1
    assert json.loads(run_vaetui("check", "checked", "--json").stdout)[0]["file_name"] == "round-001.npz"
    process = run_vaetui("check", "checked", "--repair")
    assert (process.stdout.splitlines()[-1], process.returncode) == ("Session checked is repaired.", 0)
    assert run_vaetui("check", "checked").returncode == 0


def test_check_finds_missing_images(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path / "data", train=100, test=20)
    start_labelling("imageless", data)
    (data / "train-images-idx3-ubyte").unlink()
    process = run_vaetui("check", "imageless")
    assert "has no training images" in process.stdout
    assert process.returncode == 1


def test_control_sequences_in_a_foreign_session_are_not_printed(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "foreign")
    repository = SessionRepository(directory, is_writable=True)
    repository._write_meta(data_source=json.dumps("/nowhere/\x1b[2J\x1b]0;owned\x07[bold]here[/bold]"))
    repository.close()
    for command in (["show", "foreign"], ["sessions"], ["resume", "foreign", "--plain"], ["check", "foreign"]):
        process = run_vaetui(*command)
        assert "\x1b[2J" not in process.stdout + process.stderr
        assert "\x07" not in process.stdout + process.stderr
    assert "[bold]here[/bold]" in run_vaetui("show", "foreign").stdout


def test_a_link_in_a_foreign_session_is_refused_and_only_the_link_is_removed(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    directory = templates.copy("labelling", "foreign")
    target = tmp_path / "target"
    target.write_text("unchanged")
    (directory / "log.txt").unlink(missing_ok=True)
    (directory / "log.txt").symlink_to(target)
    for command in (["show", "foreign"], ["resume", "foreign"], ["export", "foreign", "-o", str(tmp_path / "out.csv")]):
        assert_refused("log.txt is a link; a session directory contains plain files only", *command)
    repair_lines = run_vaetui("check", "foreign", "--repair").stdout.splitlines()
    assert repair_lines[0].endswith("plain files only: removed")
    assert target.read_text() == "unchanged"


def test_missing_and_damaged_data_is_refused_without_creating_a_session(tmp_path: Path) -> None:
    assert_refused("does not exist", "new", "--data", str(tmp_path / "none"))
    assert_refused("contains no images", "new", "--data", str(tmp_path))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"not an IDX file")
    assert_refused("is not an IDX file of bytes with 3 dimensions", "new", "--data", str(tmp_path))
    assert locations.list_session_names() == []


def test_resume_with_truncated_or_missing_images_is_refused(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path / "data", train=100, test=20)
    create_session("gone", data).close()
    images_file = data / "train-images-idx3-ubyte"
    images_file.write_bytes(images_file.read_bytes()[:-100])
    assert_refused("is truncated", "resume", "gone")
    images_file.unlink()
    assert_refused("has no training images", "resume", "gone")
    assert locations.list_session_names() == ["gone"]


def test_a_full_disk_is_reported_before_and_during_training(
    tmp_path: Path, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mount_small_disk(tmp_path, kilobytes=300) as disk:
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        (disk / "filler").write_bytes(bytes(240 << 10))
        assert_refused("is full. Free some space", "new", "full", "--data", str(digits))
        (disk / "filler").unlink()
        assert_refused("is full. Free some space", "new", "fills", "--data", str(digits))
        assert run_vaetui("show", "fills").returncode == 0


def test_an_unavailable_device_is_refused_and_the_session_runs_on_another(digits: Path) -> None:
    import torch

    if torch.backends.mps.is_available():
        pytest.skip("the device mps is available")
    assert_refused("Device mps is not available", "new", "abacus", "--data", str(digits), "--device", "mps")
    session = lifecycle.resume("abacus", "cpu")
    assert next(event for event in session.advance() if isinstance(event, BatchesTrained)).step == 8
    session.close()


def test_show_prints_the_status_of_a_session_that_is_open(templates: SessionTemplates) -> None:
    templates.copy("labelling", "shown")
    session = lifecycle.resume("shown")
    status = json.loads(run_vaetui("show", "shown", "--json").stdout)
    assert (status["phase"], status["round"], status["rounds"], status["answers"]) == ("labelling", 1, 2, 1)
    assert (status["answered_clusters"], status["clusters"], status["epoch"], status["epochs"]) == (1, 5, 1, 3)
    assert (status["current_epoch"], status["next_round"]) == (1, 1)
    assert "6" not in status["unanswered_classes"]
    assert len(status["test_accuracy"]) == 1
    text = run_vaetui("show", "shown").stdout
    assert "labelling, round 1 of 2, 1 of 5 clusters answered" in text
    session.close()


def test_show_of_a_finished_session_has_the_accuracy_of_every_epoch(templates: SessionTemplates) -> None:
    templates.copy("finished", "finished")
    status = json.loads(run_vaetui("show", "finished", "--json").stdout)
    assert status["phase"] == "finished"
    assert len(status["test_accuracy"]) == 3
    assert status["training_seconds"] > 0
    text = run_vaetui("show", "finished").stdout
    assert re.search(r"^test accuracy +\d+\.\d %  \d+\.\d %  \d+\.\d %$", text, re.MULTILINE)
    assert re.search(r"^agreement +\d+ % of \d+ in round 2$", text, re.MULTILINE)


def test_sessions_lists_the_most_recently_used_first(templates: SessionTemplates) -> None:
    assert run_vaetui("sessions").stdout == "There is no session yet. Create one with: vaetui new\n"
    for modified_s, name in enumerate(("old", "new")):
        directory = templates.copy("training", name)
        os.utime(file_names.database_path(directory), (modified_s, modified_s))
    listed = json.loads(run_vaetui("sessions", "--json").stdout)
    assert [summary["name"] for summary in listed] == ["new", "old"]
    assert "training" in run_vaetui("sessions").stdout


def test_delete_asks_for_confirmation(templates: SessionTemplates) -> None:
    templates.copy("training", "doomed")
    assert "Nothing was deleted" in run_vaetui("delete", "doomed", typed="n\n").stdout
    assert locations.list_session_names() == ["doomed"]
    assert run_vaetui("delete", "doomed", typed="y\n").returncode == 0
    assert locations.list_session_names() == []


def test_delete_names_what_is_lost_and_asks_only_for_a_session_that_is_not_open(templates: SessionTemplates) -> None:
    templates.copy("labelling", "counted")
    session = lifecycle.resume("counted")
    list(session.advance())
    session.record_answer((0,), ClassAnswer(1))
    process = run_vaetui("delete", "counted", typed="y\n")
    assert (process.returncode, process.stdout) == (2, "")
    assert "Session counted is open in process" in process.stderr
    session.close()
    assert "Delete session counted and its 2 answers?" in run_vaetui("delete", "counted", typed="n\n").stdout


def test_resume_without_a_name_passes_over_sessions_that_are_open(templates: SessionTemplates) -> None:
    for time, name in enumerate(("free", "latest")):
        os.utime(file_names.database_path(templates.copy("labelling", name)), (time, time))
    session = lifecycle.resume("latest")
    process = run_vaetui("resume", "--plain", typed="q\n")
    assert f"Session latest is open in process {os.getpid()} of " in process.stderr
    assert "Resumed free instead." in process.stderr
    assert "Resume with: vaetui resume free" in process.stdout
    other_session = lifecycle.resume("free")
    process = run_vaetui("resume", "--plain")
    assert process.returncode == 2
    assert "Close one there, or create one with: vaetui new" in process.stderr
    other_session.close()
    session.close()


def test_a_generated_name_is_unique_and_starts_with_the_data(digits: Path) -> None:
    sessions = [lifecycle.create(None, str(digits), SMALL_CONFIG) for _ in range(2)]
    assert sessions[0].name != sessions[1].name
    assert sessions[0].name.startswith("digits0-20")
    for session in sessions:
        session.close()


def test_a_run_on_rectangular_images_finishes(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path / "data", train=80, test=10)
    images = read_idx_array(data / "train-images-idx3-ubyte", 3)
    for path in data.iterdir():
        path.unlink()
    write_idx(data / "train-images-idx3-ubyte.gz", images[:, 4:24, 2:26].copy())
    session = create_session("rectangular", data)
    list(run_to_end(session))
    assert session.phase == "finished"
    session.close()


def test_delete_is_refused_while_a_training_run_waits_for_answers(templates: SessionTemplates) -> None:
    run = TrainingRunLock(templates.copy("labelling", "served"), 2, "cpu")
    process = run_vaetui("delete", "served", "--yes")
    run.release()
    assert process.returncode == 2
    assert "Session served is being trained by 2 processes of " in process.stderr
    assert "Stop it first with: vaetui stop served\n" in process.stderr
    assert run_vaetui("delete", "served", "--yes").returncode == 0
