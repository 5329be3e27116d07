"""Classes and labels of new sessions: partly labelled images, class directories, and names of any script."""

from __future__ import annotations

import json
import unicodedata
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.command_line import assert_refused, run_vaetui
from tests.data.drawing import load_digits
from tests.data.test_class_labels import CLASS_NAMES
from tests.idx import write_idx
from tests.test_errors import VALID_TEXTS
from vaetui.data.class_labels import DIGIT_NAMES, means_no_label
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.classes import MAX_CLASS_NAME_CHARS, NO_LABEL
from vaetui.session import lifecycle
from vaetui.storage import locations
from vaetui.storage.repository import SessionRepository

pytestmark = pytest.mark.usefixtures("home")
FAST_OPTIONS = ("--recipe", "paper", "--rounds", "1", "--clusters", "4")
UNUSUAL_NAMES = ("a b\u202fc", *VALID_TEXTS, "x" * MAX_CLASS_NAME_CHARS, "CON", "..", "#1", "-", "'\"`$(id)")


def write_images(directory: Path, count: int) -> None:
    directory.mkdir(parents=True)
    for index, pixels in enumerate(load_digits(count)[0]):
        Image.fromarray(pixels).save(directory / f"{index:03}.png")


def write_table(path: Path, labels: list[str]) -> Path:
    """Write images, and a table of their paths and labels."""
    write_images(path.parent / "images", len(labels))
    rows = [f"images/{index:03}.png,{label}\n" for index, label in enumerate(labels)]
    path.write_text("path,label\n" + "".join(rows), encoding="utf-8")
    return path


def inspect(*arguments: str) -> dict[str, Any]:
    process = run_vaetui("inspect", *arguments, "--json")
    assert process.returncode == 0, process.stderr
    report: dict[str, Any] = json.loads(process.stdout)
    return report


def test_a_partly_labelled_table_makes_a_session_that_can_be_resumed(tmp_path: Path) -> None:
    labels = ["", "cat", "dog", "-1", "nan", " cat "] * 5
    table = write_table(tmp_path / "part.csv", labels)
    report = inspect(str(table), "--labels")
    assert (report["classes"], report["unlabelled"]) == ({"cat": 10, "dog": 5}, 15)
    created = run_vaetui("new", "part", "--data", str(table), "--labels", "--plain", *FAST_OPTIONS, typed="dog\nq\n")
    resumed = run_vaetui("resume", "part", "--plain", typed="q\n")
    shown = run_vaetui("show", "part", "--json")
    for process in (created, resumed, shown):
        assert process.returncode == 0, process.stderr
        assert "damaged" not in process.stdout + process.stderr
    assert json.loads(shown.stdout)["classes"] == ["cat", "dog"]
    assert json.loads(shown.stdout)["answers"] == 1
    assert json.loads(run_vaetui("check", "part", "--json").stdout) == []


def test_a_partly_labelled_table_is_simulated_on_its_labelled_images(tmp_path: Path) -> None:
    digits = load_digits(60)[1]
    labels = ["" if index % 3 == 0 else f"{digit}.0" for index, digit in enumerate(digits)]
    table = write_table(tmp_path / "part.csv", labels)
    options = ("--data", str(table), "--labels", "--answers", "4", "--json")
    process = run_vaetui("simulate", *options, *FAST_OPTIONS)
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    assert result["config"]["network"]["classes"] == 10
    assert None not in result["reading_accuracy"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["", "-1", "nan"] * 5, "No image of"),
        (["cat", "cat", ""] * 5, "All 10 labels of"),
        (["1", "-1", "1"] * 5, "All 10 labels of"),
        (["cat", "dog\x1b"] * 10, "contains an invalid label"),
        (["cat", "d" * 101] * 10, "contains an invalid label"),
    ],
)
def test_unusable_labels_are_refused_in_one_sentence_and_leave_no_session(
    tmp_path: Path, home: Path, labels: list[str], message: str
) -> None:
    table = write_table(tmp_path / "part.csv", labels)
    assert_refused(message, "new", "broken", "--data", str(table), "--labels")
    assert not list((home / "sessions").glob("*"))


def test_class_directories_that_differ_in_outer_spaces_are_one_class(tmp_path: Path) -> None:
    for name, count in (("cat ", 10), ("cat", 3), ("dog", 10)):
        write_images(tmp_path / "data" / name, count)
    assert inspect(str(tmp_path / "data"), "--labels")["classes"] == {"cat": 13, "dog": 10}
    process = run_vaetui(
        "new", "spaced", "--data", str(tmp_path / "data"), "--labels", "--plain", *FAST_OPTIONS, typed="q\n"
    )
    assert process.returncode == 0, process.stderr
    assert "damaged" not in process.stderr
    with closing(lifecycle.resume("spaced")) as session:
        assert session.classes.names == ("cat", "dog")


@pytest.mark.parametrize("values", [[1.0, 0.0, np.nan], [1, 0, -1], ["cat", "dog", ""], [b"cat", b"dog", b" "]])
def test_label_arrays_of_any_type_may_have_gaps(tmp_path: Path, values: list[Any]) -> None:
    np.savez(tmp_path / "gaps.npz", images=load_digits(30)[0], labels=np.array(values * 10))
    report = inspect(str(tmp_path / "gaps.npz"), "--labels")
    assert report["unlabelled"] == 10
    assert sorted(count for count in report["classes"].values() if count) == [10, 10]


def test_255_in_an_idx_label_file_means_no_label(tmp_path: Path) -> None:
    images, labels = load_digits(30)
    labels[::3] = NO_LABEL
    (tmp_path / "data").mkdir()
    write_idx(tmp_path / "data/train-images-idx3-ubyte", images)
    write_idx(tmp_path / "data/train-labels-idx1-ubyte", labels)
    for options in ((), ("--size", "20x20")):
        report = inspect(str(tmp_path / "data"), "--labels", *options)
        assert (report["unlabelled"], sum(report["classes"].values())) == (10, 20)


@pytest.mark.parametrize("classes", ["nosuch.txt", "lists/nosuch"])
def test_a_missing_file_of_class_names_is_named(classes: str, home: Path) -> None:
    assert_refused(f"There is no file {classes}.", "new", "broken", "--classes", classes)
    assert not list((home / "sessions").glob("*"))


def test_class_names_of_any_script_survive_import_and_answer(tmp_path: Path) -> None:
    write_images(tmp_path / "data", 30)
    (tmp_path / "names.txt").write_text("\n".join(UNUSUAL_NAMES), encoding="utf-8")
    options = ("--data", str(tmp_path / "data"), "--classes", str(tmp_path / "names.txt"), "--plain", *FAST_OPTIONS)
    process = run_vaetui("new", "named", *options, typed="".join(f"c 0\n{name}\n" for name in UNUSUAL_NAMES))
    assert process.returncode == 0, process.stderr
    with closing(SessionRepository(locations.find_session("named"))) as repository:
        assert repository.load_class_list().names == UNUSUAL_NAMES
        answers = [record.answer for record in repository.list_answers(1)]
    assert answers == [ClassAnswer(class_id) for class_id in range(len(UNUSUAL_NAMES))]
    for name in UNUSUAL_NAMES:
        assert name in process.stdout


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_any_labels_of_an_array_become_class_names(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    names = data.draw(CLASS_NAMES.filter(lambda names: not set(names) <= set(DIGIT_NAMES)))
    assume(len({unicodedata.normalize("NFC", name) for name in names}) == len(names))
    assume(not any(means_no_label(name) or "\0" in name for name in names))
    path = tmp_path_factory.mktemp("named") / "named.npz"
    class_ids = [*range(len(names)), *data.draw(st.lists(st.integers(0, len(names) - 1), min_size=20, max_size=20))]
    np.savez(path, images=load_digits(len(class_ids))[0], labels=np.array([f" {names[index]} " for index in class_ids]))
    report = inspect(str(path), "--labels")
    assert report["classes"] == {name: class_ids.count(index) for index, name in enumerate(names)}
