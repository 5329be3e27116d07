"""Target paths of exported images."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from tests.export.label_tables import LABELS, write_labels
from vaetui.export.image_writing import strip_parents
from vaetui.export.label_table import SourceFiles


def test_target_paths_stay_inside_the_output_directory() -> None:
    assert str(strip_parents("../../etc/x.png")) == "etc/x.png"
    assert str(strip_parents("/etc/x.png")) == "etc/x.png"


def test_files_whose_target_paths_become_equal_are_both_written(tmp_path: Path) -> None:
    (tmp_path / "own/in").mkdir(parents=True)
    (tmp_path / "x.png").write_bytes(b"outer")
    (tmp_path / "own/x.png").write_bytes(b"inner")
    source_files = SourceFiles(tmp_path / "own", ("", "x.png", "", "../x.png"))
    labels = replace(LABELS.select_rows(LABELS.class_ids == 0), source_files=source_files)
    write_labels(labels, "folders", 0.0, tmp_path / "sorted", copy_files=True)
    assert sorted(os.listdir(tmp_path / "sorted/cat")) == ["x.png", "x_.png"]
