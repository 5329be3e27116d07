"""Recipes: named configurations whose results were measured as a whole."""

from __future__ import annotations

from dataclasses import replace

from vaetui.engine.config import (
    AugmentConfig,
    ClusterConfig,
    Config,
    LossConfig,
    NetworkConfig,
    PropagationConfig,
    TrainingConfig,
)
from vaetui.errors import UserError

DEFAULT_RECIPE = "propagation"
"""Recipe of a new session unless the user names another."""
PROPAGATION_CLUSTERS = ClusterConfig(
    clusters=16, clusters_per_class=1.6, distance_metric="cosine", query_strategy="uncertain", oversample=4
)
"""Clusters of the recipes that propagate answers over a graph."""
RECIPES = {
    "propagation": Config(
        recipe="propagation",
        network=NetworkConfig(
            z_dim=16,
            channels=(16, 32),
            decoder_channels=(8, 16),
            hidden_units=128,
            negative_slope=0.1,
            latent="mean",
            classifier_input="hidden",
            batch_norm=True,
            clustered="views",
            cluster_heads=3,
            downsampling=None,
        ),
        loss=LossConfig(
            beta=1.0,
            gamma=200.0,
            contrastive_weight=50.0,
            temperature=0.5,
            clustering_weight=100.0,
            consistency_weight=200.0,
            reconstruct_every=2,
        ),
        cluster=replace(PROPAGATION_CLUSTERS, uncertainty_factor=3.0),
        training=TrainingConfig(
            warmup_epochs=2, rounds=4, batch_size=256, min_batches=200, learning_rate=8e-3, lr_schedule="cosine"
        ),
        augmentation=AugmentConfig(rotate=20.0, translate=0.07, scale=0.2, shear=0.2, elastic=0.1, colour_jitter=0.5),
        propagation=PropagationConfig(method="graph", full_weight_images=4.0),
    ),
    "features": Config(
        recipe="features",
        network=NetworkConfig(
            inputs="vectors",
            z_dim=64,
            channels=(16, 32),
            hidden_units=256,
            negative_slope=0.1,
            latent="mean",
            classifier_input="hidden",
            batch_norm=True,
        ),
        loss=LossConfig(beta=1.0, gamma=200.0, contrastive_weight=50.0, temperature=0.5, consistency_weight=200.0),
        cluster=PROPAGATION_CLUSTERS,
        training=TrainingConfig(rounds=4, batch_size=256, min_batches=200, learning_rate=2e-3, lr_schedule="cosine"),
        augmentation=AugmentConfig(vector_dropout=0.3),
        propagation=PropagationConfig(method="graph"),
    ),
    "photos": Config(
        recipe="photos",
        network=NetworkConfig(
            clustered="components",
            z_dim=128,
            channels=(16, 32),
            hidden_units=256,
            negative_slope=0.1,
            latent="mean",
            classifier_input="hidden",
            batch_norm=True,
            patch_filters=256,
            patch_mirror=True,
            downsampling=None,
        ),
        loss=LossConfig(beta=1.0, gamma=200.0, contrastive_weight=200.0, temperature=0.3, consistency_weight=200.0),
        cluster=PROPAGATION_CLUSTERS,
        training=TrainingConfig(rounds=4, batch_size=256, min_batches=40, learning_rate=4e-3, lr_schedule="cosine"),
        augmentation=AugmentConfig(crop=0.6, blur=0.5, colour_jitter=0.3),
        propagation=PropagationConfig(method="graph"),
    ),
    "paper": Config(),
}
"""Configurations by name: "propagation" propagates answers over a graph of neighbours; "features" does so with vectors
of a pretrained network in place of the images, "photos" with features of patches; "thorough" asks fewer questions and
trains longer; "paper" is the published method."""
RECIPES["thorough"] = replace(
    RECIPES[DEFAULT_RECIPE],
    recipe="thorough",
    cluster=replace(RECIPES[DEFAULT_RECIPE].cluster, clusters=10, clusters_per_class=1.0),
    training=replace(RECIPES[DEFAULT_RECIPE].training, warmup_epochs=10, rounds=2, epochs_per_round=8),
    propagation=replace(RECIPES[DEFAULT_RECIPE].propagation, renews_labels=True),
)
PHOTOS_RECIPE = "photos"
"""Recipe of a new session of colour photographs without features."""
FEATURES_RECIPE = "features"
"""Recipe of a new session with features."""


def get_recipe(name: str) -> Config:
    """Return the configuration of a recipe; raises UserError if there is no recipe of that name."""
    if name not in RECIPES:
        raise UserError(f"There is no recipe {name!r}. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
