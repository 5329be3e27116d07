"""List the image files of a directory and its subdirectories."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vaetui.data.image_files import IMAGE_SUFFIXES


@dataclass(frozen=True, slots=True)
class FileList:
    """Image files to import."""

    root: Path
    """The directory that the paths are relative to."""
    relative_paths: tuple[str, ...]
    """The paths of the files, in import order."""
    labels: tuple[str, ...] | None
    """The label of each file; None if labels are not requested or incomplete."""
    skipped: tuple[tuple[str, str], ...]
    """Names of files that are not imported, and the reasons."""
    source: str = ""
    """What was taken, such as "directory photos" or "column path of list.csv"."""


def list_folder_images(root: Path, with_labels: bool) -> FileList:
    """List the image files below a directory by their suffixes, sorted; hidden files and directories are ignored.

    The label of a file is the directory directly below `root` that contains it.
    """
    paths: list[str] = []
    skipped: list[tuple[str, str]] = []
    for path in sorted(_iter_image_paths(root)):
        if path.isprintable():  # False also for bytes that are not UTF-8: they become surrogates
            paths.append(path)
        else:
            skipped.append((ascii(path)[1:-1], "has a name that is not printable UTF-8"))
    labels = tuple(path.partition("/")[0] if "/" in path else "" for path in paths)
    return FileList(root, tuple(paths), labels if with_labels and all(labels) else None, tuple(skipped))


def list_single_file(path: Path) -> FileList:
    """List one image file, which may contain several pages."""
    return FileList(path.parent, (path.name,), None, (), f"file {path.name}")


def _iter_image_paths(root: Path) -> Iterator[str]:
    """Yield the paths of all image files relative to `root`, without following links to directories."""
    for directory, subdirectory_names, file_names in os.walk(root):
        subdirectory_names[:] = [name for name in subdirectory_names if not name.startswith(".")]
        relative_directory = os.path.relpath(directory, root).replace(os.sep, "/")
        for name in file_names:
            if not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES):
                yield name if relative_directory == "." else f"{relative_directory}/{name}"
