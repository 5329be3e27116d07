"""A real disk that fills up or becomes read-only: a tmpfs of a few kilobytes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BLOCK = 4096
"""Bytes that a tmpfs gives out at a time."""


@contextmanager
def small_disk(directory: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a disk of that size below a directory for a while; skips where that is not allowed."""
    place = directory / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def leave(disk: Path, kilobytes: int) -> None:
    """Fill a disk but for so many kilobytes."""
    filler = disk / "filler"
    filler.touch()
    state = os.statvfs(disk)
    held = filler.stat().st_size // BLOCK
    blocks = held + state.f_bfree * state.f_frsize // BLOCK - kilobytes * 1024 // BLOCK
    if blocks < held:
        os.truncate(filler, max(blocks, 0) * BLOCK)
    elif blocks > held:
        with filler.open("ab") as file:
            file.write(bytes((blocks - held) * BLOCK))


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Let nobody write to a disk for a while, not even root."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
