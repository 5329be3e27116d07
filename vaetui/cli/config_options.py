"""The configuration of a new session as command-line options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, get_args

import click
from click.core import ParameterSource

from vaetui.cli.params import bounded_option
from vaetui.engine import config, config_text, recipes
from vaetui.errors import UserError

F = TypeVar("F", bound=Callable[..., Any])
DEVICE_CHOICE = click.Choice(get_args(config.Device))
CONFIG_SECTIONS = {
    "seed": "",
    "device": "",
    "precision": "",
    "z_dim": "network",
    "weight_init": "network",
    "latent": "network",
    "patch_mirror": "network",
    "downsampling": "network",
    "image_decoder": "network",
    "beta": "loss",
    "gamma": "loss",
    "clusters": "cluster",
    "decay": "cluster",
    "rounds": "training",
    "warmup_epochs": "training",
    "max_epoch_images": "training",
    "strength": "augmentation",
    "colour_jitter": "augmentation",
}
"""The section of `Config` that holds the field of each option; "" for `Config` itself."""
IMAGE_OPTIONS = {
    "strength": "--augment",
    "colour_jitter": "--colour-jitter",
    "patch_mirror": "--mirror",
    "downsampling": "--downsampling",
}
"""Options by field that change only images, so that they mean nothing for vectors."""


def _build_range_option(option_name: str, field_name: str, help_text: str) -> Callable[[F], F]:
    """Return an option for a number in the range of a field of `Config`."""
    bounds = config_text.get_field_bounds(CONFIG_SECTIONS[field_name], field_name)
    return bounded_option(option_name, field_name, bounds=bounds, help=help_text)


CONFIG_OPTIONS = (
    click.option(
        "--recipe",
        metavar="NAME",
        default=recipes.DEFAULT_RECIPE,
        help=f"Configuration to start from: {', '.join(recipes.RECIPES)}. The options below override its values. "
        f"Unless given, it is {recipes.PHOTOS_RECIPE} for colour photographs and {recipes.FEATURES_RECIPE} with "
        "--features.",
    ),
    _build_range_option("--rounds", "rounds", "Labelling rounds."),
    _build_range_option("--warmup-epochs", "warmup_epochs", "Epochs of unsupervised training before the first round."),
    _build_range_option(
        "--epoch-images", "max_epoch_images", "Most images per epoch; each epoch of a larger set draws others."
    ),
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
        "--mirror/--no-mirror",
        "patch_mirror",
        default=None,
        help="Whether a photograph and its mirror image show the same class; not so for digits, letters and arrows. "
        "(default: yes)",
    ),
    _build_range_option(
        "--downsampling",
        "downsampling",
        "Side in pixels of the squares that the networks see as one pixel; 1 for all pixels (default: chosen by the "
        "size of the images; 1 for the recipe paper).",
    ),
    click.option(
        "--latent",
        type=click.Choice(["sample", "mean"]),
        help="Latent vector to cluster and classify: the sampled one or the mean.",
    ),
    click.option(
        "--decoder",
        "image_decoder",
        is_flag=True,
        default=None,
        help="With --features: also learn to decode the images, so that centres and samples can be drawn.",
    ),
    click.option(
        "--init", "weight_init", type=click.Choice(["glorot", "normal"]), help="Initialisation of the weights."
    ),
    _build_range_option("--seed", "seed", "Random seed."),
    click.option("--device", type=DEVICE_CHOICE, help="Device to train on; auto chooses the fastest available."),
    click.option(
        "--precision",
        type=click.Choice(get_args(config.Precision)),
        help="Numbers that the networks compute with: bfloat16 is faster on many graphics cards. (default: float32)",
    ),
)


def add_config_options(command: F) -> F:
    """Add the options to a command, which receives them as keywords for `build_config`."""
    for option in reversed(CONFIG_OPTIONS):
        command = option(command)
    return command


def build_config(recipe: str, has_features: bool = False, **overrides: Any) -> config.Config:
    """Return the configuration of a recipe with the given fields replaced; None keeps the recipe's value.

    `has_features` chooses the recipe for vectors. Raises UserError for an unknown recipe, and for recipes and options
    that do not fit what the session trains on.
    """
    result = _choose_recipe(recipe, has_features)
    for field_name, value in overrides.items():
        if value is not None:
            if has_features and field_name in IMAGE_OPTIONS:
                raise UserError(
                    f"{IMAGE_OPTIONS[field_name]} changes images, but a session with --features trains on vectors. "
                    "Omit it."
                )
            if field_name == "image_decoder" and not has_features:
                raise UserError("--decoder is for sessions with --features; others have a decoder anyway. Omit it.")
            changes: dict[str, Any] = {field_name: value}
            if field_name == "clusters":
                changes["clusters_per_class"] = 0.0  # that many, however many classes there are
            if section := CONFIG_SECTIONS[field_name]:
                changes = {section: replace(getattr(result, section), **changes)}
            result = replace(result, **changes)
    return result


def is_recipe_named() -> bool:
    """Return whether the user chose the recipe on the command line; code that calls without a command always does."""
    context = click.get_current_context(silent=True)
    return context is None or context.get_parameter_source("recipe") is ParameterSource.COMMANDLINE


def _choose_recipe(recipe: str, has_features: bool) -> config.Config:
    """Return the recipe, or that for vectors unless the user named one on the command line."""
    if has_features and not is_recipe_named():
        recipe = recipes.FEATURES_RECIPE
    result = recipes.get_recipe(recipe)
    trains_on_vectors = result.network.inputs == "vectors"
    if has_features and not trains_on_vectors:
        raise UserError(
            f"The recipe {recipe} trains on images, but a session with --features trains on vectors. Omit --recipe."
        )
    if trains_on_vectors and not has_features:
        raise UserError(f"The recipe {recipe} trains on vectors. Pass them with --features, or choose another recipe.")
    return result
