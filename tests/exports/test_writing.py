"""Labels in every form, read back by who would read them."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.intake.drawing import digits, folder
from vaetui.engine.images import read_idx
from vaetui.exports.folders import directories, inside, write_folders
from vaetui.exports.labels import Files, Labels
from vaetui.exports.writing import write
from vaetui.headless import consumed
from vaetui.trouble import Trouble

LABELS = Labels(
    ("cat", "sea horse"),
    np.arange(4),
    np.array([1, 0, 1, 0]),
    np.array([1.0, 0.25, 0.75, 0.5], np.float32),
    np.array([0, 1, 2, 2], np.uint8),
    np.array([1, 0, -1, 0], np.int32),
    np.array([1.0, 0.25, 0, 0], np.float32),
    np.array([0.5, 1.5, np.nan, 2.0], np.float32),
    ("1", "2.1"),
)


def test_a_table_has_a_row_for_each_image_that_is_sure_enough(tmp_path: Path) -> None:
    output = tmp_path / "labels.csv"
    assert write(LABELS, "csv", 0.5, output) == 3
    rows = list(csv.DictReader(output.open(encoding="utf-8")))
    assert [row["class"] for row in rows] == ["sea horse", "sea horse", "cat"]
    assert rows[1] == {
        **{"index": "2", "path": "", "label": "1", "class": "sea horse", "confidence": "0.75"},
        **{"source": "classifier", "cluster": "", "weight": "0.0", "distance": ""},
    }


def test_lines_of_json_say_the_same(tmp_path: Path) -> None:
    output = tmp_path / "labels.jsonl"
    files = Files(Path("/own"), ("a.png", "b/ü.png", "c.png", "d.png"))
    write(replace(LABELS, files=files), "jsonl", 0.0, output)
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["path"] for row in rows] == ["/own/a.png", "/own/b/ü.png", "/own/c.png", "/own/d.png"]
    assert [row["cluster"] for row in rows] == ["2.1", "1", None, "1"]
    assert [row["source"] for row in rows] == ["answer", "propagated", "classifier", "classifier"]
    assert rows[0]["distance"] == 0.5


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    write(LABELS, "npz", 0.5, tmp_path / "labels.npz")
    with np.load(tmp_path / "labels.npz", allow_pickle=False) as told:
        assert told["index"].tolist() == [0, 2, 3]
        assert told["classes"][told["label"]].tolist() == ["sea horse", "sea horse", "cat"]
        assert told["sources"][told["source"]].tolist() == ["answer", "classifier", "classifier"]
        assert told["cluster"].tolist() == ["2.1", "", "1"]
    write(LABELS, "idx", 0.5, tmp_path / "labels-idx1-ubyte")
    assert read_idx(tmp_path / "labels-idx1-ubyte", 1).tolist() == [1, 255, 1, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels-idx1-ubyte", "labels.npz"]


@pytest.mark.parametrize("copies", [False, True])
def test_pictures_go_into_the_directory_of_their_class(tmp_path: Path, copies: bool) -> None:
    folder(tmp_path / "own", 4)
    names = tuple(str(path.relative_to(tmp_path / "own")) for path in sorted((tmp_path / "own").rglob("*.png")))
    labels = replace(LABELS, files=Files(tmp_path / "own", names))
    (tmp_path / "own" / names[3]).unlink()
    output = tmp_path / "sorted"
    assert consumed(write_folders(labels, 0.5, copies, None, output)) == 1
    found = sorted(str(path.relative_to(output)) for path in output.rglob("*.png"))
    assert found == sorted([f"sea horse/{names[0]}", f"_unsure/{names[1]}", f"sea horse/{names[2]}"])
    for name in found:
        path = output / name
        assert path.is_symlink() is not copies
        assert path.read_bytes() == (tmp_path / "own" / name.partition("/")[2]).read_bytes()
    with pytest.raises(Trouble, match="is not empty"):
        consumed(write_folders(labels, 0.5, copies, None, output))


def test_images_without_files_are_written_as_pictures(tmp_path: Path) -> None:
    images = digits(4)[0]
    assert consumed(write_folders(LABELS, 0.0, False, images, tmp_path / "sorted")) == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sorted/cat/00000003.png")), images[3])
    assert len(list((tmp_path / "sorted").rglob("*.png"))) == 4


def test_names_lead_nowhere_else() -> None:
    assert directories(["cat", "Cat", "../up", "a/b", "_unsure", ".", "日本"]) == [
        *("cat", "Cat-1", "_up", "a_b", "_unsure_", "_", "日本")
    ]
    assert str(inside("../../etc/x.png")) == "etc/x.png"
    assert str(inside("/etc/x.png")) == "etc/x.png"


def test_two_names_that_become_one_are_both_kept(tmp_path: Path) -> None:
    (tmp_path / "own/in").mkdir(parents=True)
    (tmp_path / "x.png").write_bytes(b"outer")
    (tmp_path / "own/x.png").write_bytes(b"inner")
    labels = replace(LABELS.only(LABELS.labels == 0), files=Files(tmp_path / "own", ("", "x.png", "", "../x.png")))
    consumed(write_folders(labels, 0.0, True, None, tmp_path / "sorted"))
    found = sorted(os.listdir(tmp_path / "sorted/cat"))
    assert found == ["x.png", "x_.png"]
