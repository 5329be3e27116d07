"""Names and paths of files in session directories, names in exported directories of classes, and paths of pages."""

from __future__ import annotations

import re
from pathlib import Path

DATABASE_NAME = "session.db"
"""The SQLite database."""
JOURNAL_NAME = "journal.log"
"""Every change of the database, a line each with a checksum."""
DATABASE_AND_JOURNAL_NAMES = (DATABASE_NAME, JOURNAL_NAME)
"""Either of them makes a directory a session."""
OLDER_FORMAT_NAMES = ("facts.db", "ledger.jsonl")
"""Database and journal of sessions that vaetui made before format 1."""
QUARANTINE_NAME = "quarantine"
LOCK_NAME, HOLDER_NAME = "lock", "lock_holder.json"
TRAINING_RUN_LOCK_NAME, TRAINING_RUN_NAME = "training_run_lock", "training_run.json"
RELEASE_REQUEST_NAME, FAILURE_NAME = "release_request", "failure.txt"
LOG_NAME = "log.txt"
LIVE_PROGRESS_NAME = "live_progress.json"
TRAIN_VAL_SPLIT_NAME = "train-val-split.npz"
"""Which images are trained on and which are held out for validation."""
ARTIFACT_PATTERN = re.compile(
    r"checkpoint-[\d-]+\.safetensors|"
    r"(train-val-split|(round|reconstructions|split|predictions|labels|border|audit)-\d+)(\.mirror)?\.npz"
)
"""Names of files that belong to the session if the database lists them."""
NON_ARTIFACT_NAMES = (
    *(DATABASE_NAME, f"{DATABASE_NAME}-journal", JOURNAL_NAME, QUARANTINE_NAME),
    *(LOCK_NAME, HOLDER_NAME, RELEASE_REQUEST_NAME, FAILURE_NAME, LOG_NAME, f"{LOG_NAME}.1"),
    *(TRAINING_RUN_LOCK_NAME, TRAINING_RUN_NAME),
    LIVE_PROGRESS_NAME,
)
"""What a session directory may contain beside the artifacts."""
CHECKPOINT_PATTERN = re.compile(r"checkpoint-(\d{1,6})-(\d{1,9})\.safetensors")
"""Names of checkpoints: epoch and step."""
RECONSTRUCTIONS_PATTERN = re.compile(r"reconstructions-\d+\.npz")
UNSURE_DIRECTORY = "_unsure"
"""The directory of images without a label, or with one whose confidence is below the minimum."""
CLASS_TABLE_NAME = "class_names.csv"
"""The table of directories and classes."""
PAGE_PATH = re.compile(r"(.+)#(\d{1,9})", re.DOTALL)
"""The path of a page of an image file: that of the file, and the number of the page from 0."""


def database_path(directory: Path) -> Path:
    """Return the path of the SQLite database."""
    return directory / DATABASE_NAME


def journal_path(directory: Path) -> Path:
    """Return the path of the journal."""
    return directory / JOURNAL_NAME


def quarantine_directory(directory: Path) -> Path:
    """Return the directory that damaged files are moved to."""
    return directory / QUARANTINE_NAME


def log_path(directory: Path) -> Path:
    """Return the path of the log file."""
    return directory / LOG_NAME


def lock_path(directory: Path) -> Path:
    """Return the path of the file that the writing process locks."""
    return directory / LOCK_NAME


def holder_path(directory: Path) -> Path:
    """Return the path of the file that describes the process holding the lock."""
    return directory / HOLDER_NAME


def training_run_lock_path(directory: Path) -> Path:
    """Return the path of the file that the training run of a session locks."""
    return directory / TRAINING_RUN_LOCK_NAME


def training_run_path(directory: Path) -> Path:
    """Return the path of the file that describes the training run."""
    return directory / TRAINING_RUN_NAME


def release_request_path(directory: Path) -> Path:
    """Return the path of the file that asks a background process to leave the session."""
    return directory / RELEASE_REQUEST_NAME


def failure_path(directory: Path) -> Path:
    """Return the path of the file that says why background training ended."""
    return directory / FAILURE_NAME


def live_progress_path(directory: Path) -> Path:
    """Return the path of the file with the present progress of training."""
    return directory / LIVE_PROGRESS_NAME


def checkpoint_name(epoch: int, step: int) -> str:
    """Return the name of the checkpoint after a step of an epoch."""
    return f"checkpoint-{epoch:03}-{step:06}.safetensors"


def labels_name(epoch: int) -> str:
    """Return the name of the file of the renewed labels that an epoch trains on."""
    return f"labels-{epoch:03}.npz"


def predictions_name(epoch: int) -> str:
    """Return the name of the file with the predictions for the training images after an epoch."""
    return f"predictions-{epoch:03}.npz"


def round_snapshot_name(round_number: int) -> str:
    """Return the name of the snapshot of a round."""
    return f"round-{round_number:03}.npz"


def reconstructions_name(epoch: int) -> str:
    """Return the name of the file with the validation reconstructions at the end of an epoch."""
    return f"reconstructions-{epoch:03}.npz"


def split_snapshot_name(answer_id: int) -> str:
    """Return the name of the file with the parts of a split, by the id of its answer."""
    return f"split-{answer_id:06}.npz"


def border_name(border_id: int) -> str:
    """Return the name of the file with the images beyond the border of a class, by the id of the border."""
    return f"border-{border_id:06}.npz"


def audit_name(audit_id: int) -> str:
    """Return the name of the file with the images of an audit."""
    return f"audit-{audit_id:06}.npz"


def second_copy_name(name: str) -> str:
    """Return the name of the second copy of a file."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.mirror{dot}{suffix}"
