"""Where the images of a session come from, by name; it reads no image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import vaetui
from vaetui.engine.idx import IdxFiles, check_shape, locate, peek_images
from vaetui.errors import Trouble
from vaetui.storage import dataset_cache, locations
from vaetui.storage.repository import Facts

BUNDLED = "mnist"
"""What a session without --data trains on."""


def directory(source: str) -> Path:
    """Give the directory that a session's source names."""
    if source != BUNDLED:
        return Path(source)
    package = Path(vaetui.__file__).parent
    # In the wheel the data lies inside the package; in a checkout beside it.
    return next(path for path in (package / "assets/mnist", package.parent / "assets/mnist") if path.is_dir())


def located(facts: Facts) -> IdxFiles:
    """Find the files of a session; those of labels only where they may be looked at.

    Raises Trouble where there are no training images any more.
    """
    found = locate(directory(facts.data))
    return found if facts.material.labels else replace(found, train_labels=None, test_labels=None)


def sweep() -> None:
    """Remove the decoded images that no session uses any more; none where it cannot be told what is used."""
    used = []
    for name in locations.names():
        try:
            facts = Facts(locations.find(name))
            used.append(Path(facts.data))
            facts.close()
        except Trouble:
            return
    dataset_cache.sweep(used)


def announced(source: str) -> tuple[int, ...]:
    """Give the shape (N, H, W) or (N, H, W, 3) of the training images, from the header alone.

    Raises Trouble for missing files and for what cannot be learned from.
    """
    files = locate(directory(source))
    shape = peek_images(files.train_images)
    check_shape(files.train_images, shape)
    return shape
