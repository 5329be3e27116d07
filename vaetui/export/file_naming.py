"""Names of exported files and directories: valid and different on every file system, and as readable as possible."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from vaetui.storage.file_names import CLASS_TABLE_NAME, UNSURE_DIRECTORY

MAX_COMPONENT_BYTES = 200
"""Longest name in UTF-8. File systems hold 255 bytes, and some need more for the same name in another normal form."""
NUMBER_BYTES = 8
"""Bytes of them kept for a number that makes a name unique."""
MAX_NAME_BYTES = MAX_COMPONENT_BYTES - NUMBER_BYTES
"""Longest name that is not shortened."""
INFO_SUFFIX = ".info.json"
"""What the name of an exported file is followed by in the name of the file that describes its labels."""
DIRECTORY_INFO_NAME = f"labels{INFO_SUFFIX}"
"""The file in an exported directory that describes its labels."""
HASH_DIGITS = 8
"""Length of the hash in a shortened name."""
FORBIDDEN_CHARACTER = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff]')
"""Characters that some file system cannot hold: separators, patterns, control characters, and invalid Unicode."""
RESERVED_NAME = re.compile(r"CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³]", re.IGNORECASE)
"""Names of devices on Windows, also with any suffix."""


def make_safe_name(name: str) -> str:
    """Return a file name that every operating system can hold; different names may become equal."""
    safe_name = FORBIDDEN_CHARACTER.sub("_", name).strip(" .") or "_"
    base, dot, rest = safe_name.partition(".")
    return f"{base}_{dot}{rest}" if RESERVED_NAME.fullmatch(base.rstrip(" ")) else safe_name


def make_directory_names(class_names: Sequence[str]) -> list[str]:
    """Return a directory name for each class; names that file systems hold stay, and equal ones get a number."""
    used_keys = set(map(make_comparison_key, (UNSURE_DIRECTORY, CLASS_TABLE_NAME, DIRECTORY_INFO_NAME)))
    directory_names: dict[int, str] = {}
    safe_names = [_shorten_end(make_safe_name(name)) for name in class_names]
    for class_id, name in enumerate(safe_names):
        if name == class_names[class_id] and make_comparison_key(name) not in used_keys:
            directory_names[class_id] = name
            used_keys.add(make_comparison_key(name))
    for class_id, name in enumerate(safe_names):
        if class_id not in directory_names:
            if make_comparison_key(name) == make_comparison_key(UNSURE_DIRECTORY):
                name += "_"
            directory_names[class_id] = _add_number(name, class_id, used_keys)
    return [directory_names[class_id] for class_id in range(len(class_names))]


def make_comparison_key(name: str) -> str:
    """Return equal keys for names that are one on file systems without case or with one normal form of Unicode."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def make_flat_name(path: str, suffix: str) -> str:
    """Return one file name for a whole path that ends with `suffix`; of a long path, the end and a hash of it all."""
    stem = make_safe_name(path.removesuffix(suffix)).replace("$", "_")  # `datasets` expands variables in paths
    return _shorten_start(stem, path, len(suffix)) + suffix


def shorten_path(path: PurePosixPath, suffix: str) -> PurePosixPath:
    """Return a relative path that ends with `suffix`, with every part shortened that is too long for a file name."""
    *directories, name = path.parts
    parts = [_shorten_end(directory) for directory in directories]
    return PurePosixPath(*parts, _shorten_start(name.removesuffix(suffix), str(path), len(suffix)) + suffix)


def make_unique_names(names: Sequence[str], suffixes: Sequence[str]) -> list[str]:
    """Return the names, each of which ends with its suffix, with a number where a stem is not unique."""
    used_keys: set[str] = set()
    return [
        _add_number(name.removesuffix(suffix), index, used_keys) + suffix
        for index, (name, suffix) in enumerate(zip(names, suffixes, strict=True))
    ]


def _add_number(name: str, number: int, used_keys: set[str]) -> str:
    """Return a name, with a number if its key is used, and add its key to the used ones."""
    unique_name = name
    while (key := make_comparison_key(unique_name)) in used_keys:
        unique_name, number = f"{name}-{number}", number + 1
    used_keys.add(key)
    return unique_name


def _shorten_start(stem: str, path: str, suffix_bytes: int) -> str:
    """Return the stem of a path, or its end and a hash of the path if it is too long."""
    encoded = stem.encode(errors="surrogatepass")
    max_bytes = MAX_NAME_BYTES - suffix_bytes
    if len(encoded) <= max_bytes:
        return stem
    end = encoded[len(encoded) - (max_bytes - 1 - HASH_DIGITS) :].decode(errors="ignore")
    while end and unicodedata.category(end[0]) in ("Mn", "Mc", "Me", "Cf"):  # part of the character before
        end = end[1:]
    return f"{end.lstrip(' .')}-{_hash_text(path)}"


def _shorten_end(name: str) -> str:
    """Return a name, or its start and a hash of it if it is too long."""
    encoded = name.encode(errors="surrogatepass")
    if len(encoded) <= MAX_NAME_BYTES:
        return name
    start = encoded[: MAX_NAME_BYTES - 1 - HASH_DIGITS].decode(errors="ignore")
    return f"{start.rstrip(' .')}-{_hash_text(name)}"


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:HASH_DIGITS]
