"""Reading of arrays from npy, npz and IDX files in any layout, and of damaged and hostile files."""

from __future__ import annotations

import gzip
import io
import random
import re
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.drawing import load_digits
from vaetui.data import array_files
from vaetui.data.array_files import CHUNK_BYTES, open_idx_file, open_npy, open_npz
from vaetui.data.array_roles import find_dataset_arrays
from vaetui.data.import_options import ImportOptions
from vaetui.errors import UserError

IMAGES = load_digits(60)[0]


def write_npy(path: Path, header: bytes, data: bytes = b"") -> Path:
    """Write a file with the header of version 1.0 that numpy does not check."""
    padded = header.ljust(118) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded + data)
    return path


def write_idx(path: Path, type_number: int, array: NDArray[Any]) -> Path:
    content = struct.pack(f">BBBB{array.ndim}I", 0, 0, type_number, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
def test_an_array_is_read_in_any_order_of_memory_and_axes(tmp_path: Path, order: Any, axes: tuple[int, ...]) -> None:
    array = np.arange(30 * 20 * 900, dtype=">i4").reshape(30, 20, 900)  # several chunks
    np.save(tmp_path / "own.npy", np.array(array, order=order))
    np.savez(tmp_path / "own.npz", images=np.array(array, order=order))
    for array_file in (open_npy(tmp_path / "own.npy"), open_npz(tmp_path / "own.npz").arrays["images"]):
        transposed = array_file.transpose(axes)
        assert transposed.shape == array.transpose(axes).shape
        chunks = [*transposed.iter_chunks()]
        assert np.array_equal(np.concatenate(chunks), array.transpose(axes))
        assert all(chunk.flags.c_contiguous for chunk in chunks)


def test_transposed_arrays_can_be_transposed_again(tmp_path: Path) -> None:
    array = np.arange(24).reshape(2, 3, 4)
    np.save(tmp_path / "own.npy", np.asfortranarray(array))
    array_file = open_npy(tmp_path / "own.npy").transpose((2, 0, 1)).transpose((1, 0, 2))
    assert np.array_equal(array_file.read_all(), array.transpose((2, 0, 1)).transpose((1, 0, 2)))


def test_images_in_the_order_of_the_file_are_read_in_chunks(tmp_path: Path) -> None:
    images = np.zeros((60_000, 28, 28), np.uint8)
    np.save(tmp_path / "own.npy", images)
    np.save(tmp_path / "last.npy", np.asfortranarray(images.transpose(1, 2, 0)))  # in memory, the images are first
    for array_file in (open_npy(tmp_path / "own.npy"), open_npy(tmp_path / "last.npy").transpose((2, 0, 1))):
        tracemalloc.start()
        assert sum(len(chunk) for chunk in array_file.iter_chunks()) == 60_000
        assert tracemalloc.get_traced_memory()[1] < 5 * CHUNK_BYTES < images.nbytes / 2
        tracemalloc.stop()


def test_an_array_that_does_not_fit_in_memory_raises_user_error_if_it_must_be_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "own.npy", np.asfortranarray(IMAGES))
    monkeypatch.setattr(array_files.os, "sysconf", lambda name: 200)  # 200 pages of 200 bytes
    with pytest.raises(UserError, match=r"needs 0 GB of memory.* Save it in C order with the images as its first axis"):
        open_npy(tmp_path / "own.npy").read_all()


@pytest.mark.parametrize(
    ("type_number", "dtype"), [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")]
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files_of_all_types_are_read(tmp_path: Path, type_number: int, dtype: str, suffix: str) -> None:
    array = (IMAGES // 2).astype(dtype)
    array_file = open_idx_file(write_idx(tmp_path / f"own-idx3-ubyte{suffix}", type_number, array))
    assert (array_file.shape, array_file.dtype) == (array.shape, array.dtype)
    assert np.array_equal(array_file.read_all(), array)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files_whose_length_differs_from_their_header_raise_user_error(tmp_path: Path, suffix: str) -> None:
    content = struct.pack(">BBBB3I", 0, 0, 8, 3, *IMAGES.shape) + IMAGES.tobytes()
    path = tmp_path / f"own-idx3{suffix}"
    for damaged, message in (
        (content[:-1], "it is truncated"),
        (content + b"\0", "contains more data than its header"),
    ):
        path.write_bytes(gzip.compress(damaged) if suffix else damaged)
        with pytest.raises(UserError, match=f"{message}.* Check or replace the file"):
            open_idx_file(path).read_all()
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UserError, match=r"cannot be read \("):
        open_idx_file(path)


def test_gzipped_idx_files_that_declare_too_much_raise_user_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(struct.pack(">BBBB3I", 0, 0, 8, 3, 10**9, 28, 28) + bytes(10_000)))
    with pytest.raises(UserError, match=r"its header declares more data than it contains.* Check or replace the file"):
        open_idx_file(path)
    write_idx(path, 8, np.zeros((5_000, 28, 28), np.uint8))
    assert open_idx_file(path).read_all().shape == (5_000, 28, 28)
    monkeypatch.setattr(array_files, "MIN_BOMB_BYTES", 1_000_000)
    with pytest.raises(UserError, match=r"-fold, which images never are. Save it without compression"):
        open_idx_file(path)


def test_a_wrong_checksum_of_compressed_data_raises_user_error(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "own-idx3-ubyte.gz", 8, IMAGES)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="CRC check failed"):
        open_idx_file(path).read_all()
    np.savez(tmp_path / "own.npz", images=IMAGES)
    content = bytearray((tmp_path / "own.npz").read_bytes())
    content[5_000] ^= 1
    (tmp_path / "own.npz").write_bytes(content)
    with pytest.raises(UserError, match="Bad CRC-32"):
        open_npz(tmp_path / "own.npz").arrays["images"].read_all()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (IMAGES.astype(object), "contains Python objects, which are never loaded. Save it as numbers"),
        (IMAGES.astype(complex), r"contains complex numbers. Save real numbers, for example numpy.abs\(array\)"),
        (IMAGES.view([("value", "u1")]), "contains values of type .* Save it as numbers or text"),
        (IMAGES.astype("timedelta64[s]"), r"contains values of type timedelta64\[s\]. Save it as numbers or text"),
        (np.zeros(20, "V3"), r"contains values of type \|V3. Save it as numbers or text"),
    ],
)
def test_unsupported_types_raise_user_error_that_does_not_call_the_file_damaged(
    tmp_path: Path, array: NDArray[Any], message: str
) -> None:
    np.save(tmp_path / "own.npy", array, allow_pickle=True)
    with pytest.raises(UserError, match=message) as caught:
        open_npy(tmp_path / "own.npy")
    assert "Check or replace" not in str(caught.value)
    np.savez(tmp_path / "own.npz", images=array)
    assert re.match(message, str(open_npz(tmp_path / "own.npz").problems["images"]))


def test_several_arrays_in_one_npy_file_raise_user_error(tmp_path: Path) -> None:
    with (tmp_path / "own.npy").open("wb") as file:
        np.save(file, IMAGES)
        np.save(file, IMAGES)
    with pytest.raises(UserError, match=r"contains 47,168 bytes after its first array. Save one array in an npy file"):
        open_npy(tmp_path / "own.npy")


def test_a_file_without_permission_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "own.npy").mkdir()
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\). Check the path and its permissions"):
        open_npy(tmp_path / "own.npy")


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000000000, 28, 28)}",
        b"{'descr': '|u1', 'fortran_order': True, 'shape': (60, 99999999999, 99999999999)}",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (-60, 28, 28)}",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (60, 28.5, 28)}",
        b"{'descr': '|U0', 'fortran_order': False, 'shape': (10000000000000,)}",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (60, 28, 28)}",
        b"{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (60, 28, 28)}",
        b"{'descr': '(28,28)u1', 'fortran_order': False, 'shape': (60,)}",
        b"{'descr': 'nonsense', 'fortran_order': False, 'shape': (60, 28, 28)}",
        b"{'descr': '|u1', 'fortran_order': 3, 'shape': (60, 28, 28)}",
        b"{'descr': '|u1', 'shape': (60, 28, 28)}",
        b"[" * 100,
        b"__import__('os').getcwd()",
        b"\xff\xfe\x00",
    ],
)
def test_hostile_headers_raise_user_error_at_once(tmp_path: Path, header: bytes) -> None:
    path = write_npy(tmp_path / "own.npy", header, IMAGES.tobytes())
    with pytest.raises(UserError):
        open_npy(path).read_all()
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("images.npy", path.read_bytes())
    npz_file = open_npz(tmp_path / "own.npz")
    assert (list(npz_file.arrays), list(npz_file.problems)) == ([], ["images"])


def test_later_versions_of_the_npy_format_raise_user_error(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.zeros(20, [("名", "u1")]), version=(3, 0))
    (tmp_path / "own.npy").write_bytes(content.getvalue())
    with pytest.raises(UserError, match=r"is in version 3.0 of the npy format. Save it with numpy.save as numbers"):
        open_npy(tmp_path / "own.npy")


def test_an_array_that_is_compressed_too_much_raises_user_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "own.npz", images=np.zeros((5_000, 28, 28), np.uint8))
    assert open_npz(tmp_path / "own.npz").arrays["images"].read_all().shape == (5_000, 28, 28)
    monkeypatch.setattr(array_files, "MIN_BOMB_BYTES", 1_000_000)
    problem = open_npz(tmp_path / "own.npz").problems["images"]
    assert re.fullmatch(
        r"is compressed [\d,]+-fold, which images never are. Save it without compression.", str(problem)
    )


def test_a_forged_size_in_the_directory_of_a_zip_file_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|u1", "fortran_order": False, "shape": (10**7, 28, 28)})
    header = content.getvalue()
    with zipfile.ZipFile(tmp_path / "own.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", header)
        member = archive.infolist()[0]
        member.file_size = len(header) + 10**7 * 28 * 28  # is written into the directory when the file is closed
        member.extract_version = 45
    assert open_npz(tmp_path / "own.npz").problems["images"].is_damaged


def test_a_file_of_too_many_arrays_raises_user_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        for index in range(10_001):
            archive.writestr(f"{index}.npy", b"")
    with pytest.raises(UserError, match=r"contains 10,001 arrays; at most 10,000 .* numpy.stack"):
        open_npz(tmp_path / "own.npz")


def write_sound_files(directory: Path) -> dict[str, NDArray[Any]]:
    """Write the same images in files of several forms; return what each of them contains."""
    images, labels = load_digits(12)
    icons = np.stack([images] * 4, axis=-1).astype(np.uint16)
    np.save(directory / "fortran.npy", np.asfortranarray(images))
    np.savez(directory / "named.npz", x_train=images, y_train=labels, x_test=images, version=1)
    np.savez_compressed(directory / "icons.npz", images=icons, labels=np.array(["cat", "dog"] * 6))
    np.savez_compressed(directory / "floats.npz", images=np.asfortranarray(images / 255), names=np.array([None]))
    write_idx(directory / "floats-idx3", 13, images.astype(">f4"))
    write_idx(directory / "floats-idx3.gz", 13, images.astype(">f4"))
    arrays = {"fortran.npy": images, "named.npz": images, "icons.npz": icons, "floats.npz": images / 255}
    return {**arrays, "floats-idx3": images.astype(">f4"), "floats-idx3.gz": images.astype(">f4")}


@pytest.mark.parametrize("case_count", [300, pytest.param(5_000, marks=pytest.mark.slow)])
def test_randomly_damaged_files_are_read_right_or_raise_user_error(tmp_path: Path, case_count: int) -> None:
    rng = random.Random(case_count)
    arrays = write_sound_files(tmp_path)
    contents = {name: (tmp_path / name).read_bytes() for name in arrays}
    (tmp_path / "damaged").mkdir()
    refused_count = 0
    for case in range(case_count):
        name = rng.choice(list(contents))
        damaged = bytearray(contents[name])
        if case % 4 == 0:
            del damaged[rng.randrange(len(damaged)) :]
        for _ in range(rng.randrange(1, 5)):
            region = rng.choice([200, 700, len(damaged)])  # headers, directories of zip files, everything
            position = rng.randrange(min(region, len(damaged))) if damaged else 0
            position = len(damaged) - 1 - position if region == 700 else position
            damaged[position : position + 1] = bytes([rng.choice([0, 255, rng.randrange(256)])])
        path = tmp_path / "damaged" / name
        path.write_bytes(damaged)
        try:
            dataset_arrays = find_dataset_arrays(path, ImportOptions(labels=bool(case % 2)))
            images = dataset_arrays.train_images.read_all()
            if dataset_arrays.train_labels is not None:
                dataset_arrays.train_labels.read_all()
        except UserError:
            refused_count += 1
        else:
            if name.endswith("z"):  # has checksums
                assert np.array_equal(images, arrays[name])
    assert 0.3 * case_count < refused_count < case_count
