"""Which file of a session's directory holds what; it reads and writes none of them."""

from __future__ import annotations

from pathlib import Path

FACTS = "facts.db"
"""The file that makes a directory a session."""


def facts(directory: Path) -> Path:
    """Give the file of the facts."""
    return directory / FACTS


def tensors(directory: Path) -> Path:
    """Give the file of the checkpoint."""
    return directory / "tensors.safetensors"


def division(directory: Path) -> Path:
    """Give the file that tells which images are held out."""
    return directory / "division.npz"


def photograph(directory: Path, round: int) -> Path:
    """Give the file of the photograph of a round."""
    return directory / f"round-{round:03}.npz"


def remembered(directory: Path, epoch: int) -> Path:
    """Give the file of the reconstructions at the end of an epoch."""
    return directory / f"epoch-{epoch:03}.npz"


def part(directory: Path, saying: int) -> Path:
    """Give the file of the parts that a split made, by the number of its saying."""
    return directory / f"split-{saying:06}.npz"


def log(directory: Path) -> Path:
    """Give the log file."""
    return directory / "log.txt"
