"""Damages to what the arrays of a session say, in files that are sound as files, and bombs in their place."""

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

from tests.fuzz.blows import EVIL
from tests.fuzz.outside import Outside

DTYPES = ("<f4", "<f8", "<i8", "<u1", "<c16", "|S4", "<U3", "<M8[s]", "|b1", "<f2", "|V7")
SHAPES = ((0,), (1,), (), (3, 3), (118,), (118, 4), (4, 28, 28), (1, 1, 1, 1, 1))

CLAIMS = (
    *({}, {"epoch": "99", "step": "1"}, {"epoch": "-1", "step": "-1"}, {"epoch": "9" * 5000, "step": "x"}),
    *({"epoch": "2", "step": "100000"}, {"epoch": EVIL, "step": EVIL}, {"epoch": "1", "step": "14"}),
)
"""What a checkpoint tells of its place in the run."""
DEFLATED = 500_000_000
"""Zeros that a small file becomes when it is read."""


class Bomb:
    """Whoever unpickles it makes the marker."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._marker),)


def array(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Put one absurd array into an npz, beside its sound ones."""
    path = draw.choice(sorted(directory.glob("*.npz")))
    members = _members(path)
    name = draw.choice([*members, "more.npy"])
    kind = draw.choice(("other", "other", "values", "claimed", "object", "deflated", "twice", "missing", "outside"))
    twin, out = None, name
    match kind:
        case "other":
            members[name] = _npy(np.zeros(draw.choice(SHAPES), draw.choice(DTYPES)))
        case "values":
            members[name] = _absurd(members.get(name, b""), draw)
        case "claimed":  # a header that announces more than any memory holds, and no data behind it
            members[name] = _header(draw.choice(("<f4", "|u1", "<U1000000")), draw.choice(((10**12,), (10**6, 10**6))))
        case "object":
            members[name] = _npy(np.array([Bomb(outside.marker)], dtype=object))
        case "deflated":  # much memory from a small file
            members[name] = _header("|u1", (DEFLATED,)) + bytes(DEFLATED)
        case "twice":
            twin = name, _npy(np.zeros(3))
        case "missing":
            members.pop(name, None)
        case "outside":
            out = f"../../{EVIL}.npy"
            members[out] = members.pop(name, b"")
    compression = zipfile.ZIP_DEFLATED if kind == "deflated" else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", compression, compresslevel=1) as archive:
        for each, content in [*members.items(), *([twin] if twin else [])]:
            archive.writestr(each, content)
    return f"{path.name}: {kind} {out!r:.40}"


def tensor(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Change the header of a checkpoint: names, kinds, shapes, places, what it tells of itself."""
    path = draw.choice(sorted(directory.glob("*.safetensors")))
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    name = draw.choice(sorted(set(header) - {"__metadata__"}))
    kind = draw.choice(("dtype", "shape", "place", "missing", "more", "epoch", "values", "length", "nested"))
    match kind:
        case "dtype":
            header[name]["dtype"] = draw.choice(("I32", "F64", "U8", "F8_E4M3", "BOOL", "BF16", EVIL))
        case "shape":
            size = int(np.prod(header[name]["shape"]))
            header[name]["shape"] = draw.choice(([size, 1], [1, size], [2**62, 4], [size + 1], [], [-1]))
        case "place":
            header[name]["data_offsets"] = draw.choice(([0, 2**63], [8, 4], [0, 4], [len(body), len(body) + 4]))
        case "missing":
            del header[name]
        case "more":
            header[EVIL] = {"dtype": "F32", "shape": [0], "data_offsets": [len(body), len(body)]}
        case "epoch":
            header["__metadata__"] = draw.choice(CLAIMS)
        case "values":
            body = np.full(len(body) // 4, draw.choice((np.nan, np.inf, 1e38, 0)), np.float32).tobytes()
        case "nested":
            header["__metadata__"] = {"epoch": "2", "step": "8", EVIL: "x" * 1_000_000}
    text = json.dumps(header).encode()
    claimed = draw.choice((2**63, 10**8, 0)) if kind == "length" else len(text)
    path.write_bytes(struct.pack("<Q", claimed) + text + body)
    return f"{path.name}: {kind} {name}"


def pickled(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Put a pickle, bare or in the archives that libraries make of them, in the place of a file."""
    path = draw.choice(sorted(path for path in directory.iterdir() if path.is_file()))
    bomb = pickle.dumps(Bomb(outside.marker))
    kind = draw.choice(("bare", "npy", "torch"))
    if kind == "npy":
        bomb = _npy(np.array([Bomb(outside.marker)], dtype=object))
    elif kind == "torch":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("archive/data.pkl", bomb)
            archive.writestr("archive/version", "3")
        bomb = buffer.getvalue()
    path.write_bytes(bomb)
    return f"{path.name}: a pickle, {kind}"


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _absurd(content: bytes, draw: random.Random) -> bytes:
    """Keep kind and shape of an array and give it other values."""
    if not content:
        return b""
    sound = np.load(io.BytesIO(content), allow_pickle=False)
    value = draw.choice((-1, 10**6, 0)) if sound.dtype.kind == "i" else draw.choice((float("nan"), 1e38, 0.0))
    return _npy(np.full_like(sound, 255 if sound.dtype == np.uint8 else value))


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def _header(dtype: str, shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": dtype, "fortran_order": False, "shape": shape})
    return buffer.getvalue()
