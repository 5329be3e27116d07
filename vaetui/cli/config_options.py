"""The knobs of a new session as options of a command; it does not know what is done with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, get_args

import click

from vaetui.engine import config, config_text, recipes

F = TypeVar("F", bound=Callable[..., Any])
DEVICE_CHOICE = click.Choice(get_args(config.Device))
CONFIG_SECTIONS = {
    **{"seed": "", "device": ""},
    **{"z_dim": "network", "weight_init": "network", "latent": "network"},
    **{"beta": "loss", "gamma": "loss", "clusters": "cluster", "decay": "cluster"},
    **{"rounds": "training", "warmup_epochs": "training", "strength": "augmentation", "colour_jitter": "augmentation"},
}
"""The part of the configuration that each knob turns; "" is the whole."""


def _build_range_type(field_name: str) -> click.IntRange | click.FloatRange:
    """Give the range of a knob that is a number."""
    allowed = config_text.field_bounds(CONFIG_SECTIONS[field_name], field_name)
    if isinstance(allowed.minimum, int):
        return click.IntRange(int(allowed.minimum), int(allowed.maximum))
    return click.FloatRange(allowed.minimum, allowed.maximum)


CONFIG_OPTIONS = (
    click.option("--recipe", default=recipes.DEFAULT_RECIPE, show_default=True, help="Settings to start from."),
    click.option("--rounds", type=_build_range_type("rounds"), help="Rounds of answers."),
    click.option(
        "--warmup-epochs", type=_build_range_type("warmup_epochs"), help="Epochs without labels before the first round."
    ),
    click.option(
        "--clusters", type=_build_range_type("clusters"), help="Clusters in a round; without it, the elbow decides."
    ),
    click.option("--latent-dim", "z_dim", type=_build_range_type("z_dim"), help="Numbers in a latent vector."),
    click.option("--beta", type=_build_range_type("beta"), help="Factor of the divergence (eq. 1)."),
    click.option("--gamma", type=_build_range_type("gamma"), help="Factor of the classification loss (eq. 3)."),
    click.option(
        "--distance-decay",
        "decay",
        type=_build_range_type("decay"),
        help="a of eq. 2: how fast weights fade with distance.",
    ),
    click.option(
        "--augment",
        "strength",
        type=_build_range_type("strength"),
        help="How far second views of images are warped; 0 is not at all.",
    ),
    click.option(
        "--colour-jitter",
        type=_build_range_type("colour_jitter"),
        help="How far colours differ in them; 0 where they tell the class.",
    ),
    click.option("--latent", type=click.Choice(["sample", "mean"]), help="Latent vectors to cluster and classify."),
    click.option(
        "--init", "weight_init", type=click.Choice(["glorot", "normal"]), help="How weights are drawn at first."
    ),
    click.option("--seed", type=_build_range_type("seed"), help="Where every random draw comes from."),
    click.option("--device", type=DEVICE_CHOICE, help="Where to train; auto takes the fastest that is there."),
)


def add_config_options(command: F) -> F:
    """Give a command all options of a new session; it takes them as keywords and hands them to `chosen`."""
    for option in reversed(CONFIG_OPTIONS):
        command = option(command)
    return command


def build_config(recipe: str, **overrides: Any) -> config.Config:
    """Give the configuration that the options stand for.

    Raises Trouble for an unknown recipe.
    """
    result = recipes.get_recipe(recipe)
    for name, value in overrides.items():
        part = CONFIG_SECTIONS[name]
        if value is not None:
            change = {name: value} if not part else {part: replace(getattr(result, part), **{name: value})}
            result = replace(result, **change)
    return result
