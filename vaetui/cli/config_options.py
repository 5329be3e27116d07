"""The knobs of a new session as options of a command; it does not know what is done with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, get_args

import click

from vaetui.engine import config, config_text, recipes

F = TypeVar("F", bound=Callable[..., Any])
DEVICES = click.Choice(get_args(config.Device))
PLACES = {
    **{"seed": "", "device": ""},
    **{"z_dim": "network", "initial": "network", "used": "network"},
    **{"beta": "loss", "gamma": "loss", "clusters": "cluster", "decay": "cluster"},
    **{"rounds": "training", "warmup": "training", "warps": "warp", "tint": "warp"},
}
"""The part of the configuration that each knob turns; "" is the whole."""


def _number(name: str) -> click.IntRange | click.FloatRange:
    """Give the range of a knob that is a number."""
    allowed = config_text.within(PLACES[name], name)
    if isinstance(allowed.least, int):
        return click.IntRange(int(allowed.least), int(allowed.most))
    return click.FloatRange(allowed.least, allowed.most)


OPTIONS = (
    click.option("--recipe", default=recipes.DEFAULT, show_default=True, help="Settings to start from."),
    click.option("--rounds", type=_number("rounds"), help="Rounds of answers."),
    click.option("--warmup", type=_number("warmup"), help="Epochs without labels before the first round."),
    click.option("--clusters", type=_number("clusters"), help="Clusters in a round; without it, the elbow decides."),
    click.option("--z-dim", type=_number("z_dim"), help="Numbers in a latent vector."),
    click.option("--beta", type=_number("beta"), help="Factor of the divergence (eq. 1)."),
    click.option("--gamma", type=_number("gamma"), help="Factor of the classification loss (eq. 3)."),
    click.option("--decay", type=_number("decay"), help="a of eq. 2: how fast weights fade with distance."),
    click.option("--warps", type=_number("warps"), help="How far second views of images are warped; 0 is not at all."),
    click.option("--tint", type=_number("tint"), help="How far colours differ in them; 0 where they tell the class."),
    click.option("--used", type=click.Choice(["sample", "mean"]), help="Latent vectors to cluster and classify."),
    click.option("--initial", type=click.Choice(["glorot", "normal"]), help="How weights are drawn at first."),
    click.option("--seed", type=_number("seed"), help="Where every random draw comes from."),
    click.option("--device", type=DEVICES, help="Where to train; auto takes the fastest that is there."),
)


def knobs(command: F) -> F:
    """Give a command all options of a new session; it takes them as keywords and hands them to `chosen`."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def chosen(recipe: str, **turned: Any) -> config.Config:
    """Give the configuration that the options stand for.

    Raises Trouble for an unknown recipe.
    """
    result = recipes.recipe(recipe)
    for name, value in turned.items():
        part = PLACES[name]
        if value is not None:
            change = {name: value} if not part else {part: replace(getattr(result, part), **{name: value})}
            result = replace(result, **change)
    return result
