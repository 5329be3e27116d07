"""Write image files that Pillow does not write: 16-bit colours, masks and reduced copies in TIFF, any tag."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

PNG_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""The PNG colour type of each number of channels."""
TIFF_TYPES = {"B": 1, "H": 3, "I": 4}
"""Numbers of the types of TIFF fields, by their `struct` code."""


def encode_png_16(values: NDArray[np.uint16], transparent: int | None = None) -> bytes:
    """Return a PNG file with 16 bits per channel, [H, W] or [H, W, C], and the grey value that is transparent."""
    height, width = values.shape[:2]
    rows = values.astype(">u2").reshape(height, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    colour_type = PNG_COLOUR_TYPES[values.shape[2] if values.ndim == 3 else 1]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))]
    if transparent is not None:
        chunks.append((b"tRNS", struct.pack(">H", transparent)))
    chunks += [(b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def encode_tiff(
    *pages: NDArray[Any], byte_order: str = "<", tags: dict[int, int] | None = None, page_tags: Any = (), **options: Any
) -> bytes:
    """Return a TIFF file of uncompressed pages [H, W] or [H, W, C] of any dtype, or compressed with `deflate=True`.

    `tags` are added to all pages or replace theirs, the items of `page_tags` to one page each.
    """
    content = bytearray(struct.pack(f"{byte_order}2sHI", b"II" if byte_order == "<" else b"MM", 42, 8))
    for index, page in enumerate(pages):
        height, width = page.shape[:2]
        channels = page.shape[2] if page.ndim == 3 else 1
        data = page.astype(page.dtype.newbyteorder(byte_order)).tobytes()
        if options.get("planar"):
            data = np.moveaxis(page, 2, 0).astype(page.dtype.newbyteorder(byte_order)).tobytes()
        data = zlib.compress(data) if options.get("deflate") else data
        fields: dict[int, tuple[str, tuple[int, ...]]] = {
            256: ("I", (width,)),
            257: ("I", (height,)),
            258: ("H", (page.dtype.itemsize * 8,) * channels),
            259: ("H", (8 if options.get("deflate") else 1,)),
            262: ("H", (2 if channels >= 3 else 1,)),
            277: ("H", (channels,)),
            278: ("I", (height,)),
            279: ("I", (len(data),)),
            284: ("H", (1,)),
            339: ("H", ({"u": 1, "i": 2, "f": 3}[page.dtype.kind],) * channels),
        }
        if channels in (2, 4):
            fields[338] = ("H", (2,))
        extra = {**(tags or {}), **(page_tags[index] if index < len(page_tags) else {})}
        fields |= {tag: ("I", (value,)) for tag, value in extra.items()}
        if options.get("planar"):
            fields[284] = ("H", (2,))
            plane = len(data) // channels
            fields[279] = ("I", (plane,) * channels)
        directory_start = len(content)
        values_start = directory_start + 2 + 12 * (len(fields) + 1) + 4
        values = bytearray()
        data_start = values_start + 400
        starts = (
            tuple(data_start + number * plane for number in range(channels)) if options.get("planar") else (data_start,)
        )
        fields[273] = ("I", tuple(starts))
        directory = bytearray(struct.pack(f"{byte_order}H", len(fields)))
        for tag, (code, numbers) in sorted(fields.items()):
            packed = struct.pack(f"{byte_order}{len(numbers)}{code}", *numbers)
            directory += struct.pack(f"{byte_order}HHI", tag, TIFF_TYPES[code], len(numbers))
            if len(packed) <= 4:
                directory += packed.ljust(4, b"\0")
            else:
                directory += struct.pack(f"{byte_order}I", values_start + len(values))
                values += packed
        next_start = data_start + len(data) + len(data) % 2
        directory += struct.pack(f"{byte_order}I", next_start if index + 1 < len(pages) else 0)
        content += directory + values.ljust(400, b"\0") + data + b"\0" * (len(data) % 2)
    return bytes(content)
