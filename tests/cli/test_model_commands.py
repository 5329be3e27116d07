"""`vaetui predict`, run as a person runs it."""

from __future__ import annotations

import ast
import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from tests.command_line import VAETUI, assert_refused, run_vaetui
from tests.data.drawing import load_digits, write_image_folder
from tests.idx import write_idx

QUICK = ("--recipe", "paper", "--latent", "mean", "--rounds", "1", "--clusters", "4")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Pictures that a session named "trained" has learned to call cat and dog."""
    place = tmp_path_factory.mktemp("predict") / "own"
    write_image_folder(place, 300)
    options = ("--data", str(place), "--classes", "cat,dog", *QUICK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(place.with_name("home")))
        assert run_vaetui("new", "trained", "--plain", *options, typed="dog\ncat\nx\ncat\ng\n").returncode == 0
        yield place


def told(*arguments: str, typed: str | None = None) -> list[dict[str, str]]:
    ran = run_vaetui("predict", "trained", *arguments, typed=typed)
    assert (ran.returncode, ran.stderr) == (0, "")
    return list(csv.DictReader(ran.stdout.splitlines()))


def test_images_are_called_what_the_session_calls_its_own(own: Path, tmp_path: Path) -> None:
    rows = told(str(own))
    run_vaetui("export", "trained", "-o", str(tmp_path / "labels.csv"))
    exported = list(csv.DictReader((tmp_path / "labels.csv").open()))
    assert [row["path"] for row in rows] == [row["path"] for row in exported]
    guessed = [(mine, its) for mine, its in zip(rows, exported, strict=True) if its["source"] == "classifier"]
    assert len(guessed) > 30
    for mine, its in guessed:
        assert (mine["label"], mine["class"]) == (its["label"], its["class"])
        assert float(mine["confidence"]) == pytest.approx(float(its["confidence"]), abs=2e-4)


def test_files_arrays_and_lists_of_paths_say_the_same(own: Path, tmp_path: Path) -> None:
    paths = [str(path) for path in sorted(own.rglob("*.png"))[:5]]
    by_file = told(*paths)
    assert told("-", typed="".join(f"{path}\n" for path in paths)) == by_file
    images = load_digits(300)[0]
    places = [int(Path(path).stem) for path in paths]
    np.save(tmp_path / "new.npy", images[places * 3])
    by_array = told(str(tmp_path / "new.npy"))
    assert [row["path"] for row in by_array[:2]] == [f"{tmp_path / 'new.npy'}#0", f"{tmp_path / 'new.npy'}#1"]
    assert [row["label"] for row in by_array] == [row["label"] for row in by_file] * 3
    idx = write_idx(tmp_path / "new-idx3-ubyte", images[places])
    mixed = told(paths[0], str(idx), paths[1])
    assert [row["path"] for row in mixed] == [paths[0], *(f"{idx}#{at}" for at in range(5)), paths[1]]


def test_what_cannot_be_read_is_told_and_left_out(own: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("words")
    good = str(next(own.rglob("*.png")))
    output = tmp_path / "told.jsonl"
    ran = run_vaetui("predict", "trained", str(tmp_path / "bad.png"), good, "-o", str(output), "--format", "jsonl")
    assert (ran.returncode, "bad.png is no picture" in ran.stderr) == (0, True)
    assert "1 images, 1 could not be read" in ran.stdout
    (row,) = [json.loads(line) for line in output.read_text().splitlines()]
    assert row["path"] == good
    assert row["class"] in ("cat", "dog")
    assert 0.5 <= row["confidence"] <= 1
    assert_refused("None of 1 files could be read", "predict", "trained", str(tmp_path / "bad.png"))
    assert_refused("There is no ", "predict", "trained", str(tmp_path / "nowhere"))
    assert_refused("There is no directory", "predict", "trained", good, "-o", str(tmp_path / "none" / "x.csv"))


def test_a_pipe_that_nobody_reads_any_more_ends_it_quietly(own: Path) -> None:
    command = " ".join([*VAETUI, "predict", "trained", str(own)])
    ran = subprocess.run(["bash", "-c", f"{command} | head -1"], capture_output=True, text=True, check=False)
    assert ran.stdout == "path,label,class,confidence\n"
    assert ran.stderr == ""


@pytest.mark.usefixtures("home")
def test_a_session_that_has_learned_nothing_says_so(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 300)
    run_vaetui("new", "fresh", "--plain", "--data", str(tmp_path / "own"), *QUICK, typed="")
    assert_refused("fresh has not learned any class yet", "predict", "fresh", str(tmp_path / "own"))
    assert_refused("There is no session none", "predict", "none", str(tmp_path / "own"))


def test_the_networks_go_to_other_programs(own: Path, tmp_path: Path) -> None:
    output = tmp_path / "model"
    ran = run_vaetui("export-model", "trained", "-o", str(output), "--onnx")
    assert ran.returncode == 0, ran.stderr
    card = json.loads((output / "card.json").read_text())
    assert (card["classes"], card["counts_as"]) == (["cat", "dog"], [0, 1])
    assert (card["shape"], card["test_accuracy"]) == ([28, 28], None)
    pictures = (load_digits(50)[0][:, None] / 255).astype(np.float32)
    (chances,) = onnxruntime.InferenceSession(output / "model.onnx").run(None, {"pictures": pictures})
    np.save(tmp_path / "new.npy", load_digits(50)[0])
    rows = told(str(tmp_path / "new.npy"))
    assert [int(row["label"]) for row in rows] == chances.argmax(axis=1).tolist()
    assert np.abs([float(row["confidence"]) for row in rows] - chances.max(axis=1)).max() < 1e-4
    # The README's own lines load both, as they stand.
    readme = (output / "README.md").read_text()
    for lines in re.findall(r"```python\n(.*?)```", readme, re.DOTALL):
        ran = subprocess.run([sys.executable, "-c", lines], cwd=output, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert set(ast.literal_eval(ran.stdout)) <= {"cat", "dog"}
    assert_refused("is not empty", "export-model", "trained", "-o", str(output))


def test_new_pictures_are_drawn_of_all_or_of_one_class(own: Path, tmp_path: Path) -> None:
    drawn = {}
    for name, options in {"any": (), "cat": ("--class", "cat"), "again": ("--class", "cat")}.items():
        path = tmp_path / f"{name}.png"
        assert run_vaetui("samples", "trained", *options, "--count", "10", "-o", str(path)).returncode == 0
        with Image.open(path) as image:
            assert image.size == (4 * 28, 3 * 28)
            drawn[name] = np.asarray(image)
    assert np.array_equal(drawn["cat"], drawn["again"])
    assert not np.array_equal(drawn["cat"], drawn["any"])
    grid = drawn["cat"].reshape(3, 28, 4, 28).swapaxes(1, 2).reshape(-1, 28, 28)[:10]
    np.save(tmp_path / "drawn.npy", grid)
    shares = [float(row["confidence"]) if row["class"] == "cat" else 0.0 for row in told(str(tmp_path / "drawn.npy"))]
    assert np.mean(shares) > 0.5
    assert_refused(
        "There is no class fish; the classes are cat, dog", "samples", "trained", "--class", "fish", "-o", "x.png"
    )
