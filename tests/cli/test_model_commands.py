"""`vaetui predict`, `export-model` and `samples`."""

from __future__ import annotations

import ast
import csv
import json
import os
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
from tests.small_disk import fill_disk, mount_small_disk

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
        assert 0 < float(predicted["uncalibrated_probability"]) <= 1


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
    assert process.returncode == 1
    assert "bad.png is not an image" in process.stderr
    assert process.stdout == f"{output}: 1 image, 1 file skipped.\n"
    (row,) = [json.loads(line) for line in output.read_text().splitlines()]
    assert row["path"] == image_path
    assert row["class"] in ("cat", "dog")
    assert 0.5 <= row["uncalibrated_probability"] <= 1


def test_predict_without_any_readable_image_or_output_directory_is_refused(
    image_directory: Path, tmp_path: Path
) -> None:
    damaged_path = str(tmp_path / "bad.png")
    Path(damaged_path).write_text("words")
    assert_refused("None of 1 files is a readable image", "predict", "trained", damaged_path)
    assert_refused("The path of the images is empty", "predict", "trained", "")
    process = run_vaetui("predict", "trained", str(tmp_path / "nowhere"))
    assert (process.returncode, process.stdout) == (2, "path,label,class,uncalibrated_probability\n")
    assert "nowhere does not exist" in process.stderr
    missing = tmp_path / "missing"
    image_path = str(next(image_directory.rglob("*.png")))
    assert_refused(
        f"Directory {missing} does not exist", "predict", "trained", image_path, "-o", str(missing / "x.csv")
    )


def test_list_on_standard_input_may_have_blank_lines_windows_line_ends_and_a_mark(
    image_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(image_directory)  # a blank line must not mean the working directory
    paths = [str(path) for path in sorted(image_directory.rglob("*.png"))[:3]]
    japanese_path = tmp_path / "画像 1.png"
    japanese_path.write_bytes(Path(paths[0]).read_bytes())
    paths.append(str(japanese_path))
    lines = ["\ufeff" + paths[0], "", paths[1], "  ", "\t", paths[2], "", paths[3], ""]
    for line_end in ("\n", "\r\n"):
        rows = predict("-", typed=line_end.join(lines))
        assert [row["path"] for row in rows] == paths
    assert [row["path"] for row in predict(paths[3], "-", paths[0], typed=f"{paths[1]}\n")] == [
        paths[3], paths[1], paths[0]
    ]  # fmt: skip


def test_paths_that_cannot_be_read_are_skipped_one_by_one(image_directory: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("words")
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY\x01\x00")
    (tmp_path / "bad.csv").write_text("path\n")
    (tmp_path / "cut.png").write_bytes(next(image_directory.rglob("*.png")).read_bytes()[:60])
    np.save(tmp_path / "line.npy", np.zeros(7))
    names = ["missing", "missing.png", "empty", "notes.txt", "bad.npy", "bad.csv", "cut.png", "line.npy"]
    names += ["a\tb", f"{'x' * 5000}", f"{'x' * 300}.png"]
    image_path = str(next(image_directory.rglob("*.png")))
    lines = [line for name in names for line in (str(tmp_path / name), image_path)]
    for arguments, typed in ((["-"], "".join(f"{line}\n" for line in lines)), (lines, None)):
        process = run_vaetui("predict", "trained", *arguments, typed=typed)
        assert process.returncode == 1
        assert [row["path"] for row in csv.DictReader(process.stdout.splitlines())] == [image_path] * len(names)
        skip_lines = process.stderr.splitlines()
        assert len(skip_lines) == len(names)
        for name, line in zip(names, skip_lines, strict=True):
            assert name.replace("\t", "\\t")[:900] in line
            assert "Traceback" not in line
    process = run_vaetui("predict", "trained", "-", typed=f"a\0b.png\n{image_path}\nc\0d\n")
    assert (process.returncode, process.stderr.count("zero byte"), process.stdout.count("\n")) == (1, 2, 2)
    for typed in ("", "\n \r\n", f"{tmp_path}/missing\n"):
        assert run_vaetui("predict", "trained", "-", typed=typed).returncode == 2


def test_directory_lists_unreadable_images_and_no_files_that_lie_beside_them(
    image_directory: Path, tmp_path: Path
) -> None:
    content = next(image_directory.rglob("*.png")).read_bytes()
    for name in ("a.png", "b.png", ".hidden.png", ".DS_Store", "Thumbs.db", "labels.csv", "notes.txt", "._a.png"):
        (tmp_path / name).write_bytes(content if name.endswith(".png") else b"words")
    assert [row["path"] for row in predict(str(tmp_path))] == [str(tmp_path / name) for name in ("a.png", "b.png")]
    (tmp_path / "cut.png").write_bytes(content[:60])
    (tmp_path / "unknown.xyz").write_bytes(b"words")
    process = run_vaetui("predict", "trained", str(tmp_path))
    assert (process.returncode, process.stdout.count("\n")) == (1, 3)
    assert [line.split()[0] for line in process.stderr.splitlines()] == [
        str(tmp_path / name) for name in ("cut.png", "unknown.xyz")
    ]


def test_array_is_scaled_by_the_range_of_the_session(tmp_path: Path) -> None:
    digits, noise = load_digits(120)[0] / 255, np.random.default_rng(0)
    is_hot = np.arange(120) % 2 == 1
    images = (digits * np.where(is_hot, 3500.5, 1000.25)[:, None, None]).astype("f4")
    np.savez(tmp_path / "heat.npz", images=images + noise.uniform(0, 20, images.shape).astype("f4"))
    options = ("--data", str(tmp_path / "heat.npz"), "--classes", "dim,hot", *FAST_OPTIONS)
    assert run_vaetui("new", "heat", "--plain", *options, typed="dim\nhot\ndim\nhot\ng\n").returncode == 0
    rows = {}
    for name, part in (("both", images), ("dim", images[~is_hot])):
        np.save(tmp_path / f"{name}.npy", part)
        process = run_vaetui("predict", "heat", str(tmp_path / f"{name}.npy"))
        assert (process.returncode, process.stderr) == (0, "")
        rows[name] = [line.partition(",")[2] for line in process.stdout.splitlines()[1:]]
    assert rows["dim"] == rows["both"][::2]
    np.save(tmp_path / "wide.npy", (digits * 60_000).astype("u2"))
    process = run_vaetui("predict", "heat", str(tmp_path / "wide.npy"))
    assert process.returncode == 0
    assert process.stderr == (
        "The session has no 16-bit images, so values 0-65535 are shown as black to white. Choose others with --range.\n"
    )


def test_utf_16_list_is_refused(tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text("a.png\n", encoding="utf-16")
    with listing.open("rb") as file:
        process = subprocess.run([*VAETUI, "predict", "trained", "-"], stdin=file, capture_output=True, check=False)
    assert process.returncode == 2
    assert b"is UTF-16. Save it as UTF-8." in process.stderr


@pytest.mark.parametrize(("command", "suffix"), [("predict", ".csv"), ("samples", ".png")])
def test_existing_output_is_kept_without_force(
    command: str, suffix: str, image_directory: Path, tmp_path: Path
) -> None:
    output, link = tmp_path / f"out{suffix}", tmp_path / f"link{suffix}"
    output.write_text("old")
    link.symlink_to(output)
    images = [str(image_directory)] if command == "predict" else []
    for path in (output, link):
        assert_refused("exists. Choose another output", command, "trained", *images, "-o", str(path))
    assert output.read_text() == "old"
    assert run_vaetui(command, "trained", *images, "-o", str(link), "--force").returncode == 0
    assert link.is_symlink()
    assert output.read_bytes()[:4] in (b"path", b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == [link.name, output.name]


def test_the_suffix_of_the_output_chooses_the_format_or_is_refused(image_directory: Path, tmp_path: Path) -> None:
    image_path = str(next(image_directory.rglob("*.png")))
    assert run_vaetui("predict", "trained", image_path, "-o", str(tmp_path / "out.jsonl")).returncode == 0
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert row["path"] == image_path
    for name in ("out.tsv", "out.json", "out.npz"):
        message = "stands for no format here. Use .csv or .jsonl, or choose with --format"
        assert_refused(message, "predict", "trained", image_path, "-o", str(tmp_path / name))
    assert_refused("Use a name that ends in .png", "samples", "trained", "-o", str(tmp_path / "out.jpg"))
    assert os.listdir(tmp_path) == ["out.jsonl"]


@pytest.mark.parametrize("command", ["predict", "samples", "export", "export-model"])
def test_output_that_cannot_be_a_file_name_is_refused(command: str, image_directory: Path, tmp_path: Path) -> None:
    images = [str(image_directory)] if command == "predict" else []
    long_path = str(tmp_path / ("n" * 256))
    assert_refused(f"Cannot use {long_path} (File name too long).", command, "trained", *images, "-o", long_path)
    if command != "export-model":
        assert_refused("Use -o /dev/stdout for standard output.", command, "trained", *images, "-o", "-")


def test_output_that_is_one_of_the_images_is_refused_even_with_force(image_directory: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for index, path in enumerate(sorted(image_directory.rglob("*.png"))[:4]):
        (images / f"{index}.png").write_bytes(path.read_bytes())
    table = tmp_path / "table.csv"
    table.write_text("path\nimages/0.png\nimages/1.png\n")
    contents = {path: path.read_bytes() for path in (table, *images.iterdir())}
    second = str(images / "1.png")
    link = tmp_path / "link"
    link.symlink_to(table)
    for arguments, typed in (
        ((str(images), "-o", second), None),
        ((str(table), "-o", second), None),
        ((str(table), "-o", str(table)), None),
        ((str(table), "-o", str(link)), None),
        (("-", "-o", second), f"{images}/0.png\n{second}\n"),
        (("-", "-o", str(table)), f"{images}/0.png\n{table}\n"),
    ):
        process = run_vaetui("predict", "trained", *arguments, "--format", "csv", "--force", typed=typed)
        assert process.returncode == 2, arguments
        assert "is the input" in process.stderr, arguments
        assert {path: path.read_bytes() for path in (table, *images.iterdir())} == contents
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "link", "table.csv"]


def test_failed_predict_leaves_the_old_output_and_no_other_file(image_directory: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "labels.csv"
    output.parent.mkdir()
    bad = tmp_path / "bad.png"
    bad.write_text("words")
    for content in (None, "old"):
        if content is not None:
            output.write_text(content)
        process = run_vaetui("predict", "trained", str(bad), "-o", str(output), "--force")
        assert (process.returncode, process.stdout) == (2, "")
        assert [path.name for path in output.parent.iterdir()] == ([] if content is None else ["labels.csv"])
    assert output.read_text() == "old"
    with mount_small_disk(tmp_path, 64) as disk:
        fill_disk(disk, 4)
        process = run_vaetui("predict", "trained", str(image_directory), "-o", str(disk / "labels.csv"))
        assert process.returncode == 2
        assert process.stderr.count("\n") == 1
        assert f"{disk} is full" in process.stderr
        assert [path.name for path in disk.iterdir()] == ["filler"]


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
    assert np.abs([float(row["uncalibrated_probability"]) for row in rows] - probabilities.max(axis=1)).max() < 1e-4
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
    assert np.mean([float(row["uncalibrated_probability"]) if row["class"] == "cat" else 0.0 for row in rows]) > 0.5
    assert_refused(
        "There is no class fish; the classes are cat, dog", "samples", "trained", "--class", "fish", "-o", "x.png"
    )
