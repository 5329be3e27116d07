"""The configuration of a new session as command-line options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, get_args

import click

from vaetui.engine import config, config_text, recipes

F = TypeVar("F", bound=Callable[..., Any])
DEVICE_CHOICE = click.Choice(get_args(config.Device))
CONFIG_SECTIONS = {
    "seed": "",
    "device": "",
    "z_dim": "network",
    "weight_init": "network",
    "latent": "network",
    "beta": "loss",
    "gamma": "loss",
    "clusters": "cluster",
    "decay": "cluster",
    "rounds": "training",
    "warmup_epochs": "training",
    "strength": "augmentation",
    "colour_jitter": "augmentation",
}
"""The section of `Config` that holds the field of each option; "" for `Config` itself."""


class SeedType(click.ParamType):  # type: ignore[type-arg]
    """An integer in the range of `Config.seed`. `click.IntRange` would print all 39 digits of the limit."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seed as an integer."""
        seed = click.INT.convert(value, param, ctx)
        bounds = config_text.field_bounds("", "seed")
        if not bounds.minimum <= seed <= bounds.maximum:
            self.fail(f"{value} is out of range; use 0 to 10**38.", param, ctx)
        return int(seed)


def _build_range_type(field_name: str) -> click.IntRange | click.FloatRange:
    bounds = config_text.field_bounds(CONFIG_SECTIONS[field_name], field_name)
    if isinstance(bounds.minimum, int):
        return click.IntRange(int(bounds.minimum), int(bounds.maximum))
    return click.FloatRange(bounds.minimum, bounds.maximum)


CONFIG_OPTIONS = (
    click.option(
        "--recipe",
        metavar="NAME",
        default=recipes.DEFAULT_RECIPE,
        show_default=True,
        help=f"Configuration to start from: {', '.join(recipes.RECIPES)}. The options below override its values.",
    ),
    click.option("--rounds", type=_build_range_type("rounds"), help="Labelling rounds."),
    click.option(
        "--warmup-epochs",
        type=_build_range_type("warmup_epochs"),
        help="Epochs of unsupervised training before the first round.",
    ),
    click.option(
        "--clusters",
        type=_build_range_type("clusters"),
        help="Clusters per round (default: chosen by the elbow method).",
    ),
    click.option("--latent-dim", "z_dim", type=_build_range_type("z_dim"), help="Latent dimensions."),
    click.option("--beta", type=_build_range_type("beta"), help="Weight of the KL divergence (equation 1)."),
    click.option("--gamma", type=_build_range_type("gamma"), help="Weight of the classification loss (equation 3)."),
    click.option(
        "--distance-decay",
        "decay",
        type=_build_range_type("decay"),
        help="Decay of label weights with the distance from the cluster centre (a in equation 2).",
    ),
    click.option(
        "--augment",
        "strength",
        type=_build_range_type("strength"),
        help="Strength of the image augmentation; 0 turns it off.",
    ),
    click.option(
        "--colour-jitter",
        type=_build_range_type("colour_jitter"),
        help="Strength of the colour augmentation; 0 for classes that differ by colour.",
    ),
    click.option(
        "--latent",
        type=click.Choice(["sample", "mean"]),
        help="Latent vector to cluster and classify: the sampled one or the mean.",
    ),
    click.option(
        "--init", "weight_init", type=click.Choice(["glorot", "normal"]), help="Initialisation of the weights."
    ),
    click.option("--seed", type=SeedType(), help="Random seed."),
    click.option("--device", type=DEVICE_CHOICE, help="Device to train on; auto chooses the fastest available."),
)


def add_config_options(command: F) -> F:
    """Add the options to a command, which receives them as keywords for `build_config`."""
    for option in reversed(CONFIG_OPTIONS):
        command = option(command)
    return command


def build_config(recipe: str, **overrides: Any) -> config.Config:
    """Return the configuration of a recipe with the given fields replaced; None keeps the recipe's value.

    Raises UserError for an unknown recipe.
    """
    result = recipes.get_recipe(recipe)
    for field_name, value in overrides.items():
        if value is None:
            continue
        section = CONFIG_SECTIONS[field_name]
        if section:
            result = replace(result, **{section: replace(getattr(result, section), **{field_name: value})})
        else:
            result = replace(result, **{field_name: value})
    return result
