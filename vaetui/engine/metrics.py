"""How well it goes: the only measure that looks at true labels; it does not know how anything was learned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Pixels
from vaetui.engine.truth import Truth


def accuracy(predicted: NDArray[np.uint8], truth: Truth) -> float:
    """Give the share of images [N] whose predicted class is the true one, from 0 to 1."""
    return float(np.mean(predicted == truth.classes))


def pixel_accuracy(originals: Pixels, reconstructions: Pixels) -> float:
    """Give the share of pixels of [N, H, W] that are on the same side of one half in both, from 0 to 1."""
    return float(np.mean((originals > 127) == (reconstructions > 127)))
