"""Tests of the terms of the loss as text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vaetui.engine.events import Losses
from vaetui.engine.recipes import get_recipe
from vaetui.tui.presenters.loss_terms import RECONSTRUCTION, format_loss_trend, format_trend, select_loss_terms


def test_default_recipe_uses_all_terms_and_the_paper_three() -> None:
    assert tuple(term.field for term in select_loss_terms(get_recipe("propagation"))) == Losses._fields
    assert tuple(term.field for term in select_loss_terms(get_recipe("paper"))) == Losses._fields[:3]


def test_terms_without_a_weight_or_a_second_view_are_not_used() -> None:
    recipe = get_recipe("propagation")
    without_weight = replace(recipe, loss=replace(recipe.loss, contrastive_weight=0.0))
    assert tuple(term.field for term in select_loss_terms(without_weight)) == (*Losses._fields[:3], "consistency")
    without_view = replace(recipe, augmentation=replace(recipe.augmentation, strength=0.0))
    assert tuple(term.field for term in select_loss_terms(without_view)) == Losses._fields[:3]


@pytest.mark.parametrize(
    ("values", "width", "text"),
    [
        ((), 4, ""),
        ((1.0,), 4, "▁"),
        ((2.0, 2.0, 2.0), 3, "▁▁▁"),
        ((8.0, 4.5, 1.0), 3, "█▅▁"),
        ((8.0, 8.0, 1.0, 1.0), 2, "█▁"),
        ((1.0, 2.0), 0, ""),
    ],
)
def test_trend_shows_means_between_its_lowest_and_its_highest(values: tuple[float, ...], width: int, text: str) -> None:
    assert format_trend(values, width) == text


@pytest.mark.parametrize("cells", [18, 27, 60])
@pytest.mark.parametrize("values", [(), (0.0, 0.0), (540.0, 118.25), tuple(map(float, range(200)))])
def test_loss_trend_fills_its_columns(values: tuple[float, ...], cells: int) -> None:
    text = format_loss_trend(RECONSTRUCTION, values, 7, cells)
    assert text.cell_len == cells
    assert text.plain.startswith("recon. " if any(values) else "recon.     -")
