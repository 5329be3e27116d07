"""Write labels and images in the formats of Label Studio, FiftyOne and Hugging Face datasets."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.events import Progress
from vaetui.export.image_writing import create_output_directory, list_relative_paths, make_unique_names, write_images
from vaetui.export.label_table import LabelTable
from vaetui.storage import atomic_files

ExportProgress = Generator[Progress, None, int]
"""Yields Progress, and returns the number of missing image files."""


def write_label_studio(
    label_table: LabelTable, min_confidence: float, copy_files: bool, images: NDArray[np.uint8] | None, output: Path
) -> ExportProgress:
    """Write tasks.json with one pre-annotation per image, and config.xml with the labelling interface.

    Label Studio serves the images as local files, with / as its document root (labelstud.io/guide/predictions). Raises
    UserError if the output directory is not empty or cannot be written.
    """
    images_directory = output / "images"
    path_row_pairs, missing_count = yield from _write_confident_images(
        label_table, list_relative_paths, min_confidence, copy_files, images, images_directory
    )
    tasks = (_build_label_studio_task(images_directory / path, row) for path, row in path_row_pairs)
    atomic_files.replace_file(output / "tasks.json", _encode_json_array(tasks))
    names, merged_ids = label_table.class_names, label_table.merged_class_ids
    active_names = (name for class_id, name in enumerate(names) if class_id not in merged_ids)
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in active_names)
    config = (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="class" toName="image">\n{choices}  </Choices>\n</View>\n'
    )
    atomic_files.replace_file(output / "config.xml", config.encode())
    return missing_count


def _build_label_studio_task(path: Path, row: dict[str, Any]) -> dict[str, Any]:
    result = {"from_name": "class", "to_name": "image", "type": "choices", "value": {"choices": [row["class"]]}}
    prediction = {"model_version": "vaetui", "score": row["confidence"], "result": [result]}
    image = f"/data/local-files/?d={quote(str(path.absolute()).lstrip('/'))}"
    return {"data": {"image": image}, "predictions": [prediction]}


def write_fiftyone(
    label_table: LabelTable, min_confidence: float, copy_files: bool, images: NDArray[np.uint8] | None, output: Path
) -> ExportProgress:
    """Write a FiftyOneImageClassificationDataset: data/ and labels.json, with confidences.

    Raises UserError if the output directory is not empty or cannot be written.
    """
    path_row_pairs, missing_count = yield from _write_confident_images(
        label_table, make_unique_names, min_confidence, copy_files, images, output / "data"
    )
    labels = {Path(path).stem: {"label": row["label"], "confidence": row["confidence"]} for path, row in path_row_pairs}
    content = json.dumps({"classes": label_table.class_names, "labels": labels})
    atomic_files.replace_file(output / "labels.json", content.encode())
    return missing_count


def write_huggingface(
    label_table: LabelTable, min_confidence: float, copy_files: bool, images: NDArray[np.uint8] | None, output: Path
) -> ExportProgress:
    """Write a directory for load_dataset("imagefolder"): train/ with the images and their labels in metadata.jsonl.

    Raises UserError if the output directory is not empty or cannot be written.
    """
    path_row_pairs, missing_count = yield from _write_confident_images(
        label_table, make_unique_names, min_confidence, copy_files, images, output / "train"
    )
    items = (
        {"file_name": path, "label": row["class"], "confidence": row["confidence"], "source": row["source"]}
        for path, row in path_row_pairs
    )
    atomic_files.replace_file(output / "train/metadata.jsonl", (f"{json.dumps(item)}\n".encode() for item in items))
    return missing_count


def _write_confident_images(
    label_table: LabelTable,
    name_images: Callable[[LabelTable], list[str]],
    min_confidence: float,
    copy_files: bool,
    images: NDArray[np.uint8] | None,
    output: Path,
) -> Generator[Progress, None, tuple[Iterator[tuple[str, dict[str, Any]]], int]]:
    """Write the images with sufficient confidence; return pairs of path and row, and the number of missing files."""
    create_output_directory(output.parent)
    output.mkdir()
    confident = label_table.select_rows(label_table.confidences >= min_confidence)
    paths = yield from write_images(confident, name_images(confident), copy_files, images, output)
    path_row_pairs = ((path, row) for path, row in zip(paths, confident.iter_rows(), strict=True) if path is not None)
    return path_row_pairs, paths.count(None)


def _encode_json_array(values: Iterable[dict[str, Any]]) -> Iterable[bytes]:
    """Yield the text of a JSON array item by item, so that it need not fit in memory."""
    separator = b"[\n"
    for value in values:
        yield separator + json.dumps(value).encode()
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"
