"""Tests of reading images from IDX files, and of datasets on a device."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.idx import encode_idx, write_idx
from vaetui.engine import images
from vaetui.engine.device_inputs import DeviceImages
from vaetui.engine.idx import read_image_header_shape
from vaetui.engine.images import images_from_array, read_idx_array, read_images_and_digest, read_images_in_steps
from vaetui.errors import UserError

GREY = np.arange(12 * 10 * 12, dtype=np.uint8).reshape(12, 10, 12)
COLOURED = np.arange(12 * 10 * 12 * 3, dtype=np.uint8).reshape(12, 10, 12, 3)


@pytest.mark.parametrize("chunk_bytes", [1, 250, 10_000])
@pytest.mark.parametrize("min_mmap_bytes", [0, 1 << 28], ids=["mapped", "in memory"])
@pytest.mark.parametrize("name", ["plain", "packed.gz"])
@pytest.mark.parametrize("pixels", [GREY, COLOURED], ids=["grey", "colour"])
def test_written_images_are_read_back(
    tmp_path: Path,
    pixels: NDArray[np.uint8],
    name: str,
    min_mmap_bytes: int,
    chunk_bytes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(images, "CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr(images, "MIN_MMAP_BYTES", min_mmap_bytes)
    path = write_idx(tmp_path / name, pixels)
    result, digest = read_images_and_digest(path)
    assert np.array_equal(result[:], pixels)
    assert isinstance(result.all_pixels, np.memmap) == (min_mmap_bytes == 0 and name == "plain")
    assert digest == hashlib.sha256(pixels.tobytes()).digest()
    assert read_image_header_shape(path) == pixels.shape == (len(result), *result.shape)


def test_images_are_passed_on_and_reported_while_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "CHUNK_BYTES", 5 * GREY[0].nbytes)
    chunks: list[NDArray[np.uint8]] = []
    steps = read_images_in_steps(write_idx(tmp_path / "images", GREY), chunks.append)
    assert [(step.completed, step.total) for step in steps] == [(5, 12), (10, 12)]
    assert np.array_equal(np.concatenate(chunks), GREY)


def test_subset_and_dataset_are_indexed_by_their_own_positions() -> None:
    subset = images_from_array(GREY).subset(np.array([1, 5, 7, 11]))
    assert np.array_equal(subset[1:3], GREY[[5, 7]])
    assert np.array_equal(subset.subset(np.array([3, 0]))[:], GREY[[11, 1]])
    dataset = DeviceImages(subset, torch.device("cpu"))
    assert len(dataset) == 4
    loaded = dataset.load(torch.tensor([2, 0]))  # [2, 1, H, W]
    assert np.array_equal((255 * loaded[:, 0]).round().numpy(), GREY[[7, 1]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an IDX file"),
        (b"\x00\x00\x08", "is not an IDX file"),
        (b"\x00\x00\x0d\x03" + encode_idx(GREY)[4:], "is not an IDX file"),
        (encode_idx(GREY[0]), "is not an IDX file"),
        (encode_idx(GREY)[:-1], "is truncated: it has 1,439 of 1,440 bytes"),
        (encode_idx(GREY) + b"\x00", "has more than the 1,440 bytes"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "sides must have 8 to 64 pixels"),
        (encode_idx(GREY[:9]), "has 9 images; at least 10"),
        (encode_idx(np.zeros((14, 7, 9), np.uint8)), "images of 7x9 pixels"),
        (encode_idx(np.zeros((14, 8, 9, 4), np.uint8)), "images with 4 channels"),
    ],
)
def test_damaged_or_unsupported_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    for path, body in ((tmp_path / "plain", content), (tmp_path / "packed.gz", gzip.compress(content))):
        path.write_bytes(body)
        with pytest.raises(UserError, match=re.escape(message)):
            read_images_and_digest(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), flip=st.integers(0, 1500), is_packed=st.booleans())
def test_randomly_damaged_file_is_read_or_refused(tmp_path: Path, cut: int, flip: int, is_packed: bool) -> None:
    path = tmp_path / ("file.gz" if is_packed else "file")
    body = bytearray(gzip.compress(encode_idx(GREY), 1) if is_packed else encode_idx(GREY))
    body[flip % len(body)] ^= 1 << (cut % 8)
    path.write_bytes(body[: max(0, len(body) - cut // 40)])
    try:
        assert read_idx_array(path, 3).ndim == 3
    except UserError as error:
        assert str(path) in str(error)


def test_header_that_declares_huge_items_is_refused(tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(b"\x00\x00\x08\x03" + b"\x00\x00\x00\x0c" + b"\xff" * 8)
    with pytest.raises(UserError, match="header declares items of"):
        read_idx_array(tmp_path / "huge", 3)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_idx_array(tmp_path / "none", 3)
