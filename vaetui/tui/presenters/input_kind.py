"""What the networks of a session take in and show, as the front ends distinguish it."""

from __future__ import annotations

from vaetui.engine.config import Config


def takes_vectors(config: Config) -> bool:
    """Return whether the session has features: its networks take vectors in, and pictures are real images."""
    return config.network.inputs == "vectors"
