"""Tests of parameters that several commands share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.command_line import run_vaetui
from tests.session_templates import SessionTemplates
from vaetui.cli.main import app
from vaetui.cli.params import BoundedNumberType


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


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("new", "--ranks", "0"), "0 is out of range; use 1 to 64."),
        (("resume", "--ranks", "65"), "65 is out of range; use 1 to 64."),
        (("resume", "--ranks", "x"), "'x' is not a valid integer."),
        (("simulate", "--answers", "-1"), "-1 is out of range; use 0 or more."),
        (("simulate", "--review", "-1"), "-1 is out of range; use 0 or more."),
        (("simulate", "--error-rate", "1.5"), "1.5 is out of range; use 0 to 1."),
        (("simulate", "--error-rate", "nan"), "nan is out of range; use 0 to 1."),
        (("export", "a", "-o", "a.csv", "--min-confidence", "-0.1"), "-0.1 is out of range; use 0 to 1."),
        (("samples", "a", "-o", "a.png", "--count", "0"), "0 is out of range; use 1 to 1000."),
        (("samples", "a", "-o", "a.png", "--seed", "-1"), "-1 is out of range; use 0 or more."),
        (("embed", "a", "-o", "a.npy", "--batch", "0"), "0 is out of range; use 1 to 4096."),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, tuple) else "",
)
def test_number_out_of_range_is_refused_with_the_range(arguments: tuple[str, ...], message: str) -> None:
    process = run_vaetui(*arguments)
    assert process.returncode == 2
    assert f"Invalid value for '{arguments[-2]}': {message}" in " ".join(process.stderr.split())


def test_numbers_in_a_range_have_one_type_and_their_range_in_the_help() -> None:
    for command in app.commands.values():
        for option in (parameter for parameter in command.params if isinstance(parameter, click.Option)):
            assert not isinstance(option.type, (click.IntRange, click.FloatRange)), f"{command.name} {option.opts}"
            if isinstance(option.type, BoundedNumberType):
                assert f"[{option.type.describe_range()}]" in (option.help or "")
