"""README and documentation: length, links, generated tables, and every command in them."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest

from tests.benchmarks import tables
from tests.command_line import run_vaetui
from tests.data.drawing import write_image_folder
from vaetui.cli.main import app

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / ".github/CONTRIBUTING.md", *sorted((ROOT / "assets/docs").glob("*.md"))]
CODE_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
BENCHMARK = re.compile(r"python -m (tests\.benchmarks\.\w+)")
PLACEHOLDERS = {"SESSION": "name", "NAME": "name", "PATH": "out.csv", "IMAGES…": "images", "DIR": "out"}
INPUT = {"new": "0\n1\n2\ng\ng\n"}
"""Lines typed into commands that ask."""


def list_commands(path: Path) -> list[str]:
    """Return every `vaetui` command of a document, from code blocks and inline code."""
    text = path.read_text()
    blocks = CODE_BLOCK.findall(text)
    lines = [line for block in blocks for line in block.splitlines()] + INLINE_CODE.findall(CODE_BLOCK.sub("", text))
    return [line for line in lines if re.match(r"vaetui (--)?[a-z]", line)]


def parse_words(command: str) -> list[str]:
    """Split a command into words, without brackets of optional arguments, and with examples for placeholders."""
    words = shlex.split(re.sub(r"[\[\]]", "", command))[1:]
    return [PLACEHOLDERS.get(word, word) for word in words]


def test_readme_has_at_most_200_lines() -> None:
    assert len(README.read_text().splitlines()) <= 200


def test_readme_starts_with_exactly_two_shell_commands() -> None:
    start, test = (block.strip() for block in CODE_BLOCK.findall(README.read_text())[:2])
    assert start == "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/vaetui new"
    assert test == "python3 -m venv .venv && .venv/bin/pip install '.[test]' && .venv/bin/python -m pytest"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_resolve(path: Path) -> None:
    targets = [target for target in LINK.findall(path.read_text()) if not re.match(r"https?:|#", target)]
    assert [target for target in targets if not (path.parent / target.partition("#")[0]).exists()] == []


def test_readme_links_every_page() -> None:
    targets = LINK.findall(README.read_text())
    assert {f"assets/docs/{path.name}" for path in DOCUMENTS[2:]} <= set(targets)


@pytest.mark.parametrize("path", tables.DOCUMENTS, ids=lambda path: path.name)
def test_tables_match_the_committed_results(path: Path) -> None:
    assert tables.insert_tables(path.read_text()) == path.read_text()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_options_and_values_of_commands_exist(path: Path) -> None:
    for command in list_commands(path):
        words = parse_words(command)
        if words[0] not in app.commands:
            assert words[0] in ("--help", "--version"), command
            continue
        click_command = app.commands[words[0]]
        optional = [word for word in words[1:] if word != "name"] if words[0] == "simulate" else words[1:]
        with contextlib.suppress(click.MissingParameter, click.exceptions.Exit):  # running text may omit arguments
            click_command.make_context(words[0], optional)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_benchmark_modules_exist(path: Path) -> None:
    for module in BENCHMARK.findall(path.read_text()):
        assert importlib.util.find_spec(module), module


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_commands_of_the_import_and_export_pages_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image_folder(tmp_path / "photos", 90)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    commands = [
        command
        for name in ("importing", "exporting", "sessions")
        for block in CODE_BLOCK.findall((ROOT / f"assets/docs/{name}.md").read_text())
        for command in block.splitlines()
        if "--features" not in command  # they need another session, and vectors
    ]
    assert len(commands) == 8
    for command in commands:
        words = [str(Path(word).expanduser()) if word.startswith("~") else word for word in shlex.split(command)[1:]]
        plain = ["--plain"] if words[0] == "new" else []
        process = run_vaetui(*words, *plain, typed=INPUT.get(words[0], ""))
        assert process.returncode == 0, (command, process.stderr)
    assert {path.name for path in tmp_path.iterdir()} >= {"labels.csv", "sorted", "model", "samples.png"}
