"""Scripted sessions in the second round, whose labels can be reviewed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config, NetworkConfig

ANIMALS = ("cat", "dog", "owl", "polar bear")


def create_review_session(names: tuple[str, ...] = ANIMALS) -> ScriptedSession:
    """Create a session in its second round."""
    return begin_second_round(ScriptedSession(classes=names, config=create_config(len(names))))


def create_config(class_count: int) -> Config:
    return Config(network=NetworkConfig(classes=class_count))


def begin_second_round(session: ScriptedSession) -> ScriptedSession:
    session.close_round()
    session.current_phase = "labelling"
    session.is_loaded = True
    session.calls.clear()
    return session


class ColourReviewSession(ScriptedSession):
    """A session with photos of 64x64 pixels."""

    def __init__(self, names: tuple[str, ...] = ANIMALS) -> None:
        super().__init__(classes=names, config=create_config(len(names)))

    def select_images(self, image_indices: Sequence[int]) -> Pixels:
        """Draw noise, another one for each image."""
        self.calls.append(f"select_images {len(image_indices)}")
        return np.stack(
            [np.random.default_rng(index).integers(0, 256, (64, 64, 3), np.uint8) for index in image_indices]
        )
