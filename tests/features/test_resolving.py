"""Vectors from files are matched with the imported images, and used where they are or converted."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import DTypeLike
from PIL import Image

from tests.command_line import run_vaetui
from tests.data.drawing import load_digits, write_image_folder
from tests.features.feature_inputs import draw_vectors, import_with_features, load_features
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import import_dataset
from vaetui.errors import UserError
from vaetui.features import feature_files, resolving
from vaetui.runtime import session_runner
from vaetui.storage import locations
from vaetui.storage.feature_record import FeatureRecord

pytestmark = pytest.mark.usefixtures("home")
COUNT = 24


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory of COUNT images in three subdirectories."""
    write_image_folder(tmp_path / "photos", COUNT)
    return tmp_path / "photos"


def test_npy_in_the_order_of_the_images_is_used_where_it_is(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "vectors.npy"
    np.save(path, draw_vectors(COUNT).astype(np.float16))
    data = import_with_features(folder, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert data.data_record.features == FeatureRecord(str(path), COUNT, 6, digest)
    assert data.data_record.import_lines["features"] == (
        "6 numbers per image from vectors.npy, in the order of the images: "
        "part-0/00000.png, part-0/00003.png … part-2/00023.png"
    )
    assert not locations.features_directory().exists()


@pytest.mark.parametrize("dtype", [">f4", ">f2", "f8", "f4", "i8", "u1", "?", "i2"])
@pytest.mark.parametrize("is_fortran_order", [False, True])
def test_other_types_and_orders_are_converted_once(
    folder: Path, tmp_path: Path, dtype: DTypeLike, is_fortran_order: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_files, "FORTRAN_BLOCK_ROWS", 7)
    vectors = (draw_vectors(COUNT) * 10 > 3).astype(dtype) if dtype == "?" else draw_vectors(COUNT).astype(dtype)
    vectors = vectors.clip(0) if dtype == "u1" else vectors
    vectors[:, 0] = np.arange(COUNT) % 2 if dtype == "?" else np.arange(COUNT)
    path = tmp_path / "vectors.npy"
    np.save(path, np.asfortranarray(vectors) if is_fortran_order else vectors)
    data = import_with_features(folder, path)
    assert (load_features(data) == vectors.astype(np.float32)).all()
    record = data.data_record.features
    assert record is not None
    is_in_place = dtype == "f4" and not is_fortran_order
    assert (Path(record.path) == path) == is_in_place
    assert hashlib.sha256(Path(record.path).read_bytes()).hexdigest() == record.sha256
    assert import_with_features(folder, path).data_record.features == record
    assert len([*tmp_path.glob("home/features/*")]) == (not is_in_place)


def test_axes_of_length_one_are_left_out(folder: Path, tmp_path: Path) -> None:
    vectors = draw_vectors(COUNT)
    np.save(tmp_path / "pooled.npy", vectors[:, :, None, None])
    assert (load_features(import_with_features(folder, tmp_path / "pooled.npy")) == vectors).all()


def test_vectors_of_unreadable_files_are_left_out_and_the_others_do_not_shift(folder: Path, tmp_path: Path) -> None:
    vectors = draw_vectors(COUNT)
    paths = sorted(folder.rglob("*.png"))
    broken = [0, 9, 10, COUNT - 1]
    for index in broken:
        paths[index].write_bytes(b"no image")
        vectors[index] = np.nan  # as a program may write for what it cannot read
    path = tmp_path / "vectors.npy"
    np.save(path, vectors)
    data = import_with_features(folder, path)
    assert (load_features(data)[:, 0] == np.delete(np.arange(COUNT), broken)).all()
    assert "4 vectors of other or unusable images left out" in data.data_record.import_lines["features"]
    np.save(path, np.delete(vectors, broken, axis=0))
    assert (load_features(import_with_features(folder, path))[:, 0] == np.delete(np.arange(COUNT), broken)).all()


def test_vectors_of_test_images_follow_those_of_the_images(tmp_path: Path) -> None:
    images, _ = load_digits(30)
    data_path = tmp_path / "digits.npz"
    np.savez(data_path, x_train=images[:20], x_test=images[20:])
    path = tmp_path / "vectors.npy"
    np.save(path, draw_vectors(30))
    assert load_features(import_with_features(data_path, path)).shape == (30, 6)
    np.save(path, draw_vectors(20))
    data = import_with_features(data_path, path)
    assert load_features(data).shape == (20, 6)
    assert "the test images have no vectors" in data.data_record.import_lines["features"]


def test_vectors_of_images_with_nan_are_left_out_of_both_subsets(tmp_path: Path) -> None:
    images = load_digits(30)[0] / np.float32(255)
    images[[3, 19, 24]] = np.nan
    data_path = tmp_path / "digits.npz"
    np.savez(data_path, x_train=images[:20], x_test=images[20:])
    path = tmp_path / "vectors.npy"
    np.save(path, draw_vectors(30))
    kept = np.delete(np.arange(30), [3, 19, 24])
    assert (load_features(import_with_features(data_path, path))[:, 0] == kept).all()
    np.save(path, draw_vectors(20))
    assert (load_features(import_with_features(data_path, path))[:, 0] == kept[:18]).all()
    np.save(path, draw_vectors(27))
    assert (load_features(import_with_features(data_path, path))[:, 0] == np.arange(27)).all()


def test_a_changed_order_of_paths_moves_the_vectors_with_their_images(folder: Path, tmp_path: Path) -> None:
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))
    order = np.random.default_rng(1).permutation(COUNT)
    vectors = draw_vectors(COUNT)
    path = tmp_path / "vectors.npz"
    np.savez(path, features=vectors[order].astype(np.float16), paths=np.array(names)[order])
    data = import_with_features(folder, path)
    assert (load_features(data)[:, 0] == np.arange(COUNT)).all()
    assert data.data_record.import_lines["features"] == "6 numbers per image from vectors.npz, matched by path"


def test_vectors_of_an_image_model_are_computed_once_and_shared(folder: Path, tmp_path: Path) -> None:
    data = import_with_features(folder, "efficientnet-lite0")
    record = data.data_record.features
    assert record is not None
    assert record.model is not None
    assert load_features(data).shape == (COUNT, record.width)
    height, width = record.model.size
    description = f"{record.width:,} numbers per image from efficientnet-lite0 at {height}x{width}"
    assert data.data_record.import_lines["features"] == description
    (path,) = locations.features_directory().glob("*.npy")
    inode = path.stat().st_ino
    assert import_with_features(folder, "efficientnet-lite0").data_record.features == record
    assert path.stat().st_ino == inode
    copy = tmp_path / "copy.npy"
    for suffix in ("", ".json", ".paths.jsonl"):
        copy.with_name(copy.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    data = import_with_features(folder, copy)
    assert data.data_record.features == replace(record, path=str(copy))
    assert data.data_record.import_lines["features"] == f"{description}, copy.npy, matched by path"


def test_vectors_with_the_description_of_others_are_refused(folder: Path, tmp_path: Path) -> None:
    import_with_features(folder, "efficientnet-lite0")
    (path,) = locations.features_directory().glob("*.npy")
    copy = tmp_path / "copy.npy"
    for suffix in ("", ".json", ".paths.jsonl"):
        copy.with_name(copy.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    np.save(copy, np.load(path)[::-1])
    with pytest.raises(UserError, match=r"copy\.npy is not the file that its description copy\.npy\.json belongs to"):
        import_with_features(folder, copy)
    np.save(copy, np.load(path)[:-1])
    with pytest.raises(UserError, match=r"copy\.npy has the shape \(23, [\d,]+\), its description .* \(24, "):
        import_with_features(folder, copy)
    np.save(copy, np.load(path))
    copy.with_name("copy.npy.paths.jsonl").write_bytes(b"[]\n")
    with pytest.raises(UserError, match=r"copy\.npy\.paths\.jsonl does not belong to copy\.npy"):
        import_with_features(folder, copy)
    copy.with_name("copy.npy.json").write_text('{"format": "vaetui-features-1"}')
    with pytest.raises(UserError, match=r"copy\.npy\.json is damaged or from another version"):
        import_with_features(folder, copy)


@pytest.mark.parametrize("change", ["grows", "shrinks", "is replaced", "is written to"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    change: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = session_runner.drain_events(import_dataset(folder, ImportOptions()))
    monkeypatch.setattr(resolving, "BLOCK_BYTES", 6 * 4 * 8)
    path = tmp_path / "vectors.npy"
    np.save(path, draw_vectors(COUNT))
    events = resolving.resolve_file(path, None, dataset, dataset.directory)
    next(events)
    content = path.read_bytes()
    if change == "shrinks":
        os.truncate(path, len(content) - 6 * 4 * 12)
    elif change == "is replaced":
        path.unlink()
        path.write_bytes(content)
    else:
        with path.open("ab" if change == "grows" else "r+b") as file:
            file.write(content[:1])
        os.utime(path, ns=(0, 0))
    with pytest.raises(UserError, match=r"vectors\.npy (changed while it was read|cannot be read)"):
        session_runner.drain_events(events)


def test_paths_follow_a_table_of_images_with_missing_and_repeated_rows(folder: Path, tmp_path: Path) -> None:
    names = sorted(str(path.relative_to(tmp_path)) for path in folder.rglob("*.png"))
    rows = [names[5], "photos/missing.png", str(tmp_path / names[3]), names[20], names[5], *names[10:20]]
    table = tmp_path / "images.csv"
    table.write_text("\n".join(["path", *rows]) + "\n")
    np.savez(tmp_path / "vectors.npz", vectors=draw_vectors(COUNT), path=np.array(names))
    vectors = load_features(import_with_features(table, tmp_path / "vectors.npz"))
    assert vectors[:, 0].tolist() == [5, 3, 20, *range(10, 20)]
    np.save(tmp_path / "vectors.npy", draw_vectors(13))
    assert load_features(import_with_features(table, tmp_path / "vectors.npy"))[:, 0].tolist() == [*range(13)]
    # 14 may be those of all different paths, or those of all rows whose file exists
    np.save(tmp_path / "vectors.npy", draw_vectors(14))
    with pytest.raises(UserError, match="14 vectors for 13 images"):
        import_with_features(table, tmp_path / "vectors.npy")
    table.write_text("\n".join(["path", *rows[:4], *names[10:20]]) + "\n")  # no row is repeated
    vectors = load_features(import_with_features(table, tmp_path / "vectors.npy"))
    assert vectors[:, 0].tolist() == [0, *range(2, 14)]


def test_pages_of_stacks_are_matched_by_path_and_by_order(tmp_path: Path) -> None:
    images = load_digits(15)[0]
    root = tmp_path / "stacks"
    root.mkdir()
    for index, name in enumerate("abc"):
        first, *others = map(Image.fromarray, images[5 * index : 5 * index + 5])
        first.save(root / f"{name}.tif", save_all=True, append_images=others)
    (root / "b.tif").write_bytes(b"broken")
    Image.fromarray(images[5]).save(root / "b2.png")
    names = [*(f"a.tif#{page}" for page in range(5)), "b2.png", *(f"c.tif#{page}" for page in range(5))]
    np.savez(tmp_path / "v.npz", features=draw_vectors(11)[::-1], paths=np.array(names[::-1]))
    assert load_features(import_with_features(root, tmp_path / "v.npz"))[:, 0].tolist() == [*range(11)]
    np.save(tmp_path / "v.npy", draw_vectors(12))  # one more, for b.tif
    expected = [*range(5), *range(6, 12)]
    assert load_features(import_with_features(root, tmp_path / "v.npy"))[:, 0].tolist() == expected


def test_vectors_of_idx_files_in_place_have_their_order(digits: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", draw_vectors(840))
    data = import_with_features(digits, tmp_path / "v.npy")
    assert data.source == str(digits)
    assert load_features(data).shape == (840, 6)
    np.savez(tmp_path / "v.npz", train=draw_vectors(640), test=draw_vectors(200))
    assert load_features(import_with_features(digits, tmp_path / "v.npz"))[:, 0].tolist() == [*range(640), *range(200)]


def test_a_file_of_a_whole_set_serves_images_without_test_images(folder: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", features_train=draw_vectors(COUNT), features_test=draw_vectors(5))
    assert load_features(import_with_features(folder, tmp_path / "v.npz")).shape == (COUNT, 6)


def test_vectors_that_are_all_zeros_are_counted(folder: Path, tmp_path: Path) -> None:
    vectors = draw_vectors(COUNT)
    vectors[[3, 7]] = 0
    np.save(tmp_path / "v.npy", vectors)
    data = import_with_features(folder, tmp_path / "v.npy")
    assert data.data_record.import_lines["features"].endswith("\n2 vectors are all zeros")


def test_constant_columns_of_unused_rows_do_not_matter(folder: Path, tmp_path: Path) -> None:
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))
    vectors = np.column_stack([draw_vectors(COUNT + 1), np.zeros(COUNT + 1)])
    vectors[-1, -1] = 1
    np.savez(tmp_path / "v.npz", features=vectors, paths=np.array([*names, "other.png"]))
    with pytest.raises(UserError, match="Column 6 of"):
        import_with_features(folder, tmp_path / "v.npz")


def test_inspect_describes_the_vectors_without_a_session(folder: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", draw_vectors(COUNT))
    process = run_vaetui("inspect", str(folder), "--features", str(tmp_path / "v.npy"), "--json")
    fields = json.loads(process.stdout)["features"]
    assert (fields["count"], fields["width"], fields["model"]) == (COUNT, 6, None)
    assert fields["description"] == (
        "6 numbers per image from v.npy, in the order of the images: "
        "part-0/00000.png, part-0/00003.png … part-2/00023.png"
    )
    assert locations.list_session_names() == []
    process = run_vaetui("inspect", str(folder), "--features", str(tmp_path / "w.npy"))
    assert process.returncode == 2


def test_vectors_in_another_order_than_the_images_are_noticed(tmp_path: Path) -> None:
    images = load_digits(150)[0]
    np.save(tmp_path / "images.npy", images)
    vectors = images.reshape(150, -1).astype(np.float32) @ np.random.default_rng(0).normal(size=(784, 16))
    notice = "similar images do not have similar vectors: check that each vector is that of its image"
    for order, is_noticed in ((slice(None), False), (slice(None, None, -1), True)):
        np.save(tmp_path / "v.npy", vectors[order])
        data = import_with_features(tmp_path / "images.npy", tmp_path / "v.npy")
        assert (notice in data.data_record.import_lines["features"]) == is_noticed
    np.save(tmp_path / "v.npy", np.roll(vectors, 1, axis=0).astype(np.float32))
    data = import_with_features(tmp_path / "images.npy", tmp_path / "v.npy")
    assert notice in data.data_record.import_lines["features"]
