"""The files that images were imported from: their paths and positions, and pictures that were replaced since."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.data.drawing import encode_png, load_digits, write_image_folder
from tests.export.unusual_names import FILE_PATHS, can_coexist
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import import_dataset
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx_array
from vaetui.runtime.session_runner import drain_events
from vaetui.session import source_images
from vaetui.session.source_images import SourceImages, iter_input_paths
from vaetui.storage import dataset_cache

pytestmark = pytest.mark.usefixtures("home")


def import_images(path: Path, **options: object) -> Path:
    return drain_events(import_dataset(path, ImportOptions(**options))).directory  # type: ignore[arg-type]


def find_sources(directory: Path) -> SourceImages:
    images = find_idx_files(directory).train_images
    return drain_events(source_images.find_source_images(directory, len(read_idx_array(images, 3))))


def list_replaced(directory: Path) -> list[str]:
    files = find_sources(directory).files
    assert files is not None
    return [files.relative_paths[index] for index in sorted(files.replaced_indices)]


def test_unchanged_moved_and_touched_files_are_not_reported(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 30)
    directory = import_images(tmp_path / "own")
    assert list_replaced(directory) == []
    for path in (tmp_path / "own").rglob("*.png"):
        os.utime(path, (1, 1))
    assert list_replaced(directory) == []
    (tmp_path / "own/part-0/00000.png").unlink()
    assert list_replaced(directory) == [], "missing files are not replaced ones"


def test_other_pictures_under_the_same_name_are_found(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 30)
    directory = import_images(tmp_path / "own")
    first, second, third, fourth = sorted((tmp_path / "own/part-1").iterdir())[:4]
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    third.write_bytes(b"no image")
    fourth.write_bytes(fourth.read_bytes() + b"\0")  # another file of the same picture
    assert list_replaced(directory) == [str(path.relative_to(tmp_path / "own")) for path in (first, second, third)]


def test_deep_images_are_compared_with_the_value_range_of_the_set(tmp_path: Path) -> None:
    images = load_digits(20)[0].astype(np.uint16) * 16
    (tmp_path / "own").mkdir()
    for index, pixels in enumerate(images):
        Image.fromarray(pixels).save(tmp_path / f"own/{index:02}.png")
    directory = import_images(tmp_path / "own")
    for path in (tmp_path / "own").iterdir():
        os.utime(path)
    Image.fromarray(images[4] // 2).save(tmp_path / "own/04.png")
    assert list_replaced(directory) == ["04.png"]


def test_replaced_pages_are_found(tmp_path: Path) -> None:
    pages = [Image.fromarray(page) for page in load_digits(12)[0]]
    (tmp_path / "own").mkdir()
    pages[0].save(tmp_path / "own/stack.tif", save_all=True, append_images=pages[1:10])
    (tmp_path / "own/z.png").write_bytes(encode_png(load_digits(20)[0][19]))
    directory = import_images(tmp_path / "own")
    pages[0].save(tmp_path / "own/stack.tif", save_all=True, append_images=[*pages[1:5], pages[11], *pages[6:9]])
    assert list_replaced(directory) == ["stack.tif#5", "stack.tif#9"]


def test_pages_that_a_csv_file_names_keep_their_paths(tmp_path: Path) -> None:
    pages = [Image.fromarray(page) for page in load_digits(12)[0]]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    paths = [f"stack.tif#{page}" for page in (*range(11, 5, -1), *range(5))]
    (tmp_path / "list.csv").write_text("path\n" + "\n".join(paths) + "\n")
    files = find_sources(import_images(tmp_path / "list.csv")).files
    assert files is not None
    assert [str(files.root / path) for path in files.relative_paths] == [str(tmp_path / path) for path in paths]
    assert files.replaced_indices == frozenset()


def test_positions_of_an_array_skip_images_that_were_left_out(tmp_path: Path) -> None:
    images = load_digits(20)[0] / np.float32(255)
    images[[0, 7]] = np.nan
    np.save(tmp_path / "images.npy", images)
    directory = import_images(tmp_path / "images.npy")
    sources = find_sources(directory)
    assert (sources.files, sources.omitted_positions, sources.notice) == (None, (0, 7), None)
    np.save(tmp_path / "images.npy", images[::-1])
    notice = find_sources(directory).notice
    assert notice == "images.npy changed after the import; the labels belong to the imported images."


def test_a_damaged_list_of_files_is_reported_and_never_used(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 20)
    directory = import_images(tmp_path / "own")
    list_path = directory / dataset_cache.SOURCE_FILES_NAME
    list_path.write_bytes(list_path.read_bytes().replace(b"part-0", b"part-9", 1))
    sources = find_sources(directory)
    assert sources.files is None
    assert sources.notice is not None
    assert "lost or damaged, so the labels have no paths" in sources.notice


def test_images_used_in_place_have_no_files_and_are_inputs(digits: Path) -> None:
    sources = find_sources(digits)
    assert (sources.files, sources.omitted_positions, sources.notice) == (None, (), None)
    assert {path.name for path in iter_input_paths(digits)} == {path.name for path in digits.iterdir()}


def test_the_named_file_and_all_image_files_are_inputs(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 20)
    paths = sorted((tmp_path / "own").rglob("*.png"))
    (tmp_path / "mine.csv").write_text("path\n" + "".join(f"{path}\n" for path in paths))
    inputs = list(iter_input_paths(import_images(tmp_path / "mine.csv")))
    assert {tmp_path / "mine.csv", *paths} <= set(inputs)


def test_a_dataset_in_a_home_that_moved_keeps_its_paths(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image_folder(tmp_path / "own", 20)
    directory = import_images(tmp_path / "own")
    shutil.copytree(home, tmp_path / "other")
    monkeypatch.setenv("VAETUI_HOME", str(tmp_path / "other"))
    assert list_replaced(directory) == []


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(FILE_PATHS, min_size=12, max_size=16, unique=True).filter(can_coexist))
def test_any_file_names_are_those_of_their_images(paths: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "own"
        for index, path in enumerate([*paths, *(f"usual{number}.png" for number in range(10))]):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(encode_png(np.full((8, 8), 5 * index, np.uint8)))
        imported = import_images(root, value_range=(0, 255))
        files = find_sources(imported).files
        assert files is not None
        pixels = read_idx_array(find_idx_files(imported).train_images, 3)
        own_levels = [int(np.asarray(Image.open(files.root / path))[0, 0]) for path in files.relative_paths]
        assert pixels[:, 0, 0].tolist() == own_levels
        parts = {path: PurePosixPath(path).parts for path in paths}
        hidden = {path for path in paths if any(part.startswith(".") for part in parts[path])}
        assert set(paths) - hidden <= set(files.relative_paths)
