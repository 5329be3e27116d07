"""Which file of a session's directory holds what; it reads and writes none of them."""

from __future__ import annotations

import re
from pathlib import Path

FACTS = "facts.db"
"""The file that makes a directory a session."""
LEDGER, DAMAGED = "ledger.jsonl", "damaged"
LOCK, HOLDER, REQUEST, FAILURE = "lock", "holder.json", "request", "failure.txt"
LOG = "log.txt"
DIVISION = "division.npz"
"""The name of the file that tells which images are held out."""
NAMED = re.compile(r"(tensors|checkpoint-[\d-]+)\.safetensors|(division|(round|epoch|split|found)-\d+)(\.copy)?\.npz")
"""Names of files that are part of a session if the facts name them."""
ALWAYS = (
    *(FACTS, f"{FACTS}-journal", LEDGER, DAMAGED),
    *(LOCK, HOLDER, REQUEST, FAILURE, LOG, f"{LOG}.1"),
)
"""What a session's directory may hold beside the files that the facts name."""
BEFORE_CHECKPOINTS = "tensors.safetensors"
"""The name of the one checkpoint that formats before 3 kept."""
CHECKPOINT = re.compile(r"checkpoint-(\d{1,6})-(\d{1,9})\.safetensors")
"""Names of checkpoints: epoch and batch."""


def facts(directory: Path) -> Path:
    """Give the file of the facts."""
    return directory / FACTS


def ledger(directory: Path) -> Path:
    """Give the file that holds every change of the facts once more."""
    return directory / LEDGER


def damaged(directory: Path) -> Path:
    """Give the directory of what was found damaged."""
    return directory / DAMAGED


def log(directory: Path) -> Path:
    """Give the log file."""
    return directory / LOG


def lock(directory: Path) -> Path:
    """Give the file that is locked by who may write."""
    return directory / LOCK


def holder(directory: Path) -> Path:
    """Give the file that tells who that is."""
    return directory / HOLDER


def request(directory: Path) -> Path:
    """Give the file that asks who works without a terminal to leave."""
    return directory / REQUEST


def failure(directory: Path) -> Path:
    """Give the file that tells why the work without a terminal ended."""
    return directory / FAILURE


def checkpoint(epoch: int, step: int) -> str:
    """Name the file of a checkpoint."""
    return f"checkpoint-{epoch:03}-{step:06}.safetensors"


def found(epoch: int) -> str:
    """Name the file of what the classifier made of the training images after an epoch."""
    return f"found-{epoch:03d}.npz"


def photograph(round: int) -> str:
    """Name the file of the photograph of a round."""
    return f"round-{round:03}.npz"


def remembered(epoch: int) -> str:
    """Name the file of the reconstructions at the end of an epoch."""
    return f"epoch-{epoch:03}.npz"


def part(saying: int) -> str:
    """Name the file of the parts that a split made, by the number of its saying."""
    return f"split-{saying:06}.npz"


def copy(name: str) -> str:
    """Name the file that holds the same once more."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.copy{dot}{ending}"
