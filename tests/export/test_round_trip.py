"""Exported labels are compared with a run's own report, and imported as the true labels of another session."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.command_line import run_vaetui
from tests.export.conftest import SimulatedSession
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx_array
from vaetui.session.dataset_location import locate_source_directory
from vaetui.storage import locations
from vaetui.storage.repository import SessionRepository


def load_images_and_classes(session_name: str) -> tuple[NDArray[np.uint8], list[str]]:
    """Return the images of a session and the names of their true classes."""
    repository = SessionRepository(locations.find_session(session_name))
    idx_files = find_idx_files(locate_source_directory(repository.data_source))
    class_names = repository.data_record.resolve_class_names(repository.config.network.classes)
    repository.close()
    assert idx_files.train_labels is not None
    class_ids = read_idx_array(idx_files.train_labels, 1)
    return read_idx_array(idx_files.train_images, 3), [class_names[class_id] for class_id in class_ids]


def export_rows(session_name: str, output: Path) -> list[dict[str, str]]:
    process = run_vaetui("export", session_name, "--format", "csv", "-o", str(output))
    assert process.returncode == 0, process.stderr
    with output.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_exported_labels_are_as_accurate_as_the_simulation_reports(simulated: SimulatedSession, tmp_path: Path) -> None:
    rows = export_rows("simulated", tmp_path / "labels.csv")
    reported = simulated.result["exported"]
    assert len(rows) == simulated.image_count
    is_correct = [row["class"] == Path(row["path"]).parent.name for row in rows]
    assert sum(is_correct) / len(rows) == reported["accuracy"]
    assert 0.1 < reported["accuracy"] < 1, "the comparison needs both right and wrong labels"
    confidences = [float(row["uncalibrated_confidence"]) for row in rows]
    assert np.mean(confidences) == pytest.approx(reported["expected"], abs=1e-4)


def test_an_exported_csv_file_imports_as_true_labels(simulated: SimulatedSession, tmp_path: Path) -> None:
    rows = export_rows("simulated", tmp_path / "labels.csv")
    data_options = ("--data", str(tmp_path / "labels.csv"), "--labels")
    process = run_vaetui("new", "second", "--plain", *data_options, *simulated.options, typed="")
    assert process.returncode == 0, process.stderr
    images, class_names = load_images_and_classes("second")
    assert np.array_equal(images, load_images_and_classes("simulated")[0])
    assert class_names == [row["class"] for row in rows]
