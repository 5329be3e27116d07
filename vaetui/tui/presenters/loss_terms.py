"""The terms of the loss as the training screen names and draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.text import Text

from vaetui.engine.config import Config
from vaetui.tui.presenters.number_format import format_number

SPARK_BLOCKS = "▁▂▃▄▅▆▇█"
"""The heights of a trend, from the lowest value to the highest."""
VALUE_CELLS = 4
"""Columns of a value of the loss beside its trend."""
MIN_TREND_CELLS = 8
"""Columns of a trend beside full names; a narrower trend stands beside abbreviated ones."""


@dataclass(frozen=True, slots=True)
class LossTerm:
    """One term of the loss."""

    field: str
    """Its field of `Losses`."""
    name: str
    """Its name where there is room."""
    short_name: str
    """Its name in narrow legends and in tables."""
    style: str
    """Colour of its curve, as a Rich style."""


RECONSTRUCTION = LossTerm("reconstruction", "reconstruction", "recon.", "cyan")
_OTHER_TERMS = (
    LossTerm("divergence", "KL divergence", "KL div.", "yellow"),
    LossTerm("classification", "classification", "class.", "magenta"),
)
_TWO_VIEW_TERMS = (
    LossTerm("contrastive", "contrastive", "contr.", "green"),
    LossTerm("consistency", "consistency", "consist.", "blue"),
)


def select_loss_terms(config: Config) -> tuple[LossTerm, ...]:
    """Return the terms that training uses, in the order of `Losses`."""
    two_view_terms: tuple[LossTerm, ...] = ()
    if config.augmentation.is_enabled:
        weights = (config.loss.contrastive_weight, config.loss.consistency_weight)
        two_view_terms = tuple(term for term, weight in zip(_TWO_VIEW_TERMS, weights, strict=True) if weight)
    return RECONSTRUCTION, *_OTHER_TERMS, *two_view_terms


def format_trend(values: Sequence[float], width: int) -> str:
    """Return the course of the values in `width` block characters, each the mean of its part; "" without values.

    The scale reaches from the smallest to the largest mean, so that two trends cannot be compared in height.
    """
    if not values or width < 1:
        return ""
    count = min(width, len(values))
    edges = [index * len(values) // count for index in range(count + 1)]
    means = [sum(values[start:end]) / (end - start) for start, end in pairwise(edges)]
    low, high = min(means), max(means)
    scale = (len(SPARK_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(SPARK_BLOCKS[round((mean - low) * scale)] for mean in means)


def format_loss_trend(term: LossTerm, values: Sequence[float], name_cells: int, cells: int) -> Text:
    """Return name, latest value and trend of a term in `cells` columns; a dash if it has no value but 0."""
    name = term.name if len(term.name) <= name_cells else term.short_name
    is_used = any(values)
    value = format_number(values[-1], VALUE_CELLS) if is_used else f"{'-':>{VALUE_CELLS}}"
    text = Text.assemble(f"{name:<{name_cells}} ", (value, "bold"), " ")
    text.append(format_trend(values if is_used else (), cells - text.cell_len), term.style)
    text.pad_right(max(cells - text.cell_len, 0))
    return text
