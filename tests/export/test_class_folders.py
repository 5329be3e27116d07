"""Labels as one directory of images per class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.drawing import load_digits
from tests.export.label_tables import LABELS, write_labelled_files, write_labels
from vaetui.errors import UserError
from vaetui.export.file_naming import make_directory_names
from vaetui.export.formats import ExportCounts


@pytest.mark.parametrize("copy_files", [False, True])
def test_image_files_are_linked_or_copied_into_the_directory_of_their_class(tmp_path: Path, copy_files: bool) -> None:
    labels = write_labelled_files(tmp_path / "own")
    assert labels.source_files is not None
    source_paths = labels.source_files.relative_paths
    (tmp_path / "own" / source_paths[3]).unlink()
    output = tmp_path / "sorted"
    assert write_labels(labels, "folders", 0.5, output, copy_files=copy_files) == ExportCounts(2, 1, 0, 1)
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
    assert write_labels(LABELS, "folders", 0.0, tmp_path / "sorted", images=images) == ExportCounts(4, 0, 0)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sorted/cat/00000003.png")), images[3])
    assert len(list((tmp_path / "sorted").rglob("*.png"))) == 4


def test_directory_names_are_safe_and_unique() -> None:
    assert make_directory_names(["cat", "Cat", "../up", "a/b", "_unsure", ".", "日本"]) == [
        *("cat", "Cat-1", "_up", "a_b", "_unsure_", "_", "日本")
    ]
