"""The image options of `new` and `simulate`, from a folder of images to exported labels."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import assert_refused, run_vaetui
from tests.data.drawing import load_digits, write_image_folder
from tests.idx import write_small_mnist
from vaetui.session import dataset_location
from vaetui.storage import dataset_cache, file_names, locations

pytestmark = pytest.mark.usefixtures("home")
IMAGE_COUNT = 120
FAST_OPTIONS = ("--recipe", "paper", "--rounds", "1", "--clusters", "4")
ANSWERS = "seven 8\ncat\nx\ncat 5\ng\n"


def test_an_unlabelled_folder_is_exported_to_a_folder_per_class(tmp_path: Path) -> None:
    images = tmp_path / "own pictures"
    write_image_folder(images, IMAGE_COUNT)
    (images / "part-0/spoiled.png").write_bytes(b"spoiled")
    process = run_vaetui(
        "new", "--plain", "--data", str(images), "--classes", "cat,seven", *FAST_OPTIONS, typed=ANSWERS
    )
    assert process.returncode == 0, process.stderr
    assert "0 cat  1 seven" in process.stdout
    assert "test accuracy" not in process.stdout
    assert "1: part-0/spoiled.png is not an image in a supported format" in process.stdout
    (name,) = locations.list_session_names()
    assert name.startswith("ownpictures-")
    status = json.loads(run_vaetui("show", name, "--json").stdout)
    assert (status["phase"], status["test_accuracy"]) == ("finished", [None, None])
    assert status["classes"] == ["cat", "seven"]
    output = tmp_path / "sorted"
    process = run_vaetui("export", name, "--format", "folders", "--min-confidence", "0.5", "-o", str(output))
    assert process.returncode == 0, process.stderr
    exported_names = {path.name for path in output.rglob("*.png")}
    assert exported_names == {path.name for path in images.rglob("0*.png")}
    assert {path.name for path in output.iterdir()} <= {"cat", "seven", "_unsure", "labels.info.json"}
    run_vaetui("export", name, "-o", str(tmp_path / "labels.csv"))
    rows = list(csv.DictReader((tmp_path / "labels.csv").open()))
    assert [row["path"] for row in rows] == [str(path) for path in sorted(images.rglob("0*.png"))]
    assert {row["class"] for row in rows} <= {"cat", "seven"}
    assert_refused("is not empty", "export", name, "--format", "folders", "-o", str(output))
    assert_refused("is a directory", "export", name, "-o", str(output))


def test_a_changed_or_deleted_image_folder_is_reported_and_the_session_continues(tmp_path: Path) -> None:
    images = tmp_path / "own"
    write_image_folder(images, IMAGE_COUNT)
    assert run_vaetui("new", "mine", "--plain", "--data", str(images), *FAST_OPTIONS, typed="").returncode == 0
    (images / "part-0/00000.png").unlink()
    process = run_vaetui("resume", "mine", "--plain", typed="3\ng\ng\n")
    assert process.returncode == 0, process.stderr
    assert f"{images} has changed since its import (files: 1 " in process.stdout.replace("\n", " ")
    shutil.rmtree(images)
    process = run_vaetui("export", "mine", "--format", "folders", "-o", str(tmp_path / "sorted"))
    assert process.returncode == 0
    assert f"{IMAGE_COUNT} omitted because their files are missing" in process.stdout


def test_true_labels_are_used_only_with_the_option(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path / "data", IMAGE_COUNT, 50)
    for name, options, has_accuracy in (("unlabelled", (), False), ("labelled", ("--labels",), True)):
        process = run_vaetui("new", name, "--plain", *options, "--data", str(data), *FAST_OPTIONS, typed="3\ng\ng\n")
        assert process.returncode == 0, process.stderr
        accuracies = json.loads(run_vaetui("show", name, "--json").stdout)["test_accuracy"]
        assert [accuracy is not None for accuracy in accuracies] == [has_accuracy] * 2


def test_class_folders_are_the_true_labels_of_a_simulation(tmp_path: Path) -> None:
    images = tmp_path / "own"
    write_image_folder(images, 300, by_class=True)
    for path in list(images.iterdir()):
        path.rename(images / f"kind {path.name}")
    process = run_vaetui("simulate", "--data", str(images), *FAST_OPTIONS, "--keep", "kinds", "--json")
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    assert result["answers"] > 0
    assert result["label_accuracy"]["overall"] > 0.15
    run_vaetui("export", "kinds", "--format", "npz", "-o", str(tmp_path / "labels.npz"))
    with np.load(tmp_path / "labels.npz") as labels:
        assert labels["classes"].tolist() == [f"kind {digit}" for digit in range(10)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--classes", "cat"], "needs 2 to 250 names; got 1."),
        (["--classes", "cat,dog,cat"], "two classes named cat"),
        (["--classes", ",".join(map(str, range(251)))], "needs 2 to 250 names; got 251."),
        (["--size", "28x28"], "28x28 and grey"),
    ],
)
def test_invalid_class_lists_and_sizes_of_the_bundled_images_are_refused(arguments: list[str], message: str) -> None:
    assert_refused(message, "new", *arguments)
    assert locations.list_session_names() == []


@pytest.mark.parametrize("size", ["4x4", "65x65", "28by28", "x"])
def test_an_invalid_size_ends_with_status_2(size: str) -> None:
    process = run_vaetui("new", "--plain", "--size", size)
    assert (process.returncode, "Traceback" in process.stderr) == (2, False)


def test_imported_images_are_deleted_with_the_last_session_that_uses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images_file = tmp_path / "own.npy"
    np.save(images_file, load_digits(100)[0])
    for name in ("first", "second"):
        process = run_vaetui("new", name, "--plain", "--data", str(images_file), *FAST_OPTIONS, typed="")
        assert process.returncode == 0, process.stderr
    (dataset,) = dataset_cache.datasets_directory().glob("*")
    monkeypatch.setattr(dataset_cache, "MIN_UNUSED_AGE_S", -10.0)
    assert run_vaetui("delete", "first", "--yes").returncode == 0
    dataset_location.remove_unused_datasets()
    assert dataset.exists()
    database = file_names.database_path(locations.find_session("second"))
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 1")
    dataset_location.remove_unused_datasets()
    assert dataset.exists(), "the version that made the session may still need it"
    assert run_vaetui("delete", "second", "--yes").returncode == 0
    dataset_location.remove_unused_datasets()
    assert not dataset.exists()
