"""Predictions of sessions with features: from vectors of new images, by path or order, and by the Python interface."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaetui
from tests.command_line import assert_refused, run_vaetui
from tests.data.drawing import encode_png
from tests.session.scripted_run import run_to_end
from tests.session.test_api_page import PAGE, PYTHON_BLOCK
from tests.session_templates import SessionTemplates
from tests.vectors import FEATURES_CONFIG, WIDTH, create_session_with_features
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx_array
from vaetui.errors import UserError
from vaetui.session import lifecycle

TRAIN_COUNT, TEST_COUNT = 640, 200


@pytest.fixture(scope="module")
def finished_home(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """VAETUI_HOME of the finished session "vectors", whose vectors are in vectors.npy beside it."""
    home = tmp_path_factory.mktemp("vectors") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(home))
        session = create_session_with_features("vectors", digits, home.parent / "vectors.npy")
        list(run_to_end(session))
        session.close()
        yield home


@pytest.fixture
def vectors(finished_home: Path) -> np.ndarray:
    """The vectors of training and test images."""
    return np.load(finished_home.parent / "vectors.npy")


def predict(*arguments: str | Path, status: int = 0) -> list[dict[str, str]]:
    process = run_vaetui("predict", "vectors", *map(str, arguments))
    assert process.returncode == status, process.stderr
    return list(csv.DictReader(process.stdout.splitlines()))


def write_images(directory: Path, digits: Path, count: int) -> list[Path]:
    """Write the first test images as PNG files; return their paths in order."""
    test_images = find_idx_files(digits).test_images
    assert test_images is not None
    directory.mkdir()
    paths = [directory / f"{index:03}.png" for index in range(count)]
    for path, pixels in zip(paths, read_idx_array(test_images, 3)[:count], strict=True):
        path.write_bytes(encode_png(pixels))
    return paths


def test_vectors_without_images_are_classified_row_by_row(finished_home: Path, tmp_path: Path) -> None:
    path = finished_home.parent / "vectors.npy"
    rows = predict("--features", path)
    assert [row["path"] for row in rows] == [f"{path}#{row}" for row in range(TRAIN_COUNT + TEST_COUNT)]
    assert run_vaetui("export", "vectors", "-o", str(tmp_path / "labels.csv")).returncode == 0
    exported_rows = list(csv.DictReader((tmp_path / "labels.csv").open()))
    pairs = [
        (rows[int(exported["index"])]["class"], exported["class"])
        for exported in exported_rows
        if exported["source"] == "classifier"
    ]
    assert len(pairs) > 100
    assert all(predicted == exported for predicted, exported in pairs)


def test_vectors_are_matched_with_images_by_order_or_by_path(vectors: np.ndarray, digits: Path, tmp_path: Path) -> None:
    paths = write_images(tmp_path / "images", digits, 30)
    by_order, by_path = tmp_path / "new.npy", tmp_path / "new.npz"
    new_vectors, order = vectors[TRAIN_COUNT : TRAIN_COUNT + 30], np.random.default_rng(1).permutation(30)
    np.save(by_order, new_vectors)
    np.savez(by_path, features=new_vectors[order], paths=np.array([str(paths[index]) for index in order]))
    expected = [row["class"] for row in predict("--features", by_order)]
    assert len(set(expected)) > 2
    for file in (by_order, by_path):
        rows = predict(tmp_path / "images", "--features", file)
        assert [row["path"] for row in rows] == [str(path) for path in paths]
        assert [row["class"] for row in rows] == expected
    subset = predict(paths[7], paths[3], "--features", by_path)
    assert [row["class"] for row in subset] == [expected[7], expected[3]]


def test_unreadable_images_and_images_without_a_vector_are_skipped_and_shift_nothing(
    vectors: np.ndarray, digits: Path, tmp_path: Path
) -> None:
    paths = write_images(tmp_path / "images", digits, 12)
    paths[4].write_text("no image")
    new_vectors = vectors[TRAIN_COUNT : TRAIN_COUNT + 12]
    np.save(tmp_path / "all.npy", new_vectors)
    np.save(tmp_path / "usable.npy", np.delete(new_vectors, 4, axis=0))
    np.savez(tmp_path / "paths.npz", features=new_vectors[:10], paths=np.array([str(path) for path in paths[:10]]))
    expected = [row["class"] for row in predict("--features", tmp_path / "all.npy")]
    usable = predict(tmp_path / "images", "--features", tmp_path / "usable.npy", status=1)
    assert [row["class"] for row in usable] == expected[:4] + expected[5:]
    process = run_vaetui("predict", "vectors", str(tmp_path / "images"), "--features", str(tmp_path / "all.npy"))
    assert process.returncode == 2
    assert "has 12 vectors for 11 images; 1 more could not be read. Save one vector per image" in process.stderr
    process = run_vaetui("predict", "vectors", str(tmp_path / "images"), "--features", str(tmp_path / "paths.npz"))
    assert process.returncode == 1
    assert [row["class"] for row in csv.DictReader(process.stdout.splitlines())] == expected[:4] + expected[5:10]
    messages = process.stderr.splitlines()
    assert len(messages) == 3
    assert "004.png is not an image" in messages[0]
    assert "010.png has no vector in " in messages[1]


def test_features_that_the_session_cannot_use_are_refused(
    finished_home: Path, vectors: np.ndarray, tmp_path: Path
) -> None:
    image = tmp_path / "image.png"
    image.write_bytes(encode_png(np.zeros((28, 28), np.uint8)))
    assert_refused(
        "vectors was trained on vectors from elsewhere (vectors.npy), so new images need theirs. Pass a file with "
        "them: --features FILE",
        *("predict", "vectors", str(image)),
    )
    np.save(tmp_path / "narrow.npy", vectors[:, :-1])
    infinite = vectors.astype(np.float32)
    infinite[5, 3] = np.inf
    np.save(tmp_path / "infinite.npy", infinite)
    for name, message in (
        ("narrow.npy", f"has {WIDTH - 1} numbers per image, but vectors was trained on {WIDTH}. Pass vectors that"),
        ("infinite.npy", "Row 5 of"),
        ("missing.npy", "does not exist"),
    ):
        assert_refused(message, "predict", "vectors", "--features", str(tmp_path / name), "-o", str(tmp_path / "o.csv"))
    assert not (tmp_path / "o.csv").exists()
    process = run_vaetui("predict", "vectors")
    assert process.returncode == 2
    assert "Missing argument 'IMAGES...'" in process.stderr
    path = finished_home.parent / "vectors.npy"
    assert_refused("is the input", "predict", "vectors", "--features", str(path), "-o", str(path), "--force")
    np.save(tmp_path / "new.npy", vectors)
    own = ("-o", str(path), "--format", "csv", "--force")
    assert_refused("is the input", "predict", "vectors", "--features", str(tmp_path / "new.npy"), *own)
    assert_refused("is the input", "export", "vectors", *own)
    assert np.array_equal(np.load(path), vectors)


def test_features_for_a_session_of_images_are_refused(templates: SessionTemplates, home: Path, tmp_path: Path) -> None:
    templates.copy("finished", "images")
    np.save(tmp_path / "vectors.npy", np.eye(3, dtype=np.float32))
    message = "images was trained on images, not on vectors. Pass the images alone."
    assert_refused(message, "predict", "images", "--features", str(tmp_path / "vectors.npy"))
    with vaetui.open("images") as reader:
        assert reader.features is None
        with pytest.raises(UserError, match="trained on images, not on vectors"):
            reader.predict(features=np.eye(3))
        with pytest.raises(UserError, match="images has no vectors"):
            reader.vectors()


def test_the_python_interface_returns_what_the_command_prints(finished_home: Path, vectors: np.ndarray) -> None:
    path = finished_home.parent / "vectors.npy"
    rows = predict("--features", path)
    with vaetui.open("vectors") as reader:
        assert reader.features is not None
        assert (reader.features.path, reader.features.width, reader.features.model) == (str(path), WIDTH, None)
        assert np.array_equal(reader.vectors(), vectors[:TRAIN_COUNT])
        by_array = reader.predict(features=vectors)
        by_file = reader.predict(features=path)
        assert by_array.paths == ()
        assert by_file.paths == tuple(row["path"] for row in rows)
        for result in (by_array, by_file):
            assert result.names.tolist() == [row["class"] for row in rows]
            assert [f"{value:.4f}" for value in result.probabilities] == [
                row["uncalibrated_probability"] for row in rows
            ]
        centres = reader.centres()
        assert centres.pictures.shape == centres.mean_pictures.shape == (len(centres.paths), 28, 28)
        for wrong, message in (
            (vectors[:, 1:], f"The array has {WIDTH - 1} numbers per image"),
            (vectors[0], "The array has the shape"),
            (np.full((2, WIDTH), np.nan), "Row 0 of the array, counted from 0, contains NaN"),
            (np.array([["a"] * WIDTH]), "The array contains text"),
            (vectors.astype(complex), "The array contains values of type complex128"),
        ):
            with pytest.raises(UserError, match=message):
                reader.predict(features=wrong)
        with pytest.raises(UserError, match="Pass images, or vectors of images"):
            reader.predict()


def test_the_example_of_the_api_page_runs_with_features(
    finished_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = (text for text in PYTHON_BLOCK.findall(PAGE.read_text()) if "session.vectors()" in text)
    exec(compile(block.replace("cats", "vectors"), str(PAGE), "exec"), {"vaetui": vaetui})
    assert f"({TRAIN_COUNT}, {WIDTH}) {finished_home.parent / 'vectors.npy'} None" in capsys.readouterr().out


def test_commands_that_need_images_or_a_decoder_say_so(finished_home: Path, tmp_path: Path) -> None:
    assert_refused("has no decoder, so it cannot generate images", "samples", "vectors", "-o", str(tmp_path / "s.png"))
    shown = json.loads(run_vaetui("show", "vectors", "--json").stdout)
    assert (shown["features"]["width"], shown["features"]["model"], shown["pixel_accuracy"]) == (
        WIDTH,
        None,
        [None] * 3,
    )
    assert run_vaetui("export", "vectors", "-o", str(tmp_path / "labels.csv")).returncode == 0
    info = json.loads((tmp_path / "labels.csv.info.json").read_text())
    assert info["features"] == {key: shown["features"][key] for key in ("width", "sha256", "model")}


def test_an_image_decoder_generates_samples_of_a_class(home: Path, digits: Path, tmp_path: Path) -> None:
    config = replace(FEATURES_CONFIG, network=replace(FEATURES_CONFIG.network, image_decoder=True))
    session = create_session_with_features("decoded", digits, tmp_path / "vectors.npy", config)
    list(run_to_end(session))
    session.close()
    for arguments in ((), ("--class", "2")):
        process = run_vaetui("samples", "decoded", "-o", str(tmp_path / f"{len(arguments)}.png"), *arguments)
        assert process.returncode == 0, process.stderr
        with Image.open(tmp_path / f"{len(arguments)}.png") as image:
            assert image.size == (8 * 28, 8 * 28)
            assert np.asarray(image).std() > 0
    with vaetui.open("decoded") as reader:
        by_vectors = reader.predict(features=reader.vectors())
        assert (
            by_vectors.names.tolist() == reader.predict(features=tmp_path / "vectors.npy").names.tolist()[:TRAIN_COUNT]
        )
    assert run_vaetui("export-model", "decoded", "-o", str(tmp_path / "model")).returncode == 0
    assert json.loads((tmp_path / "model/card.json").read_text())["image_shape"] == [28, 28]


def test_predictions_need_no_vectors_of_the_session_and_survive_a_resume(
    finished_home: Path, vectors: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, path = tmp_path / "home", finished_home.parent / "vectors.npy"
    shutil.copytree(finished_home, home)
    monkeypatch.setenv("VAETUI_HOME", str(home))
    new_path = tmp_path / "new.npy"
    np.save(new_path, vectors[-50:])
    before = predict("--features", new_path)
    session = lifecycle.resume("vectors")
    list(session.advance())
    session.close()
    assert predict("--features", new_path) == before
    moved_path = path.rename(path.with_name("moved.npy"))
    try:
        assert predict("--features", new_path) == before
        assert run_vaetui("export-model", "vectors", "-o", str(tmp_path / "model")).returncode == 0
        assert_refused(
            "vectors.npy is missing; restore the original file", "export", "vectors", "-o", str(tmp_path / "x.csv")
        )
        with vaetui.open("vectors") as reader, pytest.raises(UserError, match=r"vectors\.npy is missing"):
            reader.vectors()
    finally:
        moved_path.rename(path)
