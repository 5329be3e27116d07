"""Import of images of every supported form as a dataset."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.data.drawing import colour_digits, encode_png, load_digits, write_image_folder
from tests.idx import write_idx, write_small_mnist
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import ImportedDataset, describe_source_changes, import_dataset
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx_array, read_images_and_digest
from vaetui.errors import UserError
from vaetui.runtime.session_runner import drain_events
from vaetui.storage import dataset_cache

pytestmark = pytest.mark.usefixtures("home")
COUNT = 70


def import_images(path: Path, **options: Any) -> ImportedDataset:
    return drain_events(import_dataset(path, ImportOptions(**options)))


def load_images(dataset: ImportedDataset) -> NDArray[np.uint8]:
    return read_images_and_digest(find_idx_files(dataset.directory).train_images)[0][:]


def load_labels(dataset: ImportedDataset) -> NDArray[np.uint8]:
    path = find_idx_files(dataset.directory).train_labels
    assert path is not None
    return read_idx_array(path, 1)


def read_skipped_lines(dataset: ImportedDataset) -> list[str]:
    return (dataset.directory / dataset_cache.SKIPPED_FILES_NAME).read_text().splitlines()


# Directories of image files


def test_a_nested_folder_is_imported_in_path_order(tmp_path: Path) -> None:
    images = write_image_folder(tmp_path / "own", COUNT)
    dataset = import_images(tmp_path / "own")
    assert np.array_equal(load_images(dataset), images)
    assert (dataset.class_names, dataset.skipped) == (None, ())
    assert find_idx_files(dataset.directory).train_labels is None


def test_several_processes_decode_in_path_order(tmp_path: Path) -> None:
    images = write_image_folder(tmp_path / "own", 700)
    (tmp_path / "own/part-1/00001.png").write_bytes(b"damaged")
    dataset = import_images(tmp_path / "own")
    assert [path for path, _ in dataset.skipped] == ["part-1/00001.png"]
    assert np.array_equal(load_images(dataset), np.delete(images, 234, axis=0))  # the first of the second directory


def test_several_processes_decode_while_stderr_has_no_file_descriptor(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 700)
    program = (
        "import sys; from pathlib import Path; from vaetui.runtime.session_runner import drain_events\n"
        "from vaetui.data.importing import import_dataset; from vaetui.data.import_options import ImportOptions\n"
        "class Screen:\n"
        "    def write(self, text): return 0\n"
        "    def flush(self): pass\n"
        "    def fileno(self): return -1\n"  # as Textual's replacement of stderr
        "sys.stderr = Screen()\n"
        "drain_events(import_dataset(Path(sys.argv[1]), ImportOptions()))\n"
    )
    process = subprocess.run([sys.executable, "-c", program, tmp_path / "own"], check=False)
    assert process.returncode == 0
    assert len(load_images(import_images(tmp_path / "own"))) == 700


def test_directories_become_labels_only_with_the_labels_option(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", COUNT, by_class=True)
    assert find_idx_files(import_images(tmp_path / "own").directory).train_labels is None
    digits = import_images(tmp_path / "own", labels=True)
    assert load_labels(digits).tolist() == sorted(load_digits(COUNT)[1].tolist())
    for class_id in range(10):
        (tmp_path / f"own/{class_id}").rename(tmp_path / f"own/kind {class_id}")
    named = import_images(tmp_path / "own", labels=True)
    assert named.class_names == tuple(f"kind {class_id}" for class_id in range(10))
    assert load_labels(named).tolist() == load_labels(digits).tolist()
    with pytest.raises(UserError, match="'kind 0', which is not among the classes cat, dog"):
        import_images(tmp_path / "own", labels=True, classes=("cat", "dog"))


def test_images_outside_class_directories_raise_user_error_with_the_labels_option(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", COUNT, by_class=True)
    (tmp_path / "own/stray.png").write_bytes(encode_png(load_digits(1)[0][0]))
    with pytest.raises(UserError, match="has images outside its class directories"):
        import_images(tmp_path / "own", labels=True)


def test_unusable_files_are_skipped_and_listed(tmp_path: Path) -> None:
    root = tmp_path / "own"
    images = write_image_folder(root, COUNT)
    (root / "empty.png").touch()
    (root / "text.PNG").write_text("text")
    (root / "broken.jpg").symlink_to(root / "nowhere.jpg")
    (root / "tiny.bmp").write_bytes(encode_png(load_digits(1)[0][0][:2, :2]))
    (root / "notes.txt").write_text("no image")
    (root / ".hidden.png").write_text("hidden")
    with open(os.fsencode(root) + b"/latin-\xe9.png", "wb") as file:
        file.write(encode_png(load_digits(1)[0][0]))
    (root / "loop").symlink_to(root)
    dataset = import_images(root)
    assert np.array_equal(load_images(dataset), images)
    assert len(dataset.skipped) == 8
    lines = read_skipped_lines(dataset)
    assert len(lines) == 8
    for line in (
        "empty.png is empty",
        "text.PNG is not an image in a supported format",
        "broken.jpg is a broken link",
        "notes.txt is not an image (.txt)",
        ".hidden.png is hidden",
        "loop/ is a link to a directory that contains it",
    ):
        assert line in lines
    assert any("latin-\\udce9.png has a name that is not valid UTF-8" in line for line in lines)


def test_paths_without_enough_images_raise_user_error_and_leave_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="contains no images"):
        import_images(tmp_path / "empty")
    write_image_folder(tmp_path / "few", 9)
    (tmp_path / "few/bad.png").touch()
    with pytest.raises(
        UserError,
        match=r"9 of 10 files in .* are usable images; at least 10 are needed. First problem: bad.png is empty.",
    ):
        import_images(tmp_path / "few")
    with pytest.raises(UserError, match="does not exist"):
        import_images(tmp_path / ("long" * 100))
    (tmp_path / "text.doc").write_text("text")
    with pytest.raises(UserError, match="is not in a supported format"):
        import_images(tmp_path / "text.doc")
    (tmp_path / "text.txt").write_text("text")
    with pytest.raises(UserError, match="has no rows"):
        import_images(tmp_path / "text.txt")
    assert not list(dataset_cache.datasets_directory().glob("*"))


def resize_files(root: Path, sizes: list[tuple[int, int]]) -> None:
    """Resize the image files below a directory to these sizes (width, height) by turns."""
    for index, path in enumerate(sorted(root.rglob("*.png"))):
        with Image.open(path) as image:
            resized = image.resize(sizes[index % len(sizes)])
        resized.save(path)


def test_size_option_resizes_all_images(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", COUNT)
    assert load_images(import_images(tmp_path / "own", size=(12, 20))).shape == (COUNT, 12, 20)


def test_small_images_of_different_sizes_are_resized_to_the_default_size(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", COUNT)
    resize_files(tmp_path / "own", [(width, 40) for width in range(30, 40)])
    assert load_images(import_images(tmp_path / "own")).shape == (COUNT, 28, 28)


def test_large_images_are_resized_to_the_largest_supported_size(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", COUNT)
    resize_files(tmp_path / "own", [(300, 300), (320, 280)])
    assert load_images(import_images(tmp_path / "own")).shape == (COUNT, 64, 64)


@pytest.mark.parametrize(
    ("sizes", "expected", "fit"),
    [
        ([(300, 200)], (43, 64), "resized from 200x300"),
        ([(200, 20)], (8, 64), "resized from 20x200"),
        ([(20, 40)], (40, 20), ""),
        ([(20, 40)] * 6 + [(20, 41)], (40, 20), "resized from 40 to 41 by 20 to 20 pixels"),
        (
            [(64, 64)] * 9 + [(64, 16)],
            (64, 64),
            "resized from 16 to 64 by 64 to 64 pixels; 7 of 70 images are squeezed, by up to 4.0 to 1",
        ),
        (
            [(100, 400), (400, 100)],
            (64, 64),
            "resized from 100 to 400 by 100 to 400 pixels; 70 of 70 images are squeezed, by up to 4.0 to 1",
        ),
    ],
)
def test_images_get_the_shape_of_most_of_them_and_others_are_reported_as_squeezed(
    sizes: list[tuple[int, int]], expected: tuple[int, int], fit: str, tmp_path: Path
) -> None:
    write_image_folder(tmp_path / "own", COUNT)
    resize_files(tmp_path / "own", sizes)
    dataset = import_images(tmp_path / "own")
    assert dataset.report.size == load_images(dataset).shape[1:] == expected
    assert dataset.report.fit == fit


def test_unchanged_files_and_options_reuse_the_cached_dataset(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", COUNT)
    dataset = import_images(tmp_path / "own")
    modified_ns = (dataset.directory / "train-images-idx3-ubyte").stat().st_mtime_ns
    assert import_images(tmp_path / "own") == dataset
    assert (dataset.directory / "train-images-idx3-ubyte").stat().st_mtime_ns == modified_ns
    assert import_images(tmp_path / "own", size=(20, 20)).directory != dataset.directory


def test_changed_source_files_are_described(tmp_path: Path) -> None:
    root = tmp_path / "own"
    write_image_folder(root, COUNT)
    dataset = import_images(root)
    assert describe_source_changes(dataset.directory) is None
    (root / "new.png").write_bytes(encode_png(load_digits(1)[0][0]))
    (root / "part-0/00000.png").unlink()
    (root / "part-1/00001.png").write_bytes(encode_png(load_digits(1)[0][0][:20]))
    description = str(describe_source_changes(dataset.directory))
    assert f"{root} has changed since its import (files: 1 added, 1 removed, 1 modified)" in description
    shutil.rmtree(root)
    assert "is missing" in str(describe_source_changes(dataset.directory))


def test_a_coloured_folder_keeps_colours_unless_grey_is_requested(tmp_path: Path) -> None:
    images = write_image_folder(tmp_path / "own", COUNT, in_colour=True)
    assert np.array_equal(load_images(import_images(tmp_path / "own")), images)
    assert load_images(import_images(tmp_path / "own", colour=False)).shape == (COUNT, 28, 28)


def test_a_grey_folder_with_few_coloured_images_becomes_grey(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 6 * COUNT)
    (tmp_path / "own/coloured.png").write_bytes(encode_png(colour_digits(load_digits(1)[0])[0]))
    assert load_images(import_images(tmp_path / "own")).shape == (6 * COUNT + 1, 28, 28)


# Arrays: npy, npz and IDX files


@pytest.mark.parametrize(
    ("dtype", "layout"),
    [
        ("uint8", "hw"),
        ("float32", "hw"),
        ("uint16", "hw"),
        ("int64", "hw"),
        ("bool", "hw"),
        ("uint8", "hw1"),
        ("uint8", "hw3"),
        ("uint8", "1hw"),
    ],
)
def test_arrays_of_any_type_and_layout_become_grey_pixels(tmp_path: Path, dtype: str, layout: str) -> None:
    pixels = load_digits(COUNT)[0]
    array: NDArray[Any] = pixels.astype(dtype)
    if dtype == "float32":
        array = (pixels / 255).astype(dtype)
    if dtype == "uint16":
        array = pixels.astype(np.uint16) * 257
    if dtype == "bool":
        pixels = np.where(pixels > 0, 255, 0).astype(np.uint8)
    array = {"hw1": array[..., None], "hw3": np.stack([array] * 3, -1), "1hw": array[:, None]}.get(layout, array)
    np.save(tmp_path / "own.npy", array)
    assert np.array_equal(load_images(import_images(tmp_path / "own.npy")), pixels)
    np.savez_compressed(tmp_path / "own.npz", array)
    assert np.array_equal(load_images(import_images(tmp_path / "own.npz")), pixels)


@pytest.mark.parametrize("layout", ["channels last", "channels first", "four channels"])
def test_coloured_arrays_keep_colours_unless_grey_is_requested(tmp_path: Path, layout: str) -> None:
    pixels = colour_digits(load_digits(COUNT)[0])
    arrays = {
        "channels last": pixels,
        "channels first": np.moveaxis(pixels, 3, 1),
        "four channels": np.pad(pixels, [(0, 0)] * 3 + [(0, 1)], constant_values=255),
    }
    np.save(tmp_path / "own.npy", arrays[layout])
    assert np.array_equal(load_images(import_images(tmp_path / "own.npy")), pixels)
    assert load_images(import_images(tmp_path / "own.npy", colour=False)).shape == (COUNT, 28, 28)
    assert load_images(import_images(tmp_path / "own.npy", size=(20, 24))).shape == (COUNT, 20, 24, 3)


def test_colour_option_gives_grey_arrays_three_channels(tmp_path: Path) -> None:
    pixels = load_digits(COUNT)[0]
    np.save(tmp_path / "own.npy", pixels)
    assert np.array_equal(load_images(import_images(tmp_path / "own.npy", colour=True)), np.stack([pixels] * 3, -1))


def test_size_option_resizes_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", np.arange(20 * 200 * 300, dtype=np.uint8).reshape(20, 200, 300))
    assert load_images(import_images(tmp_path / "own.npy", size=(28, 42))).shape == (20, 28, 42)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 28, 28), np.uint8), "contains 5 images; at least 10"),
        (np.zeros((0, 28, 28, 3), np.uint8), "contains 0 images; at least 10"),
        (np.full((20, 9, 9, 3), np.nan, np.float32), "contain NaN or infinite values"),
        (np.zeros((20, 784), np.uint8), r"save array.reshape\(-1, 28, 28\) instead"),
        (np.full((20, 9, 9), np.nan, np.float32), "contain NaN or infinite values"),
        (np.array([{"pickled": True}] * 20), "contains Python objects, which are never loaded"),
        (np.zeros((20, 200, 300), np.uint8), "200x300 pixels; sides of 8 to 64 are supported"),
    ],
)
def test_unsupported_arrays_raise_user_error(tmp_path: Path, array: NDArray[Any], message: str) -> None:
    np.save(tmp_path / "own.npy", array, allow_pickle=True)
    with pytest.raises(UserError, match=message):
        import_images(tmp_path / "own.npy")


def test_an_npz_file_with_labels_and_test_images_is_imported_whole(tmp_path: Path) -> None:
    pixels, classes = load_digits(2 * COUNT)
    train_images, test_images = pixels[:COUNT], pixels[COUNT:]
    train_labels, test_labels = classes[:COUNT], classes[COUNT:]
    np.savez(tmp_path / "own.npz", x_train=train_images, y_train=train_labels, x_test=test_images, y_test=test_labels)
    dataset = import_images(tmp_path / "own.npz", labels=True)
    assert np.array_equal(load_labels(dataset), classes[:COUNT])
    idx_files = find_idx_files(dataset.directory)
    assert idx_files.test_images is not None
    assert idx_files.test_labels is not None
    assert np.array_equal(read_idx_array(idx_files.test_images, 3), pixels[COUNT:])
    assert np.array_equal(read_idx_array(idx_files.test_labels, 1), classes[COUNT:])


def test_column_option_selects_the_label_array_of_an_npz_file(tmp_path: Path) -> None:
    pixels, classes = load_digits(COUNT)
    np.savez(tmp_path / "own.npz", pixels, kinds=np.array([f"kind {label}" for label in classes]))
    dataset = import_images(tmp_path / "own.npz", labels=True, label_key="kinds")
    assert dataset.class_names == tuple(f"kind {class_id}" for class_id in range(10))
    assert np.array_equal(load_labels(dataset), classes)
    with pytest.raises(UserError, match=r"has no array sorts\. Choose from: arr_0, kinds"):
        import_images(tmp_path / "own.npz", labels=True, label_key="sorts")
    with pytest.raises(UserError, match="contains no labels"):
        import_images(tmp_path / "own.npz", labels=True)


def test_idx_files_are_used_in_place_unless_resized(tmp_path: Path) -> None:
    directory = write_small_mnist(tmp_path / "own", COUNT, 12)
    assert import_images(directory).directory == directory
    resized = import_images(directory, size=(14, 14), labels=True)
    assert load_images(resized).shape == (COUNT, 14, 14)
    assert len(load_labels(resized)) == COUNT
    single_file = write_idx(tmp_path / "single-idx3-ubyte.gz", load_digits(COUNT)[0])
    assert np.array_equal(load_images(import_images(single_file)), load_digits(COUNT)[0])


def test_coloured_idx_files_are_used_in_place_unless_grey_is_requested(tmp_path: Path) -> None:
    pixels = colour_digits(load_digits(COUNT)[0])
    (tmp_path / "own").mkdir()
    write_idx(tmp_path / "own/train-images-idx4-ubyte", pixels)
    dataset = import_images(tmp_path / "own")
    assert dataset.directory == tmp_path / "own"
    assert np.array_equal(load_images(dataset), pixels)
    assert load_images(import_images(tmp_path / "own", colour=False)).shape == (COUNT, 28, 28)


@pytest.mark.parametrize("case_count", [200, pytest.param(2_500, marks=pytest.mark.slow)])
def test_randomly_damaged_arrays_are_imported_or_raise_user_error(tmp_path: Path, case_count: int) -> None:
    rng = random.Random(case_count)
    pixels, classes = load_digits(12)
    np.save(tmp_path / "own.npy", pixels)
    np.savez(tmp_path / "labelled.npz", images=pixels, labels=classes)
    np.savez_compressed(tmp_path / "compressed.npz", images=pixels.astype(np.float32))
    write_idx(tmp_path / "own-idx3-ubyte", pixels)
    (tmp_path / "own-idx3-ubyte.gz").write_bytes(gzip.compress((tmp_path / "own-idx3-ubyte").read_bytes()))
    contents = {path.name: path.read_bytes() for path in sorted(tmp_path.iterdir()) if path.is_file()}
    (tmp_path / "damaged").mkdir()
    refused_count = 0
    for case in range(case_count):
        name = rng.choice(list(contents))
        damaged = bytearray(contents[name])
        if case % 2:
            del damaged[rng.randrange(len(damaged)) :]
        # Mostly in the headers: damage of uncompressed pixels cannot be detected.
        for _ in range(rng.randrange(1, 6)):
            if damaged:
                damaged[rng.randrange(min(len(damaged), rng.choice([200, len(damaged)])))] ^= 1 << rng.randrange(8)
        path = tmp_path / "damaged" / name
        path.write_bytes(damaged)
        try:
            dataset = import_images(path, labels=case % 3 == 0 and name == "labelled.npz")
            shutil.rmtree(dataset.directory)
        except UserError as error:
            refused_count += 1
            assert str(error).isprintable()
    assert 0.48 * case_count < refused_count < case_count


# CSV files


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_lists_images_and_labels(tmp_path: Path, delimiter: str) -> None:
    images = write_image_folder(tmp_path / "own", COUNT)
    paths = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "own").rglob("*.png"))
    rows = [
        ("number", "Path", "Class"),
        *((f"{number}", path, "dog" if number % 3 else "cat") for number, path in enumerate(paths)),
        ("", "no.png", "cat"),
    ]
    (tmp_path / "own.csv").write_text("\n".join(map(delimiter.join, rows)))
    dataset = import_images(tmp_path / "own.csv", labels=True)
    assert np.array_equal(load_images(dataset), images)
    assert (dataset.class_names, dataset.skipped) == (("cat", "dog"), (("no.png", "does not exist"),))
    assert load_labels(dataset).tolist() == [int(number % 3 > 0) for number in range(COUNT)]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            "number,path,class\n0,a.png,cat\n",
            {"labels": True, "label_key": "kind"},
            "has no column kind. Choose one with --labels: number, path, class",
        ),
        ("number,path\n0,a.png\n", {"labels": True}, "has no label column"),
        ("index,path,class\n0,,cat\n1,,dog\n", {}, "has no paths in its column path"),  # exported labels of arrays
        ("", {}, "has no rows"),
    ],
)
def test_incomplete_csv_files_raise_user_error(
    tmp_path: Path, content: str, options: dict[str, Any], message: str
) -> None:
    (tmp_path / "own.csv").write_text(content)
    (tmp_path / "a.png").write_bytes(encode_png(load_digits(1)[0][0]))
    with pytest.raises(UserError, match=message):
        import_images(tmp_path / "own.csv", **options)
