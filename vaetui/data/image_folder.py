"""List the image files of a directory and its subdirectories, and why the other files are not taken."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vaetui.data import image_formats
from vaetui.data.array_names import SUBSET_WORDS
from vaetui.errors import UserError
from vaetui.storage.file_names import CLASS_TABLE_NAME, UNSURE_DIRECTORY

SYSTEM_DIRECTORIES = frozenset(
    (
        *("@eadir", "__macosx", ".@__thumb", "@recycle", "#recycle", "#snapshot", "$recycle.bin"),
        *("system volume information", "lost+found", ".thumbnails", ".trashes", ".spotlight-v100", ".fseventsd"),
    )
)
"""Directories that file servers and operating systems create, in lower case: thumbnails, and deleted files."""
SYSTEM_FILES = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store", "icon\r"))
"""Files that operating systems create, in lower case."""
USUAL_SUFFIX = re.compile(r"\.[a-z0-9_~-]{1,12}")
"""Ending that is shown; others may be a part of a name with a dot."""
MAX_LINKS_TO_DIRECTORY = 16
"""Most links to one directory that are followed: directories full of links to each other have no end otherwise."""


@dataclass(frozen=True, slots=True)
class FileList:
    """Image files to import."""

    root: Path
    """The directory that the paths are relative to."""
    relative_paths: tuple[str, ...]
    """The paths of the files, in import order."""
    labels: tuple[str, ...] | None
    """The label of each file; None if labels are not requested."""
    skipped: tuple[tuple[str, str], ...]
    """Names of files, directories and rows that are not imported, and the reasons."""
    source: str = ""
    """What was taken, such as "directory photos" or "column path of list.csv"."""

    def list_paths(self) -> list[str]:
        """Return the paths with the root in front of those that are relative, much faster than by `os.path.join`."""
        prefix = os.path.join(self.root, "")
        return [path if path.startswith("/") else prefix + path for path in self.relative_paths]


def list_folder_images(root: Path, with_labels: bool, expected_classes: tuple[str, ...] | None = None) -> FileList:
    """List the image files below a directory, sorted. Links are followed; hidden and system files are skipped.

    The label of a file is the directory directly below `root` that contains it. In directories that vaetui exported,
    those in _unsure have no label, and class_names.csv contains the classes of directories with another name. Raises
    UserError if `root` cannot be read, or if labels are requested and an image is outside these directories, or they
    look like subsets of a dataset with class directories of their own, unless `expected_classes` contains their names.
    """
    paths: list[str] = []
    skipped: list[tuple[str, str]] = []
    for path, reason in _walk(root):
        if reason is None and not _is_valid_unicode(path):
            reason = "has a name that is not valid UTF-8"
        if reason is None:
            paths.append(path)
        else:
            skipped.append((path if _is_valid_unicode(path) else ascii(path)[1:-1], reason))
    paths.sort()
    skipped.sort()
    if skipped and not skipped[0][0]:
        raise UserError(f"{root} {skipped[0][1]}. Change its permissions, or pass another directory.")
    labels = None
    if with_labels:
        outside = [path for path in paths if "/" not in path]
        if outside:
            others = f" and {len(outside) - 1:,} more" if len(outside) > 1 else ""
            raise UserError(
                f"{root} has images outside its class directories: {outside[0]}{others}. Move them into the directory "
                "of their class, or omit --labels."
            )
        class_names = {UNSURE_DIRECTORY: "", **_read_class_table(root)}
        directories = [path.partition("/")[0] for path in paths]
        if not set(directories) <= set(expected_classes or ()):
            _refuse_subsets(root, paths, sorted(set(directories)))
        labels = tuple(class_names.get(directory, directory) for directory in directories)
    return FileList(root, tuple(paths), labels, tuple(skipped), f"directory {root.name or root}")


def is_unrelated(path: str) -> bool:
    """Return whether an entry of a directory is usually not an image of the set, so that it is skipped without notice.

    These are hidden entries, those of the system, and other files that often lie beside images. The path of a directory
    ends in a slash.
    """
    name = path.rstrip("/").rpartition("/")[2].lower()
    if name.startswith("."):
        return True
    if path.endswith("/"):
        return name in SYSTEM_DIRECTORIES
    return name in SYSTEM_FILES or image_formats.get_suffix(name) in image_formats.COMPANION_SUFFIXES


def _refuse_subsets(root: Path, paths: list[str], directories: list[str]) -> None:
    """Raise UserError if the directories look like train and test subsets, which contain the class directories."""
    has_subset_names = bool(directories) and all(name.lower() in SUBSET_WORDS for name in directories)
    if has_subset_names and all(path.count("/") > 1 for path in paths):
        example = next((name for name in directories if SUBSET_WORDS[name.lower()] == "train"), directories[0])
        raise UserError(
            f"The directories {', '.join(directories)} of {root} look like parts of a dataset instead of classes. Pass "
            f"{root / example} to take the classes from its directories, or --classes {','.join(directories)} if these "
            "are the classes."
        )


def _read_class_table(root: Path) -> dict[str, str]:
    """Return the class of each directory by the table of an export; empty without a readable table."""
    rows: list[list[str]] = []
    with suppress(OSError, UnicodeDecodeError, csv.Error):
        rows = list(csv.reader((root / CLASS_TABLE_NAME).read_text("utf-8").splitlines(keepends=True)))
    is_class_table = rows[:1] == [["directory", "class"]] and all(len(row) == 2 for row in rows)
    return {row[0]: row[1] for row in rows[1:]} if is_class_table else {}


def list_single_file(path: Path) -> FileList:
    """List one image file, which may contain several pages."""
    return FileList(path.parent, (path.name,), None, (), f"file {path.name}")


def _walk(root: Path) -> Iterator[tuple[str, str | None]]:
    """Yield the path of every file relative to `root`, and the reason for skipping it, or None for an image.

    Directories that are not read, among them `root` as "", are yielded as well.
    """
    link_counts: Counter[str] = Counter()
    reasons: dict[str, tuple[str | None, bool]] = {}
    pending = [""]
    while pending:
        directory = pending.pop()
        try:
            with os.scandir(os.path.join(root, directory)) as entries:
                for entry in entries:
                    name = entry.name
                    path = f"{directory}{name}"
                    if not _is_directory(entry):
                        yield path, _explain_file(entry, reasons)
                    elif (reason := _explain_directory(entry, root, directory, link_counts)) is not None:
                        yield f"{path}/", reason
                    else:
                        pending.append(f"{path}/")
        except OSError as error:
            yield directory, f"cannot be read ({error.strerror})"


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # for example, a link to itself
        return False


def _explain_file(entry: os.DirEntry[str], reasons: dict[str, tuple[str | None, bool]]) -> str | None:
    """Return why a file is not taken; None for an image. `reasons` keeps the results of `_explain_suffix`."""
    name = entry.name
    if name.startswith("."):
        return "is a file of the system" if name.startswith("._") or name.lower() in SYSTEM_FILES else "is hidden"
    _, dot, end = name.rpartition(".")
    suffix = dot and end
    if suffix not in reasons:
        reasons[suffix] = _explain_suffix(f"{dot}{suffix.lower()}")
    reason, is_content_decisive = reasons[suffix]
    if reason is None:
        return None
    if name.lower() in SYSTEM_FILES:
        return "is a file of the system"
    return None if is_content_decisive and _has_image_content(entry) else reason


def _explain_suffix(suffix: str) -> tuple[str | None, bool]:
    """Return why files with an ending in lower case are not taken, and whether they are if their content is an image's.

    The reason is None for endings of images.
    """
    reason = image_formats.explain_suffix(suffix)
    if reason is not None or suffix in image_formats.FORMATS_BY_SUFFIX:
        return reason, suffix not in image_formats.REASONS_BY_SUFFIX
    if suffix in image_formats.COMPANION_SUFFIXES:
        return f"is not an image ({suffix})", False
    return f"is not an image ({suffix})" if USUAL_SUFFIX.fullmatch(suffix) else "has no image ending", True


def _has_image_content(entry: os.DirEntry[str]) -> bool:
    try:
        if not entry.is_file():  # opening a pipe would block
            return False
        return image_formats.identify_content(image_formats.read_prefix(entry.path)) in image_formats.CONTENT_FORMATS
    except OSError:
        return False


def _explain_directory(entry: os.DirEntry[str], root: Path, directory: str, link_counts: Counter[str]) -> str | None:
    """Return why a directory is not read; None if it is."""
    if entry.name.lower() in SYSTEM_DIRECTORIES:
        return "is a directory of the system, such as for thumbnails"
    if entry.name.startswith("."):
        return "is hidden"
    if not entry.is_symlink():
        return None
    target = os.path.realpath(entry.path)
    parts = directory.split("/")
    for depth in range(len(parts)):
        parent = os.path.realpath(os.path.join(root, *parts[:depth]))
        if os.path.commonpath([target, parent]) == target:
            return "is a link to a directory that contains it"
    link_counts[target] += 1
    if link_counts[target] > MAX_LINKS_TO_DIRECTORY:
        return f"is a link to a directory that {MAX_LINKS_TO_DIRECTORY} links lead to"
    return None


def _is_valid_unicode(path: str) -> bool:
    """Return whether a path is valid; bytes that are not UTF-8 become surrogates in it."""
    if path.isascii():
        return True
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
