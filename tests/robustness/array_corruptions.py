"""Corruptions of the arrays of a session in otherwise valid files, and pickles in their place."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.robustness.file_corruptions import HOSTILE_TEXT
from tests.robustness.sandbox import Sandbox

DTYPES = ("<f4", "<f8", "<i8", "<u1", "<c16", "|S4", "<U3", "<M8[s]", "|b1", "<f2", "|V7")
SHAPES = ((0,), (1,), (), (3, 3), (118,), (118, 4), (4, 28, 28), (1, 1, 1, 1, 1))
INFLATED_BYTES = 500_000_000
"""Size of zeros that are compressed to a small file."""


class Bomb:
    """Creates the marker when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._marker),)


def npz_array(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Replace one array of an npz file."""
    path = draw.choice(sorted(directory.glob("*.npz")))
    members = _read_members(path)
    name = draw.choice([*members, "more.npy"])
    kind = draw.choice(
        ("other", "other", "values", "claimed", "object", "compressed", "duplicate", "missing", "outside")
    )
    duplicate, target_name = None, name
    match kind:
        case "other":
            members[name] = _encode_npy(np.zeros(draw.choice(SHAPES), draw.choice(DTYPES)))
        case "values":
            members[name] = _replace_values(members.get(name, b""), draw)
        case "claimed":  # a header that announces more than any memory holds, without data
            members[name] = _encode_header(
                draw.choice(("<f4", "|u1", "<U1000000")), draw.choice(((10**12,), (10**6, 10**6)))
            )
        case "object":
            members[name] = _encode_npy(np.array([Bomb(sandbox.marker)], dtype=object))
        case "compressed":  # a small file that needs much memory
            members[name] = _encode_header("|u1", (INFLATED_BYTES,)) + bytes(INFLATED_BYTES)
        case "duplicate":
            duplicate = name, _encode_npy(np.zeros(3))
        case "missing":
            members.pop(name, None)
        case "outside":
            target_name = f"../../{HOSTILE_TEXT}.npy"
            members[target_name] = members.pop(name, b"")
    compression = zipfile.ZIP_DEFLATED if kind == "compressed" else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", compression, compresslevel=1) as archive:
        for member_name, content in [*members.items(), *([duplicate] if duplicate else [])]:
            archive.writestr(member_name, content)
    return f"{path.name}: {kind} {target_name!r:.40}"


def safetensors_header(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Change the header or the values of a checkpoint."""
    path = draw.choice(sorted(directory.glob("*.safetensors")))
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    name = draw.choice(sorted(set(header) - {"__metadata__"}))
    kind = draw.choice(("dtype", "shape", "offsets", "missing", "more", "values", "length", "metadata"))
    match kind:
        case "dtype":
            header[name]["dtype"] = draw.choice(("I32", "F64", "U8", "F8_E4M3", "BOOL", "BF16", HOSTILE_TEXT))
        case "shape":
            size = int(np.prod(header[name]["shape"]))
            header[name]["shape"] = draw.choice(([size, 1], [1, size], [2**62, 4], [size + 1], [], [-1]))
        case "offsets":
            header[name]["data_offsets"] = draw.choice(([0, 2**63], [8, 4], [0, 4], [len(body), len(body) + 4]))
        case "missing":
            del header[name]
        case "more":
            header[HOSTILE_TEXT] = {"dtype": "F32", "shape": [0], "data_offsets": [len(body), len(body)]}
        case "values":
            body = np.full(len(body) // 4, draw.choice((np.nan, np.inf, 1e38, 0)), np.float32).tobytes()
        case "metadata":
            header["__metadata__"] = {"epoch": "2", HOSTILE_TEXT: "x" * 1_000_000}
    text = json.dumps(header).encode()
    header_length = draw.choice((2**63, 10**8, 0)) if kind == "length" else len(text)
    path.write_bytes(struct.pack("<Q", header_length) + text + body)
    return f"{path.name}: {kind} {name}"


def pickle_instead(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Replace a file by a pickle, bare or in an npy file or a PyTorch archive."""
    path = draw.choice(sorted(path for path in directory.iterdir() if path.is_file()))
    bomb = pickle.dumps(Bomb(sandbox.marker))
    kind = draw.choice(("bare", "npy", "torch"))
    if kind == "npy":
        bomb = _encode_npy(np.array([Bomb(sandbox.marker)], dtype=object))
    elif kind == "torch":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("archive/data.pkl", bomb)
            archive.writestr("archive/version", "3")
        bomb = buffer.getvalue()
    path.write_bytes(bomb)
    return f"{path.name}: a pickle, {kind}"


def _read_members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _replace_values(content: bytes, draw: random.Random) -> bytes:
    """Return an array of the same dtype and shape with other values."""
    if not content:
        return b""
    array = np.load(io.BytesIO(content), allow_pickle=False)
    value = draw.choice((-1, 10**6, 0)) if array.dtype.kind == "i" else draw.choice((float("nan"), 1e38, 0.0))
    return _encode_npy(np.full_like(array, 255 if array.dtype == np.uint8 else value))


def _encode_npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def _encode_header(dtype: str, shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": dtype, "fortran_order": False, "shape": shape})
    return buffer.getvalue()
