"""What a terminal with kitty graphics shows: its stored images and where they are placed."""

from __future__ import annotations

import re
import zlib
from base64 import b64decode

import numpy as np

from vaetui.engine.clusters import Pixels

SEQUENCE_PATTERN = re.compile(rb"\x1b\[(\d+);(\d+)H|\x1b_G([^;\x1b]*)(?:;([^\x1b]*))?\x1b\\")
"""A move of the cursor, or a graphics message: its controls and its payload."""


class KittyScreen:
    """Reads the output of a program like a terminal of that kind, and refuses what such a terminal refuses."""

    def __init__(self, cell_size: tuple[int, int]) -> None:
        """Create a terminal whose characters have this width and height in pixels."""
        self.images: dict[int, Pixels] = {}
        """The stored images, [H, W, 3], by number."""
        self.placements: dict[int, tuple[int, int, int, int]] = {}
        """Column, row, width and height in cells of each image that is shown, by number."""
        self.transmission_count = 0
        """Number of images that were sent."""
        self._cell_width, self._cell_height = cell_size
        self._read_bytes = 0
        self._cursor = (0, 0)
        self._controls: dict[str, str] = {}
        self._chunks: list[bytes] = []

    def read(self, output: bytes) -> None:
        """Read what is new in everything that the program has written so far."""
        for match in SEQUENCE_PATTERN.finditer(output, self._read_bytes):
            self._read_bytes = match.end()
            if match[1]:
                self._cursor = int(match[2]) - 1, int(match[1]) - 1
                continue
            controls = dict(pair.split("=") for pair in match[3].decode().split(","))
            if "a" not in controls:  # a further chunk
                assert self._controls, "a chunk without a beginning"
                controls = self._controls | controls
            assert controls["q"] == "2", "a reply would be read as keys"
            self._handle(controls, match[4] or b"")

    def shown_pixels(self, column: int, row: int) -> Pixels:
        """Return the pixels of the one image that is placed at this cell, [H, W, 3]."""
        ((image_id, (_, _, columns, rows)),) = [
            (image_id, cells) for image_id, cells in self.placements.items() if cells[:2] == (column, row)
        ]
        image = self.images[image_id]
        assert image.shape[:2] == (rows * self._cell_height, columns * self._cell_width), "the terminal would scale it"
        return image

    def _handle(self, controls: dict[str, str], payload: bytes) -> None:
        image_id = int(controls["i"])
        match controls["a"]:
            case "t":
                assert len(payload) <= 4096
                self._chunks.append(payload)
                self._controls = controls
                if controls["m"] == "0":
                    data = zlib.decompress(b64decode(b"".join(self._chunks), validate=True))
                    assert (controls["f"], controls["o"]) == ("24", "z")
                    self.images[image_id] = np.frombuffer(data, np.uint8).reshape(
                        int(controls["v"]), int(controls["s"]), 3
                    )
                    self.transmission_count += 1
                    self._chunks, self._controls = [], {}
            case "p":
                assert image_id in self.images, "an image is placed that is not stored"
                assert controls["C"] == "1", "the cursor would move"
                self.placements[image_id] = (*self._cursor, int(controls["c"]), int(controls["r"]))
            case "d":
                self.placements.pop(image_id, None)
                if controls["d"] == "I":
                    del self.images[image_id]
