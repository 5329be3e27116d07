"""A small file system (tmpfs) that fills up or becomes read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BLOCK_BYTES = 4096
"""Allocation unit of a tmpfs."""


@contextmanager
def mount_small_disk(directory: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a tmpfs of that size inside a directory; skip the test if mounting is not permitted."""
    mount_point = directory / "disk"
    mount_point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(mount_point)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        yield mount_point
    finally:
        subprocess.run(["umount", "--lazy", str(mount_point)], check=True)


def fill_disk(disk: Path, free_kilobytes: int) -> None:
    """Write or truncate a filler file so that `free_kilobytes` are free."""
    filler = disk / "filler"
    filler.touch()
    status = os.statvfs(disk)
    filler_blocks = filler.stat().st_size // BLOCK_BYTES
    target_blocks = filler_blocks + status.f_bfree * status.f_frsize // BLOCK_BYTES
    target_blocks -= free_kilobytes * 1024 // BLOCK_BYTES
    if target_blocks < filler_blocks:
        os.truncate(filler, max(target_blocks, 0) * BLOCK_BYTES)
    elif target_blocks > filler_blocks:
        with filler.open("ab") as file:
            file.write(bytes((target_blocks - filler_blocks) * BLOCK_BYTES))


@contextmanager
def remount_read_only(disk: Path) -> Iterator[None]:
    """Make a disk read-only, for root as well."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
