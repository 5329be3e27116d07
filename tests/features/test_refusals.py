"""Files that are no vectors of the images are refused in one sentence that says what to do."""

from __future__ import annotations

import gzip
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.command_line import run_vaetui
from tests.data.drawing import write_image_folder
from tests.features.feature_inputs import draw_vectors, import_with_features
from vaetui.errors import UserError
from vaetui.features import feature_store
from vaetui.storage import locations

COUNT = 12
VECTORS = draw_vectors(COUNT)
NAMES = [f"part-{index // 4}/{index // 4 + 3 * (index % 4):05}.png" for index in range(COUNT)]


def save(array: Any) -> Callable[[Path], None]:
    """Return a function that writes an array as .npy."""
    return lambda path: np.save(path, array, allow_pickle=True)


def savez(**arrays: Any) -> Callable[[Path], None]:
    """Return a function that writes arrays as .npz."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **arrays)

    return write


def write(content: bytes) -> Callable[[Path], None]:
    """Return a function that writes bytes."""
    return lambda path: path.write_bytes(content) and None


def parquet(**columns: Any) -> Callable[[Path], None]:
    """Return a function that writes columns as Parquet."""
    return lambda path: pq.write_table(pa.table(columns), path)


def changed(row: int, column: int, value: float, dtype: str = "f4") -> Callable[[Path], None]:
    """Return a function that writes the vectors with one other number."""
    vectors = VECTORS.astype(dtype)
    vectors[row, column] = value
    return save(vectors)


def npy_bytes(array: Any) -> bytes:
    return feature_store.encode_npy_header(array.shape, array.dtype) + array.tobytes()


WITH_NONE = [*VECTORS[:, :3].tolist()[:-1], None]
RAGGED = [*VECTORS[:, :3].tolist()[:-1], [1.0]]
CASES: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    # counts and shapes
    "fewer vectors": ("v.npy", save(VECTORS[:-1]), "has 11 vectors for 12 images of directory photos. Save one vector"),
    "more vectors": ("v.npy", save(draw_vectors(13)), "has 13 vectors for 12 images"),
    "transposed": ("v.npy", save(VECTORS.T), "If its columns are the vectors, save vectors.T."),
    "no vectors": ("v.npy", save(VECTORS[:0]), "contains no vectors"),
    "no numbers": ("v.npy", save(VECTORS[:, :0]), "has 0 number"),
    "one number each": ("v.npy", save(VECTORS[:, :1]), "has 1 number per image; vectors of at least 2 are needed."),
    "one axis": ("v.npy", save(VECTORS[:, 0]), r"has the shape \(12,\); one vector per image is needed"),
    "a number": ("v.npy", save(np.float32(1)), "has one number; one vector per image is needed"),
    "three axes": ("v.npy", save(np.ones((12, 5, 4))), r"has the shape \(12, 5, 4\); vectors have 2 axes.*mean over"),
    "images": ("v.npy", save(np.ones((12, 8, 8), np.uint8)), "These look like images: pass them with --data."),
    "colour images": ("v.npy", save(np.ones((12, 8, 8, 3), np.uint8)), "These look like images"),
    "too wide": ("v.npy", save(np.zeros((12, 100_000), np.float16)), "has 100,000 numbers per image; at most 65,536"),
    # numbers
    "NaN": ("v.npy", changed(7, 2, np.nan), "Row 7 of .*v.npy, counted from 0, contains NaN. Compute it again"),
    "infinity": ("v.npy", changed(3, 1, np.inf), "Row 3 of .* contains infinity"),
    "minus infinity": ("v.npy", changed(0, 1, -np.inf), "Row 0 of .* contains infinity"),
    "NaN in float16": ("v.npy", changed(11, 5, np.nan, "f2"), "Row 11 of .* contains NaN"),
    "float16 overflow": ("v.npy", changed(2, 5, np.inf, "f2"), "Row 2 .*float16 ends at 65,504: save float32"),
    "beyond float32": ("v.npy", changed(4, 5, 1e300, "f8"), "Row 4 .* contains infinity or a number beyond"),
    "NaN in float64": ("v.npy", changed(4, 5, np.nan, "f8"), "Row 4 .* contains NaN"),
    "huge numbers": ("v.npy", changed(5, 0, 1e30), "Row 5 .* numbers that are too large .up to 1.0e.30.. Scale"),
    "subnormal numbers": ("v.npy", save(VECTORS * np.float32(1e-41)), r"Row \d+ .* numbers that are too small"),
    "tiny numbers": ("v.npy", save(VECTORS * np.float32(1e-13)), r"Row \d+ .* numbers that are too small"),
    "equal vectors": ("v.npy", save(np.ones((12, 4))), "All vectors of .*v.npy are equal"),
    "all zeros": ("v.npy", save(np.zeros((12, 4))), "All vectors of .*v.npy are equal"),
    "a constant column": (
        "v.npy",
        save(np.column_stack([VECTORS, np.full(12, 3)])),
        r"Column 6 of .*, counted from 0, is the same for all images. Remove such columns: vectors\[",
    ),
    "constant columns": (
        "v.npy",
        save(np.column_stack([np.zeros((12, 7)), VECTORS])),
        "Columns 0, 1, 2, 3, 4 and 2 more of .*, counted from 0, are the same",
    ),
    "text": ("v.npy", save(np.array([["a", "b"]] * 12)), "contains text. Pass a file of numbers"),
    "complex numbers": ("v.npy", save(VECTORS.astype(complex)), "contains complex numbers"),
    "Python objects": ("v.npy", save(np.array([{}] * 12)), "contains Python objects, which are never loaded"),
    "dates": ("v.npy", save(np.zeros((12, 3), "M8[s]")), "contains values of type datetime64"),
    "named fields": ("v.npy", save(np.zeros((12, 3), [("a", "f4")])), "contains values of type"),
    # files
    "missing": ("v.npy", lambda path: None, "does not exist. Pass a file of vectors"),
    "missing, other ending": ("v.csv", lambda path: None, "does not exist. Pass a file of vectors"),
    "empty": ("v.npy", write(b""), "is empty"),
    "a cut header": ("v.npy", write(npy_bytes(VECTORS)[:40]), "cannot be read"),
    "truncated": ("v.npy", write(npy_bytes(VECTORS)[:-1]), "cannot be read .it is truncated.. Check or replace"),
    "too long": ("v.npy", write(npy_bytes(VECTORS) + b"x"), "contains 1 bytes after its first array"),
    "not an npy file": ("v.npy", write(b"hello, world"), "is not a .npy file: its first bytes are wrong"),
    "not a Parquet file": ("v.parquet", write(b"hello, world"), "is not a .parquet file"),
    "a damaged Parquet file": ("v.parquet", write(b"PAR1" + bytes(40) + b"PAR1"), "cannot be read"),
    "a cut npz file": ("v.npz", write(b"PK\x03\x04" + bytes(90)), "cannot be read"),
    "gzipped": ("v.npy.gz", write(gzip.compress(npy_bytes(VECTORS))), "is compressed by gzip. Decompress it first."),
    "pickled": ("v.pkl", write(pickle.dumps(VECTORS)), "is a file of Python objects, which are never loaded"),
    "pickled .npy": ("v.npy", write(pickle.dumps(VECTORS)), "is a file of Python objects, which are never loaded"),
    "of PyTorch": ("v.pt", savez(a=VECTORS), "is a file of Python objects, which are never loaded"),
    "a table": ("v.csv", write(b"a,b\n1,2\n"), r"is not a file of vectors .*Save the vectors with numpy.save"),
    "a pipe": ("v.npy", os.mkfifo, "is not a regular file. Save the vectors in a file first."),
    "a device": ("v.npy", lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
    "a broken link": ("v.npy", lambda path: path.symlink_to("nothing"), "is a link to a file that does not exist"),
    "a loop of links": ("v.npy", lambda path: path.symlink_to(path), "cannot be read|does not exist"),
    "a name with a zero byte": ("v\0.npy", lambda path: None, "cannot be read"),
    "a name that is too long": (f"{'v' * 300}.npy", lambda path: None, "cannot be read"),
    # npz
    "several arrays": (
        "v.npz",
        savez(clip=VECTORS, dino=VECTORS),
        r"several arrays that can be the vectors: clip \(12, 6\), dino \(12, 6\). Choose one with --features-key",
    ),
    "only labels": ("v.npz", savez(labels=np.arange(12)), r"has the shape \(12,\); one vector per image is needed"),
    "no arrays of vectors": ("v.npz", savez(a=np.arange(12), b=np.ones((2, 2, 2))), "contains no array of vectors"),
    "pickled vectors": ("v.npz", savez(features=np.array([{}] * 12)), "array features in .* contains Python objects"),
    "pickled paths": ("v.npz", savez(features=VECTORS, paths=np.array(NAMES, object)), "array paths .*Python objects"),
    "fewer paths": ("v.npz", savez(features=VECTORS, paths=np.array(NAMES[1:])), "has 11 paths for 12 vectors"),
    "a missing path": (
        "v.npz",
        savez(features=VECTORS[1:], paths=np.array(NAMES[1:])),
        "has no vector for 1 of 12 images of directory photos, such as part-0/00000.png. Compute those",
    ),
    "a repeated path": (
        "v.npz",
        savez(features=draw_vectors(13), paths=np.array([*NAMES, NAMES[5]])),
        f"has several vectors for 1 of 12 images of directory photos, such as {NAMES[5]}. Keep one",
    ),
    "other paths": (
        "v.npz",
        savez(features=VECTORS, paths=np.array([f"x/{name}.jpg" for name in range(12)])),
        'names no image of directory photos: it contains "x/0.jpg", the first image is "part-0/00000.png"',
    ),
    "NaN by path": (
        "v.npz",
        savez(features=np.where(np.arange(12)[:, None] == 2, np.nan, VECTORS), paths=np.array(NAMES)),
        f"The vector of {NAMES[2]} in array features .* contains NaN",
    ),
    "test vectors of another width": (
        "v.npz",
        savez(features_train=VECTORS, features_test=VECTORS[:, :3]),
        "has vectors of 6 numbers, array features_test in .* of 3",
    ),
    # Parquet
    "no column of vectors": ("v.parquet", parquet(path=NAMES, size=list(range(12))), "has no column of vectors"),
    "several columns of vectors": (
        "v.parquet",
        parquet(clip=VECTORS.tolist(), dino=VECTORS.tolist()),
        "several columns of vectors: clip, dino. Choose one with --features-key, such as --features-key clip",
    ),
    "a missing vector": ("v.parquet", parquet(emb=WITH_NONE), "Row 11 of .* lacks numbers"),
    "a missing number": ("v.parquet", parquet(emb=[[1.0, None]] * 12), "Row 0 of .* lacks numbers"),
    "a missing cell": ("v.parquet", parquet(f0=[1.0] * 12, f1=[*range(11), None]), "Row 11 of .* lacks numbers"),
    "vectors of several lengths": (
        "v.parquet",
        parquet(emb=RAGGED),
        "Row 11 of .*, counted from 0, has 1 numbers, the first row 3. All vectors must have the same length.",
    ),
    "NaN in Parquet": ("v.parquet", parquet(emb=[[1.0, float("nan")]] * 12), "Row 0 of .* contains NaN"),
    "an empty Parquet file": ("v.parquet", parquet(emb=pa.array([], pa.list_(pa.float32()))), "contains no vectors"),
    "a row without path": (
        "v.parquet",
        parquet(path=[*NAMES[:-1], None], emb=VECTORS.tolist()),
        f"has no vector for 1 of 12 images of directory photos, such as {NAMES[-1]}",
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of COUNT images."""
    directory = tmp_path_factory.mktemp("refusals") / "photos"
    write_image_folder(directory, COUNT)
    return directory


@pytest.fixture(autouse=True)
def _home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAETUI_HOME", str(folder.parent / "home"))  # the images are decoded once


@pytest.mark.parametrize("case", CASES)
def test_a_file_is_refused_with_a_reason_and_advice(case: str, folder: Path, tmp_path: Path) -> None:
    name, write_file, message = CASES[case]
    path = tmp_path / name
    write_file(path)
    with pytest.raises(UserError) as caught:
        import_with_features(folder, path)
    text = str(caught.value)
    assert re.search(message, text), text
    assert "\n" not in text
    assert [*locations.features_directory().glob("*")] == []


@pytest.mark.parametrize(
    ("name", "key", "message"),
    [
        ("v.npz", "clop", "has no array clop. Choose one with --features-key: clip, dino, label, bad."),
        ("v.npz", "bad", "array bad in .* contains Python objects"),
        ("v.npz", "label", r"array label in .* has the shape \(12,\)"),
        ("v.npy", "clip", "contains one array, so --features-key clip cannot choose anything in it. Omit the option."),
        ("v.parquet", "clop", "has no column clop. Choose one with --features-key: clip, dino."),
        ("v.parquet", "path", "The column path of .* contains no vectors but string"),
    ],
)
def test_a_key_that_names_no_vectors_is_refused(
    name: str, key: str, message: str, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / name
    savez(clip=VECTORS, dino=VECTORS, label=np.arange(12), bad=np.array([{}]))(tmp_path / "v.npz")
    parquet(path=NAMES, clip=VECTORS.tolist(), dino=VECTORS.tolist())(tmp_path / "v.parquet")
    save(VECTORS)(tmp_path / "v.npy")
    with pytest.raises(UserError, match=message):
        import_with_features(folder, path, key)


def test_the_images_are_not_their_own_vectors(tmp_path: Path) -> None:
    path = tmp_path / "images.npy"
    np.save(path, np.random.default_rng(0).integers(0, 255, (12, 8, 8), np.uint8))
    with pytest.raises(UserError, match="These look like images"):
        import_with_features(path, path)
    np.savez(tmp_path / "both.npz", images=np.load(path), embeddings=VECTORS)
    assert import_with_features(tmp_path / "both.npz", tmp_path / "both.npz", "embeddings").data_record.features


def test_paths_of_images_without_paths_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 255, (12, 8, 8), np.uint8))
    savez(features=VECTORS, paths=np.array(NAMES))(tmp_path / "v.npz")
    with pytest.raises(UserError, match=r"names images by path, but the images of .* have none\. Remove"):
        import_with_features(tmp_path / "images.npy", tmp_path / "v.npz")


def test_counts_of_a_refusal_include_test_images_and_unusable_ones(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((20, 8, 8))
    images[4] = np.nan
    np.savez(tmp_path / "images.npz", x_train=images[:12], x_test=images[12:])
    save(draw_vectors(15))(tmp_path / "v.npy")
    with pytest.raises(UserError, match=r"15 vectors for 11 images of .* \(and 8 test images\); 1 more could not be"):
        import_with_features(tmp_path / "images.npz", tmp_path / "v.npy")


def test_a_count_with_two_meanings_is_refused(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((14, 8, 8))
    images[[1, 5]] = np.nan
    np.savez(tmp_path / "images.npz", x_train=images[:12], x_test=images[12:])
    save(VECTORS)(tmp_path / "v.npy")  # 10 usable images and 2 test images, or all 12
    with pytest.raises(UserError, match=r"12 vectors, which could belong to all images .* or to the usable ones and"):
        import_with_features(tmp_path / "images.npz", tmp_path / "v.npy")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--features", ""], "The value of --features is empty"),
        (["--features-key", "a"], "--features-key a chooses vectors in a file. Pass the file with --features."),
        (
            ["--features", "efficientnet-lite0", "--features-key", "a"],
            "--features-key a chooses vectors in a file, and efficientnet-lite0 is no file. Omit it.",
        ),
        (["--features", "v.npy", "--recipe", "paper"], "The recipe paper trains on images, but a session with"),
        (["--features", "v.npy", "--recipe", "propagation"], "The recipe propagation trains on images"),
        (["--recipe", "features"], "The recipe features trains on vectors. Pass them with --features"),
        (["--features", "v.npy", "--augment", "0.5"], "--augment changes images, but a session with --features"),
        (["--features", "v.npy", "--colour-jitter", "0"], "--colour-jitter changes images"),
        (["--features", "v.npy", "--downsampling", "2"], "--downsampling changes images"),
        (["--features", "v.npy"], "v.npy does not exist. Pass a file of vectors"),
        (["--features", "./vectors"], "vectors does not exist. Pass a file of vectors"),
    ],
)
@pytest.mark.parametrize("command", ["new", "simulate"])
def test_options_that_do_not_fit_end_with_status_2(
    command: str, arguments: list[str], message: str, folder: Path
) -> None:
    name = ["a", "--plain"] if command == "new" else []
    process = run_vaetui(command, *name, "--data", str(folder), *arguments)
    assert process.returncode == 2
    assert message in process.stderr
    assert len(process.stderr.splitlines()) == 1
    assert locations.list_session_names() == []


def test_features_without_data_are_those_of_the_bundled_images(tmp_path: Path) -> None:
    save(VECTORS)(tmp_path / "v.npy")
    with pytest.raises(UserError, match=r"12 vectors for 60,000 images of the bundled images \(and 10,000 test images"):
        import_with_features(None, tmp_path / "v.npy")
