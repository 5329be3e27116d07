"""In a locale that is not UTF-8, file names stay the same, are readable, and pictures consist of letters."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.command_line import VAETUI
from tests.data.drawing import load_digits
from tests.session_templates import SessionTemplates
from tests.terminal import ScriptedTerminal

pytestmark = pytest.mark.usefixtures("home")
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
OPTIONS = ("--recipe", "paper", "--rounds", "1", "--clusters", "2", "--classes", "犬,чат")


def run(*arguments: str, typed: str = "", locale: dict[str, str] = C_LOCALE) -> str:
    """Run a command in a process of its own, check its exit status, and return its output, read as UTF-8."""
    process = subprocess.run(
        [*VAETUI, *arguments],
        input=typed.encode(), capture_output=True, env={**os.environ, **locale}, check=False,
    )  # fmt: skip
    assert (process.returncode, process.stderr) == (0, b""), process.stderr
    return process.stdout.decode()


def test_unicode_file_names_are_the_same_in_every_locale(tmp_path: Path) -> None:
    from PIL import Image

    directory = tmp_path / "画像"
    directory.mkdir()
    for index, pixels in enumerate(load_digits(60)[0]):
        Image.fromarray(pixels).save(directory / f"写真 {index:02}.png")
    run("new", "demo", "--plain", "--data", str(directory), *OPTIONS, locale={})
    output = run("resume", "demo", "--plain", typed="чат\n0\ng\n")
    assert "has changed since its import" not in output
    assert 'Saved: cluster 0 = "чат"' in output
    assert "Keys: 0 犬  1 чат" in output
    labels = tmp_path / "labels.csv"
    assert str(labels) in run("export", "demo", "-o", str(labels))
    with labels.open(encoding="utf-8") as file:
        paths = {Path(row["path"]).name for row in csv.DictReader(file)}
    assert paths == {path.name for path in directory.iterdir()}
    image_path = str(directory / "写真 00.png")
    assert run("predict", "demo", "-", typed=image_path).splitlines()[1].startswith(f"{image_path},")


@pytest.mark.parametrize(("variable", "is_ascii"), [(None, True), ("half", False)])
def test_pictures_in_the_c_locale_consist_of_letters_unless_chosen_otherwise(
    templates: SessionTemplates, variable: str | None, is_ascii: bool
) -> None:
    templates.copy("labelling", "demo")
    environment = C_LOCALE if variable is None else {**C_LOCALE, "VAETUI_PICTURES": variable}
    terminal = ScriptedTerminal(["-m", "vaetui", "resume", "demo"], environment=environment)
    terminal.wait_for_text("class? ")
    terminal.wait_for_pattern("[@#%]{2}" if is_ascii else "▀▀▀")
    terminal.wait_until_quiet()
    assert ("▀" not in terminal.text()) == is_ascii
    assert re.search(r"\?{2}", terminal.text()) is None
    assert "┏ cluster " in terminal.text()
    terminal.send(b"q")
    assert terminal.close() == 0
