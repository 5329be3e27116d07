"""What tells a file of a session from any other; it reads none."""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class Stamp(NamedTuple):
    """A file as it was written."""

    name: str
    """Its name in the session's directory."""
    size: int
    """Its bytes."""
    digest: str
    """Their SHA-256, as hexadecimal digits."""


def stamped(name: str, content: bytes) -> Stamp:
    """Give the stamp of a file of that name and content."""
    return Stamp(name, len(content), hashlib.sha256(content).hexdigest())
