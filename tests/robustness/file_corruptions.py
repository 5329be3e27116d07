"""Corruptions of the files of a session that do not depend on their content."""

from __future__ import annotations

import json
import os
import random
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from tests.robustness.sandbox import Sandbox
from vaetui.storage import file_names

HOSTILE_TEXT = "\x1b]0;owned\x07\x1b[2J\x1b[31m[bold red]x[/bold][/nope][link=file:///etc]\r\x08\u202e\x9b2Jend"
"""Text that a terminal or Rich markup would interpret."""
Corruption = Callable[[Path, random.Random, Sandbox], str]
"""Corrupts the session in a directory and returns a description."""
FileCorruption = Callable[[Path, random.Random, Sandbox], None]
"""Corrupts one file."""


def truncated(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    os.truncate(path, draw.choice((0, 1, draw.randrange(max(path.stat().st_size, 1)))))


def flipped(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    content = bytearray(path.read_bytes() or b"\0")
    nonzero = [index for index, byte in enumerate(content) if byte] or [0]  # most bytes of a database are zero
    for _ in range(draw.choice((1, 1, 1, 8, 200))):
        content[draw.choice((draw.randrange(len(content)), draw.choice(nonzero)))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def zeroed(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    """Zero a block but keep the length, as a power cut does on some file systems."""
    content = bytearray(path.read_bytes())
    start = draw.randrange(max(len(content), 1)) // 512 * 512
    end = min(start + draw.choice((512, 4096, 1 << 20)), len(content))
    content[start:end] = bytes(end - start)
    path.write_bytes(content)


def deleted(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    path.unlink()


def appended(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    with path.open("ab") as file:
        file.write(draw.randbytes(draw.choice((1, 100, 5000))))


def enlarged(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    """Extend the file to ten gigabytes that occupy no disk space."""
    os.truncate(path, 10 * 10**9)


def replaced(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    path.write_bytes(draw.randbytes(draw.choice((1, 512, 20_000))))


def directory_instead(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")


def pipe_instead(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    path.unlink()
    os.mkfifo(path)


def link_to_outside(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    outside = sandbox.add_file(path.read_bytes())
    path.unlink()
    path.symlink_to(draw.choice((outside, Path(os.path.relpath(outside, path.parent)))))


def link_to_missing_file(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    """Writing through the link would create a file outside."""
    path.unlink()
    path.symlink_to(sandbox.directory / "created")


def link_to_itself(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    path.unlink()
    path.symlink_to(path.name)


def device_instead(path: Path, draw: random.Random, sandbox: Sandbox) -> None:
    """Endless zeros: a device, or a link to one if that is not allowed."""
    path.unlink()
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        path.symlink_to("/dev/zero")


FILE_CORRUPTIONS: tuple[FileCorruption, ...] = (
    *(truncated, flipped, zeroed, deleted, appended, enlarged, replaced),
    *(directory_instead, pipe_instead, link_to_outside, link_to_missing_file, link_to_itself, device_instead),
)
REPAIRABLE = {"truncated", "flipped", "zeroed", "deleted", "appended"}
"""After one of these a session that opens has to be unchanged: no answer lost, the same bits."""


def corrupt_one_file(corruption: FileCorruption) -> Corruption:
    """Return a corruption of a random file of a session."""

    def corrupt(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
        # The database is one file of many, but the most important one.
        path = draw.choice([*list_files(directory), *[file_names.database_path(directory)] * 4])
        corruption(path, draw, sandbox)
        return f"{path.name} {corruption.__name__.replace('_', ' ')}"

    return corrupt


def two_files(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Corrupt two files, such as a file and its second copy."""
    first, second = draw.sample(list_files(directory), 2)
    for path in (first, draw.choice((second, *directory.glob(f"{first.stem}.*{first.suffix}")))):
        if path.exists():
            draw.choice((truncated, flipped, zeroed, deleted))(path, draw, sandbox)
    return f"{first.name} and another"


def swapped(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    first, second = draw.sample(list_files(directory), 2)
    temporary = directory / "temporary"
    first.rename(temporary)
    second.rename(first)
    temporary.rename(second)
    return f"{first.name} and {second.name} swapped"


def exchanged(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Take a file from an earlier or a later state of the same run."""
    others = [path for path in directory.parents[3].glob("templates/sessions/*") if path.name != directory.name]
    other = draw.choice(sorted(others))
    path = draw.choice([path for path in list_files(other) if path.name != file_names.LOCK_NAME])
    shutil.copy(path, directory / path.name)
    return f"{path.name} taken from the state {other.name}"


def stray_entry(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Add an entry that cleaning, repairing or listing may stumble over."""
    name = draw.choice(
        (
            *("x.partial", "quarantine", "session.db-journal", "journal.log", "facts.db"),
            *("round-999.npz", "log.txt.1", "-rf"),
        )
    )
    path = directory / name
    if os.path.lexists(path):
        return f"{name} left as it is"
    kind = draw.choice(("directory", "link out", "link to a directory", "pipe", "random bytes", "empty"))
    match kind:
        case "directory":
            path.mkdir()
            (path / "y.partial").mkdir()
        case "link out":
            path.symlink_to(sandbox.add_file(b"precious"))
        case "link to a directory":
            (sandbox.directory / "z.partial").write_text("precious")
            path.symlink_to(sandbox.directory, target_is_directory=True)
        case "pipe":
            os.mkfifo(path)
        case _:
            path.write_bytes(draw.randbytes(5000) if kind == "random bytes" else b"")
    return f"a stray {name}: {kind}"


def locked(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Hold the lock, with a description of the holder that is invalid or hostile."""
    holder: object = draw.choice(
        (
            *({"user": HOSTILE_TEXT, "host": HOSTILE_TEXT, "process_id": HOSTILE_TEXT}, {"user": ["x"] * 9}),
            *([], "x", {"user": "x" * 10**6}),
            {"user": HOSTILE_TEXT, "host": HOSTILE_TEXT, "process_id": 7, "is_detached": True},
        )
    )
    file_names.holder_path(directory).write_text(json.dumps(holder))
    sandbox.open_resources.enter_context(FileLock(file_names.lock_path(directory)))
    return f"locked by {holder!r:.60}"


def list_files(directory: Path) -> list[Path]:
    """Return the files of a session in order."""
    return sorted(path for path in directory.iterdir() if path.is_file() and not path.is_symlink())
