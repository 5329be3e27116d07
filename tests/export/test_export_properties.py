"""Any class names and file names survive every export format and the readers of that format."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.data.drawing import encode_png
from tests.export.label_tables import write_labels
from tests.export.unusual_names import CLASS_NAME_LISTS, CLASS_NAMES, FILE_PATH_LISTS
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import find_source_images
from vaetui.engine.images import read_idx_array
from vaetui.export.label_table import NO_CLASS_ID, NO_SOURCE_ID, LabelTable, SourceFiles

UNLABELLED_INDEX = 4
"""The image of the table that has no label."""


@contextmanager
def write_named_files(class_names: list[str], paths: list[str]) -> Iterator[tuple[Path, LabelTable]]:
    """Write image files whose grey level is their index, and yield their parent directory and a table of their labels.

    The last image has no label; the others have the classes by turns.
    """
    directory = Path(tempfile.mkdtemp())
    try:
        for index, path in enumerate(paths):
            (directory / "own" / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / "own" / path).write_bytes(encode_png(np.full((4, 4), index, np.uint8)))
        count = len(paths)
        is_labelled = np.arange(count) != UNLABELLED_INDEX
        yield (
            directory,
            LabelTable(
                tuple(class_names),
                np.arange(count),
                np.where(is_labelled, np.arange(count) % len(class_names), NO_CLASS_ID),
                is_labelled.astype(np.float32),
                np.where(is_labelled, 0, NO_SOURCE_ID).astype(np.uint8),
                np.full(count, -1, np.int32),
                np.zeros(count, np.float32),
                np.full(count, np.nan, np.float32),
                (),
                SourceFiles(directory / "own", tuple(paths)),
            ),
        )
    finally:
        shutil.rmtree(directory)


def list_expected(label_table: LabelTable) -> list[tuple[str, str]]:
    """Return path and class of the labelled images."""
    return [
        (str(label_table.find_image_path(index)), label_table.class_names[index % len(label_table.class_names)])
        for index in range(len(label_table))
        if index != UNLABELLED_INDEX
    ]


def read_grey_level(path: Path) -> int:
    with Image.open(path) as image:
        return int(np.asarray(image)[0, 0])


def write_twice(label_table: LabelTable, format_name: str, directory: Path) -> Path:
    """Write links, and copies, which have the same names; return the directory of the copies."""
    names = []
    for copy_files in (False, True):
        output = directory / f"{format_name}-{copy_files}"
        counts = write_labels(label_table, format_name, 0.0, output, copy_files=copy_files)
        assert (counts.written, counts.unlabelled, counts.missing) == (len(label_table) - 1, 1, 0)
        names.append(sorted(path.relative_to(output) for path in output.rglob("*")))
    assert names[0] == names[1]
    return output


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(CLASS_NAME_LISTS, FILE_PATH_LISTS)
def test_tables_and_arrays_keep_classes_and_paths(class_names: list[str], paths: list[str]) -> None:
    with write_named_files(class_names, paths) as (directory, label_table):
        expected = list_expected(label_table)
        for format_name in ("csv", "jsonl", "npz", "idx", "parquet"):
            write_labels(label_table, format_name, 0.0, directory / format_name)
        with (directory / "csv").open(encoding="utf-8", newline="") as file:
            assert [(row["path"], row["class"]) for row in csv.DictReader(file)] == expected
        frame = pd.read_csv(directory / "csv", dtype=str, keep_default_na=False)
        assert list(zip(frame["path"], frame["class"], strict=True)) == expected
        rows = [json.loads(line) for line in (directory / "jsonl").read_bytes().splitlines()]
        assert [(row["path"], row["class"]) for row in rows] == expected
        with np.load(directory / "npz") as arrays:
            classes = arrays["classes"][arrays["label"]].tolist()
            assert list(zip(arrays["path"].tolist(), classes, strict=True)) == expected
        frame = pd.read_parquet(directory / "parquet")
        assert list(zip(frame["path"], frame["class"], strict=True)) == expected
        labels = read_idx_array(directory / "idx", 1).tolist()
        assert labels == [index % len(class_names) for index in range(UNLABELLED_INDEX)] + [255]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(CLASS_NAME_LISTS, FILE_PATH_LISTS)
def test_an_exported_csv_file_names_the_same_images_and_labels_at_the_next_import(
    class_names: list[str], paths: list[str]
) -> None:
    with write_named_files(class_names, paths) as (directory, label_table):
        write_labels(label_table, "csv", 0.0, directory / "labels.csv")
        file_list = find_source_images(directory / "labels.csv", ImportOptions(labels=True, label_key="class"))
        image_paths = [file_list.root / path for path in file_list.relative_paths]
        assert [read_grey_level(path) for path in image_paths] == list(range(UNLABELLED_INDEX))
        assert list(file_list.labels) == [class_name for _, class_name in list_expected(label_table)]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(CLASS_NAME_LISTS, FILE_PATH_LISTS)
def test_class_directories_contain_the_images_of_their_class(class_names: list[str], paths: list[str]) -> None:
    with write_named_files(class_names, paths) as (directory, label_table):
        output = write_twice(label_table, "folders", directory)
        names = {"_unsure": None}
        if (output / "class_names.csv").exists():
            with (output / "class_names.csv").open(encoding="utf-8", newline="") as file:
                names |= {row["directory"]: row["class"] for row in csv.DictReader(file)}
        classes = {}
        for root, _, file_names in os.walk(output):
            for name in file_names:
                relative_path = (Path(root) / name).relative_to(output)
                if relative_path.parts not in (("class_names.csv",), ("labels.info.json",)):
                    directory_name = relative_path.parts[0]
                    classes[read_grey_level(output / relative_path)] = names.get(directory_name, directory_name)
        expected = {index: class_names[index % len(class_names)] for index in range(UNLABELLED_INDEX)}
        assert classes == {**expected, UNLABELLED_INDEX: None}


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(CLASS_NAME_LISTS, FILE_PATH_LISTS)
def test_labelling_tools_find_the_images_of_their_labels(class_names: list[str], paths: list[str]) -> None:
    expected = {index: class_names[index % len(class_names)] for index in range(UNLABELLED_INDEX)}
    with write_named_files(class_names, paths) as (directory, label_table):
        output = write_twice(label_table, "label-studio", directory)
        classes = {}
        for task in json.loads((output / "tasks.json").read_bytes()):
            path = Path("/", *parse_qs(urlsplit(task["data"]["image"]).query, keep_blank_values=True)["d"])
            value = task["predictions"][0]["result"][0]["value"]
            classes[read_grey_level(path)] = value["choices"][0]
        assert classes == expected
        choices = ElementTree.parse(output / "config.xml").iter("Choice")
        assert [choice.get("value") for choice in choices] == class_names

        output = write_twice(label_table, "fiftyone", directory)
        content = json.loads((output / "labels.json").read_bytes())
        files = {os.path.splitext(name)[0]: output / "data" / name for name in os.listdir(output / "data")}
        assert files.keys() == content["labels"].keys()
        labels = {name: content["classes"][label["label"]] for name, label in content["labels"].items()}
        assert {read_grey_level(files[name]): class_name for name, class_name in labels.items()} == expected

        output = write_twice(label_table, "huggingface", directory) / "train"
        rows = [json.loads(line) for line in (output / "metadata.jsonl").read_bytes().splitlines()]
        assert {read_grey_level(output / row["file_name"]): row["label"] for row in rows} == expected
        assert len(os.listdir(output)) == len(expected) + 1


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(CLASS_NAME_LISTS, FILE_PATH_LISTS)
def test_datasets_loads_images_with_their_labels(class_names: list[str], paths: list[str]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch, write_named_files(class_names, paths) as (directory, label_table):
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        datasets = pytest.importorskip("datasets")
        write_labels(label_table, "huggingface", 0.0, directory / "out")
        splits = datasets.load_dataset(
            "imagefolder", data_dir=str(directory / "out"), cache_dir=str(directory / "cache")
        )
        assert splits.keys() == {"train"}
        classes = {int(np.asarray(row["image"])[0, 0]): row["label"] for row in splits["train"]}
        assert classes == {index: class_names[index % len(class_names)] for index in range(UNLABELLED_INDEX)}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=40), st.lists(CLASS_NAMES, min_size=2, max_size=3, unique=True))
def test_rows_of_an_array_keep_their_positions_when_images_were_left_out(
    is_imported: list[bool], class_names: list[str]
) -> None:
    positions = np.flatnonzero(is_imported)
    count = len(positions)
    columns = (np.ones(count, np.float32), np.zeros(count, np.uint8), np.full(count, -1, np.int32))
    table = LabelTable(
        tuple(class_names),
        np.arange(count),
        positions % len(class_names),
        *columns,
        *2 * (np.ones(count, np.float32),),
        (),
    )
    table = replace(table, omitted_positions=tuple(np.flatnonzero(~np.array(is_imported)).tolist()))
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory)
        for format_name in ("csv", "npz", "idx"):
            write_labels(table, format_name, 0.0, output / format_name)
        with (output / "csv").open(newline="", encoding="utf-8") as file:
            assert [int(row["index"]) for row in csv.DictReader(file)] == positions.tolist()
        with np.load(output / "npz") as arrays:
            assert arrays["index"].tolist() == positions.tolist()
            assert arrays["path"].tolist() == [""] * count
        labels = read_idx_array(output / "idx", 1)
    expected = np.where(is_imported, np.arange(len(is_imported)) % len(class_names), 255)
    assert labels.tolist() == expected.tolist()
