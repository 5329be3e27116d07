"""`inspect`: the report of an import, as text and as JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.benchmarks import inspect_examples
from tests.command_line import assert_refused, run_vaetui
from tests.data.drawing import draw_shapes
from vaetui.storage import locations

pytestmark = pytest.mark.usefixtures("home")
PICTURES, NAMES = draw_shapes(60)


def inspect(*arguments: str | Path) -> dict[str, Any]:
    process = run_vaetui("inspect", "--json", *map(str, arguments))
    assert process.returncode == 0, process.stderr
    fields: dict[str, Any] = json.loads(process.stdout)
    return fields


def test_documented_examples_are_the_output_of_the_program() -> None:
    assert inspect_examples.PAGE.read_text() == inspect_examples.render_page()


def test_json_describes_images_and_what_was_not_taken(tmp_path: Path) -> None:
    root = tmp_path / "own"
    for index, picture in enumerate(PICTURES):
        path = root / str(NAMES[index]) / f"{index:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((picture / 255 * 1023).astype(np.uint16)).save(path)
    (root / "sq/copy.png").write_bytes((root / "sq/000.png").read_bytes())
    (root / "sq/cut.png").write_bytes((root / "sq/004.png").read_bytes()[:60])
    (root / "notes.txt").touch()
    fields = inspect(root, "--labels")
    skipped = {entry["path"]: entry["reason"] for entry in fields.pop("skipped")}
    assert skipped.keys() == {"notes.txt", "sq/cut.png"}
    assert skipped["notes.txt"] == "is not an image (.txt)"
    assert skipped["sq/cut.png"].startswith("cannot be")
    assert fields.pop("duplicates") == 61 - len(np.unique(PICTURES, axis=0))
    assert fields == {
        "images": 61,
        "size": [28, 28],
        "fit": "",
        "colour": False,
        "range": [0, 1023],
        "source": "directory own",
        "classes": {"bs": 15, "ci": 15, "sl": 15, "sq": 16},
        "unlabelled": 0,
    }
    assert "classes" not in inspect(root)
    assert locations.list_session_names() == []


def test_path_may_follow_the_labels_option(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", images=PICTURES, labels=NAMES)
    assert inspect("--labels", tmp_path / "own.npz")["classes"] == {"bs": 15, "ci": 15, "sl": 15, "sq": 15}


def test_an_empty_path_is_not_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index, picture in enumerate(PICTURES[:12]):
        Image.fromarray(picture).save(tmp_path / f"{index}.png")
    monkeypatch.chdir(tmp_path)
    assert inspect(".")["images"] == 12
    assert_refused("The path of the images is empty.", "inspect", "")
    assert_refused("The path of the images is empty.", "new", "a", "--data", "")


def test_options_choose_arrays_range_size_and_axes(tmp_path: Path) -> None:
    first, second = np.moveaxis(PICTURES, 0, -1) * 2.0, np.moveaxis(PICTURES[::-1], 0, -1)
    np.savez(tmp_path / "own.npz", first=first, second=second, kind=NAMES, sort=NAMES[::-1])
    assert_refused("first", "inspect", str(tmp_path / "own.npz"))
    fields = inspect(
        tmp_path / "own.npz",
        "--images",
        "first",
        "--labels",
        "sort",
        "--axes",
        "HWN",
        "--range",
        "0:400",
        "--size",
        "20",
    )
    assert (fields["images"], fields["size"], fields["range"]) == (60, [20, 20], [0, 400])
    assert "first" in fields["source"]
    assert "sort" in fields["source"]


@pytest.mark.parametrize("text", ["5", "5:", ":5", "a:b", "5:5", "9:1", "nan:1", "0:inf"])
def test_invalid_ranges_are_refused(text: str, tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", PICTURES)
    process = run_vaetui("inspect", str(tmp_path / "own.npy"), "--range", text)
    assert process.returncode == 2
    assert "is not a range" in process.stderr


def test_what_new_refuses_is_refused(tmp_path: Path) -> None:
    process = run_vaetui("inspect")
    assert (process.returncode, "Missing argument 'PATH'" in process.stderr) == (2, True)
    assert_refused("does not exist", "inspect", str(tmp_path / "none"))
    np.save(tmp_path / "equal.npy", np.zeros((40, 28, 28), np.uint8))
    for command in (
        ["inspect", str(tmp_path / "equal.npy")],
        ["new", "--data", str(tmp_path / "equal.npy"), "--plain"],
    ):
        assert_refused("All 40 images of array of equal.npy are identical", *command)
    np.save(tmp_path / "few.npy", PICTURES[:9])
    assert_refused("at least 10 are needed", "inspect", str(tmp_path / "few.npy"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--labels", "demo"], "If demo is the name of the session, put it first."),
        (["--images", "x"], "so --images x cannot choose anything"),
        (["--axes", "HWN"], "so --axes HWN cannot choose anything"),
    ],
)
def test_options_that_choose_nothing_are_refused(options: list[str], message: str, tmp_path: Path) -> None:
    for index, picture in enumerate(PICTURES[:12]):
        Image.fromarray(picture).save(tmp_path / f"{index}.png")
    assert_refused(message, "inspect", str(tmp_path), *options)
    assert_refused(message, "inspect", str(tmp_path / "0.png"), *options)
    assert_refused("has no labels", "inspect", str(tmp_path / "0.png"), "--labels")


def test_new_prints_the_report_before_it_trains(tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", PICTURES.astype(np.uint16) * 16)
    process = run_vaetui("new", "own", "--data", str(tmp_path / "own.npy"), "--plain", "--recipe", "paper", typed="")
    report, _, training = process.stdout.partition("loading")
    assert training
    assert "source      array of own.npy\nimages      60, 28x28, grey\nrange       values 0-4095 shown" in report
    shown = run_vaetui("show", "own").stdout
    assert re.search(r"^range +values 0-4095 shown as black to white$", shown, re.MULTILINE)
