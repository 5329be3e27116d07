"""The log file of a session: tracebacks and the events that explain them, but no answers."""

from __future__ import annotations

import io
import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

from vaetui.storage import atomic_files, file_names


class _PrivateRotatingFileHandler(RotatingFileHandler):
    """A rotating log file, readable by its owner only."""

    def _open(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(atomic_files.open_for_writing(Path(self.baseFilename), os.O_APPEND), "utf-8")


def start_file_log(directory: Path) -> logging.Logger:
    """Send the log of the program to a rotating file in the session directory."""
    logger = stop_file_log()
    handler = _PrivateRotatingFileHandler(file_names.log_path(directory), maxBytes=1_000_000, backupCount=1, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logging.raiseExceptions = False  # a full disk must not print tracebacks over the screen
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def stop_file_log() -> logging.Logger:
    """Close the log file, if one is open."""
    logger = logging.getLogger("vaetui")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    return logger
