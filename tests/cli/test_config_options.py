"""The configuration options of `new` and `simulate`."""

from __future__ import annotations

import dataclasses

import click
import pytest

from tests.command_line import run_in_terminal, run_vaetui
from vaetui.cli.config_options import CONFIG_OPTIONS, CONFIG_SECTIONS, build_config
from vaetui.engine import recipes
from vaetui.engine.config import Config
from vaetui.storage import locations

INVALID_OPTIONS = [["--recipe", "soup"], ["--clusters", "1"], ["--seed", "-3"], ["--device", "abacus"], ["--what"]]


@click.command()
def _command() -> None:
    """Carry the options."""


def _option_names() -> set[str]:
    for option in CONFIG_OPTIONS:
        option(_command)
    return {str(parameter.name) for parameter in _command.params}


def test_every_option_is_a_field_of_its_config_section() -> None:
    assert _option_names() == {"recipe", *CONFIG_SECTIONS}
    for field_name, section in CONFIG_SECTIONS.items():
        owner = getattr(Config(), section) if section else Config()
        assert field_name in {field.name for field in dataclasses.fields(owner)}


def test_given_options_override_the_recipe_and_others_keep_it() -> None:
    config = build_config("paper", rounds=7, seed=3, device=None, clusters=None)
    recipe = recipes.get_recipe("paper")
    assert config == dataclasses.replace(recipe, seed=3, training=dataclasses.replace(recipe.training, rounds=7))


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("arguments", INVALID_OPTIONS)
def test_an_invalid_option_ends_with_status_2_and_creates_no_session(arguments: list[str]) -> None:
    process = run_vaetui("new", "--plain", *arguments)
    assert process.returncode == 2
    assert process.stderr
    assert locations.list_session_names() == []


@pytest.mark.usefixtures("home")
def test_an_invalid_option_in_a_terminal_ends_with_status_2_without_a_traceback() -> None:
    status, text = run_in_terminal("new", "--clusters", "1")
    assert status == 2
    assert "Traceback" not in text


@pytest.mark.parametrize("seed", ["-3", str(10**38 + 1), "x"])
def test_a_seed_out_of_range_is_refused(seed: str) -> None:
    process = run_vaetui("new", "--plain", "--seed", seed)
    assert (process.returncode, "--seed" in process.stderr) == (2, True)


def test_the_default_recipe_is_propagation() -> None:
    assert recipes.DEFAULT_RECIPE == "propagation"
    for command in ("new", "simulate"):
        assert "[default: propagation]" in " ".join(run_vaetui(command, "--help").stdout.split())
