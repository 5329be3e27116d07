"""Labels as labelling tools and libraries of data sets read them: Label Studio, FiftyOne, Hugging Face datasets."""

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
from vaetui.export.image_placement import create_output_directory, relative_paths, unique_names, write_images
from vaetui.export.label_table import LabelTable
from vaetui.storage import atomic_files

ExportProgress = Generator[Progress, None, int]
"""Yields its progress, and returns how many pictures are gone."""


def write_label_studio(
    label_table: LabelTable, min_confidence: float, copy_files: bool, images: NDArray[np.uint8] | None, output: Path
) -> ExportProgress:
    """Write tasks.json with a pre-annotation for each picture, and config.xml, the labelling interface for it.

    Label Studio serves the pictures as local files, with / as its document root (labelstud.io/guide/predictions).
    """
    pairs, gone = yield from _write_confident_images(
        label_table, relative_paths, min_confidence, copy_files, images, output / "images"
    )
    tasks = (
        {
            "data": {"image": f"/data/local-files/?d={quote(str((output / 'images' / path).absolute()).lstrip('/'))}"},
            "predictions": [
                {
                    "model_version": "vaetui",
                    "score": row["confidence"],
                    "result": [
                        {
                            "from_name": "class",
                            "to_name": "image",
                            "type": "choices",
                            "value": {"choices": [row["class"]]},
                        }
                    ],
                }
            ],
        }
        for path, row in pairs
    )
    atomic_files.write(output / "tasks.json", _encode_json_array(tasks))
    offered = [name for label, name in enumerate(label_table.class_names) if label not in label_table.merged_class_ids]
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in offered)
    config = (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="class" toName="image">\n{choices}  </Choices>\n</View>\n'
    )
    atomic_files.write(output / "config.xml", config.encode())
    return gone


def write_fiftyone(
    label_table: LabelTable, min_confidence: float, copy_files: bool, images: NDArray[np.uint8] | None, output: Path
) -> ExportProgress:
    """Write a FiftyOneImageClassificationDataset: data/ and labels.json, with confidences."""
    pairs, gone = yield from _write_confident_images(
        label_table, unique_names, min_confidence, copy_files, images, output / "data"
    )
    told = {Path(path).stem: {"label": row["label"], "confidence": row["confidence"]} for path, row in pairs}
    atomic_files.write(
        output / "labels.json", json.dumps({"classes": label_table.class_names, "labels": told}).encode()
    )
    return gone


def write_huggingface(
    label_table: LabelTable, min_confidence: float, copy_files: bool, images: NDArray[np.uint8] | None, output: Path
) -> ExportProgress:
    """Write a directory for load_dataset("imagefolder"): the pictures, and what is known of each in metadata.jsonl."""
    pairs, gone = yield from _write_confident_images(
        label_table, unique_names, min_confidence, copy_files, images, output / "train"
    )
    lines = (
        json.dumps(
            {
                "file_name": path,
                "label": row["class"],
                "confidence": row["confidence"],
                "source": row["source"],
            }
        )
        + "\n"
        for path, row in pairs
    )
    atomic_files.write(output / "train/metadata.jsonl", (line.encode() for line in lines))
    return gone


def _write_confident_images(
    label_table: LabelTable,
    name_images: Callable[[LabelTable], list[str]],
    min_confidence: float,
    copy_files: bool,
    images: NDArray[np.uint8] | None,
    output: Path,
) -> Generator[Progress, None, tuple[Iterator[tuple[str, dict[str, Any]]], int]]:
    """Place the pictures of labels that are sure enough; gives where each is and its row, and how many are gone."""
    create_output_directory(output.parent)
    output.mkdir()
    sure = label_table.subset(label_table.confidences >= min_confidence)
    found = yield from write_images(sure, name_images(sure), copy_files, images, output)
    pairs = ((path, row) for path, row in zip(found, sure.iter_rows(), strict=True) if path is not None)
    return pairs, found.count(None)


def _encode_json_array(values: Iterable[dict[str, Any]]) -> Iterable[bytes]:
    """Write a JSON array without holding all of it."""
    before = b"[\n"
    for value in values:
        yield before + json.dumps(value).encode()
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"
