"""Tests of the configuration as JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from tests.engine.random_configs import configs
from vaetui.engine.config import Bounds, Config
from vaetui.engine.config_text import from_json, get_field_bounds, to_json
from vaetui.engine.recipes import RECIPES


@pytest.mark.parametrize("config", [*RECIPES.values(), replace(Config(seed=5), threads=3)])
def test_configuration_survives_json(config: Config) -> None:
    assert from_json(to_json(config)) == config


@given(configs())
def test_any_valid_configuration_survives_json(config: Config) -> None:
    assert from_json(to_json(config)) == config


def test_missing_fields_get_their_defaults() -> None:
    config = from_json('{"seed": 3, "loss": {"beta": 2}}')
    assert config == replace(Config(seed=3), loss=replace(Config().loss, beta=2.0))
    assert type(config.loss.beta) is float


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"unknown": 1}', "Config has no field unknown"),
        ('{"loss": {"delta": 1}}', "LossConfig has no field delta"),
        ('{"loss": 3}', "LossConfig is not a JSON object"),
        ("[]", "Config is not a JSON object"),
        ('{"seed": -1}', "seed cannot be -1"),
        ('{"seed": 1.5}', "seed cannot be 1.5"),
        ('{"seed": true}', "seed cannot be True"),
        ('{"recipe": "../x"}', "the recipe has no valid name"),
        ('{"network": {"channels": [1]}}', r"channels cannot be \[1\]"),
        ('{"network": {"batch_norm": 1}}', "batch_norm cannot be 1"),
        ('{"cluster": {"distance_metric": "manhattan"}}', "distance_metric cannot be manhattan"),
        ('{"cluster": {"clusters": 1}}', "clusters cannot be 1"),
        ("{", "Expecting property name"),
    ],
)
def test_invalid_text_raises_value_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_json(text)


def test_bounds_are_found_by_section_and_field() -> None:
    assert get_field_bounds("cluster", "clusters") == Bounds(2, 256)
    assert get_field_bounds("", "threads") == Bounds(0, 1024)
