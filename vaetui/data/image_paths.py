"""Find the file that a path in a table means: Windows separators, file URLs, numbers of pages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import unquote

from vaetui.data.image_files import StrPath
from vaetui.storage.file_names import PAGE_PATH

FILE_URL = re.compile(r"file:(?://(?:localhost)?)?(?=/)|file://(?=[^/])|file:(?!/)", re.IGNORECASE)
"""The start of a URL of a local file; some programs write relative paths after it."""
LABEL_STUDIO_PREFIX = "/data/local-files/?d="
"""The start of a path that Label Studio exports, relative to its document root."""
WINDOWS_DRIVE = re.compile(r"(?:file:/{2,3})?([a-z]):[\\/]", re.IGNORECASE)
WEB_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def resolve_image_path(cell: str, base: StrPath) -> str | None:
    """Return the path of the file that a cell of a table names, relative to `base` or absolute; None if none exists."""
    if _is_file(os.path.join(base, cell)):  # the usual case, which a million rows should not slow down
        return cell
    for path in iter_readings(cell):
        if _is_file(os.path.join(base, path)):
            return path
        if not os.path.isabs(path) and _is_file(path):
            return os.path.abspath(path)
    return None


def explain_missing_path(cell: str, base: StrPath) -> str:
    """Return what is wrong with the path of a cell that names no image file."""
    cell = cell.strip()
    if resolve_image_path(cell, base) is not None:
        return "is not an image"
    drive = WINDOWS_DRIVE.match(cell)
    if drive:
        return f"is a path on the drive {drive[1].upper()}: of a Windows computer"
    if WEB_URL.match(cell) and not cell.lower().startswith("file:"):
        return "is the address of a web page or server; download the images first"
    return "does not exist"


def iter_readings(cell: str) -> Iterator[str]:
    """Yield the paths that a cell may mean, the likeliest first."""
    stripped = cell.strip()
    yield cell
    if stripped != cell:
        yield stripped
    plain = stripped
    if url := FILE_URL.match(stripped):
        plain = unquote(stripped[url.end() :])
    elif stripped.startswith(LABEL_STUDIO_PREFIX):
        plain = unquote(stripped.removeprefix(LABEL_STUDIO_PREFIX))
        yield f"/{plain}"  # the document root may be the root of the file system
    if plain != stripped:
        yield plain
    if "\\" in plain:
        yield plain.replace("\\", "/")


def _is_file(path: str) -> bool:
    try:
        if os.path.isfile(path):
            return True
        page = PAGE_PATH.fullmatch(path)
        return page is not None and os.path.isfile(page[1])
    except ValueError:  # a zero byte
        return False
