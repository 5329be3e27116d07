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
        bounds = config_text.get_field_bounds("", "seed")
        if not bounds.minimum <= seed <= bounds.maximum:
            self.fail(f"{value} is out of range; use 0 to 10**38.", param, ctx)
        return int(seed)


def _build_range_option(option_name: str, field_name: str, help_text: str) -> Callable[[F], F]:
    """Return an option for a number in the range of a field of `Config`."""
    bounds = config_text.get_field_bounds(CONFIG_SECTIONS[field_name], field_name)
    range_type: click.ParamType = click.FloatRange(bounds.minimum, bounds.maximum)  # type: ignore[type-arg]
    if isinstance(bounds.minimum, int):
        range_type = click.IntRange(int(bounds.minimum), int(bounds.maximum))
    return click.option(option_name, field_name, type=range_type, help=help_text)


CONFIG_OPTIONS = (
    click.option(
        "--recipe",
        metavar="NAME",
        default=recipes.DEFAULT_RECIPE,
        help=f"Configuration to start from: {', '.join(recipes.RECIPES)}. The options below override its values.",
    ),
    _build_range_option("--rounds", "rounds", "Labelling rounds."),
    _build_range_option("--warmup-epochs", "warmup_epochs", "Epochs of unsupervised training before the first round."),
    _build_range_option("--clusters", "clusters", "Clusters per round (default: chosen by the elbow method)."),
    _build_range_option("--latent-dim", "z_dim", "Latent dimensions."),
    _build_range_option("--beta", "beta", "Weight of the KL divergence (equation 1)."),
    _build_range_option("--gamma", "gamma", "Weight of the classification loss (equation 3)."),
    _build_range_option(
        "--distance-decay",
        "decay",
        "Decay of label weights with the distance from the cluster centre (a in equation 2).",
    ),
    _build_range_option("--augment", "strength", "Strength of the image augmentation; 0 turns it off."),
    _build_range_option(
        "--colour-jitter", "colour_jitter", "Strength of the colour augmentation; 0 for classes that differ by colour."
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
        if value is not None:
            changes: dict[str, Any] = {field_name: value}
            if section := CONFIG_SECTIONS[field_name]:
                changes = {section: replace(getattr(result, section), **changes)}
            result = replace(result, **changes)
    return result
