"""A full disk and a closed pipe under the output end every command with one sentence and exit status 2."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command_line import VAETUI
from tests.data.drawing import write_image_folder
from tests.session_templates import SessionTemplates
from tests.small_disk import fill_disk, mount_small_disk
from vaetui.cli.main import app
from vaetui.storage import locations

pytestmark = pytest.mark.usefixtures("home")
QUICK_COMMANDS = ("--help", "show demo")
SLOW_COMMANDS = (
    *("show --help", "--version", "sessions", "sessions --json", "show demo --json", "delete demo -y"),
    *("check demo", "check demo --json", "inspect images", "inspect images --json"),
    *("predict demo images", "predict demo images --format jsonl", "predict demo images -o rows.csv"),
    *("samples demo -o samples.png", "export demo -o labels.csv", "export-model demo -o model"),
    "simulate --data images --labels --rounds 1 --clusters 2 --recipe paper",
)
FULL_DISK_SENTENCE = "Cannot write the whole output (No space left on device). Free some space and try again"
CLOSED_PIPE_SENTENCE = "The program that reads the output has closed it, so the output is incomplete."
CLOSED_OUTPUT_SENTENCE = "Standard output is closed. Redirect it to a file, or to /dev/null."
REDIRECTIONS = {
    "> /dev/full": FULL_DISK_SENTENCE,
    "| exec true": CLOSED_PIPE_SENTENCE,
    ">&-": CLOSED_OUTPUT_SENTENCE,
}


def run_redirected(command: str, redirection: str, directory: Path) -> tuple[int, str]:
    """Run a command with a redirection by a shell, and return its exit status and standard error."""
    if redirection == "| exec true":
        # The reader has ended before the command begins to write.
        line = f"exec 3> >(exec true); wait $!; {shlex.join(VAETUI)} {command} >&3"
    else:
        line = f"{shlex.join(VAETUI)} {command} {redirection}"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=directory, env=environment, check=False
    )
    return process.returncode, process.stderr


def assert_ends_with_sentence(command: str, redirection: str, directory: Path) -> None:
    status, errors = run_redirected(command, redirection, directory)
    assert status == 2, (command, redirection, errors)
    assert errors.startswith("vaetui: "), (command, redirection, errors)
    assert errors.count("\n") == 1, (command, redirection, errors)
    assert REDIRECTIONS[redirection] in errors, (command, redirection, errors)


@pytest.mark.parametrize("columns", ["40", "60", "80", "200"])
def test_the_list_of_commands_describes_each_one_completely(columns: str) -> None:
    environment = {**os.environ, "COLUMNS": columns}
    text = subprocess.run([*VAETUI, "--help"], capture_output=True, text=True, check=True, env=environment).stdout
    assert "..." not in text.partition("Commands:")[2]
    for name, command in app.commands.items():
        sentence = (command.help or "").partition("\n")[0].rstrip(".")
        assert f"{name} {sentence}." in " ".join(text.split()), name


@pytest.mark.parametrize("redirection", REDIRECTIONS)
@pytest.mark.parametrize("command", QUICK_COMMANDS)
def test_output_that_cannot_be_written_ends_a_command_with_one_sentence(
    command: str, redirection: str, templates: SessionTemplates, tmp_path: Path
) -> None:
    templates.copy("labelling", "demo")
    assert_ends_with_sentence(command, redirection, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("command", SLOW_COMMANDS)
def test_output_that_cannot_be_written_ends_a_long_command_with_one_sentence(
    command: str, templates: SessionTemplates, tmp_path: Path
) -> None:
    write_image_folder(tmp_path / "images", 60)
    for index, redirection in enumerate(REDIRECTIONS):
        directory = tmp_path / str(index)
        directory.mkdir()
        (directory / "images").symlink_to(tmp_path / "images")
        if index == 0 or command.startswith("delete"):
            shutil.rmtree(locations.sessions_directory() / "demo", ignore_errors=True)
            templates.copy("finished", "demo")
        assert_ends_with_sentence(command, redirection, directory)


def test_command_that_only_loses_its_errors_ends_without_a_traceback(tmp_path: Path) -> None:
    status, errors = run_redirected("show nothing", "2> /dev/full", tmp_path)
    assert (status, errors) == (2, "")
    status, errors = run_redirected("no-command", "2>&-", tmp_path)
    assert (status, errors) == (2, "")


def test_interactive_commands_work_without_an_open_output(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("labelling", "demo")
    status, errors = run_redirected("resume demo --plain < /dev/null", ">&-", tmp_path)
    assert (status, errors) == (0, "")


@pytest.mark.slow
def test_full_disk_under_the_sessions_ends_every_command_with_one_sentence(
    templates: SessionTemplates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image_folder(tmp_path / "images", 60)
    with mount_small_disk(tmp_path, 64_000) as disk:
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        templates.copy("finished", "done")
        templates.copy("training", "demo")
        fill_disk(disk, 0)
        for command in (
            *("sessions", "show done", "check done", "predict done images", "samples done -o out.png"),
            *("export done -o out.csv", "export-model done -o model", "inspect images"),
            *("new other --plain --data images", "resume demo --plain", "delete demo --yes"),
            "simulate --data images --labels --rounds 1 --clusters 2 --recipe paper --keep other",
        ):
            status, errors = run_redirected(f"{command} < /dev/null", "", tmp_path)
            assert status in (0, 2), (command, errors)
            assert "Unexpected error" not in errors, (command, errors)
            if status == 2:
                assert errors.count("\n") == 1, (command, errors)
                assert errors.startswith("vaetui: "), (command, errors)
        assert locations.list_session_names() == ["done"]
