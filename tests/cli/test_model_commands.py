"""`vaetui predict`, `export-model` and `samples`."""

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

IMAGE_COUNT = 200
FAST_OPTIONS = ("--recipe", "paper", "--latent", "mean", "--rounds", "1", "--clusters", "4")
ANSWERS = "dog\ncat\nx\ncat\ng\n"


@pytest.fixture(scope="module", autouse=True)
def image_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Images of the finished session "trained", which has the classes cat and dog."""
    directory = tmp_path_factory.mktemp("predict") / "images"
    write_image_folder(directory, IMAGE_COUNT)
    options = ("--data", str(directory), "--classes", "cat,dog", *FAST_OPTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(directory.with_name("home")))
        process = run_vaetui("new", "trained", "--plain", *options, typed=ANSWERS)
        assert process.returncode == 0, process.stderr
        yield directory


def predict(*arguments: str, typed: str | None = None) -> list[dict[str, str]]:
    process = run_vaetui("predict", "trained", *arguments, typed=typed)
    assert (process.returncode, process.stderr) == (0, "")
    return list(csv.DictReader(process.stdout.splitlines()))


def test_predictions_for_the_training_images_equal_the_exported_labels(image_directory: Path, tmp_path: Path) -> None:
    predicted_rows = predict(str(image_directory))
    run_vaetui("export", "trained", "-o", str(tmp_path / "labels.csv"))
    exported_rows = list(csv.DictReader((tmp_path / "labels.csv").open()))
    assert [row["path"] for row in predicted_rows] == [row["path"] for row in exported_rows]
    pairs = [
        (predicted, exported)
        for predicted, exported in zip(predicted_rows, exported_rows, strict=True)
        if exported["source"] == "classifier"
    ]
    assert len(pairs) > 20
    for predicted, exported in pairs:
        assert (predicted["label"], predicted["class"]) == (exported["label"], exported["class"])
        assert float(predicted["confidence"]) == pytest.approx(float(exported["confidence"]), abs=2e-4)


def test_predictions_are_the_same_for_files_standard_input_and_arrays(image_directory: Path, tmp_path: Path) -> None:
    paths = [str(path) for path in sorted(image_directory.rglob("*.png"))[:5]]
    file_rows = predict(*paths)
    assert predict("-", typed="".join(f"{path}\n" for path in paths)) == file_rows
    images = load_digits(IMAGE_COUNT)[0]
    indices = [int(Path(path).stem) for path in paths]
    array_file = tmp_path / "new.npy"
    np.save(array_file, images[indices * 3])
    array_rows = predict(str(array_file))
    assert [row["path"] for row in array_rows[:2]] == [f"{array_file}#0", f"{array_file}#1"]
    assert [row["label"] for row in array_rows] == [row["label"] for row in file_rows] * 3
    idx_file = write_idx(tmp_path / "new-idx3-ubyte", images[indices])
    mixed_rows = predict(paths[0], str(idx_file), paths[1])
    assert [row["path"] for row in mixed_rows] == [paths[0], *(f"{idx_file}#{index}" for index in range(5)), paths[1]]


def test_unreadable_images_are_reported_and_omitted(image_directory: Path, tmp_path: Path) -> None:
    damaged_path = str(tmp_path / "bad.png")
    Path(damaged_path).write_text("words")
    image_path = str(next(image_directory.rglob("*.png")))
    output = tmp_path / "predictions.jsonl"
    process = run_vaetui("predict", "trained", damaged_path, image_path, "-o", str(output), "--format", "jsonl")
    assert process.returncode == 0
    assert "bad.png is not an image" in process.stderr
    assert process.stdout == f"{output}: 1 images, 1 files skipped.\n"
    (row,) = [json.loads(line) for line in output.read_text().splitlines()]
    assert row["path"] == image_path
    assert row["class"] in ("cat", "dog")
    assert 0.5 <= row["confidence"] <= 1


def test_predict_without_any_readable_image_or_output_directory_is_refused(
    image_directory: Path, tmp_path: Path
) -> None:
    damaged_path = str(tmp_path / "bad.png")
    Path(damaged_path).write_text("words")
    assert_refused("None of 1 files is a readable image", "predict", "trained", damaged_path)
    assert_refused("does not exist", "predict", "trained", str(tmp_path / "nowhere"))
    missing = tmp_path / "missing"
    image_path = str(next(image_directory.rglob("*.png")))
    assert_refused(
        f"Directory {missing} does not exist", "predict", "trained", image_path, "-o", str(missing / "x.csv")
    )


def test_predict_in_a_closed_pipe_exits_silently(image_directory: Path) -> None:
    pipeline = " ".join([*VAETUI, "predict", "trained", str(image_directory)]) + " | head -1"
    process = subprocess.run(["bash", "-c", pipeline], capture_output=True, text=True, check=False)
    assert process.stdout == "path,label,class,confidence\n"
    assert process.stderr == ""


@pytest.mark.usefixtures("home")
def test_predict_with_a_session_without_answers_or_an_unknown_one_is_refused(image_directory: Path) -> None:
    data = str(image_directory)
    run_vaetui("new", "fresh", "--plain", "--data", data, *FAST_OPTIONS, typed="")
    assert_refused("fresh", "predict", "fresh", data)
    assert_refused("There is no session none", "predict", "none", data)


def test_exported_networks_and_the_readme_code_reproduce_the_predictions(tmp_path: Path) -> None:
    output = tmp_path / "model"
    process = run_vaetui("export-model", "trained", "-o", str(output), "--onnx")
    assert process.returncode == 0, process.stderr
    card = json.loads((output / "card.json").read_text())
    assert (card["classes"], card["merged_into"]) == (["cat", "dog"], [0, 1])
    assert (card["shape"], card["test_accuracy"]) == ([28, 28], None)
    images = load_digits(50)[0]
    inputs = (images[:, None] / 255).astype(np.float32)  # [50, 1, 28, 28]
    (probabilities,) = onnxruntime.InferenceSession(output / "model.onnx").run(None, {"images": inputs})
    np.save(tmp_path / "new.npy", images)
    rows = predict(str(tmp_path / "new.npy"))
    assert [int(row["label"]) for row in rows] == probabilities.argmax(axis=1).tolist()
    assert np.abs([float(row["confidence"]) for row in rows] - probabilities.max(axis=1)).max() < 1e-4
    code_blocks = re.findall(r"```python\n(.*?)```", (output / "README.md").read_text(), re.DOTALL)
    assert len(code_blocks) == 2
    for code in code_blocks:
        script = subprocess.run([sys.executable, "-c", code], cwd=output, capture_output=True, text=True, check=False)
        assert script.returncode == 0, script.stderr
        assert set(ast.literal_eval(script.stdout)) <= {"cat", "dog"}
    assert_refused("is not empty", "export-model", "trained", "-o", str(output))


def test_samples_are_reproducible_and_mostly_of_the_requested_class(tmp_path: Path) -> None:
    grids = {}
    for name, options in {"any": (), "cat": ("--class", "cat"), "again": ("--class", "cat")}.items():
        path = tmp_path / f"{name}.png"
        assert run_vaetui("samples", "trained", *options, "--count", "10", "-o", str(path)).returncode == 0
        with Image.open(path) as image:
            assert image.size == (4 * 28, 3 * 28)
            grids[name] = np.asarray(image)
    assert np.array_equal(grids["cat"], grids["again"])
    assert not np.array_equal(grids["cat"], grids["any"])
    samples = grids["cat"].reshape(3, 28, 4, 28).swapaxes(1, 2).reshape(-1, 28, 28)[:10]
    np.save(tmp_path / "samples.npy", samples)
    rows = predict(str(tmp_path / "samples.npy"))
    assert np.mean([float(row["confidence"]) if row["class"] == "cat" else 0.0 for row in rows]) > 0.5
    assert_refused(
        "There is no class fish; the classes are cat, dog", "samples", "trained", "--class", "fish", "-o", "x.png"
    )
