"""The Python interface: arrays equal what the commands write, and are read while the session is open elsewhere."""

from __future__ import annotations

import csv
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas
import pytest

import vaetui
from tests.command_line import run_vaetui
from tests.data.drawing import write_image_folder
from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, run_to_end
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import import_dataset
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Unreadable
from vaetui.engine.config import MAX_HIDDEN_COMPONENTS, MAX_PIXEL_COMPONENTS
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_images_and_digest
from vaetui.errors import UserError
from vaetui.runtime import session_runner
from vaetui.session import dataset_location, lifecycle
from vaetui.session.session_reader import SessionReader
from vaetui.storage.data_record import DataRecord

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def reader(runs: RunTemplates) -> Iterator[SessionReader]:
    """A finished session with graph propagation, open for writing while it is read."""
    session = runs.open("read", PROPAGATION_CONFIG, 2)
    list(run_to_end(session))
    with vaetui.open("read") as reader:
        yield reader
    session.close()


def export_rows(name: str, directory: Path) -> list[dict[str, str]]:
    process = run_vaetui("export", name, "-o", str(directory / "labels.csv"))
    assert process.returncode == 0, process.stderr
    with (directory / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_images(name: str) -> np.ndarray:
    with vaetui.open(name) as reader:
        source = reader._require_open().repository.data_source
    files = find_idx_files(dataset_location.locate_source_directory(source))
    return read_images_and_digest(files.train_images)[0].all_pixels


def test_labels_and_table_equal_the_exported_csv(reader: SessionReader, tmp_path: Path) -> None:
    rows, labels = export_rows("read", tmp_path), reader.labels()
    assert len(labels) == len(rows) == 640
    assert labels.rows.tolist() == labels.indices.tolist() == [int(row["index"]) for row in rows]
    assert labels.class_ids.tolist() == [int(row["label"]) for row in rows]
    assert labels.names.tolist() == [row["class"] for row in rows]
    assert labels.sources.tolist() == [row["source"] for row in rows]
    assert labels.paths.tolist() == [row["path"] for row in rows] == [""] * 640
    assert [round(float(value), 4) for value in labels.confidences] == [
        float(row["uncalibrated_confidence"]) for row in rows
    ]
    table, csv_table = reader.table(), pandas.read_csv(tmp_path / "labels.csv")
    assert list(table.columns) == list(csv_table.columns)
    for column in ("index", "label", "uncalibrated_confidence", "source", "weight", "distance"):
        assert np.array_equal(table[column], csv_table[column], equal_nan=column == "distance"), column


def test_answers_about_single_images_are_listed_and_change_the_version(runs: RunTemplates) -> None:
    session = runs.open("reviewed", SMALL_CONFIG, 2)
    list(run_to_end(session))
    with vaetui.open("reviewed") as reader:
        assert len(reader.image_answers()) == 0
        before = reader.labels()
    shown_class_id = int(before.class_ids[3])
    session.record_image_answers(
        [AnsweredImage(3, ClassAnswer(7), shown_class_id), AnsweredImage(5, Unreadable())], "pair"
    )
    session.close()
    with vaetui.open("reviewed") as reader:
        answers, labels = reader.image_answers(), reader.labels()
    assert (answers.rows.tolist(), answers.class_ids.tolist()) == ([3, 5], [7, -1])
    assert (answers.names.tolist(), answers.origins.tolist()) == (["7", ""], ["pair", "pair"])
    assert labels.rows.tolist() == [row for row in range(640) if row != 5]
    assert (labels.names[3], labels.sources[3], labels.confidences[3]) == ("7", "answer", 1)
    assert labels.version != before.version
    assert labels.calibration is None
    assert set(labels.checks) == {""}


def test_table_without_pandas_names_what_to_install(reader: SessionReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UserError, match=r"needs pandas\. Install it with: pip install pandas"):
        reader.table()


def test_predictions_of_arrays_and_files_equal_the_labels_of_the_classifier(
    reader: SessionReader, tmp_path: Path
) -> None:
    labels, images = reader.labels(), read_images("read")
    from_array = reader.predict(images)
    assert len(from_array) == 640
    assert from_array.class_ids.dtype == np.int64
    is_predicted = labels.sources == "classifier"
    assert is_predicted.sum() > 100
    assert np.array_equal(from_array.class_ids[is_predicted], labels.class_ids[is_predicted])
    assert 0 < from_array.probabilities.min() <= from_array.probabilities.max() <= 1
    np.save(tmp_path / "images.npy", images[:20])
    (tmp_path / "text.png").write_text("no image")
    with pytest.warns(UserWarning, match=r"text\.png"):
        from_files = reader.predict([tmp_path / "images.npy", str(tmp_path / "text.png")])
    assert np.array_equal(from_files.class_ids, from_array.class_ids[:20])
    assert from_files.names.tolist() == [reader.class_names[class_id] for class_id in from_files.class_ids]
    assert from_files.paths == tuple(f"{tmp_path / 'images.npy'}#{index}" for index in range(20))
    assert [path for path, _ in from_files.skipped] == [str(tmp_path / "text.png")]
    assert np.array_equal(reader.predict(tmp_path / "images.npy").class_ids, from_files.class_ids)
    assert len(reader.predict(images[:0])) == len(reader.predict([])) == 0


def test_arrays_of_another_size_or_type_are_converted_and_others_refused(reader: SessionReader) -> None:
    images = read_images("read")[:12]
    expected = reader.predict(images).class_ids
    for array in (images[..., None], np.repeat(images[..., None], 3, axis=3), images[:, ::-1][:, ::-1]):
        assert np.array_equal(reader.predict(array).class_ids, expected)
    enlarged = reader.predict(images.repeat(2, axis=1).repeat(2, axis=2))
    assert (enlarged.class_ids == expected).mean() > 0.8
    floats = images / 255.0
    assert (reader.predict(floats).class_ids == expected).mean() > 0.8
    floats[3, 5, 5] = np.nan
    with pytest.raises(UserError, match="Image 3 of the array contains NaN or infinite values"):
        reader.predict(floats)
    for array in (images[0], images[0, 0], np.array("text"), np.zeros((3, 28, 28, 7)), images.astype(str)):
        with pytest.raises(UserError, match="The array has the shape"):
            reader.predict(array)
    with pytest.warns(UserWarning, match="missing"), pytest.raises(UserError, match="None of 1 files is a readable"):
        reader.predict("missing.png")


def test_latents_have_a_row_for_each_image_and_follow_the_checkpoint(reader: SessionReader) -> None:
    latents = reader.latents()
    assert latents.shape == (640, PROPAGATION_CONFIG.network.z_dim)
    assert latents.dtype == np.float32
    assert np.isfinite(latents).all()
    from vaetui.session.predictor import Predictor

    predictor = Predictor("read")
    expected = session_runner.drain_events(predictor.predict(read_images("read"))).latents
    np.testing.assert_allclose(latents, expected, atol=1e-4)


def test_centres_are_the_unsplit_clusters_of_a_round_with_their_answers(reader: SessionReader) -> None:
    last, first = reader.centres(), reader.centres(1)
    assert (last.round_number, first.round_number) == (2, 1)
    view_length = MAX_HIDDEN_COMPONENTS + PROPAGATION_CONFIG.network.z_dim + MAX_PIXEL_COMPONENTS
    for centres in (first, last):
        count = len(centres.paths)
        assert centres.embeddings.shape == (count, view_length)
        assert centres.pictures.shape == (count, 28, 28)
        assert centres.pictures.dtype == np.uint8
        assert len(centres.sizes) == len(centres.class_ids) == len(centres.confidences) == count
    assert first.paths == ("0.0", "0.1", "0.2", "1", "2", "3", "4"), "cluster 0 was split into three"
    assert first.class_ids.tolist() == [0, 1, 2, 1, 2, -1, 4]
    assert first.confidences.tolist() == pytest.approx([0.9, 0.9, 0.9, 0.9, 0.9, 0, 0.9])
    assert first.sizes.sum() == 576
    with pytest.raises(UserError, match="read has no round 3 yet; 2 have begun"):
        reader.centres(3)


def test_metrics_hold_losses_by_step_and_figures_by_epoch(reader: SessionReader) -> None:
    metrics = reader.metrics()
    assert len(metrics.epochs) == 3
    assert [epoch["epoch"] for epoch in metrics.epochs] == [1, 2, 3]
    assert 0 < metrics.epochs[-1]["test_accuracy"] < 1
    assert metrics.steps[-1] == 27
    assert (np.diff(metrics.steps) > 0).all()
    assert {"reconstruction", "divergence", "classification"} <= metrics.losses.keys()
    assert all(values.shape == metrics.steps.shape for values in metrics.losses.values())
    assert metrics.losses["reconstruction"][0] > metrics.losses["reconstruction"][-1] > 0


def test_a_reader_keeps_its_moment_until_it_is_closed(runs: RunTemplates) -> None:
    session = runs.open("moment", SMALL_CONFIG, 2)
    reader = vaetui.open("moment")
    session.record_answer((0,), ClassAnswer(7))
    assert reader.centres().class_ids[0] == -1
    with vaetui.open("moment") as newer_reader:
        assert newer_reader.centres().class_ids[0] == 7
    session.close()
    reader.close()
    reader.close()
    for method in (reader.labels, reader.table, reader.latents, reader.centres, reader.metrics):
        with pytest.raises(ValueError, match="The reader of session moment is closed"):
            method()
    with pytest.raises(ValueError, match="is closed"):
        reader.predict(np.zeros((1, 28, 28), np.uint8))


def test_paths_follow_the_files_and_changed_files_are_warned_of(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 60)
    dataset = session_runner.drain_events(import_dataset(tmp_path / "own", ImportOptions()))
    record = DataRecord(class_names=("cat", "owl", *map(str, range(2, 10))))
    session = lifecycle.create("files", str(dataset.directory), SMALL_CONFIG, record)
    list(session.advance())
    session.record_answer((1,), ClassAnswer(1))
    session.close()
    rows = export_rows("files", tmp_path)
    with vaetui.open("files") as reader, warnings.catch_warnings():
        warnings.simplefilter("error")
        labels = reader.labels()
        assert reader.class_names[:2] == ("cat", "owl")
    assert labels.paths.tolist() == [row["path"] for row in rows]
    assert set(labels.names) == {"owl"}
    changed, other = Path(labels.paths[0]), Path(labels.paths[1])
    changed.write_bytes(other.read_bytes() + b"\\0")
    with vaetui.open("files") as reader, pytest.warns(UserWarning, match="1 image file contains another picture"):
        assert np.array_equal(reader.labels().class_ids, labels.class_ids)


def test_what_is_missing_is_named(runs: RunTemplates) -> None:
    with pytest.raises(vaetui.UserError, match="There is no session missing"):
        vaetui.open("missing")
    session = runs.open("early", SMALL_CONFIG, 1)
    session.close()
    with vaetui.open("early") as reader:
        with pytest.raises(UserError, match="No labels yet"):
            reader.labels()
        with pytest.raises(UserError, match="has not learned any class yet"):
            reader.predict(np.zeros((1, 28, 28), np.uint8))
        assert reader.latents().shape == (640, SMALL_CONFIG.network.z_dim)


def test_opening_a_session_loads_no_pytorch(runs: RunTemplates) -> None:
    runs.copy("light")
    program = (
        "import sys, vaetui; print('numpy' in sys.modules); reader = vaetui.open('light'); reader.metrics(); "
        "reader.centres(); print('torch' in sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process.stdout.split() == ["False", "False"]
