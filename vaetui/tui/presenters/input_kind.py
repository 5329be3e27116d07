"""What the networks of a session take in and show, as the front ends distinguish it."""

from __future__ import annotations

from vaetui.engine.config import Config, decodes_centres

NO_DECODER_NOTICE = "No samples: this session has no decoder. A new one has, with --decoder"
"""Shown when samples are asked for in a session whose networks cannot generate images."""


def takes_vectors(config: Config) -> bool:
    """Return whether the session has features: its networks take vectors in, and pictures are real images."""
    return config.network.inputs == "vectors"


def shows_nearest_images(config: Config) -> bool:
    """Return whether the picture of a cluster is its nearest image, because no centre can be decoded."""
    return not decodes_centres(config.network)
