"""Images like photographs for tests: smooth colours without a flat background, and a texture that shows the class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def draw_photographs(count: int, size: int = 32, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images [N, size, size, 3] and their classes: stripes across, stripes down, or spots, in any colours."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    fields = ndimage.gaussian_filter(rng.normal(size=(count, size, size, 3)), (0, size / 8, size / 8, 0))
    fields /= fields.std(axis=(1, 2), keepdims=True)
    phases, periods = rng.uniform(0, 2 * np.pi, (2, count, 1, 1)), rng.uniform(5, 7, (count, 1, 1))
    rows, columns = np.mgrid[:size, :size]
    across = np.sin(2 * np.pi * rows / periods + phases[0])
    down = np.sin(2 * np.pi * columns / periods + phases[1])
    textures = np.select([labels[:, None, None] == 0, labels[:, None, None] == 1], [across, down], across * down * 1.4)
    images = 128 + 45 * fields + 18 * textures[..., None]
    return images.clip(0, 255).astype(np.uint8), labels
