"""Images in any form become a set."""

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

from tests.data.drawing import digits, folder, png, tint
from tests.idx import small_mnist, write_idx
from vaetui.cli.simulate_command import drain
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import ImportedDataset, describe_changes, import_dataset
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx, read_images
from vaetui.errors import UserError
from vaetui.storage import dataset_cache

pytestmark = pytest.mark.usefixtures("home")
COUNT = 70


def taken(path: Path, **wish: Any) -> ImportedDataset:
    return drain(import_dataset(path, ImportOptions(**wish)))


def images(gathered: ImportedDataset) -> NDArray[np.uint8]:
    return read_images(find_idx_files(gathered.directory).train_images)[0][:]


def labels(gathered: ImportedDataset) -> NDArray[np.uint8]:
    path = find_idx_files(gathered.directory).train_labels
    assert path is not None
    return read_idx(path, 1)


def skipped(gathered: ImportedDataset) -> str:
    return (gathered.directory / dataset_cache.SKIPPED_FILES_NAME).read_text()


def test_a_nested_folder_comes_in_the_order_of_its_names(tmp_path: Path) -> None:
    written = folder(tmp_path / "own", COUNT)
    found = taken(tmp_path / "own")
    assert np.array_equal(images(found), written)
    assert (found.class_names, found.skipped_count) == (None, 0)
    assert find_idx_files(found.directory).train_labels is None


def test_several_processes_decode_to_the_same(tmp_path: Path) -> None:
    written = folder(tmp_path / "own", 700)
    (tmp_path / "own/part-1/00001.png").write_bytes(b"spoiled")
    found = taken(tmp_path / "own")
    assert found.skipped_count == 1
    assert np.array_equal(images(found), np.delete(written, 234, axis=0))  # the first of the second part


def test_several_processes_decode_also_behind_a_screen(tmp_path: Path) -> None:
    folder(tmp_path / "own", 700)
    program = (
        "import sys; from pathlib import Path; from vaetui.cli.simulate_command import consumed\n"
        "from vaetui.data.importing import gather; from vaetui.data.import_options import Wish\n"
        "class Screen:\n"
        "    def write(self, words): return 0\n"
        "    def flush(self): pass\n"
        "    def fileno(self): return -1\n"  # as what Textual puts there
        "sys.stderr = Screen()\n"
        "consumed(gather(Path(sys.argv[1]), Wish()))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, tmp_path / "own"], check=False)
    assert ran.returncode == 0
    assert len(images(taken(tmp_path / "own"))) == 700


def test_folders_are_classes_only_where_that_is_asked_for(tmp_path: Path) -> None:
    folder(tmp_path / "own", COUNT, by_class=True)
    assert find_idx_files(taken(tmp_path / "own").directory).train_labels is None
    found = taken(tmp_path / "own", labels=True)
    assert labels(found).tolist() == sorted(digits(COUNT)[1].tolist())
    for at in range(10):
        (tmp_path / f"own/{at}").rename(tmp_path / f"own/kind {at}")
    named = taken(tmp_path / "own", labels=True)
    assert named.class_names == tuple(f"kind {at}" for at in range(10))
    assert labels(named).tolist() == labels(found).tolist()
    with pytest.raises(UserError, match="'kind 0', which is none of the classes cat, dog"):
        taken(tmp_path / "own", labels=True, classes=("cat", "dog"))


def test_pictures_beside_the_folders_of_classes_have_no_label(tmp_path: Path) -> None:
    folder(tmp_path / "own", COUNT, by_class=True)
    (tmp_path / "own/stray.png").write_bytes(png(digits(1)[0][0]))
    with pytest.raises(UserError, match="Not all pictures"):
        taken(tmp_path / "own", labels=True)


def test_what_cannot_be_used_is_skipped_and_listed(tmp_path: Path) -> None:
    root = tmp_path / "own"
    written = folder(root, COUNT)
    (root / "empty.png").touch()
    (root / "words.PNG").write_text("words")
    (root / "broken.jpg").symlink_to(root / "nowhere.jpg")
    (root / "tiny.bmp").write_bytes(png(digits(1)[0][0][:2, :2]))
    (root / "notes.txt").write_text("no picture, and not named as one")
    (root / ".hidden.png").write_text("left alone")
    (root / "line\nbreak.png").write_bytes(png(digits(1)[0][0]))
    with open(os.fsencode(root) + b"/latin-\xe9.png", "wb") as file:
        file.write(png(digits(1)[0][0]))
    (root / "loop").symlink_to(root)
    found = taken(root)
    assert np.array_equal(images(found), written)
    assert found.skipped_count == 6
    told = skipped(found).splitlines()
    assert len(told) == 6
    for line in ("empty.png is empty", "words.PNG is no picture of a known format", "broken.jpg is a link to nothing"):
        assert line in told
    assert any("latin-\\udce9.png has a name that is no UTF-8" in line for line in told)


def test_nothing_to_decode_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no images"):
        taken(tmp_path / "empty")
    folder(tmp_path / "few", 9)
    (tmp_path / "few/bad.png").touch()
    with pytest.raises(
        UserError, match=r"Of 10 files in .* 9 can be used; at least 10 are needed; the first: bad.png is empty"
    ):
        taken(tmp_path / "few")
    with pytest.raises(UserError, match="There is no "):
        taken(tmp_path / ("long" * 100))
    (tmp_path / "words.txt").write_text("words")
    with pytest.raises(UserError, match="is no form of images that is known"):
        taken(tmp_path / "words.txt")
    assert not list(dataset_cache.datasets_directory().glob("*"))


def test_one_size_is_found_for_all(tmp_path: Path) -> None:
    folder(tmp_path / "own", COUNT)
    assert images(taken(tmp_path / "own", size=(12, 20))).shape == (COUNT, 12, 20)
    for at, path in enumerate(sorted((tmp_path / "own").rglob("*.png"))):
        with Image.open(path) as image:
            larger = image.resize((30 + at % 10, 40))
        larger.save(path)
    assert images(taken(tmp_path / "own")).shape == (COUNT, 28, 28)
    for path in (tmp_path / "own").rglob("*.png"):
        with Image.open(path) as image:
            larger = image.resize((300, 200))
        larger.save(path)
    assert images(taken(tmp_path / "own")).shape == (COUNT, 64, 64)


def test_the_very_same_images_are_decoded_once(tmp_path: Path) -> None:
    folder(tmp_path / "own", COUNT)
    first = taken(tmp_path / "own")
    before = (first.directory / "train-images-idx3-ubyte").stat().st_mtime_ns
    assert taken(tmp_path / "own") == first
    assert (first.directory / "train-images-idx3-ubyte").stat().st_mtime_ns == before
    assert taken(tmp_path / "own", size=(20, 20)).directory != first.directory


def test_a_set_that_changed_is_named(tmp_path: Path) -> None:
    root = tmp_path / "own"
    folder(root, COUNT)
    found = taken(root)
    assert describe_changes(found.directory) is None
    (root / "new.png").write_bytes(png(digits(1)[0][0]))
    (root / "part-0/00000.png").unlink()
    (root / "part-1/00001.png").write_bytes(png(digits(1)[0][0][:20]))
    told = describe_changes(found.directory)
    assert told is not None
    assert f"{root} changed since the session was made (files: 1 new, 1 gone, 1 changed)" in told
    shutil.rmtree(root)
    assert "is gone" in str(describe_changes(found.directory))


@pytest.mark.parametrize(
    ("kind", "shape"),
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
def test_arrays_of_any_numbers_become_grey(tmp_path: Path, kind: str, shape: str) -> None:
    pixels = digits(COUNT)[0]
    made: NDArray[Any] = pixels.astype(kind)
    if kind == "float32":
        made = (pixels / 255).astype(kind)
    if kind == "uint16":
        made = pixels.astype(np.uint16) * 257
    if kind == "bool":
        pixels = np.where(pixels > 0, 255, 0).astype(np.uint8)
    made = {"hw1": made[..., None], "hw3": np.stack([made] * 3, -1), "1hw": made[:, None]}.get(shape, made)
    np.save(tmp_path / "own.npy", made)
    assert np.array_equal(images(taken(tmp_path / "own.npy")), pixels)
    np.savez_compressed(tmp_path / "own.npz", made)
    assert np.array_equal(images(taken(tmp_path / "own.npz")), pixels)


@pytest.mark.parametrize("order", ["last", "first", "with a fourth"])
def test_arrays_in_colour_stay_so_unless_grey_is_wanted(tmp_path: Path, order: str) -> None:
    pixels = tint(digits(COUNT)[0])
    made = {
        "last": pixels,
        "first": np.moveaxis(pixels, 3, 1),
        "with a fourth": np.pad(pixels, [(0, 0)] * 3 + [(0, 1)]),
    }
    np.save(tmp_path / "own.npy", made[order])
    assert np.array_equal(images(taken(tmp_path / "own.npy")), pixels)
    assert images(taken(tmp_path / "own.npy", colour=False)).shape == (COUNT, 28, 28)
    assert images(taken(tmp_path / "own.npy", size=(20, 24))).shape == (COUNT, 20, 24, 3)


def test_grey_becomes_colour_where_that_is_wanted(tmp_path: Path) -> None:
    pixels = digits(COUNT)[0]
    np.save(tmp_path / "own.npy", pixels)
    assert np.array_equal(images(taken(tmp_path / "own.npy", colour=True)), np.stack([pixels] * 3, -1))


def test_a_folder_in_colour_stays_so_unless_grey_is_wanted(tmp_path: Path) -> None:
    written = folder(tmp_path / "own", COUNT, colour=True)
    assert np.array_equal(images(taken(tmp_path / "own")), written)
    assert images(taken(tmp_path / "own", colour=False)).shape == (COUNT, 28, 28)
    folder(tmp_path / "grey", 6 * COUNT)
    (tmp_path / "own/part-0/00000.png").rename(tmp_path / "grey/one.png")
    assert images(taken(tmp_path / "grey")).shape == (6 * COUNT + 1, 28, 28)  # one among many is an exception


def test_idx_files_in_colour_are_used_as_they_are(tmp_path: Path) -> None:
    pixels = tint(digits(COUNT)[0])
    (tmp_path / "own").mkdir()
    write_idx(tmp_path / "own/train-images-idx4-ubyte", pixels)
    found = taken(tmp_path / "own")
    assert found.directory == tmp_path / "own"
    assert np.array_equal(images(found), pixels)
    assert images(taken(tmp_path / "own", colour=False)).shape == (COUNT, 28, 28)


def test_an_npz_file_may_hold_labels_and_a_test(tmp_path: Path) -> None:
    pixels, classes = digits(2 * COUNT)
    parts = {"x_train": pixels[:COUNT], "y_train": classes[:COUNT], "x_test": pixels[COUNT:], "y_test": classes[COUNT:]}
    np.savez(tmp_path / "own.npz", **parts)
    found = taken(tmp_path / "own.npz", labels=True)
    assert np.array_equal(labels(found), classes[:COUNT])
    files = find_idx_files(found.directory)
    assert files.test_images is not None
    assert files.test_labels is not None
    assert np.array_equal(read_idx(files.test_images, 3), pixels[COUNT:])
    assert np.array_equal(read_idx(files.test_labels, 1), classes[COUNT:])
    words = np.array([f"kind {label}" for label in classes[:COUNT]])
    np.savez(tmp_path / "words.npz", pixels[:COUNT], kinds=words)
    named = taken(tmp_path / "words.npz", labels=True, column="kinds")
    assert named.class_names == tuple(f"kind {at}" for at in range(10))
    assert np.array_equal(labels(named), classes[:COUNT])
    with pytest.raises(UserError, match="holds no array sorts; its arrays are arr_0, kinds"):
        taken(tmp_path / "words.npz", labels=True, column="sorts")
    with pytest.raises(UserError, match="holds no labels"):
        taken(tmp_path / "words.npz", labels=True)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (np.zeros((5, 28, 28), np.uint8), "holds 5 images; at least 10"),
        (np.zeros((0, 28, 28, 3), np.uint8), "holds 0 images; at least 10"),
        (np.full((20, 9, 9, 3), np.nan, np.float32), "numbers that are none"),
        (np.zeros((20, 784), np.uint8), "images of shape"),
        (np.full((20, 9, 9), np.nan, np.float32), "numbers that are none"),
        (np.array([{"pickled": True}] * 20), "neither numbers nor words"),
        (np.asfortranarray(np.zeros((20, 9, 9), np.uint8)), "column by column"),
        (np.zeros((20, 200, 300), np.uint8), "200x300 pixels; bring them to --size"),
    ],
)
def test_arrays_that_are_no_images_are_one_sentence(tmp_path: Path, made: NDArray[Any], words: str) -> None:
    np.save(tmp_path / "own.npy", made, allow_pickle=True)
    with pytest.raises(UserError, match=words):
        taken(tmp_path / "own.npy")


def test_an_array_is_brought_to_a_size(tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", np.zeros((20, 200, 300), np.uint8))
    assert images(taken(tmp_path / "own.npy", size=(28, 42))).shape == (20, 28, 42)


def test_idx_files_are_used_as_they_are_or_brought_to_a_size(tmp_path: Path) -> None:
    data = small_mnist(tmp_path / "own", COUNT, 12)
    assert taken(data).directory == data
    found = taken(data, size=(14, 14), labels=True)
    assert images(found).shape == (COUNT, 14, 14)
    assert len(labels(found)) == COUNT
    alone = write_idx(tmp_path / "alone-idx3-ubyte.gz", digits(COUNT)[0])
    assert np.array_equal(images(taken(alone)), digits(COUNT)[0])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_names_pictures_and_their_classes(tmp_path: Path, delimiter: str) -> None:
    written = folder(tmp_path / "own", COUNT)
    names = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "own").rglob("*.png"))
    rows = [delimiter.join((f"{at}", name, "dog" if at % 3 else "cat")) for at, name in enumerate(names)]
    table = tmp_path / "own.csv"
    table.write_text(
        "\n".join([delimiter.join(("number", "Path", "Class")), *rows, delimiter.join(("", "no.png", "cat"))])
    )
    found = taken(table, labels=True)
    assert np.array_equal(images(found), written)
    assert (found.class_names, found.skipped_count) == (("cat", "dog"), 1)
    assert labels(found).tolist() == [int(at % 3 > 0) for at in range(COUNT)]
    with pytest.raises(UserError, match="has no column kind; its columns are number, Path, Class"):
        taken(table, labels=True, column="kind")
    table.write_text("index,path,class\n0,,cat\n1,,dog\n")  # as labels of arrays are exported
    with pytest.raises(UserError, match="names no file in its column path"):
        taken(table)
    table.write_text("")
    with pytest.raises(UserError, match="has no rows"):
        taken(table)


def test_thousands_of_damaged_arrays_are_images_or_one_sentence(tmp_path: Path) -> None:
    draw = random.Random(0)
    pixels, classes = digits(12)
    np.save(tmp_path / "whole.npy", pixels)
    np.savez(tmp_path / "whole.npz", images=pixels, labels=classes)
    np.savez_compressed(tmp_path / "packed.npz", images=pixels.astype(np.float32))
    write_idx(tmp_path / "whole-idx3-ubyte", pixels)
    (tmp_path / "packed-idx3-ubyte.gz").write_bytes(gzip.compress((tmp_path / "whole-idx3-ubyte").read_bytes()))
    wholes = {path: path.read_bytes() for path in sorted(tmp_path.iterdir())}
    refused = 0
    for case in range(2_500):
        path = draw.choice(list(wholes))
        damaged = bytearray(wholes[path])
        if case % 2:
            del damaged[draw.randrange(len(damaged)) :]
        # Where heads are, most often: what is wrong among the pixels nobody can know.
        for _ in range(draw.randrange(1, 6)):
            if damaged:
                damaged[draw.randrange(min(len(damaged), draw.choice([200, len(damaged)])))] ^= 1 << draw.randrange(8)
        hurt = tmp_path / "hurt" / path.name
        hurt.parent.mkdir(exist_ok=True)
        hurt.write_bytes(damaged)
        try:
            found = taken(hurt, labels=bool(case % 3 == 0 and path.name == "whole.npz"))
            shutil.rmtree(found.directory)
        except UserError as trouble:
            refused += 1
            assert str(trouble).isprintable()
    assert 1_200 < refused < 2_500
