"""From a folder of pictures to a folder for each class, by commands alone."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import assert_refused, run_vaetui
from tests.data.drawing import digits, folder
from tests.idx import small_mnist
from vaetui.storage import dataset_cache
from vaetui.storage import locations as sessions

pytestmark = pytest.mark.usefixtures("home")
QUICK = ("--recipe", "paper", "--rounds", "1", "--clusters", "4")
LABELLED = "seven 8\ncat\nx\ncat 5\ng\n"


def test_a_folder_without_labels_becomes_a_folder_for_each_class(tmp_path: Path) -> None:
    own = tmp_path / "own pictures"
    folder(own, 300)
    (own / "part-0/spoiled.png").write_bytes(b"spoiled")
    ran = run_vaetui("new", "--plain", "--data", str(own), "--classes", "cat,seven", *QUICK, typed=LABELLED)
    assert ran.returncode == 0, ran.stderr
    assert "0 cat  1 seven" in ran.stdout
    assert "is seven at 0.8" in ran.stdout
    assert "test accuracy" not in ran.stdout
    assert "1 files were skipped" in ran.stderr
    (name,) = sessions.session_names()
    assert name.startswith("ownpictures-")
    told = json.loads(run_vaetui("show", name, "--json").stdout)
    assert (told["phase"], told["test_accuracy"]) == ("finished", [None, None])
    assert told["classes"] == ["cat", "seven"]
    output = tmp_path / "sorted"
    ran = run_vaetui("export", name, "--format", "folders", "--min-confidence", "0.5", "-o", str(output))
    assert ran.returncode == 0, ran.stderr
    names = {path.name for path in output.rglob("*.png")}
    assert names == {path.name for path in own.rglob("0*.png")}
    assert {path.name for path in output.iterdir()} <= {"cat", "seven", "_unsure"}
    ran = run_vaetui("export", name, "-o", str(tmp_path / "labels.csv"))
    rows = list(csv.DictReader((tmp_path / "labels.csv").open()))
    assert [row["path"] for row in rows] == [str(path) for path in sorted(own.rglob("0*.png"))]
    assert {row["class"] for row in rows} <= {"cat", "seven"}
    assert_refused("is not empty", "export", name, "--format", "folders", "-o", str(output))
    assert_refused("is a directory", "export", name, "-o", str(output))


def test_a_set_that_changed_is_named_and_the_session_goes_on(tmp_path: Path) -> None:
    own = tmp_path / "own"
    folder(own, 300)
    assert run_vaetui("new", "mine", "--plain", "--data", str(own), *QUICK, typed="").returncode == 0
    (own / "part-0/00000.png").unlink()
    ran = run_vaetui("resume", "mine", "--plain", typed="3\ng\ng\n")
    assert ran.returncode == 0, ran.stderr
    assert f"{own} changed since the session was made (files: 1 gone)" in ran.stdout.replace("\n", " ")
    shutil.rmtree(own)
    ran = run_vaetui("export", "mine", "--format", "folders", "-o", str(tmp_path / "sorted"))
    assert (ran.returncode, "300 pictures are gone" in ran.stderr) == (0, True)


def test_labels_are_looked_at_only_where_that_is_asked_for(tmp_path: Path) -> None:
    data = small_mnist(tmp_path / "data", 300, 50)
    assert run_vaetui("new", "blind", "--plain", "--data", str(data), *QUICK, typed="3\ng\ng\n").returncode == 0
    assert json.loads(run_vaetui("show", "blind", "--json").stdout)["test_accuracy"] == [None, None]
    assert (
        run_vaetui("new", "seeing", "--plain", "--labels", "--data", str(data), *QUICK, typed="3\ng\ng\n").returncode
        == 0
    )
    assert None not in json.loads(run_vaetui("show", "seeing", "--json").stdout)["test_accuracy"]


def test_classes_of_folders_stand_in_for_a_person(tmp_path: Path) -> None:
    own = tmp_path / "own"
    folder(own, 300, by_class=True)
    for path in list(own.iterdir()):
        path.rename(own / f"kind {path.name}")
    ran = run_vaetui("simulate", "--data", str(own), *QUICK, "--keep", "kinds", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["answers"] > 0
    assert told["label_accuracy"]["overall"] > 0.15
    run_vaetui("export", "kinds", "--format", "npz", "-o", str(tmp_path / "labels.npz"))
    with np.load(tmp_path / "labels.npz") as labels:
        assert labels["classes"].tolist() == [f"kind {at}" for at in range(10)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--classes", "cat"], "has 1 classes; from 2 to 250"),
        (["--classes", "cat,dog,cat"], "two classes named cat"),
        (["--classes", ",".join(map(str, range(251)))], "has 251 classes"),
        (["--size", "28x28"], "28x28 and grey"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments: list[str], words: str) -> None:
    assert_refused(words, "new", "--plain", *arguments)
    assert sessions.session_names() == []


@pytest.mark.parametrize("size", ["4x4", "65x65", "28by28", "x"])
def test_a_size_that_cannot_be_ends_with_status_2(size: str) -> None:
    ran = run_vaetui("new", "--plain", "--size", size)
    assert (ran.returncode, "Traceback" in ran.stderr) == (2, False)


def test_decoded_images_go_with_the_last_session_that_uses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "own.npy", digits(100)[0])
    for name in ("one", "two"):
        assert run_vaetui("new", name, "--plain", "--data", str(tmp_path / "own.npy"), *QUICK, typed="").returncode == 0
    (made,) = dataset_cache.datasets_directory().glob("*")
    monkeypatch.setattr(dataset_cache, "MIN_UNUSED_AGE_S", -10.0)
    from vaetui.session import data_source

    assert run_vaetui("delete", "one", "--yes").returncode == 0
    data_source.remove_unused_datasets()
    assert made.exists()
    assert run_vaetui("delete", "two", "--yes").returncode == 0
    data_source.remove_unused_datasets()
    assert not made.exists()
