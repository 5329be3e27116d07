"""`vaetui` without a command: help without a terminal, else the picker, and the command that is chosen there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.command_line import spawn_vaetui
from tests.data.drawing import write_image_folder
from tests.session_templates import SessionTemplates
from tests.terminal import ScriptedTerminal
from vaetui.storage import file_names, locations

pytestmark = pytest.mark.usefixtures("home")
COMMAND = ["-m", "vaetui"]
ENTER = b"\r"


def test_without_a_terminal_the_help_is_printed() -> None:
    process = spawn_vaetui()
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith("Usage: vaetui")
    assert "  resume " in process.stderr
    assert "Without a command" in process.stderr


def test_in_a_terminal_that_cannot_move_its_cursor_the_help_is_printed() -> None:
    terminal = ScriptedTerminal(COMMAND, environment={"TERM": "dumb"})
    assert terminal.close() == 2
    assert b"Usage: vaetui" in terminal.output


def test_picker_resumes_the_selected_session(templates: SessionTemplates) -> None:
    for index, name in enumerate(("cats", "owls")):
        os.utime(file_names.database_path(templates.copy("labelling", name)), (index, index))
    terminal = ScriptedTerminal(COMMAND)
    terminal.wait_for_pattern("› owls +labelling, round 1 of 2")
    terminal.send(b"\x1b[B")
    terminal.wait_for_text("› cats")
    terminal.send(ENTER)
    terminal.wait_for_text("class? ")
    terminal.wait_for_pattern("vaetui  cats ")
    terminal.send(b"q")
    assert terminal.close() == 0
    assert "Resume with: vaetui resume cats" in terminal.text()


def test_picker_comes_back_with_the_path_if_no_session_can_be_created(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "few", 3)
    terminal = ScriptedTerminal(COMMAND, environment={"HOME": str(tmp_path)})
    terminal.wait_for_text("There are no sessions yet")
    terminal.send(b"n")
    terminal.wait_for_text("Images: _")
    terminal.send(b"~/few" + ENTER)
    terminal.wait_for_text("Features: _")
    terminal.send(ENTER)
    terminal.wait_for_text("at least 10 are")  # the sentence is wrapped
    terminal.wait_for_text("Images: ~/few_")
    terminal.wait_for_text("! No session was created")
    terminal.send(b"\x1b")
    terminal.wait_for_text("No sessions yet")
    assert "at least 10 are" in terminal.text()
    terminal.send(b"q")
    assert terminal.close() == 0
    assert locations.list_session_names() == []


def test_picker_comes_back_if_a_session_cannot_be_resumed(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "damaged")
    file_names.database_path(directory).write_bytes(b"no database" * 1000)
    (directory / file_names.DATABASE_AND_JOURNAL_NAMES[1]).write_bytes(b"no journal")
    terminal = ScriptedTerminal(COMMAND)
    terminal.wait_for_text("cannot be read")
    terminal.send(ENTER)
    terminal.wait_for_text("from a backup.")  # the end of a wrapped sentence
    terminal.wait_for_text("› damaged")
    terminal.send(b"q")
    assert terminal.close() == 0


def test_picker_uses_the_keys_of_the_config_file_and_an_error_there_ends_it(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('[keys]\n"picker.new" = "N"\n')
    terminal = ScriptedTerminal(COMMAND)
    terminal.wait_for_text("N: new session")
    terminal.send(b"q")
    assert terminal.close() == 0
    (home / "config.toml").write_text('[keys]\n"picker.new" = "q"\n')
    terminal = ScriptedTerminal(COMMAND)
    terminal.wait_for_text("picker.new")
    assert terminal.close() == 2
