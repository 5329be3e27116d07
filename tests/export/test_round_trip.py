"""Labels go out and come back: as good as a run said of them, and as the true labels of another session."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import run_vaetui
from tests.data.drawing import folder
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx
from vaetui.session.data_source import source_directory
from vaetui.storage import locations as sessions
from vaetui.storage.repository import SessionRepository

pytestmark = pytest.mark.usefixtures("home")
COUNT = 300
QUICK = ("--recipe", "paper", "--rounds", "2", "--clusters", "6")


def images_of(name: str) -> tuple[np.ndarray, list[str]]:
    """Give the images of a session, and the names of their true classes."""
    facts = SessionRepository(sessions.find_session(name))
    found, classes = (
        find_idx_files(source_directory(facts.data_source)),
        facts.data_record.resolve_class_names(facts.config.network.classes),
    )
    facts.close()
    assert found.train_labels is not None
    return read_idx(found.train_images, 3), [classes[label] for label in read_idx(found.train_labels, 1)]


def exported(name: str, output: Path) -> list[dict[str, str]]:
    ran = run_vaetui("export", name, "--format", "csv", "-o", str(output))
    assert ran.returncode == 0, ran.stderr
    with output.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_exported_labels_are_as_good_as_told_and_come_back_as_true_ones(tmp_path: Path) -> None:
    own = tmp_path / "own"
    folder(own, COUNT, by_class=True)
    for path in list(own.iterdir()):
        path.rename(own / f'kind {path.name}, "so"')
    ran = run_vaetui("simulate", "--data", str(own), *QUICK, "--keep", "first", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)["exported"]

    rows = exported("first", tmp_path / "labels.csv")
    assert len(rows) == COUNT
    right = [row["class"] == Path(row["path"]).parent.name for row in rows]
    assert sum(right) / COUNT == told["accuracy"]
    assert 0.1 < told["accuracy"] < 1, "else nothing would be told by this"
    assert np.mean([float(row["confidence"]) for row in rows]) == pytest.approx(told["expected"], abs=1e-4)

    labels = ("--data", str(tmp_path / "labels.csv"), "--labels", "--label-column", "class")
    ran = run_vaetui("new", "second", "--plain", *labels, *QUICK, typed="")
    assert ran.returncode == 0, ran.stderr
    images, classes = images_of("second")
    assert np.array_equal(images, images_of("first")[0])
    assert classes == [row["class"] for row in rows]
