"""Labels in every form, read back by who would read them."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.data.drawing import digits, folder, png
from vaetui.cli import export_command as command
from vaetui.cli.simulate_command import drain
from vaetui.engine.images import read_idx
from vaetui.errors import UserError
from vaetui.export import formats
from vaetui.export.class_folders import directory_names
from vaetui.export.image_placement import strip_parents
from vaetui.export.label_table import LabelTable, SourceFiles

LABELS = LabelTable(
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


def write(
    labels: LabelTable,
    form: str,
    least: float,
    output: Path,
    *,
    copies: bool = False,
    images: NDArray[np.uint8] | None = None,
) -> int:
    """Write the labels, and tell how many pictures are gone."""
    return drain(formats.write_labels(labels, form, least, copies, images, output))


def pictured(tmp_path: Path) -> LabelTable:
    """The labels of four pictures below own/."""
    folder(tmp_path / "own", 4)
    names = tuple(str(path.relative_to(tmp_path / "own")) for path in sorted((tmp_path / "own").rglob("*.png")))
    return replace(LABELS, source_files=SourceFiles(tmp_path / "own", names))


ODD = (
    "a.png",
    "a.jpg",
    "test/x.png",
    "train/a.png",
    "r\\s.png",
    "e::f.png",
    "c [1]/d*.png",
    "__old/.g #1.png",
    "ü/H.png",
)
"""Names that readers took for folders, for parts of a data set, for patterns, for nothing, or for each other."""


def oddly_named(tmp_path: Path) -> LabelTable:
    """The labels of as many pictures with odd names and odd classes."""
    count = len(ODD)
    for name, pixels in zip(ODD, digits(count)[0], strict=True):
        path = tmp_path / "odd" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(pixels))
    alike = np.zeros(count, np.int32)
    return LabelTable(
        ('cat, "wild"', "<dog & ü>"),
        np.arange(count),
        np.arange(count) % 2,
        np.ones(count, np.float32),
        alike.astype(np.uint8),
        alike,
        np.ones(count, np.float32),
        np.ones(count, np.float32),
        ("1",),
        SourceFiles(tmp_path / "odd", ODD),
    )


def test_every_form_that_can_be_asked_for_is_there() -> None:
    assert (*formats.FILE_WRITERS, *formats.DIRECTORY_WRITERS) == command.EXPORT_FORMATS
    assert tuple(formats.DIRECTORY_WRITERS) == command.DIRECTORY_FORMATS


def test_a_table_has_a_row_for_each_image_that_is_sure_enough(tmp_path: Path) -> None:
    output = tmp_path / "labels.csv"
    assert write(LABELS, "csv", 0.5, output) == 0
    rows = list(csv.DictReader(output.open(encoding="utf-8")))
    assert [row["class"] for row in rows] == ["sea horse", "sea horse", "cat"]
    assert rows[1] == {
        **{"index": "2", "path": "", "label": "1", "class": "sea horse", "confidence": "0.75"},
        **{"source": "classifier", "cluster": "", "weight": "0.0", "distance": ""},
    }


def test_lines_of_json_say_the_same(tmp_path: Path) -> None:
    output = tmp_path / "labels.jsonl"
    files = SourceFiles(Path("/own"), ("a.png", "b/ü.png", "c.png", "d.png"))
    write(replace(LABELS, source_files=files), "jsonl", 0.0, output)
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
    labels = pictured(tmp_path)
    assert labels.source_files is not None
    names = labels.source_files.relative_paths
    (tmp_path / "own" / names[3]).unlink()
    output = tmp_path / "sorted"
    assert write(labels, "folders", 0.5, output, copies=copies) == 1
    found = sorted(str(path.relative_to(output)) for path in output.rglob("*.png"))
    assert found == sorted([f"sea horse/{names[0]}", f"_unsure/{names[1]}", f"sea horse/{names[2]}"])
    for name in found:
        path = output / name
        assert path.is_symlink() is not copies
        assert path.read_bytes() == (tmp_path / "own" / name.partition("/")[2]).read_bytes()
    with pytest.raises(UserError, match="is not empty"):
        write(labels, "folders", 0.5, output, copies=copies)


def test_images_without_files_are_written_as_pictures(tmp_path: Path) -> None:
    images = digits(4)[0]
    assert write(LABELS, "folders", 0.0, tmp_path / "sorted", images=images) == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sorted/cat/00000003.png")), images[3])
    assert len(list((tmp_path / "sorted").rglob("*.png"))) == 4


def test_names_lead_nowhere_else() -> None:
    assert directory_names(["cat", "Cat", "../up", "a/b", "_unsure", ".", "日本"]) == [
        *("cat", "Cat-1", "_up", "a_b", "_unsure_", "_", "日本")
    ]
    assert str(strip_parents("../../etc/x.png")) == "etc/x.png"
    assert str(strip_parents("/etc/x.png")) == "etc/x.png"


def test_two_names_that_become_one_are_both_kept(tmp_path: Path) -> None:
    (tmp_path / "own/in").mkdir(parents=True)
    (tmp_path / "x.png").write_bytes(b"outer")
    (tmp_path / "own/x.png").write_bytes(b"inner")
    labels = replace(
        LABELS.subset(LABELS.class_ids == 0), source_files=SourceFiles(tmp_path / "own", ("", "x.png", "", "../x.png"))
    )
    write(labels, "folders", 0.0, tmp_path / "sorted", copies=True)
    found = sorted(os.listdir(tmp_path / "sorted/cat"))
    assert found == ["x.png", "x_.png"]


def test_a_parquet_file_holds_the_columns_of_the_table(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    write(LABELS, "parquet", 0.5, tmp_path / "labels.parquet")
    rows = pq.read_table(tmp_path / "labels.parquet").to_pylist()
    expected = [row for row in LABELS.iter_rows() if row["confidence"] >= 0.5]
    assert rows == expected


def test_label_studio_gets_a_task_for_each_picture(tmp_path: Path) -> None:
    assert write(pictured(tmp_path), "label-studio", 0.5, tmp_path / "out") == 0
    tasks = json.loads((tmp_path / "out/tasks.json").read_text())
    assert [task["predictions"][0]["result"][0]["value"]["choices"] for task in tasks] == [
        ["sea horse"],
        ["sea horse"],
        ["cat"],
    ]
    for task in tasks:
        path = Path("/") / unquote(task["data"]["image"].removeprefix("/data/local-files/?d="))
        assert Image.open(path).size == (28, 28)
    config = ElementTree.parse(tmp_path / "out/config.xml")
    (choices,), (image,) = config.findall("Choices"), config.findall("Image")
    assert [each.get("value") for each in choices] == ["cat", "sea horse"]
    for task in tasks:
        held = {**task["predictions"][0], **task["predictions"][0]["result"][0]}
        # What LabelInterface.validate_prediction of label-studio-sdk 2.1 asks for.
        assert (held["from_name"], held["to_name"], held["type"]) == (choices.get("name"), image.get("name"), "choices")
        assert (choices.get("toName"), image.get("value")) == (image.get("name"), "$image")
        assert set(held["value"]) == {"choices"}
        assert set(held["value"]["choices"]) <= {each.get("value") for each in choices}
        assert 0 <= held["score"] <= 1
    merged = replace(pictured(tmp_path), class_names=("cat", "sea horse", "tom"), merged_class_ids=frozenset({2}))
    write(merged, "label-studio", 0.5, tmp_path / "merged")
    assert (tmp_path / "merged/config.xml").read_text() == (tmp_path / "out/config.xml").read_text()
    none = replace(LABELS, confidences=np.zeros(4, np.float32))
    write(none, "label-studio", 0.5, tmp_path / "none", images=digits(4)[0])
    assert json.loads((tmp_path / "none/tasks.json").read_text()) == []


def test_label_studio_gets_odd_names_as_they_are(tmp_path: Path) -> None:
    labels = oddly_named(tmp_path)
    write(labels, "label-studio", 0.0, tmp_path / "out [1] & #2")
    tasks = json.loads((tmp_path / "out [1] & #2/tasks.json").read_text())
    for index, task in enumerate(tasks):
        told = parse_qs(urlsplit(task["data"]["image"]).query)["d"]
        assert Path("/", *told).resolve() == labels.image_path(index)
    config = ElementTree.parse(tmp_path / "out [1] & #2/config.xml")
    assert [each.get("value") for each in config.iter("Choice")] == list(labels.class_names)


def test_fiftyone_gets_a_label_for_each_picture(tmp_path: Path) -> None:
    write(pictured(tmp_path), "fiftyone", 0.5, tmp_path / "out")
    told = json.loads((tmp_path / "out/labels.json").read_text())
    assert {f"{name}.png" for name in told["labels"]} == {path.name for path in (tmp_path / "out/data").iterdir()}
    assert [told["classes"][each["label"]] for each in told["labels"].values()] == ["sea horse", "sea horse", "cat"]


def test_fiftyone_finds_each_picture_by_its_name_without_ending(tmp_path: Path) -> None:
    labels = oddly_named(tmp_path)
    write(labels, "fiftyone", 0.0, tmp_path / "out")
    told = json.loads((tmp_path / "out/labels.json").read_text())["labels"]
    # As its importer does: by names below data/ without endings, in which backslashes are folders.
    found = {path.stem.replace("\\", "/"): path for path in (tmp_path / "out/data").iterdir()}
    assert found.keys() == told.keys()
    assert {found[name].resolve(): each["label"] for name, each in told.items()} == {
        labels.image_path(index): index % 2 for index in range(len(ODD))
    }


def test_hugging_face_reads_odd_names_as_one_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    labels = oddly_named(tmp_path)
    write(labels, "huggingface", 0.0, tmp_path / "out")
    read = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert read.keys() == {"train"}
    rows = read["train"].cast_column("image", datasets.Image(decode=False))
    told = {Path(row["image"]["path"]).resolve(): row["label"] for row in rows}
    assert told == {labels.image_path(index): labels.class_names[index % 2] for index in range(len(ODD))}


def test_hugging_face_gets_metadata_beside_the_pictures(tmp_path: Path) -> None:
    write(LABELS, "huggingface", 0.5, tmp_path / "out", images=digits(4)[0])
    rows = [json.loads(line) for line in (tmp_path / "out/train/metadata.jsonl").read_text().splitlines()]
    assert [row["file_name"] for row in rows] == ["00000000.png", "00000002.png", "00000003.png"]
    assert [row["label"] for row in rows] == ["sea horse", "sea horse", "cat"]
    assert all((tmp_path / "out/train" / row["file_name"]).is_file() for row in rows)
