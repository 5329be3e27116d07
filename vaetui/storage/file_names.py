"""Which file of a session's directory holds what; it reads and writes none of them."""

from __future__ import annotations

import re
from pathlib import Path

DATABASE_NAME = "facts.db"
"""The file that makes a directory a session."""
JOURNAL_NAME, QUARANTINE_NAME = "ledger.jsonl", "damaged"
LOCK_NAME, HOLDER_NAME, RELEASE_REQUEST_NAME, FAILURE_NAME = "lock", "holder.json", "request", "failure.txt"
LOG_NAME = "log.txt"
TRAIN_VAL_SPLIT_NAME = "division.npz"
"""The name of the file that tells which images are held out."""
ARTIFACT_PATTERN = re.compile(
    r"(tensors|checkpoint-[\d-]+)\.safetensors|(division|(round|epoch|split|found)-\d+)(\.copy)?\.npz"
)
"""Names of files that are part of a session if the facts name them."""
NON_ARTIFACT_NAMES = (
    *(DATABASE_NAME, f"{DATABASE_NAME}-journal", JOURNAL_NAME, QUARANTINE_NAME),
    *(LOCK_NAME, HOLDER_NAME, RELEASE_REQUEST_NAME, FAILURE_NAME, LOG_NAME, f"{LOG_NAME}.1"),
)
"""What a session's directory may hold beside the files that the facts name."""
LEGACY_CHECKPOINT_NAME = "tensors.safetensors"
"""The name of the one checkpoint that formats before 3 kept."""
CHECKPOINT_PATTERN = re.compile(r"checkpoint-(\d{1,6})-(\d{1,9})\.safetensors")
"""Names of checkpoints: epoch and batch."""


def database_path(directory: Path) -> Path:
    """Give the file of the facts."""
    return directory / DATABASE_NAME


def journal_path(directory: Path) -> Path:
    """Give the file that holds every change of the facts once more."""
    return directory / JOURNAL_NAME


def quarantine_directory(directory: Path) -> Path:
    """Give the directory of what was found damaged."""
    return directory / QUARANTINE_NAME


def log_path(directory: Path) -> Path:
    """Give the log file."""
    return directory / LOG_NAME


def lock_path(directory: Path) -> Path:
    """Give the file that is locked by who may write."""
    return directory / LOCK_NAME


def holder_path(directory: Path) -> Path:
    """Give the file that tells who that is."""
    return directory / HOLDER_NAME


def release_request_path(directory: Path) -> Path:
    """Give the file that asks who works without a terminal to leave."""
    return directory / RELEASE_REQUEST_NAME


def failure_path(directory: Path) -> Path:
    """Give the file that tells why the work without a terminal ended."""
    return directory / FAILURE_NAME


def checkpoint_name(epoch: int, step: int) -> str:
    """Name the file of a checkpoint."""
    return f"checkpoint-{epoch:03}-{step:06}.safetensors"


def predictions_name(epoch: int) -> str:
    """Name the file of what the classifier made of the training images after an epoch."""
    return f"found-{epoch:03d}.npz"


def round_snapshot_name(round_number: int) -> str:
    """Name the file of the photograph of a round."""
    return f"round-{round_number:03}.npz"


def reconstructions_name(epoch: int) -> str:
    """Name the file of the reconstructions at the end of an epoch."""
    return f"epoch-{epoch:03}.npz"


def split_snapshot_name(answer_id: int) -> str:
    """Name the file of the parts that a split made, by the number of its saying."""
    return f"split-{answer_id:06}.npz"


def mirror_name(name: str) -> str:
    """Name the file that holds the same once more."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.copy{dot}{ending}"
