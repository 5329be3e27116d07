"""The recipes by name: settings that were measured together; it does not know what becomes of them."""

from __future__ import annotations

from vaetui.engine.config import (
    ClusterConfig,
    Config,
    LossConfig,
    NetworkConfig,
    SpreadConfig,
    TrainingConfig,
    WarpConfig,
)
from vaetui.errors import Trouble

DEFAULT = "neighbours"
"""The recipe of a session that names none."""
RECIPES = {
    "neighbours": Config(
        recipe="neighbours",
        network=NetworkConfig(
            z_dim=16,
            channels=(16, 32),
            hidden=128,
            slope=0.1,
            used="mean",
            classified="hidden",
            normalised=True,
        ),
        loss=LossConfig(beta=1.0, gamma=200.0, contrast=50.0, temperature=0.5, consistency=200.0),
        cluster=ClusterConfig(clusters=16, by="direction", asked="doubtful", finer=4),
        training=TrainingConfig(rounds=4, batch=256, least=200, rate=8e-3, decline="cosine"),
        warp=WarpConfig(turn=20.0, shift=0.07, stretch=0.2, shear=0.2, bend=0.1, tint=0.5),
        spread=SpreadConfig(over="neighbours"),
    ),
    "paper": Config(),
}
"""`neighbours` spreads answers from neighbour to neighbour; `paper` is the published method."""


def recipe(name: str) -> Config:
    """Give the recipe of that name.

    Raises Trouble for an unknown one.
    """
    if name not in RECIPES:
        raise Trouble(f"There is no recipe {name!r}; choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
