"""Pictures of labelled images are put where a form of export wants them; it does not know any of the forms."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaetui.engine.events import Progress
from vaetui.errors import UserError
from vaetui.export.label_table import LabelTable
from vaetui.storage.atomic_files import translate_os_errors

PROGRESS_INTERVAL_IMAGES = 500
"""Pictures between two reports."""


def create_output_directory(output: Path) -> None:
    """Make an empty directory, or raise Trouble where it holds something."""
    with translate_os_errors(output):
        output.mkdir(parents=True, exist_ok=True)
        if any(output.iterdir()):
            raise UserError(f"{output} is not empty; name a new directory.")


def write_images(
    label_table: LabelTable,
    target_paths: Sequence[str],
    copy_files: bool,
    images: NDArray[np.uint8] | None,
    output: Path,
) -> Generator[Progress, None, list[str | None]]:
    """Link or copy each picture to its target below a directory; `images` [N, H, W], of sets without files, become PNG.

    Yields its progress, and returns where each one is, relative to the directory, or None where it is gone. Raises
    Trouble for a full disk.
    """
    found: list[str | None] = []
    for index, target in zip(label_table.indices.tolist(), target_paths, strict=True):
        source, path = label_table.image_path(index), output / strip_parents(target)
        with translate_os_errors(output):
            while os.path.lexists(path):  # of two that differed only in what leads out
                path = path.with_stem(f"{path.stem}_")
            path.parent.mkdir(parents=True, exist_ok=True)
            there = source is None or source.is_file()
            if source is None:
                assert images is not None
                Image.fromarray(images[index]).save(path)
            elif there and copy_files:
                shutil.copy2(source, path)
            elif there:
                path.symlink_to(source.resolve())
        found.append(path.relative_to(output).as_posix() if there else None)
        if len(found) % PROGRESS_INTERVAL_IMAGES == 0 or len(found) == len(label_table):
            yield Progress("writing the pictures", len(found), len(label_table))
    return found


def relative_paths(label_table: LabelTable) -> list[str]:
    """Give each picture its own name and folders, or for images without files the place in the set."""
    if label_table.source_files is None:
        return [f"{index:08}.png" for index in label_table.indices.tolist()]
    return [
        str(strip_parents(label_table.source_files.relative_paths[index])) for index in label_table.indices.tolist()
    ]


def unique_names(label_table: LabelTable) -> list[str]:
    """Give each picture a name that differs from all others also without its ending, in no folder.

    For readers that know a picture by such a name, take backslashes for folders, or folders for parts of a data set.
    """
    found: list[str] = []
    taken: set[str] = set()
    for index, name in zip(label_table.indices.tolist(), relative_paths(label_table), strict=True):
        own = PurePosixPath(safe_name(name))
        if own.stem.casefold() in taken:
            own = own.with_stem(f"{own.stem}-{index}")
        while own.stem.casefold() in taken:
            own = own.with_stem(f"{own.stem}_")
        taken.add(own.stem.casefold())
        found.append(str(own))
    return found


def safe_name(name: str) -> str:
    """Give a name that is one on every system; equal ones may come of different ones."""
    return "".join(each if each.isalnum() or each in " ._-+" else "_" for each in name).strip(" .") or "_"


def strip_parents(name: str) -> PurePosixPath:
    """Give a name without what would lead out of a directory."""
    return PurePosixPath(*(part for part in PurePosixPath(name).parts if part not in ("/", "..")))
