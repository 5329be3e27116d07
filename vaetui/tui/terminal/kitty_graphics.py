"""Encode images for the kitty graphics protocol: sent once, then placed, hidden and deleted by number."""

from __future__ import annotations

import zlib
from base64 import standard_b64encode

import numpy as np

from vaetui.engine.clusters import Pixels

CHUNK_CHARS = 4096
"""Characters of base64 in one message, the maximum of the protocol."""
QUIET = "q=2"
"""No replies: the app would read them as keys."""


def encode_transmission(image: Pixels, image_id: int) -> str:
    """Return the messages that store an image, [H, W] or [H, W, 3], in the terminal without showing it."""
    height, width = image.shape[:2]
    rgb = np.broadcast_to(image[..., None], (height, width, 3)) if image.ndim == 2 else image
    data = standard_b64encode(zlib.compress(rgb.tobytes())).decode()
    chunks = [data[start : start + CHUNK_CHARS] for start in range(0, len(data), CHUNK_CHARS)]
    controls = f"a=t,f=24,o=z,s={width},v={height},i={image_id},{QUIET}"
    last = len(chunks) - 1
    return "".join(
        f"\x1b_G{f'{controls},' if index == 0 else ''}m={int(index < last)};{chunk}\x1b\\"
        for index, chunk in enumerate(chunks)
    )


def encode_placement(image_id: int, columns: int, rows: int) -> str:
    """Return the message that shows a stored image at the cursor, in place of where it was shown before."""
    return f"\x1b_Ga=p,i={image_id},p=1,c={columns},r={rows},C=1,{QUIET}\x1b\\"


def encode_hiding(image_id: int) -> str:
    """Return the message that shows an image no longer and keeps it stored."""
    return f"\x1b_Ga=d,d=i,i={image_id},{QUIET}\x1b\\"


def encode_deletion(image_id: int) -> str:
    """Return the message that removes an image from the screen and from the memory of the terminal."""
    return f"\x1b_Ga=d,d=I,i={image_id},{QUIET}\x1b\\"
