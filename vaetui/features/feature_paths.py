"""Recognise the paths of images in a file of vectors, and find images by them, in whatever way they are written.

Paths may be relative to several directories, absolute, of another computer, URLs, with the separators of Windows, and
those of pages of stacks.
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaetui.data.image_formats import FORMATS_BY_SUFFIX, get_suffix
from vaetui.data.image_list_csv import PATH_COLUMNS
from vaetui.data.image_paths import iter_readings
from vaetui.engine.clusters import Indices
from vaetui.errors import UserError
from vaetui.storage.file_names import PAGE_PATH

NO_ROW, SEVERAL_ROWS = -1, -2
"""In place of a row: no path names the image, and several do."""
SAMPLE_IMAGES = 3
"""Images by whose paths the directory of another computer is found."""
MAX_SHOWN_CHARS = 200
"""Most characters of a path in a message."""
PATH_WORDS = ("path", "filename", "file", "image", "img")
"""Parts of the names of columns of paths, the clearest first."""
SAMPLE_CELLS = 20
"""Texts of a column by which paths are recognised."""


@dataclass(frozen=True, slots=True, eq=False)
class PathMatches:
    """The rows of images, found by paths."""

    rows: Indices
    """Row of each image; NO_ROW and SEVERAL_ROWS without a single one."""

    @property
    def found_count(self) -> int:
        """Number of images with at least one row."""
        return int((self.rows != NO_ROW).sum())


def choose_path_column(samples: Mapping[str, Iterable[str]]) -> str | None:
    """Return the name of the column of paths; None if there is none.

    `samples` are SAMPLE_CELLS cells of each column of texts. A column counts if it has a usual name, or if its cells
    end like the names of images. Of several, the one whose name says it most clearly is chosen.
    """
    ratings = {name: _rate_column(name, cells) for name, cells in samples.items()}
    best = max(ratings, key=lambda name: ratings[name], default=None)
    return best if best is not None and ratings[best] > 0 else None


def match_paths(row_paths: Sequence[str], wanted_paths: Sequence[str], root: Path | None = None) -> Indices:
    """Return the row whose path means the same file as each wanted path; NO_ROW and SEVERAL_ROWS without a single one.

    Relative wanted paths start at `root`, or at the working directory. Paths of rows may also be relative to other
    directories, if all paths found are relative to the same one.
    """
    return _find_matches(row_paths, wanted_paths, root or Path(), ()).rows


def require_rows(
    row_paths: Sequence[str], image_paths: Sequence[str], root: Path, file_name: str, data_name: str, directory: Path
) -> Indices:
    """Return the row of each image; raises UserError if an image has none, or several.

    `directory` contains the file of the rows: relative paths may start there.
    """
    matches = _find_matches(row_paths, image_paths, root, (directory,))
    rows = matches.rows
    if not matches.found_count:
        raise UserError(
            f'{file_name} names no image of {data_name}: it contains "{row_paths[0][:MAX_SHOWN_CHARS]}", the first '
            f'image is "{image_paths[0][:MAX_SHOWN_CHARS]}". Correct the paths, or remove them to go by the order.'
        )
    missing = np.flatnonzero(rows == NO_ROW)
    if len(missing):
        raise UserError(
            f"{file_name} has no vector for {len(missing):,} of {len(rows):,} images of {data_name}, such as "
            f"{image_paths[missing[0]][:MAX_SHOWN_CHARS]}. Compute those vectors, or move the images away."
        )
    repeated = np.flatnonzero(rows == SEVERAL_ROWS)
    if len(repeated):
        raise UserError(
            f"{file_name} has several vectors for {len(repeated):,} of {len(rows):,} images of {data_name}, such as "
            f"{image_paths[repeated[0]][:MAX_SHOWN_CHARS]}. Keep one of each."
        )
    return rows


def _rate_column(name: str, cells: Iterable[str]) -> int:
    """Return 0 for a column that contains no paths, and more the likelier it does."""
    simple = "".join(filter(str.isalnum, name.lower()))
    is_usual = simple in PATH_COLUMNS or simple.endswith(("paths", "path", "filenames", "filename"))
    has_image_suffixes = any(get_suffix(cell.strip().partition("#")[0]) in FORMATS_BY_SUFFIX for cell in cells)
    if not (is_usual or has_image_suffixes):
        return 0
    clearness = next((len(PATH_WORDS) - index for index, word in enumerate(PATH_WORDS) if word in simple), 0)
    return 1 + clearness + (len(PATH_WORDS) + 2) * is_usual + 2 * (len(PATH_WORDS) + 2) * has_image_suffixes


def _find_matches(
    row_paths: Sequence[str], wanted_paths: Sequence[str], root: Path, directories: tuple[Path, ...]
) -> PathMatches:
    """Return the rows by the interpretation of the paths that finds most images."""
    if len(row_paths) == len(wanted_paths):  # the usual case: the same paths, in the same way of writing
        rows_by_path = {path: row for row, path in enumerate(row_paths)}
        if rows_by_path.keys() == set(wanted_paths) and len(rows_by_path) == len(row_paths):
            return PathMatches(np.array([rows_by_path[path] for path in wanted_paths], np.int64))
    best = PathMatches(np.full(len(wanted_paths), NO_ROW))
    readings = [tuple(_normalise(reading) for reading in iter_readings(path)) for path in row_paths]
    real_root = os.path.realpath(root)
    directories = (root, Path(real_root), *directories, Path(), root.absolute().parent)
    bases = dict.fromkeys(os.path.abspath(directory) for directory in directories)
    keys = [_list_keys(path, (os.path.abspath(root), real_root)) for path in wanted_paths]
    for base in (*bases, *_list_subdirectories(root, wanted_paths)):
        joined = (
            tuple(os.path.normpath(f"{base}/{path}") if path[:1] != "/" else path for path in row) for row in readings
        )
        matches = _look_up(_index_rows(joined), keys)
        best = max(best, matches, key=lambda matches: matches.found_count)
        if best.found_count == len(wanted_paths):
            return best
    relative_keys = [_list_keys(path, ()) for path in wanted_paths]
    for prefix in _list_foreign_directories(readings, relative_keys):
        stripped = (tuple(path[len(prefix) :] for path in row if path.startswith(prefix)) for row in readings)
        matches = _look_up(_index_rows(stripped), relative_keys)
        is_complete = best.found_count == matches.found_count == len(wanted_paths)
        if is_complete and (best.rows != matches.rows).any():  # two directories contain all images
            return PathMatches(np.full(len(wanted_paths), SEVERAL_ROWS))
        best = max(best, matches, key=lambda matches: matches.found_count)
    return best


def _normalise(path: str) -> str:
    """Return a path without redundant parts, and with composed letters: file systems store umlauts in two ways."""
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    return os.path.normpath(path) if path else ""


def _list_keys(path: str, roots: Sequence[str]) -> tuple[str, ...]:
    """Return the forms in which an image may be named: with each root, and with or without the number of its page."""
    path = _normalise(path)
    page = PAGE_PATH.fullmatch(path)
    # A file with one image may be named by its only page, and the only page of a file by the file.
    forms = (path, page[1]) if page is not None and page[2] == "0" else (path, f"{path}#0")
    if not roots or path.startswith("/"):
        return forms
    return tuple(os.path.normpath(f"{root}/{form}") for root in roots for form in forms)


def _index_rows(row_keys: Iterator[tuple[str, ...]]) -> dict[str, int]:
    """Return the row of each path, SEVERAL_ROWS for one that occurs in several."""
    index: dict[str, int] = {}
    for row, keys in enumerate(row_keys):
        for key in keys:
            if index.setdefault(key, row) != row:
                index[key] = SEVERAL_ROWS
    index.pop("", None)
    return index


def _look_up(index: dict[str, int], keys: Sequence[tuple[str, ...]]) -> PathMatches:
    rows = (next((index[key] for key in forms if key in index), NO_ROW) for forms in keys)
    return PathMatches(np.fromiter(rows, np.int64, len(keys)))


def _list_subdirectories(root: Path, wanted_paths: Sequence[str]) -> list[str]:
    """Return the directories below the root that contain all images."""
    if any(os.path.isabs(path) for path in wanted_paths):
        return []
    common = os.path.commonpath([os.path.dirname(path) for path in wanted_paths]) if wanted_paths else ""
    parts = common.split("/") if common else []
    return [os.path.abspath(os.path.join(root, *parts[: depth + 1])) for depth in range(len(parts))]


def _list_foreign_directories(readings: Sequence[tuple[str, ...]], keys: Sequence[tuple[str, ...]]) -> list[str]:
    """Return what precedes the relative paths of images in those of rows, the most frequent first."""
    prefixes: Counter[str] = Counter()
    for forms in keys[:SAMPLE_IMAGES]:
        endings = tuple(f"/{form}" for form in forms)
        for row in readings:
            prefixes.update({path[: len(path) - len(end) + 1] for path in row for end in endings if path.endswith(end)})
    return [prefix for prefix, _ in prefixes.most_common(SAMPLE_IMAGES)]
