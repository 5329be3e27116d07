"""Recognise which column of a table, or array of texts, contains the paths of images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vaetui.data.image_formats import FORMATS_BY_SUFFIX, get_suffix
from vaetui.data.image_list_csv import PATH_COLUMNS

PATH_WORDS = ("path", "filename", "file", "image", "img")
"""Parts of the names of columns of paths, the clearest first."""


def choose_path_column(samples: Mapping[str, Iterable[str]]) -> str | None:
    """Return the name of the column of paths; None if there is none.

    `samples` are some cells of each column of texts. A column counts if it has a usual name, or if its cells end like
    the names of images. Of several, the one whose name says it most clearly is chosen.
    """
    ratings = {name: _rate(name, cells) for name, cells in samples.items()}
    best = max(ratings, key=lambda name: ratings[name], default=None)
    return best if best is not None and ratings[best] > 0 else None


def _rate(name: str, cells: Iterable[str]) -> int:
    """Return 0 for a column that contains no paths, and more the likelier it does."""
    simple = "".join(filter(str.isalnum, name.lower()))
    is_usual = simple in PATH_COLUMNS or simple.endswith(("paths", "path", "filenames", "filename"))
    has_image_suffixes = any(get_suffix(cell.strip().partition("#")[0]) in FORMATS_BY_SUFFIX for cell in cells)
    if not (is_usual or has_image_suffixes):
        return 0
    clearness = next((len(PATH_WORDS) - index for index, word in enumerate(PATH_WORDS) if word in simple), 0)
    return 1 + clearness + (len(PATH_WORDS) + 2) * is_usual + 2 * (len(PATH_WORDS) + 2) * has_image_suffixes
