"""Labels for Label Studio, FiftyOne and Hugging Face datasets, read back as these tools read them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from tests.data.drawing import load_digits
from tests.export.label_tables import (
    AUDITED_LABELS,
    LABELS,
    UNUSUAL_PATHS,
    write_labelled_files,
    write_labels,
    write_unusual_files,
)
from vaetui.export.label_table import LabelTable


def test_label_studio_tasks_are_valid_for_the_labelling_interface(tmp_path: Path) -> None:
    assert write_labels(write_labelled_files(tmp_path / "own"), "label-studio", 0.5, tmp_path / "out").missing == 0
    tasks = json.loads((tmp_path / "out/tasks.json").read_text())
    predictions = [task["predictions"][0] for task in tasks]
    assert [prediction["result"][0]["value"]["choices"] for prediction in predictions] == [
        ["sea horse"],
        ["sea horse"],
        ["cat"],
    ]
    for task in tasks:
        path = Path("/") / unquote(task["data"]["image"].removeprefix("/data/local-files/?d="))
        assert Image.open(path).size == (28, 28)
    config = ElementTree.parse(tmp_path / "out/config.xml")
    (choices,), (image,) = config.findall("Choices"), config.findall("Image")
    choice_values = [choice.get("value") for choice in choices]
    assert choice_values == ["cat", "sea horse"]
    for prediction in predictions:
        # The conditions of LabelInterface.validate_prediction in label-studio-sdk 2.1.
        (result,) = prediction["result"]
        assert (result["from_name"], result["to_name"]) == (choices.get("name"), image.get("name"))
        assert result["type"] == "choices"
        assert (choices.get("toName"), image.get("value")) == (image.get("name"), "$image")
        assert set(result["value"]) == {"choices"}
        assert set(result["value"]["choices"]) <= set(choice_values)
        assert 0 <= prediction["score"] <= 1


def test_label_studio_does_not_offer_merged_classes(tmp_path: Path) -> None:
    labels = replace(LABELS, class_names=("cat", "sea horse", "tom"), merged_class_ids=frozenset({2}))
    write_labels(labels, "label-studio", 0.5, tmp_path / "out", images=load_digits(4)[0])
    choices = ElementTree.parse(tmp_path / "out/config.xml").iter("Choice")
    assert [choice.get("value") for choice in choices] == ["cat", "sea horse"]


def test_label_studio_tasks_are_an_empty_list_without_confident_labels(tmp_path: Path) -> None:
    labels = replace(LABELS, confidences=np.zeros(4, np.float32))
    write_labels(labels, "label-studio", 0.5, tmp_path / "out", images=load_digits(4)[0])
    assert json.loads((tmp_path / "out/tasks.json").read_text()) == []


def test_label_studio_finds_files_with_unusual_paths(tmp_path: Path) -> None:
    labels = write_unusual_files(tmp_path / "own")
    output = tmp_path / "out [1] & #2"
    write_labels(labels, "label-studio", 0.0, output)
    for index, task in enumerate(json.loads((output / "tasks.json").read_text())):
        image_paths = parse_qs(urlsplit(task["data"]["image"]).query)["d"]
        assert Path("/", *image_paths).resolve() == labels.find_image_path(index)
    choices = ElementTree.parse(output / "config.xml").iter("Choice")
    assert [choice.get("value") for choice in choices] == list(labels.class_names)


def test_fiftyone_has_one_label_per_image(tmp_path: Path) -> None:
    write_labels(write_labelled_files(tmp_path / "own"), "fiftyone", 0.5, tmp_path / "out")
    content = json.loads((tmp_path / "out/labels.json").read_text())
    assert {f"{name}.png" for name in content["labels"]} == {path.name for path in (tmp_path / "out/data").iterdir()}
    class_names = [content["classes"][label["label"]] for label in content["labels"].values()]
    assert class_names == ["sea horse", "sea horse", "cat"]


def test_fiftyone_finds_files_with_unusual_paths_by_their_stems(tmp_path: Path) -> None:
    labels = write_unusual_files(tmp_path / "own")
    write_labels(labels, "fiftyone", 0.0, tmp_path / "out")
    class_ids = json.loads((tmp_path / "out/labels.json").read_text())["labels"]
    # As FiftyOne's importer does: by names below data/ without suffixes, in which backslashes are directories.
    paths = {path.stem.replace("\\", "/"): path for path in (tmp_path / "out/data").iterdir()}
    assert paths.keys() == class_ids.keys()
    assert {paths[name].resolve(): label["label"] for name, label in class_ids.items()} == {
        labels.find_image_path(index): index % 2 for index in range(len(UNUSUAL_PATHS))
    }


def test_huggingface_metadata_lies_beside_the_images(tmp_path: Path) -> None:
    write_labels(LABELS, "huggingface", 0.5, tmp_path / "out", images=load_digits(4)[0])
    rows = [json.loads(line) for line in (tmp_path / "out/train/metadata.jsonl").read_text().splitlines()]
    assert [row["file_name"] for row in rows] == ["00000000.png", "00000002.png", "00000003.png"]
    assert [row["label"] for row in rows] == ["sea horse", "sea horse", "cat"]
    assert all((tmp_path / "out/train" / row["file_name"]).is_file() for row in rows)


def test_huggingface_loads_files_with_unusual_paths_as_one_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    labels = write_unusual_files(tmp_path / "own")
    write_labels(labels, "huggingface", 0.0, tmp_path / "out")
    splits = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert splits.keys() == {"train"}
    rows = splits["train"].cast_column("image", datasets.Image(decode=False))
    class_names = {Path(row["image"]["path"]).resolve(): row["label"] for row in rows}
    assert class_names == {
        labels.find_image_path(index): labels.class_names[index % 2] for index in range(len(UNUSUAL_PATHS))
    }


@pytest.mark.parametrize(
    ("labels", "model_version", "name"),
    [
        (LABELS, "vaetui 0123456789ab uncalibrated", "uncalibrated_confidence"),
        (AUDITED_LABELS, "vaetui 0123456789ab", "confidence"),
    ],
)
def test_label_studio_names_the_version_and_whether_scores_are_calibrated(
    labels: LabelTable, model_version: str, name: str, tmp_path: Path
) -> None:
    write_labels(labels, "label-studio", 0.0, tmp_path / "out", images=load_digits(4)[0])
    tasks = json.loads((tmp_path / "out/tasks.json").read_text())
    assert {task["predictions"][0]["model_version"] for task in tasks} == {model_version}
    assert [task["predictions"][0]["score"] for task in tasks] == [1.0, 0.25, 0.75, 0.5]
    check = "wrong" if labels is AUDITED_LABELS else None
    assert tasks[1]["meta"] == {"source": "propagated", "check": check, name: 0.25}


@pytest.mark.parametrize("labels", [LABELS, AUDITED_LABELS])
def test_fiftyone_labels_say_whether_their_confidence_is_calibrated(labels: LabelTable, tmp_path: Path) -> None:
    write_labels(labels, "fiftyone", 0.0, tmp_path / "out", images=load_digits(4)[0])
    is_audited = labels is AUDITED_LABELS
    label = json.loads((tmp_path / "out/labels.json").read_text())["labels"]["00000002"]
    attributes = {"calibrated": is_audited, "source": "classifier", "check": "right" if is_audited else None}
    assert label == {"label": 1, "confidence": 0.75, "attributes": attributes}


@pytest.mark.parametrize(("labels", "name"), [(LABELS, "uncalibrated_confidence"), (AUDITED_LABELS, "confidence")])
def test_huggingface_datasets_have_the_named_confidence_and_the_checks(
    labels: LabelTable, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    write_labels(labels, "huggingface", 0.0, tmp_path / "out", images=load_digits(4)[0])
    splits = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert splits.keys() == {"train"}
    rows = splits["train"].remove_columns("image")
    assert set(rows.column_names) == {"label", name, "source", "check"}
    assert rows[name] == [1.0, 0.25, 0.75, 0.5]
    assert rows["check"] == (["", "wrong", "right", ""] if labels is AUDITED_LABELS else [""] * 4)
