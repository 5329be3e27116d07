"""Damages to the files of a session as files, whatever is in them."""

from __future__ import annotations

import json
import os
import random
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from tests.fuzz.outside import Outside
from vaetui.storage import file_names

EVIL = "\x1b]0;owned\x07\x1b[2J\x1b[31m[bold red]x[/bold][/nope][link=file:///etc]\r\x08\u202e\x9b2Jend"
"""What a terminal or a markup would obey."""
Damage = Callable[[Path, random.Random, Outside], str]
"""Damages the session in a directory, and says what it did."""
Blow = Callable[[Path, random.Random, Outside], None]


def truncated(path: Path, draw: random.Random, outside: Outside) -> None:
    os.truncate(path, draw.choice((0, 1, draw.randrange(max(path.stat().st_size, 1)))))


def flipped(path: Path, draw: random.Random, outside: Outside) -> None:
    content = bytearray(path.read_bytes() or b"\0")
    telling = [at for at, byte in enumerate(content) if byte] or [0]  # most of a database is empty
    for _ in range(draw.choice((1, 1, 1, 8, 200))):
        content[draw.choice((draw.randrange(len(content)), draw.choice(telling)))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def zeroed(path: Path, draw: random.Random, outside: Outside) -> None:
    """What a power cut leaves on some file systems: the right length, and nothing in a block of it."""
    content = bytearray(path.read_bytes())
    start = draw.randrange(max(len(content), 1)) // 512 * 512
    end = min(start + draw.choice((512, 4096, 1 << 20)), len(content))
    content[start:end] = bytes(end - start)
    path.write_bytes(content)


def deleted(path: Path, draw: random.Random, outside: Outside) -> None:
    path.unlink()


def appended(path: Path, draw: random.Random, outside: Outside) -> None:
    with path.open("ab") as file:
        file.write(draw.randbytes(draw.choice((1, 100, 5000))))


def enlarged(path: Path, draw: random.Random, outside: Outside) -> None:
    """Ten gigabytes that take no room."""
    os.truncate(path, 10 * 10**9)


def replaced(path: Path, draw: random.Random, outside: Outside) -> None:
    path.write_bytes(draw.randbytes(draw.choice((1, 512, 20_000))))


def a_directory(path: Path, draw: random.Random, outside: Outside) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")


def a_pipe(path: Path, draw: random.Random, outside: Outside) -> None:
    path.unlink()
    os.mkfifo(path)


def a_link_out(path: Path, draw: random.Random, outside: Outside) -> None:
    victim = outside.victim(path.read_bytes())
    path.unlink()
    path.symlink_to(draw.choice((victim, Path(os.path.relpath(victim, path.parent)))))


def a_link_to_nothing(path: Path, draw: random.Random, outside: Outside) -> None:
    """Who writes through it makes a file outside."""
    path.unlink()
    path.symlink_to(outside.place / "made")


def a_loop(path: Path, draw: random.Random, outside: Outside) -> None:
    path.unlink()
    path.symlink_to(path.name)


def a_device(path: Path, draw: random.Random, outside: Outside) -> None:
    """Endless zeros; where no device can be made, a link to one."""
    path.unlink()
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        path.symlink_to("/dev/zero")


BLOWS: tuple[Blow, ...] = (
    *(truncated, flipped, zeroed, deleted, appended, enlarged, replaced),
    *(a_directory, a_pipe, a_link_out, a_link_to_nothing, a_loop, a_device),
)
HEALED = {"truncated", "flipped", "zeroed", "deleted", "appended"}
"""After these, of one file, a session that opens has to be what it was: no answer lost, the same bits."""


def struck(blow: Blow) -> Damage:
    """Make a damage of one file out of a blow."""

    def strike(directory: Path, draw: random.Random, outside: Outside) -> str:
        # The facts are one file of many, and what matters most.
        path = draw.choice([*files(directory), *[file_names.database_path(directory)] * 4])
        blow(path, draw, outside)
        return f"{path.name} {blow.__name__.replace('_', ' ')}"

    return strike


def twofold(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Strike two files, such as one that is kept twice and its copy."""
    one, other = draw.sample(files(directory), 2)
    for path in (one, draw.choice((other, *directory.glob(f"{one.stem}.*{one.suffix}")))):
        if path.exists():
            draw.choice((truncated, flipped, zeroed, deleted))(path, draw, outside)
    return f"{one.name} and another"


def swapped(directory: Path, draw: random.Random, outside: Outside) -> str:
    one, other = draw.sample(files(directory), 2)
    aside = directory / "aside"
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    return f"{one.name} and {other.name} swapped"


def exchanged(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Take a file from an earlier or a later place of the same run."""
    others = [path for path in directory.parents[3].glob("templates/sessions/*") if path.name != directory.name]
    other = draw.choice(sorted(others))
    path = draw.choice([path for path in files(other) if path.name != "lock"])
    shutil.copy(path, directory / path.name)
    return f"{path.name} taken from the run as it was {other.name}"


def strayed(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Lay something among the files that a sweep, a repair or a listing may stumble over."""
    name = draw.choice(
        ("x.partial", "damaged", "facts.db-journal", "ledger.jsonl", "round-999.npz", "log.txt.1", "-rf")
    )
    stray = directory / name
    if os.path.lexists(stray):
        return f"{name} left as it is"
    kind = draw.choice(("directory", "link out", "link to a directory", "pipe", "rubbish", "empty"))
    match kind:
        case "directory":
            stray.mkdir()
            (stray / "y.partial").mkdir()
        case "link out":
            stray.symlink_to(outside.victim(b"precious"))
        case "link to a directory":
            (outside.place / "z.partial").write_text("precious")
            stray.symlink_to(outside.place, target_is_directory=True)
        case "pipe":
            os.mkfifo(stray)
        case _:
            stray.write_bytes(draw.randbytes(5000) if kind == "rubbish" else b"")
    return f"a stray {name}: {kind}"


def held(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Hold the right to write, under a name that a terminal or a markup would obey."""
    who = draw.choice(
        ({"user": EVIL, "host": EVIL, "process": EVIL}, {"user": ["x"] * 9}, [], "x", {"user": "x" * 10**6})
    )
    (directory / "holder.json").write_text(json.dumps(who))
    outside.held.enter_context(FileLock(directory / "lock"))
    return f"held by {who!r:.60}"


def files(directory: Path) -> list[Path]:
    """List the files of a session, in order."""
    return sorted(path for path in directory.iterdir() if path.is_file() and not path.is_symlink())
