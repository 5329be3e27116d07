"""Link, copy or write the images of an export to their target paths."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaetui.engine.events import Progress
from vaetui.errors import UserError
from vaetui.export import file_naming
from vaetui.export.label_table import LabelTable
from vaetui.export.source_pages import DEFAULT_SUFFIX, PageReader, UnreadablePageError, find_suffix, split_page_path

WrittenPaths: TypeAlias = Generator[Progress, None, list[str | None]]
"""Writes images and returns the path of each, None if its file is missing."""
PROGRESS_INTERVAL_IMAGES = 500
"""Images between two Progress events."""
MAX_PATH_BYTES = 4_000 if os.name != "posix" else os.pathconf("/", "PC_PATH_MAX") - 96
"""Longest path of an exported image, with some bytes left for a file beside it, or a number."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageOutput:
    """Where and how the images of an export are written."""

    directory: Path
    """The directory to write into; it is moved to `final_directory` at the end."""
    final_directory: Path
    """The directory that the user named."""
    copy_files: bool
    """Whether files are copied instead of linked."""
    pixels: NDArray[np.uint8] | None
    """The pixels of the whole dataset, [M, H, W] or [M, H, W, 3], if it has no image files."""


def write_images(
    label_table: LabelTable,
    target_paths: Sequence[str],
    image_output: ImageOutput,
    converted_suffixes: Collection[str] = (),
) -> Generator[Progress, None, list[str | None]]:
    """Link or copy each image file to its target path below the output, or write its pixels as PNG.

    Pages of files, and files with one of the `converted_suffixes`, are written as PNG, or as TIFF if PNG cannot hold
    them. Yields Progress, and returns the path of each image relative to the output, None if its file is missing or
    unreadable. Raises UserError if links are not possible, and OSError if the output cannot be written.
    """
    written_paths: list[str | None] = []
    with closing(PageReader()) as page_reader:
        for index, target_path in zip(label_table.indices.tolist(), target_paths, strict=True):
            output_path = _prepare_path(image_output, strip_parents(target_path))
            written_path: Path | None = output_path
            source_path = label_table.find_image_path(index)
            if source_path is None:
                assert image_output.pixels is not None
                Image.fromarray(image_output.pixels[index]).save(output_path)
            else:
                file, page = split_page_path(source_path)
                if page is not None or file.suffix.lower() in converted_suffixes:
                    try:
                        written_path = page_reader.write(file, page or 0, output_path)
                    except UnreadablePageError:
                        written_path = None
                elif not _place_file(file, output_path, image_output):
                    written_path = None
            if written_path is None:
                written_paths.append(None)
            else:
                written_paths.append(written_path.relative_to(image_output.directory).as_posix())
            if len(written_paths) % PROGRESS_INTERVAL_IMAGES == 0 or len(written_paths) == len(label_table):
                yield Progress("writing images", len(written_paths), len(label_table))
    return written_paths


def list_relative_paths(label_table: LabelTable) -> list[str]:
    """Return a path for each image: that of its file below its root, or a PNG name derived from its position.

    Parts that are too long for a file name are shortened.
    """
    paths, suffixes = _list_paths_and_suffixes(label_table)
    return [
        path if _is_usual_path(path) else str(file_naming.shorten_path(strip_parents(path), suffix))
        for path, suffix in zip(paths, suffixes, strict=True)
    ]


def list_unique_names(label_table: LabelTable) -> list[str]:
    """Return a file name without directories for each image, unique even without its suffix.

    FiftyOne identifies an image by such a name; other readers interpret backslashes as path separators, or directories
    as subsets.
    """
    paths, suffixes = _list_paths_and_suffixes(label_table)
    stripped_paths = (path if _is_usual_path(path) else str(strip_parents(path)) for path in paths)
    names = list(map(file_naming.make_flat_name, stripped_paths, suffixes))
    return file_naming.make_unique_names(names, suffixes)


def strip_parents(path: str) -> PurePosixPath:
    """Return a relative path without the parts that would lead out of its directory."""
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "//", "..")]
    return PurePosixPath(*parts or ("_",))


def _is_usual_path(path: str) -> bool:
    """Return whether a path is short and in the form that `strip_parents` returns; this saves time for most paths."""
    is_short = len(path) * 4 <= file_naming.MAX_NAME_BYTES or len(path.encode()) <= file_naming.MAX_NAME_BYTES
    return (
        is_short and not path.startswith("/") and "//" not in path and "." not in path.split("/") and ".." not in path
    )


def flatten_long_paths(paths: Iterable[str], directory: Path) -> list[str]:
    """Return paths that the system can open below a directory; too long ones become a name in their first part."""
    base_bytes = len(os.fsencode(directory.absolute())) + 1
    return [
        path if base_bytes + len(os.fsencode(path)) <= MAX_PATH_BYTES else str(_flatten(PurePosixPath(path)))
        for path in paths
    ]


def _flatten(path: PurePosixPath) -> PurePosixPath:
    """Replace all parts but the first by one name."""
    first_part, *other_parts = path.parts
    if not other_parts:
        return path
    return PurePosixPath(first_part, file_naming.make_flat_name("/".join(other_parts), path.suffix))


def _list_paths_and_suffixes(label_table: LabelTable) -> tuple[list[str], list[str]]:
    """Return the path of each image, and the suffix that its path has or gets."""
    source_files = label_table.source_files
    if source_files is None:
        paths = [f"{position:08}{DEFAULT_SUFFIX}" for position in label_table.find_positions().tolist()]
        return paths, [DEFAULT_SUFFIX] * len(paths)
    root_prefix = f"{source_files.root}/"  # a list of files may contain absolute paths
    paths = [source_files.relative_paths[index].removeprefix(root_prefix) for index in label_table.indices.tolist()]
    suffixes = []
    for number, path in enumerate(paths):
        is_page = "#" in path and split_page_path(source_files.root / path)[1] is not None
        suffix = DEFAULT_SUFFIX if is_page else find_suffix(path, source_files.root)
        suffixes.append(suffix)
        if not path.endswith(suffix) or PurePosixPath(path).name == suffix:
            paths[number] = path + suffix
    return paths, suffixes


def _prepare_path(image_output: ImageOutput, target_path: PurePosixPath) -> Path:
    """Create the directory of a target path, and return the path, with a changed name if that is taken."""
    path = image_output.directory / target_path
    if not _make_directory(path.parent):
        path = image_output.directory / _flatten(target_path)
        if not _make_directory(path.parent):
            path = image_output.directory / file_naming.make_flat_name(str(target_path), target_path.suffix)
    while os.path.lexists(path):  # paths that differ only in "..", a leading "/", or in case
        path = path.with_stem(f"{path.stem}_")
    return path


def _make_directory(path: Path) -> bool:
    """Create a directory and return True, or return False if an image has the name of it or of a parent."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        return False
    return True


def _place_file(file: Path, output_path: Path, image_output: ImageOutput) -> bool:
    """Link or copy a file; return False if it is missing or unreadable."""
    if not os.path.isfile(file):
        return False
    if image_output.copy_files:
        try:
            file.open("rb").close()
        except OSError:
            return False
        shutil.copy2(file, output_path)
        return True
    try:
        output_path.symlink_to(os.path.realpath(file))
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise UserError(
                f"{image_output.final_directory} is on a file system without links. Copy the images with --copy."
            ) from error
        raise
    return True
