"""Vectors for tests, and what `new --features` makes of a file of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.cli.data_options import DataOptions, FeatureOptions, ImportedData
from vaetui.data.import_options import ImportOptions
from vaetui.engine.recipes import RECIPES

CONFIG = RECIPES["features"]


def draw_vectors(count: int, width: int = 6, seed: int = 0) -> NDArray[np.float32]:
    """Return random vectors [count, width]; the first number of each is its index."""
    vectors = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    vectors[:, 0] = np.arange(count)
    return vectors


def import_with_features(
    data: Path | None, features: Path | str, key: str | None = None, options: ImportOptions | None = None
) -> ImportedData:
    """Import images and vectors as `new` does."""
    return DataOptions(
        None if data is None else str(data), options or ImportOptions(), FeatureOptions(str(features), key)
    ).import_images(CONFIG)


def load_features(data: ImportedData) -> NDArray[np.float32]:
    """Return the vectors of imported images as a session reads them; check what its record says."""
    record = data.data_record.features
    assert record is not None
    vectors = np.load(record.path, mmap_mode="r")
    assert vectors.shape == (record.count, record.width)
    assert vectors.dtype in (np.float16, np.float32)
    assert vectors.flags.c_contiguous
    return np.asarray(vectors, np.float32)
