"""What tells a file of a session from any other; it reads none."""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class FileFingerprint(NamedTuple):
    """A file as it was written."""

    name: str
    """Its name in the session's directory."""
    size_bytes: int
    """Its bytes."""
    sha256_hex: str
    """Their SHA-256, as hexadecimal digits."""


def compute_fingerprint(name: str, content: bytes) -> FileFingerprint:
    """Give the stamp of a file of that name and content."""
    return FileFingerprint(name, len(content), hashlib.sha256(content).hexdigest())
