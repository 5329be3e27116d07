"""Tests of the recipes."""

from __future__ import annotations

import pytest

from vaetui.engine.config import Config
from vaetui.engine.recipes import DEFAULT_RECIPE, RECIPES, get_recipe
from vaetui.errors import UserError


def test_recipes_carry_their_own_name() -> None:
    assert {name: config.recipe for name, config in RECIPES.items()} == {name: name for name in RECIPES}
    assert DEFAULT_RECIPE in RECIPES


def test_defaults_of_the_configuration_are_the_paper_recipe() -> None:
    assert get_recipe("paper") == Config()


def test_unknown_recipe_is_refused_with_the_names_of_all_recipes() -> None:
    with pytest.raises(UserError, match=r"no recipe 'soup'\. Choose one of: propagation, features, photos, paper"):
        get_recipe("soup")
