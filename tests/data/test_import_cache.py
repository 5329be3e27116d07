"""A cached dataset is used again only if it is intact, and if files, labels and options are the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from tests.data.drawing import load_digits, write_image_folder
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import ImportedDataset, import_dataset
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx_array
from vaetui.runtime.session_runner import drain_events
from vaetui.storage.dataset_cache import SKIPPED_FILES_NAME, is_dataset_intact, load_source_files

pytestmark = pytest.mark.usefixtures("home")
COUNT = 20


def import_images(path: Path, labels: bool = False) -> ImportedDataset:
    return drain_events(import_dataset(path, ImportOptions(labels=labels)))


def read_labels(dataset: ImportedDataset) -> list[str]:
    path = find_idx_files(dataset.directory).train_labels
    assert path is not None
    assert dataset.class_names is not None
    return [dataset.class_names[class_id] for class_id in read_idx_array(path, 1)]


def test_labels_that_changed_in_a_table_are_read_again(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "images", COUNT)
    paths = sorted((tmp_path / "images").rglob("*.png"))
    table = tmp_path / "list.csv"
    for labels in ("ab" * (COUNT // 2), "ba" * (COUNT // 2), "ab" * (COUNT // 2)):
        rows = "".join(f"{path},{label}\n" for path, label in zip(paths, labels, strict=True))
        table.write_text(f"path,label\n{rows}")
        assert read_labels(import_images(table, labels=True)) == [*labels]


def test_changed_stack_whose_pages_a_table_lists_is_read_again(tmp_path: Path) -> None:
    digits, _ = load_digits(2 * COUNT)
    (tmp_path / "list.csv").write_text("path\n" + "".join(f"stack.tif#{page}\n" for page in range(COUNT)))
    for start in (0, COUNT):
        pages = [Image.fromarray(digit) for digit in digits[start : start + COUNT]]
        pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
        os.utime(tmp_path / "stack.tif", (start, start))
        dataset = import_images(tmp_path / "list.csv")
        images = read_idx_array(find_idx_files(dataset.directory).train_images, 3)
        assert (images == digits[start : start + COUNT]).all()


def test_every_damaged_file_of_a_cached_dataset_is_noticed_and_rebuilt(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "images", COUNT, by_class=True)
    directory = import_images(tmp_path / "images", labels=True).directory
    contents = {path: path.read_bytes() for path in directory.iterdir()}
    for path, content in contents.items():
        for damaged in (content[:-1] + b"?", content[: len(content) // 2], None):
            if damaged is None:
                path.unlink()
            else:
                path.write_bytes(damaged)
            assert is_dataset_intact(directory) == (path.name == SKIPPED_FILES_NAME)
            dataset = import_images(tmp_path / "images", labels=True)
            assert len(load_source_files(dataset.directory)) == COUNT
            assert {path: path.read_bytes() for path in directory.iterdir()} == contents, path.name
