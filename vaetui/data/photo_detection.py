"""Whether images are colour photographs, rather than drawings, characters or silhouettes on a flat background."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from vaetui.engine import idx
from vaetui.engine.idx import COLOUR_CHANNELS, find_idx_files, read_image_header_shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_IMAGES = 200
"""Images looked at, spread evenly over the file."""
FLAT_DIFFERENCE = 12
"""Largest difference from the typical colour of the border, in levels of a channel, at which a pixel belongs to it."""
MAX_FLAT_BORDER = 0.5
"""Median share of flat border pixels up to which images are photographs; CIFAR-10 has 0.13, Fashion-MNIST 0.88."""
MIN_COLOUR_DIFFERENCE = 4.0
"""Smallest mean difference between the channels of a colour image, in levels; CIFAR-10 has 33, blood cells 17."""
MAX_NEIGHBOUR_DIFFERENCE = 0.6
"""Largest difference of neighbouring pixels, in mean differences of any two pixels; 1 in noise, 0.25 in CIFAR-10."""


def shows_photographs(directory: Path) -> bool:
    """Return whether the training images in a directory of IDX files are colour photographs.

    Grey images never are: how their features compare was not measured.
    """
    path = find_idx_files(directory).train_images
    shape = read_image_header_shape(path)
    if len(shape) != 4 or shape[3] != COLOUR_CHANNELS or min(shape[1:3]) < 2:
        return False
    return _are_photographs(_read_sample(path, shape))


def _read_sample(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return some images [S, H, W, 3] without reading all of an uncompressed file."""
    import numpy as np  # not loaded before it is needed

    image_bytes, step = math.prod(shape[1:]), max(1, shape[0] // SAMPLE_IMAGES)
    images = []
    with idx.open_idx(path) as file, idx.translate_read_errors(path):
        idx.read_header(file, path, len(shape))
        start = file.tell()
        for index in range(0, shape[0], step):
            file.seek(start + index * image_bytes)
            content = file.read(image_bytes)
            if len(content) == image_bytes:  # creating the session reports a truncated file
                images.append(np.frombuffer(content, np.uint8).reshape(shape[1:]))
    return np.array(images, np.uint8).reshape(-1, *shape[1:])


def _are_photographs(images: NDArray[np.uint8]) -> bool:
    import numpy as np

    if not len(images):
        return False
    pixels = images.astype(np.float32)  # [S, H, W, 3]
    if (pixels.max(axis=3) - pixels.min(axis=3)).mean() < MIN_COLOUR_DIFFERENCE:
        return False
    border = np.concatenate([pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], axis=1)  # [S, B, 3]
    typical = np.median(border, axis=1, keepdims=True)
    flat_shares = (np.abs(border - typical) <= FLAT_DIFFERENCE).all(axis=2).mean(axis=1)
    neighbour_difference = np.abs(np.diff(pixels, axis=2)).mean()
    centred = pixels - pixels.mean(axis=(1, 2), keepdims=True)
    # Two independent normal pixels differ by 1.13 standard deviations on average.
    any_difference = 1.13 * max(float(centred.std(axis=(1, 2)).mean()), 1e-6)
    is_smooth = neighbour_difference <= MAX_NEIGHBOUR_DIFFERENCE * any_difference
    return bool(np.median(flat_shares) <= MAX_FLAT_BORDER and is_smooth)
