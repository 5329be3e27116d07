"""Labels as npz and IDX files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tests.export.label_tables import AUDITED_LABELS, LABELS, write_labels
from vaetui.engine.images import read_idx_array


def test_npz_holds_one_array_per_column(tmp_path: Path) -> None:
    write_labels(LABELS, "npz", 0.5, tmp_path / "labels.npz")
    with np.load(tmp_path / "labels.npz", allow_pickle=False) as arrays:
        assert arrays["index"].tolist() == [0, 2, 3]
        assert arrays["classes"][arrays["label"]].tolist() == ["sea horse", "sea horse", "cat"]
        assert arrays["sources"][arrays["source"]].tolist() == ["answer", "classifier", "classifier"]
        assert arrays["cluster"].tolist() == ["2.1", "", "1"]
        assert arrays["uncalibrated_confidence"].tolist() == [1.0, 0.75, 0.5]
        assert "confidence" not in arrays
        assert arrays["check"].tolist() == [255, 255, 255]
        assert json.loads(str(arrays["info"]))["version"] == "0123456789ab"


def test_npz_names_a_calibrated_confidence_and_holds_the_checks(tmp_path: Path) -> None:
    write_labels(AUDITED_LABELS, "npz", 0.0, tmp_path / "labels.npz")
    with np.load(tmp_path / "labels.npz", allow_pickle=False) as arrays:
        assert arrays["confidence"].tolist() == [1.0, 0.25, 0.75, 0.5]
        assert "uncalibrated_confidence" not in arrays
        checks = ["" if check == 255 else arrays["checks"][check] for check in arrays["check"]]
        assert checks == ["", "wrong", "right", ""]


def test_idx_holds_255_for_images_below_the_minimum_confidence(tmp_path: Path) -> None:
    write_labels(LABELS, "idx", 0.5, tmp_path / "labels-idx1-ubyte")
    assert read_idx_array(tmp_path / "labels-idx1-ubyte", 1).tolist() == [1, 255, 1, 0]
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["labels-idx1-ubyte", "labels-idx1-ubyte.info.json"]
