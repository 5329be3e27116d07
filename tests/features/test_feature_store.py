"""Stored vectors are written completely or not at all, and removed with the last session that uses them."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import run_vaetui
from tests.data.drawing import write_image_folder
from tests.features.feature_inputs import draw_vectors, import_with_features
from tests.small_disk import mount_small_disk
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import import_dataset
from vaetui.errors import UserError
from vaetui.features import feature_store, resolving
from vaetui.features.feature_store import FeatureWriter
from vaetui.runtime import session_runner
from vaetui.session import dataset_location, lifecycle
from vaetui.storage import locations
from vaetui.storage.repository import SessionRepository

pytestmark = pytest.mark.usefixtures("home")
FAST_OPTIONS = ["--rounds", "1", "--warmup-epochs", "1", "--clusters", "2", "--device", "cpu"]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_vectors_are_written_to_their_positions_in_any_order(dtype: type[np.floating]) -> None:
    vectors = draw_vectors(50).astype(dtype)
    positions = np.random.default_rng(0).permutation(50)
    with FeatureWriter(50, 6, vectors.dtype) as writer:
        for part in np.array_split(positions, 7):
            writer.write(part, vectors[part])
    assert (np.load(writer.path) == vectors).all()
    assert writer.sha256 == hashlib.sha256(writer.path.read_bytes()).hexdigest()
    assert writer.path.parent == locations.features_directory()


def test_an_error_leaves_no_file() -> None:
    with pytest.raises(UserError), FeatureWriter(2, 6, np.dtype(np.float32)) as writer:
        writer.write(np.arange(2), draw_vectors(2))
        raise UserError("stop")
    assert [*locations.features_directory().glob("*")] == []


def test_a_used_file_stays_with_what_belongs_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    directory = feature_store.create_features_directory()
    for name in ("a.npy", "a.npy.json", "a.npy.paths.jsonl", "b.npy", "b.npy.json", "c.npy.part"):
        (directory / name).touch()
    feature_store.remove_unused_features([directory / "a.npy"])
    assert len([*directory.glob("*")]) == 6, "recent files stay"
    monkeypatch.setattr(feature_store, "MIN_UNUSED_AGE_S", -10.0)
    feature_store.remove_unused_features([directory / "a.npy", Path("/elsewhere/b.npy")])
    assert {path.name for path in directory.glob("*")} == {"a.npy", "a.npy.json", "a.npy.paths.jsonl"}


def test_converted_vectors_are_deleted_with_the_last_session_that_uses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, outside = tmp_path / "photos", tmp_path / "vectors.npy"
    write_image_folder(folder, 40)
    np.save(outside, draw_vectors(40).astype(np.float64))
    for name in ("first", "second"):
        data = import_with_features(folder, outside)
        lifecycle.create(name, data.source, data.config, data.data_record).close()
    (stored,) = locations.features_directory().glob("*")
    monkeypatch.setattr(feature_store, "MIN_UNUSED_AGE_S", -10.0)
    assert run_vaetui("delete", "first", "--yes").returncode == 0
    dataset_location.remove_unused_datasets()
    assert stored.exists()
    assert run_vaetui("delete", "second", "--yes").returncode == 0
    assert not stored.exists()
    assert outside.exists()


@pytest.mark.slow
def test_a_new_session_trains_on_the_vectors_of_a_file(tmp_path: Path) -> None:
    folder, outside = tmp_path / "photos", tmp_path / "vectors.npy"
    write_image_folder(folder, 40)
    np.save(outside, draw_vectors(40))
    arguments = ("new", "first", "--plain", "--data", str(folder), "--features", str(outside), *FAST_OPTIONS)
    process = run_vaetui(*arguments, typed="")
    assert process.returncode == 0, process.stderr
    assert "features    6 numbers per image from vectors.npy, in the order of the images: part-0/" in process.stdout
    with closing(SessionRepository(locations.find_session("first"))) as repository:
        assert repository.data_record.features is not None
        assert repository.data_record.features.path == str(outside)
        assert repository.config.recipe == "features"


def test_a_full_disk_is_named_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image_folder(tmp_path / "photos", 24)
    np.save(tmp_path / "vectors.npy", draw_vectors(24, 20_000).astype(np.float64))
    with mount_small_disk(tmp_path, 600) as disk:
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        with pytest.raises(UserError, match=r"The disk that contains .*features is full\. Free some space"):
            import_with_features(tmp_path / "photos", tmp_path / "vectors.npy")
        assert [*locations.features_directory().glob("*")] == []


def test_a_run_that_ends_early_leaves_no_file(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "photos", 24)
    dataset = session_runner.drain_events(import_dataset(tmp_path / "photos", ImportOptions()))
    np.save(tmp_path / "vectors.npy", draw_vectors(24).astype(np.float64))
    events = resolving.resolve_file(tmp_path / "vectors.npy", None, dataset, dataset.directory)
    next(events)
    assert len([*locations.features_directory().glob("*")]) == 1
    events.close()
    assert [*locations.features_directory().glob("*")] == []
