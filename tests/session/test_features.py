"""Tests of sessions that train on vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.session.scripted_run import run_to_end
from tests.vectors import create_session_with_features


def test_session_with_features_trains_clusters_and_finishes(home: Path, digits: Path, tmp_path: Path) -> None:
    session = create_session_with_features("vectors", digits, tmp_path / "vectors.npy")
    events = list(run_to_end(session))
    assert session.phase == "finished"
    assert "Reconstructed" not in events
    assert events.count("EpochEnded") == 3
    epochs = session.training_curves().finished_epochs
    assert [epoch.pixel_accuracy for epoch in epochs] == [None] * 3
    assert all(epoch.test_accuracy is not None and np.isfinite(epoch.losses).all() for epoch in epochs)
    session.close()
