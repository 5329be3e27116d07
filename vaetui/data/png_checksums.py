"""Verify the checksums of PNG files: Pillow ignores those of the pixels, and would return a damaged picture."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
METADATA_CHUNKS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tIME", b"bKGD")
"""Types of chunks that do not affect the pixels."""
FRAME_CHUNKS = (b"fcTL", b"fdAT")
"""Types of chunks of the frames of an animation."""


class DamagedPngError(Exception):
    """A chunk that may decide the pixels is damaged or truncated."""


def remove_damaged_metadata(content: bytes) -> bytes:
    """Return the content of a PNG file without metadata chunks whose checksum is wrong.

    An animation ends before the first damaged frame. Raises DamagedPngError if another checksum is wrong. Content that
    is not PNG is returned as it is.
    """
    if not content.startswith(SIGNATURE):
        return content
    damaged = []
    for start, end, kind, is_intact in _iter_chunks(content):
        if is_intact:
            continue
        if kind in FRAME_CHUNKS:
            content = content[:start]
            break
        if kind not in METADATA_CHUNKS:
            raise DamagedPngError("a checksum is wrong, or the file is truncated")
        damaged.append((start, end))
    for start, end in reversed(damaged):
        content = content[:start] + content[end:]
    return content


def _iter_chunks(content: bytes) -> Iterator[tuple[int, int, bytes, bool]]:
    """Yield start, end, type and whether the checksum is right of each chunk; a truncated chunk counts as damaged."""
    position = len(SIGNATURE)
    while position + 8 <= len(content):
        kind = content[position + 4 : position + 8]
        data_end = position + 8 + int.from_bytes(content[position : position + 4], "big")
        checksum = content[data_end : data_end + 4]
        is_intact = (
            zlib.crc32(content[position + 4 : data_end]) == int.from_bytes(checksum, "big") and len(checksum) == 4
        )
        yield position, data_end + 4, kind, is_intact
        if kind == b"IEND":
            return
        position = data_end + 4
