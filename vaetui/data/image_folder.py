"""Pictures in a directory and all directories below it; it reads none of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vaetui.data.image_files import IMAGE_SUFFIXES


@dataclass(frozen=True, slots=True)
class FileList:
    """Files that should be pictures."""

    root: Path
    """What their names are relative to."""
    relative_paths: tuple[str, ...]
    """Their paths, in order."""
    labels: tuple[str, ...] | None
    """What class each is said to be, where that was asked for and is told."""
    skipped: tuple[tuple[str, str], ...]
    """Names of those that are no candidates, and why."""


def list_folder(root: Path, with_labels: bool) -> FileList:
    """List the pictures of a directory by the endings of their names, sorted; hidden ones and others are left alone.

    The directory right below the root that a picture lies in is its label.
    """
    names: list[str] = []
    skipped: list[tuple[str, str]] = []
    for name in sorted(_iter_image_paths(root)):
        if name.isprintable() and _is_encodable(name):
            names.append(name)
        else:
            skipped.append((ascii(name)[1:-1], "has a name that is no UTF-8, or cannot be printed"))
    folders = tuple(name.partition("/")[0] if "/" in name else "" for name in names)
    return FileList(root, tuple(names), folders if with_labels and all(folders) else None, tuple(skipped))


def _iter_image_paths(root: Path) -> Iterator[str]:
    """Give the paths of all pictures, relative to the root; links to directories are not followed."""
    for place, directories, files in os.walk(root):
        directories[:] = [name for name in directories if not name.startswith(".")]
        below = os.path.relpath(place, root).replace(os.sep, "/")
        for name in files:
            if not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES):
                yield name if below == "." else f"{below}/{name}"


def _is_encodable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
