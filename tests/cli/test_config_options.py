"""The configuration options of `new` and `simulate`."""

from __future__ import annotations

import dataclasses

import click
import pytest

from tests.command_line import run_in_terminal, run_vaetui
from vaetui.cli.config_options import CONFIG_OPTIONS, CONFIG_SECTIONS, build_config
from vaetui.engine import recipes
from vaetui.engine.config import Config
from vaetui.engine.query_strategy import count_clusters
from vaetui.errors import UserError
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


def test_typed_number_of_clusters_does_not_grow_with_the_classes() -> None:
    for recipe in ("propagation", "features"):
        assert recipes.get_recipe(recipe).cluster.clusters_per_class > 0
        config = build_config(recipe, has_features=recipe == "features", clusters=20)
        assert (config.cluster.clusters, config.cluster.clusters_per_class) == (20, 0.0)
        assert count_clusters(build_config(recipe, recipe == "features").cluster, 43, 10_000) == 69


@pytest.mark.parametrize("recipe", ["propagation", "photos", "paper", "thorough"])
def test_downsampling_overrides_the_choice_by_size_and_that_of_the_recipe(recipe: str) -> None:
    assert build_config(recipe).network.downsampling == (1 if recipe == "paper" else None)
    for factor in (1, 2):
        assert build_config(recipe, downsampling=factor).network.downsampling == factor


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


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--seed", "-3", "-3 is out of range; use 0 or more."),
        ("--seed", str(10**38 + 1), f"{10**38 + 1} is too large."),
        ("--seed", "x", "'x' is not a valid integer."),
        ("--clusters", "257", "257 is out of range; use 2 to 256."),
        ("--rounds", "1000000001", "1000000001 is too large."),
        ("--beta", "nan", "nan is out of range; use 0 or more."),
        ("--augment", "3.5", "3.5 is out of range; use 0 to 3."),
        ("--downsampling", "0", "0 is out of range; use 1 to 1024."),
    ],
)
def test_a_number_out_of_range_is_refused_with_the_range(option: str, value: str, message: str) -> None:
    process = run_vaetui("new", "--plain", option, value)
    assert process.returncode == 2
    assert f"Invalid value for '{option}': {message}" in " ".join(process.stderr.split())


def test_help_prints_no_bound_that_only_catches_mistakes() -> None:
    text = " ".join(run_vaetui("new", "--help").stdout.split())
    assert "--clusters INTEGER Clusters per round (default: chosen by the elbow method). [2 to 256]" in text
    assert "--seed INTEGER Random seed. [0 or more]" in text
    assert "000000" not in text


def test_the_default_recipe_is_propagation() -> None:
    assert recipes.DEFAULT_RECIPE == "propagation"
    for command in ("new", "simulate"):
        assert "[default: propagation]" in " ".join(run_vaetui(command, "--help").stdout.split())


def test_decoder_is_trained_with_features_only() -> None:
    assert build_config("features", has_features=True, image_decoder=True).network.image_decoder
    with pytest.raises(UserError, match="--decoder is for sessions with --features"):
        build_config("propagation", image_decoder=True)
