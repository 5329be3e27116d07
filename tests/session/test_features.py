"""Tests of sessions that train on vectors."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.session.conftest import RunTemplates
from tests.session.scripted_run import answer_round, list_answers, run_to_end, session_digest
from tests.session.test_kill import start_run
from tests.vectors import FEATURES_CONFIG, WIDTH, create_session_with_features, record_vectors, write_vectors
from vaetui.engine.classes import AddClass
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import MapComputed, Reconstructed
from vaetui.engine.images import read_idx_array
from vaetui.errors import UserError
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle, vector_loading
from vaetui.session.session import Session
from vaetui.session.session_status import load_status
from vaetui.session.verification import verify_session
from vaetui.storage import file_names, locations, stored_arrays
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.data_record import DataRecord
from vaetui.storage.feature_record import FeatureRecord
from vaetui.storage.findings import Finding
from vaetui.storage.repository import SessionRepository

VECTORS_NAME = "vectors.npy"


@pytest.fixture(scope="module")
def template(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a session named "vectors" that waits in round 1, whose vectors lie beside it."""
    home = tmp_path_factory.mktemp("features")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(home / "home"))
        with closing(create_session_with_features("vectors", digits, home / VECTORS_NAME)) as session:
            list(session.advance())
    return home


@pytest.fixture
def vectors_path(template: Path, home: Path) -> Iterator[Path]:
    """The file of vectors of a copy of the session in VAETUI_HOME; it is restored after the test."""
    shutil.copytree(template / "home", home)
    path = template / VECTORS_NAME
    content = path.read_bytes()
    yield path
    path.write_bytes(content)


@contextmanager
def open_session() -> Iterator[Session]:
    with closing(lifecycle.resume("vectors")) as session:
        list(session.advance())
        yield session


def read_training_pixels(session: Session, digits: Path) -> Pixels:
    pixels = read_idx_array(next(digits.glob("train-images*")), 3)
    with closing(SessionRepository(session.directory)) as repository:
        split = stored_arrays.load_train_val_split(ArtifactStore(session.directory, repository))
    return pixels[split.train_indices]


def test_session_with_features_trains_clusters_and_finishes_without_reconstructions(
    vectors_path: Path, digits: Path
) -> None:
    with open_session() as session:
        assert (session.has_features, session.has_decoder, session.has_test_labels) == (True, False, True)
        events = list(run_to_end(session))
        assert session.phase == "finished"
        assert "Reconstructed" not in events
        assert events.count("EpochEnded") == 2
        epochs = session.training_curves().finished_epochs
        assert [epoch.pixel_accuracy for epoch in epochs] == [None] * 3
        assert all(epoch.test_accuracy is not None and np.isfinite(epoch.losses).all() for epoch in epochs)
        with pytest.raises(UserError, match="--decoder"):
            session.reading_test()
        assert not list(session.directory.glob("reconstructions*"))
    assert load_status("vectors")["pixel_accuracy"] == [None] * 3


def test_centre_is_the_nearest_image_and_beside_it_the_mean_of_the_nearest_members(
    vectors_path: Path, digits: Path
) -> None:
    with open_session() as session:
        pixels = read_training_pixels(session, digits)
        list(session.split_cluster((0,), 3))
        clusters = session.round_view().clusters
        assert [cluster.path for cluster in clusters[:4]] == [(0,), (0, 0), (0, 1), (0, 2)]
        for cluster in clusters:
            nearest = session.require_current_round().member_indices(cluster.path, "nearest", 32)
            assert np.array_equal(cluster.picture, pixels[nearest[0]])
            assert np.array_equal(cluster.picture, session.member_images(cluster.path, "nearest", 1)[0])
            assert cluster.mean_picture is not None
            assert np.array_equal(cluster.mean_picture, pixels[nearest].mean(axis=0).round().astype(np.uint8))
        session.undo()


def test_session_of_images_shows_decoded_centres_without_mean_images(
    home: Path, digits: Path, runs: RunTemplates
) -> None:
    with closing(runs.open("images")) as session:
        assert (session.has_features, session.has_decoder) == (False, True)
        cluster = session.round_view().clusters[0]
        assert cluster.mean_picture is None
        assert not np.array_equal(cluster.picture, session.member_images(cluster.path, "nearest", 1)[0])


def test_vectors_without_those_of_test_images_give_no_test_accuracy(home: Path, digits: Path, tmp_path: Path) -> None:
    record = write_vectors(tmp_path / VECTORS_NAME, digits, with_test_vectors=False)
    with closing(lifecycle.create("vectors", str(digits), FEATURES_CONFIG, DataRecord(features=record))) as session:
        assert not session.has_test_labels
        events = list(session.advance())
        assert not any(isinstance(event, Reconstructed) for event in events)
        assert [epoch.test_accuracy for epoch in session.training_curves().finished_epochs] == [None]


@pytest.mark.parametrize("change", ["truncated", "changed", "missing"])
def test_changed_vectors_are_refused_in_one_sentence_and_restoring_them_opens_the_session(
    vectors_path: Path, digits: Path, change: str
) -> None:
    with open_session() as session:
        list(answer_round(session))
        answer_count = session.round_view().answer_count
    content = vectors_path.read_bytes()
    if change == "missing":
        vectors_path.unlink()
    else:
        vectors_path.write_bytes(content[:-2] + (b"" if change == "truncated" else b"ab"))
    with closing(lifecycle.resume("vectors")) as session, pytest.raises(UserError) as caught:
        list(session.advance())
    problem = "is missing" if change == "missing" else "changed since the session was created"
    assert str(caught.value) == f"{vectors_path} {problem}; restore the original file, no answer is lost."
    assert drain_events(verify_session("vectors", repair=False)) == [
        Finding(str(vectors_path), problem, "restore it from a backup", is_lost=True)
    ]
    vectors_path.write_bytes(content)
    assert drain_events(verify_session("vectors", repair=True)) == []
    with open_session() as session:
        assert session.round_view().answer_count == answer_count
        session.close_round()
        list(session.advance())
        assert session.round_number == 2


@pytest.mark.parametrize("path", ["/dev/zero", "pipe", "directory"])
def test_recorded_vectors_that_are_not_a_regular_file_are_refused_at_once(path: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    record = FeatureRecord(str(tmp_path / path), 2, 3, "0" * 64)
    with pytest.raises(UserError, match="restore the original file"):
        drain_events(vector_loading.verify_vectors(record))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": None}, "contradict each other"),
        ({"width": WIDTH + 1}, "does not contain 840 vectors"),
        ({"count": 500}, "does not contain 500 vectors"),
    ],
)
def test_forged_record_of_vectors_is_refused_in_one_sentence(
    change: dict[str, Any], message: str, vectors_path: Path, tmp_path: Path
) -> None:
    database = locations.find_session("vectors") / file_names.DATABASE_NAME
    with closing(sqlite3.connect(database)) as connection, connection:
        ((text,),) = connection.execute("SELECT value FROM meta WHERE key = 'data_record'")
        record = json.loads(text)
        (record if "features" in change else record["features"]).update(change)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'data_record'", (json.dumps(record),))
    (database.parent / file_names.JOURNAL_NAME).unlink()
    with pytest.raises(UserError, match=message), closing(lifecycle.resume("vectors")) as session:
        list(session.advance())
    (finding,) = [finding for finding in drain_events(verify_session("vectors", repair=False)) if finding.is_lost]
    assert message in finding.problem


def test_fewer_vectors_than_images_are_refused(vectors_path: Path) -> None:
    images = np.arange(800), np.arange(800, 900)
    with pytest.raises(UserError, match="has 840 vectors for 900 images"):
        drain_events(vector_loading.load_vectors(record_vectors(vectors_path), *images, None))


def test_image_decoder_draws_centres_and_samples_and_changes_no_label(
    vectors_path: Path, digits: Path, home: Path, finished: tuple[str, object]
) -> None:
    config = replace(FEATURES_CONFIG, network=replace(FEATURES_CONFIG.network, image_decoder=True, channels=(4, 8)))
    record = record_vectors(vectors_path)
    with closing(lifecycle.create("decoder", str(digits), config, DataRecord(features=record))) as session:
        list(session.advance())
        assert (session.has_features, session.has_decoder) == (True, True)
        round_view = session.round_view()
        for cluster in round_view.clusters:
            nearest = session.member_images(cluster.path, "nearest", 1)[0].astype(float)
            assert cluster.picture.shape == nearest.shape
            assert not np.array_equal(cluster.picture, nearest)
            assert cluster.mean_picture is None
        events = list(run_to_end(session))
        assert "Reconstructed" in events
        assert session.reading_test().reconstructions.shape == (64, 28, 28)
        epochs = session.training_curves().finished_epochs
        assert epochs[0].pixel_accuracy < epochs[-1].pixel_accuracy  # type: ignore[operator]
        *_, sampled = session.generate_samples(3, None, 0)
        assert sampled.images.shape == (3, 28, 28)  # type: ignore[union-attr]
    with closing(lifecycle.resume("decoder")) as session:
        assert session.training_curves().finished_epochs == epochs
    with open_session() as session:
        assert session.round_view().clusters != ()
        for cluster, other in zip(round_view.clusters, session.round_view().clusters, strict=True):
            assert (cluster.path, cluster.size, cluster.mean_distance) == (other.path, other.size, other.mean_distance)


@pytest.fixture(scope="module")
def finished(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, object]:
    """Digest and answers of the session when it was finished without an interruption."""
    with pytest.MonkeyPatch.context() as patch:
        home = shutil.copytree(template / "home", tmp_path_factory.mktemp("finished") / "home")
        patch.setenv("VAETUI_HOME", str(home))
        with open_session() as session:
            list(run_to_end(session))
        return session_digest("vectors"), list_answers("vectors")


def test_session_without_checkpoints_and_database_continues_to_the_same_bits(
    vectors_path: Path, home: Path, finished: tuple[str, object]
) -> None:
    with open_session() as session:
        directory = session.directory
        epochs = session.training_curves().finished_epochs
    for path in directory.glob("checkpoint*"):
        path.unlink()
    (directory / file_names.DATABASE_NAME).unlink()
    with open_session() as session:
        assert session.training_curves().finished_epochs == epochs
        list(run_to_end(session))
    assert (session_digest("vectors"), list_answers("vectors")) == finished


def test_classes_audit_review_map_and_export_work_on_vectors(vectors_path: Path, digits: Path, tmp_path: Path) -> None:
    with open_session() as session:
        session.edit_classes(AddClass(10, "ten"))
        list(run_to_end(session))
        assert len(session.classes) == 11
        list(session.load_labelling())
        page = session.reviews.page(None, 12)
        assert len(page) == 12
        assert session.reviews.border(session.reviews.classes()[0].class_id, 6) is not None
        list(session.audits.start("quick"))
        assert session.audits.view is not None
        *_, computed = session.map_images()
        assert isinstance(computed, MapComputed)
        assert computed.image_map.image_count == 576
        list(session.export_labels(tmp_path / "labels.csv"))
        rows = list(csv.DictReader((tmp_path / "labels.csv").open()))
        assert len(rows) == 640
        assert {row["label"] for row in rows} <= {*map(str, range(10)), "ten"}
        session.add_round()
        list(session.advance())
        assert session.round_number == 3


@pytest.mark.parametrize("min_mmap_bytes", [0, 1 << 26])
def test_small_vectors_are_read_and_large_ones_mapped(
    vectors_path: Path, min_mmap_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_loading, "MIN_MMAP_BYTES", min_mmap_bytes)
    expected = np.load(vectors_path)
    images = np.arange(0, 640, 2), np.arange(1, 640, 2)
    vectors = drain_events(vector_loading.load_vectors(record_vectors(vectors_path), *images, 200))
    if min_mmap_bytes:
        vectors_path.write_bytes(b"")  # would end the process if the file were mapped
    assert isinstance(vectors.train.all_vectors, np.memmap) is not bool(min_mmap_bytes)
    for subset, indices in ((vectors.train, images[0]), (vectors.validation, images[1])):
        assert np.array_equal(subset[:], expected[indices].astype(np.float32))
    assert vectors.test is not None
    assert np.array_equal(vectors.test[:], expected[640:].astype(np.float32))


def test_large_vectors_are_verified_with_progress(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_vectors(template / VECTORS_NAME)
    monkeypatch.setattr(vector_loading, "CHUNK_BYTES", 10_000)
    size = (template / VECTORS_NAME).stat().st_size
    completed = [progress.completed for progress in vector_loading.verify_vectors(record)]
    assert completed == [*range(10_000, size, 10_000), size]


@pytest.mark.slow
def test_killed_run_on_vectors_ends_in_the_same_bits(vectors_path: Path, finished: tuple[str, object]) -> None:
    for kill_step in ("answer (0, 1)", "BatchesTrained", ""):
        process = start_run("vectors")
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == kill_step:
                process.send_signal(signal.SIGKILL)
                break
        process.communicate()
        assert process.returncode == (-signal.SIGKILL if kill_step else 0)
    assert (session_digest("vectors"), list_answers("vectors")) == finished
