"""Small files of vectors for tests."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from vaetui.engine.config import Config
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx_array
from vaetui.engine.recipes import FEATURES_RECIPE, get_recipe
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.storage.data_record import DataRecord
from vaetui.storage.feature_record import FeatureRecord

WIDTH = 24
"""Numbers of a vector."""
FEATURES_CONFIG = replace(
    get_recipe(FEATURES_RECIPE),
    cluster=replace(get_recipe(FEATURES_RECIPE).cluster, clusters=5, clusters_per_class=0.0),
    network=replace(get_recipe(FEATURES_RECIPE).network, z_dim=8, hidden_units=32),
    training=replace(get_recipe(FEATURES_RECIPE).training, rounds=2, batch_size=64, min_batches=1),
    threads=1,
)
"""Three epochs and two rounds of five clusters, by tiny networks."""


def write_vectors(path: Path, data: Path, with_test_vectors: bool = True) -> FeatureRecord:
    """Write vectors of digits in IDX files, their pixels under a random projection; return the record of the file."""
    files = find_idx_files(data)
    assert files.test_images is not None
    paths = [files.train_images, files.test_images][: 1 + with_test_vectors]
    pixels = np.concatenate([read_idx_array(file, 3) for file in paths]).astype(np.float32)
    projection = np.random.default_rng(0).standard_normal((28 * 28, WIDTH)).astype(np.float32)
    np.save(path, (pixels.reshape(len(pixels), -1) @ projection / 4096).astype(np.float16))
    return record_vectors(path)


def record_vectors(path: Path) -> FeatureRecord:
    """Return the record of a .npy file of vectors."""
    count, width = np.load(path, mmap_mode="r").shape
    return FeatureRecord(str(path.resolve()), count, width, hashlib.sha256(path.read_bytes()).hexdigest())


def create_session_with_features(name: str, data: Path, vectors: Path, config: Config = FEATURES_CONFIG) -> Session:
    """Create a session of digits that trains on vectors, which are written to a file first."""
    return lifecycle.create(name, str(data), config, DataRecord(features=write_vectors(vectors, data)))
