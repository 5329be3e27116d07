"""Descriptions of files of vectors that are damaged or forged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vaetui.errors import UserError
from vaetui.features.feature_files import open_feature_file
from vaetui.features.feature_sidecar import FORMAT_NAME, paths_path, sidecar_path

MODEL = {"name": "pixels", "version": "0", "size": [16, 16]}


def write_described_vectors(path: Path, paths: bytes = b'["a", "b"]\n["c"]\n', **changes: Any) -> None:
    np.save(path, np.arange(12, dtype=np.float16).reshape(3, 4))
    paths_path(path).write_bytes(paths)
    fields = {
        "format": FORMAT_NAME,
        "model": MODEL,
        "image_count": 3,
        "test_count": 0,
        "width": 4,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "source": "/images",
        "paths_sha256": hashlib.sha256(paths).hexdigest(),
    }
    sidecar_path(path).write_text(json.dumps(fields | changes))


def test_intact_description_names_the_images(tmp_path: Path) -> None:
    write_described_vectors(tmp_path / "v.npy")
    assert open_feature_file(tmp_path / "v.npy").paths == ("a", "b", "c")


@pytest.mark.parametrize(
    "content",
    [b"", b'["a", "b"]\n', b'["a", "b", "c"', b"[1, 2, 3]\n", b'{"a": 1, "b": 2, "c": 3}\n', b"\xff", b"[" * 9999],
)
def test_list_that_does_not_name_one_image_for_each_vector_is_refused(content: bytes, tmp_path: Path) -> None:
    write_described_vectors(tmp_path / "v.npy", content)
    with pytest.raises(UserError, match=r"v\.npy\.paths\.jsonl does not name one image for each vector"):
        open_feature_file(tmp_path / "v.npy")


@pytest.mark.parametrize(
    "changes",
    [
        {"image_count": -1, "test_count": 4},
        {"image_count": 4, "test_count": -1},
        {"width": "4"},
        {"model": {**MODEL, "size": [0, 16]}},
        {"model": {**MODEL, "size": [10**9, 16]}},
        {"model": {**MODEL, "name": "x" * 5_000}},
        {"model": {**MODEL, "version": "\x1b[2J"}},
        {"model": {**MODEL, "others": 1}},
        {"model": None},
    ],
)
def test_description_that_no_session_could_record_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    write_described_vectors(tmp_path / "v.npy", **changes)
    with pytest.raises(UserError, match=r"v\.npy\.json is damaged"):
        open_feature_file(tmp_path / "v.npy")
