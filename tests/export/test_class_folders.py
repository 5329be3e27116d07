"""Labels as one directory of images per class."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.drawing import load_digits
from tests.export.label_tables import LABELS, write_labelled_files, write_labels
from vaetui.errors import UserError
from vaetui.export.file_naming import make_directory_names
from vaetui.export.label_info import ExportCounts


@pytest.mark.parametrize("copy_files", [False, True])
def test_image_files_are_linked_or_copied_into_the_directory_of_their_class(tmp_path: Path, copy_files: bool) -> None:
    labels = write_labelled_files(tmp_path / "own")
    assert labels.source_files is not None
    source_paths = labels.source_files.relative_paths
    (tmp_path / "own" / source_paths[3]).unlink()
    output = tmp_path / "sorted"
    assert write_labels(labels, "folders", 0.5, output, copy_files=copy_files) == ExportCounts(2, 1, missing=1)
    paths = sorted(str(path.relative_to(output)) for path in output.rglob("*.png"))
    assert paths == sorted(
        [f"sea horse/{source_paths[0]}", f"_unsure/{source_paths[1]}", f"sea horse/{source_paths[2]}"]
    )
    for path in paths:
        assert (output / path).is_symlink() is not copy_files
        assert (output / path).read_bytes() == (tmp_path / "own" / path.partition("/")[2]).read_bytes()
    with pytest.raises(UserError, match="is not empty"):
        write_labels(labels, "folders", 0.5, output, copy_files=copy_files)


def test_images_without_files_are_written_as_png(tmp_path: Path) -> None:
    images = load_digits(4)[0]
    assert write_labels(LABELS, "folders", 0.0, tmp_path / "sorted", images=images) == ExportCounts(4)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sorted/cat/00000003.png")), images[3])
    assert len(list((tmp_path / "sorted").rglob("*.png"))) == 4


def test_directory_names_are_safe_and_unique() -> None:
    assert make_directory_names(["cat", "Cat", "../up", "a/b", "_unsure", ".", "日本"]) == [
        *("cat", "Cat-1", "_up", "a_b", "_unsure_", "_", "日本")
    ]


def test_a_class_named_like_the_info_file_gets_another_directory(tmp_path: Path) -> None:
    images = load_digits(4)[0]
    labels = replace(LABELS, class_names=("Labels.info.json", "sea horse"))
    write_labels(labels, "folders", 0.0, tmp_path / "sorted", images=images)
    names = sorted(path.name for path in (tmp_path / "sorted").iterdir())
    assert names == ["Labels.info.json-0", "class_names.csv", "labels.info.json", "sea horse"]
    assert json.loads((tmp_path / "sorted/labels.info.json").read_text())["classes"] == [*labels.class_names]


def test_the_table_of_class_names_is_written_where_a_name_had_to_change(tmp_path: Path) -> None:
    images = load_digits(4)[0]
    write_labels(LABELS, "folders", 0.0, tmp_path / "same", images=images)
    assert not (tmp_path / "same/class_names.csv").exists()
    labels = replace(LABELS, class_names=('cat, "wild"', "กี"))
    write_labels(labels, "folders", 0.0, tmp_path / "changed", images=images)
    assert (tmp_path / "changed/class_names.csv").read_text(encoding="utf-8") == (
        'directory,class\n"cat, _wild_","cat, ""wild"""\nกี,กี\n'
    )
    assert sorted(path.name for path in (tmp_path / "changed").iterdir()) == [
        *("cat, _wild_", "class_names.csv", "labels.info.json", "กี")
    ]


def test_datasets_loads_class_directories_beside_the_table_of_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    labels = replace(LABELS, class_names=("cat/dog", "🐱"))
    write_labels(labels, "folders", 0.0, tmp_path / "out", images=load_digits(4)[0])
    rows = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))[
        "train"
    ]
    names = rows.features["label"].names
    assert sorted(names[row["label"]] for row in rows) == ["cat_dog", "cat_dog", "🐱", "🐱"]


def test_images_of_an_array_are_named_by_their_positions(tmp_path: Path) -> None:
    images = load_digits(4)[0]
    labels = replace(LABELS, omitted_positions=(0, 2, 5))
    write_labels(labels, "folders", 0.0, tmp_path / "out", images=images)
    pixels = {path.stem: np.asarray(Image.open(path)) for path in (tmp_path / "out").rglob("*.png")}
    assert sorted(pixels) == ["00000001", "00000003", "00000004", "00000006"]
    assert all(np.array_equal(pixels[name], image) for name, image in zip(sorted(pixels), images, strict=True))
