"""Where the images of a session come from, by name; it reads no image."""

from __future__ import annotations

from pathlib import Path

import vaetui
from vaetui.engine.idx import check_shape, locate, peek

BUNDLED = "mnist"
"""What a session without --data trains on."""


def directory(source: str) -> Path:
    """Give the directory that a session's source names."""
    if source != BUNDLED:
        return Path(source)
    package = Path(vaetui.__file__).parent
    # In the wheel the data lies inside the package; in a checkout beside it.
    return next(path for path in (package / "assets/mnist", package.parent / "assets/mnist") if path.is_dir())


def announced(source: str) -> tuple[int, ...]:
    """Give the shape (N, H, W) of the training images, from the header alone.

    Raises Trouble for missing files and for what cannot be learned from.
    """
    files = locate(directory(source))
    shape = peek(files.train_images, 3)
    check_shape(files.train_images, shape)
    return shape
