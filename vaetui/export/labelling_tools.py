"""Write labels and images in the formats of Label Studio, FiftyOne and Hugging Face datasets.

Each function writes the images of a label table, all of which have a label, below the directory of an export. It
returns their paths, None for those whose files are missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from vaetui.export.image_writing import (
    ImageOutput,
    WrittenPaths,
    flatten_long_paths,
    list_relative_paths,
    list_unique_names,
    write_images,
)
from vaetui.export.label_table import LabelTable

UNSUPPORTED_SUFFIXES = frozenset((".avif", ".avifs", ".heic", ".heif", ".hif", ".jps", ".jxl", ".mpo", ".pfm", ".qoi"))
"""Suffixes of images that `datasets` ignores; such files are converted for it."""


def write_label_studio(label_table: LabelTable, image_output: ImageOutput, version: str) -> WrittenPaths:
    """Write tasks.json with one pre-annotation per image, and config.xml with the labelling interface.

    The score of a pre-annotation is its confidence; the name of the model ends with "uncalibrated" if that is. Label
    Studio serves the images as local files, with / as its document root (labelstud.io/guide/predictions). Raises
    OSError if that fails.
    """
    images_directory = image_output.final_directory.resolve() / "images"
    target_paths = flatten_long_paths(list_relative_paths(label_table), images_directory)
    paths = yield from write_images(label_table, target_paths, _enter_directory(image_output, "images"))
    model_name = f"vaetui {version}" + (" uncalibrated" if label_table.calibration is None else "")
    column = label_table.confidence_column
    tasks = (
        _build_label_studio_task(images_directory / path, row, column, model_name)
        for path, row in _pair_rows(paths, label_table)
    )
    _write_lines(image_output.directory / "tasks.json", _encode_json_array(tasks))
    names, merged_ids = label_table.class_names, label_table.merged_class_ids
    active_names = (name for class_id, name in enumerate(names) if class_id not in merged_ids)
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in active_names)
    config = (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="class" toName="image">\n{choices}  </Choices>\n</View>\n'
    )
    (image_output.directory / "config.xml").write_text(config, encoding="utf-8")
    return paths


def _build_label_studio_task(path: Path, row: dict[str, Any], column: str, model_name: str) -> dict[str, Any]:
    result = {"from_name": "class", "to_name": "image", "type": "choices", "value": {"choices": [row["class"]]}}
    prediction = {"model_version": model_name, "score": row[column], "result": [result]}
    image = f"/data/local-files/?d={quote(str(path).lstrip('/'), errors='surrogateescape')}"
    meta = {name: row[name] for name in ("source", "check", column)}
    return {"data": {"image": image}, "meta": meta, "predictions": [prediction]}


def write_fiftyone(label_table: LabelTable, image_output: ImageOutput, version: str) -> WrittenPaths:
    """Write a FiftyOneImageClassificationDataset: data/ and labels.json, with confidences; raises OSError.

    FiftyOne has one name for confidences; the attribute `calibrated` of each label distinguishes them.
    """
    names = list_unique_names(label_table)
    paths = yield from write_images(label_table, names, _enter_directory(image_output, "data"))
    column, is_calibrated = label_table.confidence_column, label_table.calibration is not None
    labels = {
        PurePosixPath(path).stem: {
            "label": row["label"],
            "confidence": row[column],
            "attributes": {"calibrated": is_calibrated, "source": row["source"], "check": row["check"]},
        }
        for path, row in _pair_rows(paths, label_table)
    }
    content = json.dumps({"classes": label_table.class_names, "labels": labels})
    (image_output.directory / "labels.json").write_text(content, encoding="utf-8")
    return paths


def write_huggingface(label_table: LabelTable, image_output: ImageOutput, version: str) -> WrittenPaths:
    """Write a directory for load_dataset("imagefolder"): train/ with the images and their labels in metadata.jsonl.

    Raises OSError if that fails.
    """
    names = list_unique_names(label_table)
    train_output = _enter_directory(image_output, "train")
    paths = yield from write_images(label_table, names, train_output, UNSUPPORTED_SUFFIXES)
    column = label_table.confidence_column
    items = (
        {"file_name": path, "label": row["class"], column: row[column], "source": row["source"]}
        | {"check": row["check"] or ""}  # `datasets` derives the type of a column from its first rows
        for path, row in _pair_rows(paths, label_table)
    )
    _write_lines(train_output.directory / "metadata.jsonl", (f"{json.dumps(item)}\n".encode() for item in items))
    return paths


def _enter_directory(image_output: ImageOutput, name: str) -> ImageOutput:
    """Create a directory in the output, and return it as an output."""
    (image_output.directory / name).mkdir()
    return replace(
        image_output, directory=image_output.directory / name, final_directory=image_output.final_directory / name
    )


def _pair_rows(paths: Iterable[str | None], label_table: LabelTable) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and row of each written image."""
    return ((path, row) for path, row in zip(paths, label_table.iter_rows(), strict=True) if path is not None)


def _write_lines(path: Path, lines: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(lines)


def _encode_json_array(values: Iterable[dict[str, Any]]) -> Iterable[bytes]:
    """Yield the text of a JSON array item by item, so that it need not fit in memory."""
    separator = b"[\n"
    for value in values:
        yield separator + json.dumps(value).encode()
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"
