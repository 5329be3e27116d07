"""IDX files become images, or one sentence says why not."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.idx import MNIST, idx_bytes, write_idx
from vaetui.engine import images
from vaetui.engine.idx import locate, peek
from vaetui.engine.images import read_idx, read_images
from vaetui.trouble import Trouble

SOME = np.arange(12 * 10 * 12, dtype=np.uint8).reshape(12, 10, 12)


@pytest.mark.parametrize("name", ["plain", "packed.gz"])
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    path = write_idx(tmp_path / name, SOME)
    assert np.array_equal(read_images(path).pixels, SOME)
    assert peek(path, 3) == (12, 10, 12)


@pytest.mark.parametrize("piece", [1, 250, 10_000])
def test_images_are_divided_as_they_are_read(tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PIECE", piece)
    path = write_idx(tmp_path / "packed.gz", SOME)
    held_out = np.array([0, 4, 5, 11])
    others, kept, digest = images.read_divided(path, held_out)
    assert np.array_equal(kept.pixels, SOME[held_out])
    assert np.array_equal(others.pixels, np.delete(SOME, held_out, axis=0))
    assert digest == hashlib.sha256(SOME.tobytes()).digest()


def test_mnist_is_whole() -> None:
    files = locate(MNIST)
    assert peek(files.train_images, 3) == (60_000, 28, 28)
    assert files.test_images is not None
    found = read_images(files.test_images)
    assert len(found) == 10_000
    assert found.shape == (28, 28)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is no IDX file"),
        (b"\x00\x00\x08", "is no IDX file"),
        (b"\x00\x00\x0d\x03" + idx_bytes(SOME)[4:], "is no IDX file"),
        (idx_bytes(SOME[0]), "is no IDX file"),
        (idx_bytes(SOME)[:-1], "is truncated: 1,439 of 1,440 bytes"),
        (idx_bytes(SOME) + b"\x00", "holds more than the 1,440 bytes"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "sides from 8 to 64"),
        (idx_bytes(SOME[:9]), "holds 9 images; at least 10"),
        (idx_bytes(np.zeros((14, 7, 9), np.uint8)), "images of 7x9 pixels"),
    ],
)
def test_a_damaged_file_is_told_in_a_sentence(tmp_path: Path, content: bytes, complaint: str) -> None:
    for path, body in ((tmp_path / "plain", content), (tmp_path / "packed.gz", gzip.compress(content))):
        path.write_bytes(body)
        with pytest.raises(Trouble, match=re.escape(complaint)):
            read_images(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), flip=st.integers(0, 1500), packed=st.booleans())
def test_no_damage_gives_anything_but_trouble(tmp_path: Path, cut: int, flip: int, packed: bool) -> None:
    path = tmp_path / ("file.gz" if packed else "file")
    body = bytearray(gzip.compress(idx_bytes(SOME), 1) if packed else idx_bytes(SOME))
    body[flip % len(body)] ^= 1 << (cut % 8)
    path.write_bytes(body[: max(0, len(body) - cut // 40)])
    try:
        assert read_idx(path, 3).ndim == 3
    except Trouble as trouble:
        assert str(path) in str(trouble)


def test_a_missing_file_and_an_empty_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="holds no training images"):
        locate(tmp_path)
    with pytest.raises(Trouble, match="There is no directory"):
        locate(tmp_path / "none")
    with pytest.raises(Trouble, match="cannot be read"):
        read_idx(tmp_path / "none", 3)
