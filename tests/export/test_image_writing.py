"""Target paths of exported images."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.export.label_tables import LABELS, write_labels
from vaetui.errors import UserError
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


def test_an_image_with_the_name_of_a_directory_of_others_is_written_beside_it(tmp_path: Path) -> None:
    (tmp_path / "own/a.png").mkdir(parents=True)
    (tmp_path / "a.png").write_bytes(b"outer")
    (tmp_path / "own/a.png/b.png").write_bytes(b"inner")
    for paths in (("../a.png", "a.png/b.png"), ("a.png/b.png", "../a.png")):
        source_files = SourceFiles(tmp_path / "own", ("", paths[0], "", paths[1]))
        labels = replace(LABELS.select_rows(LABELS.class_ids == 0), source_files=source_files)
        for format_name in ("folders", "label-studio"):
            output = tmp_path / f"{format_name} {paths[0].count('b')}"
            counts = write_labels(labels, format_name, 0.0, output, copy_files=True)
            assert (counts.written, counts.missing) == (2, 0)
            contents = {path.read_bytes() for path in output.rglob("*.png") if path.is_file()}
            assert contents == {b"outer", b"inner"}


def test_paths_that_the_system_could_not_open_become_one_name(tmp_path: Path) -> None:
    component = "とても長い名前のディレクトリ" * 4
    depth = (4080 - len(os.fsencode(tmp_path / "own"))) // (len(component.encode()) + 1)
    paths = [f"{'/'.join([component] * depth)}/{index}.png" for index in range(4)]
    write_below(tmp_path / "own", paths)
    labels = replace(LABELS, source_files=SourceFiles(tmp_path / "own", tuple(paths)))
    for format_name in ("folders", "label-studio", "fiftyone", "huggingface"):
        for copy_files in (False, True):
            output = tmp_path / f"{format_name} with a name of some length {copy_files}"
            assert write_labels(labels, format_name, 0.0, output, copy_files=copy_files).written == 4
            written_paths = [path for path in output.rglob("*.png") if path.is_file()]
            assert sorted(path.read_text() for path in written_paths) == ["0", "1", "2", "3"], format_name
            assert any(len(path.relative_to(output).parts) <= 3 for path in written_paths)


def test_long_parts_of_paths_are_shortened_and_their_files_found(tmp_path: Path) -> None:
    paths = ["d" * 255 + "/" + "f" * 240 + f"{index}.png" for index in range(4)]
    write_below(tmp_path / "own", paths)
    labels = replace(LABELS, source_files=SourceFiles(tmp_path / "own", tuple(paths)))
    for format_name in ("folders", "label-studio", "fiftyone", "huggingface"):
        output = tmp_path / format_name
        assert write_labels(labels, format_name, 0.0, output).written == 4
        assert sorted(path.read_text() for path in output.rglob("*.png")) == ["0", "1", "2", "3"]
        assert all(len(part) <= 200 for path in output.rglob("*") for part in path.relative_to(output).parts)


def test_links_without_a_target_and_loops_are_missing_files(tmp_path: Path) -> None:
    paths = ("dangling.png", "loop.png", "directory.png", "good.png")
    (tmp_path / "own/directory.png").mkdir(parents=True)
    (tmp_path / "own/dangling.png").symlink_to("nothing")
    (tmp_path / "own/loop.png").symlink_to("loop.png")
    (tmp_path / "own/good.png").write_text("good")
    labels = replace(LABELS, source_files=SourceFiles(tmp_path / "own", paths))
    for copy_files in (False, True):
        counts = write_labels(labels, "folders", 0.0, tmp_path / f"{copy_files}", copy_files=copy_files)
        assert (counts.written, counts.missing) == (1, 3)


def test_a_file_system_without_links_raises_user_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    write_below(tmp_path / "own", ["0.png"])
    source_files = SourceFiles(tmp_path / "own", ("0.png",))
    labels = replace(LABELS.select_rows(LABELS.indices == 0), source_files=source_files)
    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(UserError, match=r"without links. Copy the images with --copy"):
        write_labels(labels, "folders", 0.0, tmp_path / "out")
    assert os.listdir(tmp_path) == ["own"]


def write_below(root: Path, paths: list[str]) -> None:
    """Write files that contain their numbers."""
    root.mkdir()
    for index, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(str(index))
