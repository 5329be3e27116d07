"""Labels as one directory for each class, with the pictures in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterable
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaetui.engine.events import Progressed
from vaetui.exports.labels import Labels
from vaetui.store.files import explained
from vaetui.trouble import Trouble

UNSURE = "_unsure"
"""The directory of pictures whose label is not sure enough."""
PACE = 500
"""Pictures between two reports."""


def write_folders(
    labels: Labels, least: float, copies: bool, images: NDArray[np.uint8] | None, output: Path
) -> Generator[Progressed, None, int]:
    """Link or copy each picture into the directory of its class, below `least` confidence into _unsure.

    Sub-directories are kept. Images [N, H, W] that were in arrays are written as PNG. Yields its progress, and returns
    how many were left out since they are gone. Raises Trouble for a directory that holds something, and a full disk.
    """
    with explained(output):
        output.mkdir(parents=True, exist_ok=True)
        if any(output.iterdir()):
            raise Trouble(f"{output} is not empty; name a new directory.")
    gone = 0
    names = directories(labels.classes)
    for at, (index, label, confidence) in enumerate(
        zip(labels.indices.tolist(), labels.labels.tolist(), labels.confidences.tolist(), strict=True)
    ):
        source, directory = labels.file(index), output / (names[label] if confidence >= least else UNSURE)
        with explained(output):
            if source is None:
                assert images is not None
                directory.mkdir(parents=True, exist_ok=True)
                Image.fromarray(images[index]).save(directory / f"{index:08}.png")
            elif labels.files is not None:
                gone += not _place(source, directory / inside(labels.files.names[index]), copies)
        if at % PACE == 0 or at + 1 == len(labels):
            yield Progressed("writing the pictures", at + 1, len(labels))
    return gone


def directories(classes: Iterable[str]) -> list[str]:
    """Give each class the name of a directory that is safe everywhere; equal ones are numbered."""
    found: list[str] = []
    for name in classes:
        safe = "".join(letter if letter.isalnum() or letter in " ._-+" else "_" for letter in name).strip(" .") or "_"
        safe = safe if safe != UNSURE else f"{UNSURE}_"
        folded = [each.casefold() for each in found]
        found.append(safe if safe.casefold() not in folded else f"{safe}-{len(found)}")
    return found


def inside(name: str) -> PurePosixPath:
    """Give a name without what would lead out of a directory."""
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..")]
    return PurePosixPath(*parts)


def _place(source: Path, target: Path, copies: bool) -> bool:
    if not source.is_file():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    while os.path.lexists(target):  # of two that differed only in what leads out
        target = target.with_stem(f"{target.stem}_")
    if copies:
        shutil.copy2(source, target)
    else:
        target.symlink_to(source.resolve())
    return True
