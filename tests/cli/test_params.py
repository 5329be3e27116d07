"""Shell completion of session names, in a process as the shell starts it, and the check of outputs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.session_templates import SessionTemplates
from vaetui.cli.params import refuse_to_overwrite
from vaetui.errors import UserError


@pytest.mark.usefixtures("home")
def test_session_names_are_completed(templates: SessionTemplates) -> None:
    for name in ("alpha", "alps", "beta"):
        templates.copy("training", name)
    completions = subprocess.run(
        [Path(sys.executable).with_name("vaetui")],
        env={**os.environ, "_VAETUI_COMPLETE": "bash_complete", "COMP_WORDS": "vaetui show al", "COMP_CWORD": "2"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert sorted(completions.split()) == ["plain,alpha", "plain,alps"]


def assert_is_refused(output: Path, message: str, *, force: bool = True, inputs: tuple[Path, ...] = ()) -> None:
    with pytest.raises(UserError, match=message):
        refuse_to_overwrite(output, force, inputs)


def test_an_existing_output_needs_force(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("missing")
    for name in ("file", "link"):
        assert_is_refused(tmp_path / name, "exists. Choose another output, or overwrite it with --force", force=False)
        refuse_to_overwrite(tmp_path / name, True, [])
    refuse_to_overwrite(tmp_path / "new", False, [])


def test_an_input_is_refused_under_every_path_that_leads_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "mine.csv").touch()
    (tmp_path / "link.csv").symlink_to("mine.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "mine.csv")
    (tmp_path / "directory").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / "a")
    outputs = ("link.csv", "hard.csv", "directory/mine.csv", "a/../mine.csv", "mine.csv")
    for output in (*(tmp_path / name for name in outputs), Path("../mine.csv")):
        for force in (False, True):
            assert_is_refused(output, "is the input", force=force, inputs=(tmp_path / "x", tmp_path / "mine.csv"))


@pytest.mark.usefixtures("home")
def test_nothing_is_written_inside_a_session_or_dataset(home: Path, tmp_path: Path) -> None:
    for directory in (home / "sessions/demo", home / "datasets/0123"):
        directory.mkdir(parents=True)
    (tmp_path / "link").symlink_to(home / "sessions")
    for output in (home / "sessions/demo/new.csv", home / "datasets/0123/new/deep", tmp_path / "link/demo/new.csv"):
        assert_is_refused(output, "where vaetui keeps its data")
    refuse_to_overwrite(home / "new.csv", False, [])


def test_pipes_and_devices_can_be_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for output in (tmp_path / "pipe", Path("/dev/null"), Path("/dev/full"), Path("/dev/stdout"), Path("/dev/fd/2")):
        refuse_to_overwrite(output, False, [tmp_path / "pipe"])
