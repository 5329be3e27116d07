"""Name, size and SHA-256 of a file, which identify what was written."""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class FileFingerprint(NamedTuple):
    """A file as it was written; the fields are the columns of table artifact."""

    name: str
    """Its name in the session directory."""
    size_bytes: int
    """Its length."""
    sha256_hex: str
    """The SHA-256 of its content, in hexadecimal digits."""


def compute_fingerprint(name: str, content: bytes) -> FileFingerprint:
    """Return the fingerprint of a file with that name and content."""
    return FileFingerprint(name, len(content), hashlib.sha256(content).hexdigest())
