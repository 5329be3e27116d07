"""Link, copy or write the images of an export to their target paths."""

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
"""Images between two Progress events."""


def create_output_directory(output: Path) -> None:
    """Create an empty directory; raises UserError if it exists and is not empty."""
    with translate_os_errors(output):
        output.mkdir(parents=True, exist_ok=True)
        if any(output.iterdir()):
            raise UserError(f"{output} is not empty. Choose a new directory.")


def write_images(
    label_table: LabelTable,
    target_paths: Sequence[str],
    copy_files: bool,
    images: NDArray[np.uint8] | None,
    output: Path,
) -> Generator[Progress, None, list[str | None]]:
    """Link or copy each image file to its target path below `output`, or write `images` as PNG if there are no files.

    `images` are the pixels of the whole dataset, [N, H, W] or [N, H, W, 3]. Yields Progress, and returns the written
    path of each image relative to `output`, None if its file is missing. Raises UserError if a file cannot be written.
    """
    written_paths: list[str | None] = []
    for index, target_path in zip(label_table.indices.tolist(), target_paths, strict=True):
        source_path, output_path = label_table.find_image_path(index), output / strip_parents(target_path)
        with translate_os_errors(output):
            while os.path.lexists(output_path):  # paths that differ only in ".." or a leading "/" collide
                output_path = output_path.with_stem(f"{output_path.stem}_")
            output_path.parent.mkdir(parents=True, exist_ok=True)
            is_available = source_path is None or source_path.is_file()
            if source_path is None:
                assert images is not None
                Image.fromarray(images[index]).save(output_path)
            elif is_available and copy_files:
                shutil.copy2(source_path, output_path)
            elif is_available:
                output_path.symlink_to(source_path.resolve())
        written_paths.append(output_path.relative_to(output).as_posix() if is_available else None)
        if len(written_paths) % PROGRESS_INTERVAL_IMAGES == 0 or len(written_paths) == len(label_table):
            yield Progress("writing images", len(written_paths), len(label_table))
    return written_paths


def list_relative_paths(label_table: LabelTable) -> list[str]:
    """Return the path of each image file below its root, or a PNG name derived from the index if there are no files."""
    indices: list[int] = label_table.indices.tolist()
    if label_table.source_files is None:
        return [f"{index:08}.png" for index in indices]
    return [str(strip_parents(label_table.source_files.relative_paths[index])) for index in indices]


def make_unique_names(label_table: LabelTable) -> list[str]:
    """Return a file name without directories for each image, unique even without its suffix.

    FiftyOne identifies an image by such a name; other readers interpret backslashes as path separators, or directories
    as subsets.
    """
    names: list[str] = []
    used_stems: set[str] = set()
    for index, path in zip(label_table.indices.tolist(), list_relative_paths(label_table), strict=True):
        name = PurePosixPath(make_safe_name(path))
        if name.stem.casefold() in used_stems:
            name = name.with_stem(f"{name.stem}-{index}")
        while name.stem.casefold() in used_stems:
            name = name.with_stem(f"{name.stem}_")
        used_stems.add(name.stem.casefold())
        names.append(str(name))
    return names


def make_safe_name(name: str) -> str:
    """Return a file name that is valid on every operating system; different names may become equal."""
    return "".join(char if char.isalnum() or char in " ._-+" else "_" for char in name).strip(" .") or "_"


def strip_parents(path: str) -> PurePosixPath:
    """Return a relative path without the parts that would lead out of its directory."""
    return PurePosixPath(*(part for part in PurePosixPath(path).parts if part not in ("/", "..")))
