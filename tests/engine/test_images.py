"""IDX files become images, or one sentence says why not."""

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

from tests.idx import MNIST_DIRECTORY, encode_idx, write_idx
from vaetui.engine import images
from vaetui.engine.dataset import Dataset
from vaetui.engine.idx import find_idx_files, header_shape, image_header_shape
from vaetui.engine.images import images_from_array, read_idx, read_images
from vaetui.errors import UserError

SOME = np.arange(12 * 10 * 12, dtype=np.uint8).reshape(12, 10, 12)
COLOURED = np.arange(12 * 10 * 12 * 3, dtype=np.uint8).reshape(12, 10, 12, 3)


@pytest.mark.parametrize("piece", [1, 250, 10_000])
@pytest.mark.parametrize("kept", [0, 1 << 28], ids=["mapped", "in memory"])
@pytest.mark.parametrize("name", ["plain", "packed.gz"])
@pytest.mark.parametrize("some", [SOME, COLOURED], ids=["grey", "colour"])
def test_what_was_written_is_read(
    tmp_path: Path, some: NDArray[np.uint8], name: str, kept: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "CHUNK_BYTES", piece)
    monkeypatch.setattr(images, "MIN_MMAP_BYTES", kept)
    path = write_idx(tmp_path / name, some)
    found, digest = read_images(path)
    assert np.array_equal(found[:], some)
    assert isinstance(found.all_pixels, np.memmap) == (kept == 0 and name == "plain")
    assert digest == hashlib.sha256(some.tobytes()).digest()
    assert image_header_shape(path) == some.shape == (len(found), *found.shape)


def test_some_of_the_images_are_found_by_their_own_places() -> None:
    some = images_from_array(SOME).subset(np.array([1, 5, 7, 11]))
    assert np.array_equal(some[1:3], SOME[[5, 7]])
    assert np.array_equal(some.subset(np.array([3, 0]))[:], SOME[[11, 1]])
    on_the_device = Dataset(some, torch.device("cpu"))
    assert np.array_equal(on_the_device[torch.tensor([2, 0])].numpy(), SOME[[7, 1]])


def test_mnist_is_whole() -> None:
    files = find_idx_files(MNIST_DIRECTORY)
    assert header_shape(files.train_images, 3) == (60_000, 28, 28)
    assert files.test_images is not None
    found, _ = read_images(files.test_images)
    assert len(found) == 10_000
    assert found.shape == (28, 28)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is no IDX file"),
        (b"\x00\x00\x08", "is no IDX file"),
        (b"\x00\x00\x0d\x03" + encode_idx(SOME)[4:], "is no IDX file"),
        (encode_idx(SOME[0]), "is no IDX file"),
        (encode_idx(SOME)[:-1], "is truncated: 1,439 of 1,440 bytes"),
        (encode_idx(SOME) + b"\x00", "holds more than the 1,440 bytes"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "sides from 8 to 64"),
        (encode_idx(SOME[:9]), "holds 9 images; at least 10"),
        (encode_idx(np.zeros((14, 7, 9), np.uint8)), "images of 7x9 pixels"),
        (encode_idx(np.zeros((14, 8, 9, 4), np.uint8)), "images of 4 channels"),
    ],
)
def test_a_damaged_file_is_told_in_a_sentence(tmp_path: Path, content: bytes, complaint: str) -> None:
    for path, body in ((tmp_path / "plain", content), (tmp_path / "packed.gz", gzip.compress(content))):
        path.write_bytes(body)
        with pytest.raises(UserError, match=re.escape(complaint)):
            read_images(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), flip=st.integers(0, 1500), packed=st.booleans())
def test_no_damage_gives_anything_but_trouble(tmp_path: Path, cut: int, flip: int, packed: bool) -> None:
    path = tmp_path / ("file.gz" if packed else "file")
    body = bytearray(gzip.compress(encode_idx(SOME), 1) if packed else encode_idx(SOME))
    body[flip % len(body)] ^= 1 << (cut % 8)
    path.write_bytes(body[: max(0, len(body) - cut // 40)])
    try:
        assert read_idx(path, 3).ndim == 3
    except UserError as trouble:
        assert str(path) in str(trouble)


def test_an_item_that_no_memory_holds_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(b"\x00\x00\x08\x03" + b"\x00\x00\x00\x0c" + b"\xff" * 8)
    with pytest.raises(UserError, match="announces items of"):
        read_idx(tmp_path / "huge", 3)


def test_a_missing_file_and_an_empty_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no training images"):
        find_idx_files(tmp_path)
    with pytest.raises(UserError, match="There is no directory"):
        find_idx_files(tmp_path / "none")
    with pytest.raises(UserError, match="cannot be read"):
        read_idx(tmp_path / "none", 3)
