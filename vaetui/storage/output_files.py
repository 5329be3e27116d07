"""Files and directories that a user names as the output of a command: either complete or absent."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from vaetui.errors import UserError
from vaetui.storage import atomic_files, locations
from vaetui.storage.atomic_files import translate_os_errors
from vaetui.storage.dataset_cache import datasets_directory

DESCRIPTOR_PATH = re.compile(r"/dev/std(?P<name>in|out|err)|(/dev/fd|/proc/self/fd)/(?P<number>\d+)")
"""Paths of the open file descriptors of this process."""
CHUNKS_PER_REPORT = 1 << 14
"""Chunks, such as lines, written between two reports: about 0.1 s."""
STANDARD_DESCRIPTORS = {"in": 0, "out": 1, "err": 2}


class OutputExistsError(UserError):
    """The output exists, and the user did not ask to overwrite it."""

    def __init__(self, output: Path) -> None:
        """Refuse to overwrite a file."""
        super().__init__(f"{output} exists. Choose another output, or overwrite it with --force.")
        self.output = output
        """The file that exists."""


def is_special_file(path: Path) -> bool:
    """Return whether a path is a pipe, a device or an open file descriptor, which are written in place."""
    if find_descriptor(path) is not None:
        return True
    return path.exists() and not path.is_file() and not path.is_dir()


def find_descriptor(path: Path) -> int | None:
    """Return the number of the file descriptor that a path such as /dev/stdout names; None for other paths."""
    match = DESCRIPTOR_PATH.fullmatch(os.path.abspath(path))
    if match is None:
        return None
    return STANDARD_DESCRIPTORS[match["name"]] if match["name"] else int(match["number"])


def refuse_to_overwrite(output: Path, force: bool, inputs: Iterable[Path]) -> None:
    """Raise UserError if the output is one of the inputs or inside a directory of vaetui, or exists and not `force`.

    The last is an OutputExistsError. Links and other spellings of a path are followed. Pipes, devices and open file
    descriptors can always be written.
    """
    if str(output) == "-":
        raise UserError("- is not a file name. Use -o /dev/stdout for standard output.")
    is_special = is_special_file(output)
    if is_special and not output.is_file():
        return
    refuse_data_directories(output)
    if not os.path.lexists(output):
        return
    for path in inputs:
        if is_same_file(output, path):
            raise UserError(f"{output} is the input {path}. Choose another output.")
    if not force and not is_special:
        raise OutputExistsError(output)


def refuse_data_directories(output: Path) -> None:
    """Raise UserError if the output is among sessions, datasets or stored vectors; links and spellings are followed."""
    resolved = Path(os.path.realpath(output))
    for directory in (locations.sessions_directory(), datasets_directory(), locations.features_directory()):
        if any(is_same_file(parent, directory) for parent in (resolved, *resolved.parents)):
            raise UserError(f"{output} is inside {directory}, where vaetui keeps its data. Choose another output.")


def is_same_file(path: Path, other: Path) -> bool:
    """Return whether two paths lead to one existing file or directory."""
    with suppress(OSError, ValueError):
        return os.path.samefile(path, other)
    return False


def write_output_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file atomically, or a pipe or device in place; the target of a link is replaced, not the link.

    The file gets the permissions of the file that it replaces, else the usual ones. Raises UserError if the file cannot
    be written; then nothing is left.
    """
    with translate_os_errors(path):
        if is_special_file(path):
            with _open_special_file(path) as file:
                file.writelines([content] if isinstance(content, bytes) else content)
            return
        target = path.resolve()
        partial_path = _find_partial_path(target)
        with atomic_files.write_partial_file(partial_path, content, _choose_permissions(target)):
            partial_path.replace(target)
            atomic_files.sync_directory(target.parent)


def write_described_file(
    path: Path, content: bytes | Iterable[bytes], description_path: Path, describe: Callable[[str], bytes]
) -> Iterator[int]:
    """Write a file as `write_output_file` does, and beside it one that describes it; a pipe or device has none.

    `describe` returns the description of content with a SHA-256, in hexadecimal digits. Both files are complete before
    either gets its name. An old description is removed first: after a crash at any moment, the file has the description
    that belongs to it, or none. Yields the number of chunks written so far; closing the iterator leaves nothing.
    """
    digest = hashlib.sha256()
    if is_special_file(path):
        with translate_os_errors(path), _open_special_file(path) as file:
            yield from _write_in_steps(file, content, digest)
        return
    target, description_target = path.resolve(), description_path.resolve()
    partial_path, partial_description = map(_find_partial_path, (target, description_target))
    with translate_os_errors(path), atomic_files.remove_unfinished([partial_path]):
        with atomic_files.open_for_writing(partial_path, os.O_TRUNC) as file:
            os.fchmod(file.fileno(), _choose_permissions(target))
            yield from _write_in_steps(file, content, digest)
        description = describe(digest.hexdigest())
        with atomic_files.write_partial_file(partial_description, description, _choose_permissions(description_target)):
            description_target.unlink(missing_ok=True)
            atomic_files.sync_directory(description_target.parent)
            partial_path.replace(target)
            partial_description.replace(description_target)
            for directory in {target.parent, description_target.parent}:
                atomic_files.sync_directory(directory)


def _write_in_steps(file: BinaryIO, content: bytes | Iterable[bytes], digest: hashlib._Hash) -> Iterator[int]:
    """Write the chunks of content and add them to a digest; yield the number of chunks written so far."""
    chunk_count = 0

    def iter_counted_batches() -> Iterator[bytes | memoryview]:
        nonlocal chunk_count
        for batch_count, batch in _iter_batches(content):
            digest.update(batch)
            chunk_count += batch_count
            yield batch

    for _ in atomic_files.write_in_steps([file], iter_counted_batches()):
        yield chunk_count


def _iter_batches(content: bytes | Iterable[bytes]) -> Iterator[tuple[int, bytes | memoryview]]:
    """Yield content in larger parts, with the number of chunks in each; bytes have no chunks."""
    if isinstance(content, bytes):
        for start in range(0, len(content), atomic_files.SYNC_BYTES):
            yield 0, memoryview(content)[start : start + atomic_files.SYNC_BYTES]
        return
    chunks = iter(content)
    while batch := list(itertools.islice(chunks, CHUNKS_PER_REPORT)):
        yield len(batch), b"".join(batch)


def _choose_permissions(target: Path) -> int:
    """Return the permissions of the file that is replaced, else the usual ones."""
    return target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_read_umask()


@contextmanager
def create_output_directory(output: Path) -> Iterator[Path]:
    """Yield an empty directory, which becomes `output` when the block ends without an error, and is removed else.

    What a killed process left of the same output is removed before. An existing directory has to be empty: its entries
    are moved into it at the end. Raises UserError for any other existing output, a missing parent, an output that
    another process is writing, and for an OSError in the block.
    """
    require_new_directory(output)
    target = output.resolve()
    with translate_os_errors(output):
        is_existing, partial = target.is_dir(), _find_partial_path(target)
        if is_existing:
            if partial.exists():  # left from when the output did not exist
                with _create_locked_directory(partial, output):
                    partial.rmdir()
            partial = _find_partial_path(target / "content")
        with _create_locked_directory(partial, output):
            try:
                yield partial
                _require_only_entry(output, target, partial)
                if is_existing:
                    _move_entries(partial, target)
                    partial.rmdir()
                else:
                    partial.rename(target)
                atomic_files.sync_directory(target.parent)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise


def require_parent_directory(output: Path) -> None:
    """Raise UserError if the directory of an output does not exist."""
    if not output.parent.is_dir():
        raise UserError(f"Directory {output.parent} does not exist. Create it first.")


def require_new_directory(output: Path) -> None:
    """Raise UserError for an output that is inside a session or dataset, or exists and is not an empty directory."""
    refuse_data_directories(output)
    target = output.resolve()
    with translate_os_errors(output):
        require_parent_directory(output)
        if os.path.lexists(target) and not target.is_dir():
            raise UserError(f"{output} is not a directory. Choose a new directory.")
        _require_only_entry(output, target, _find_partial_path(target / "content"))


def _require_only_entry(output: Path, directory: Path, partial: Path) -> None:
    if directory.is_dir() and any(name != partial.name for name in os.listdir(directory)):
        raise UserError(f"{output} is not empty. Choose a new directory.")


def _find_partial_path(path: Path) -> Path:
    """Return the hidden path beside a file or directory that it has while it is written."""
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]  # the name itself may have the largest length
    return path.with_name(f".{digest}.vaetui{atomic_files.PARTIAL_SUFFIX}")


@contextmanager
def _create_locked_directory(directory: Path, output: Path) -> Iterator[None]:
    """Create or empty a directory, and lock it until the block ends; the system unlocks it if the process is killed."""
    directory.mkdir(exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | atomic_files.NOFOLLOW_FLAG)
    try:
        with suppress(OSError):  # some file systems have no locks
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(
                    f"Another process is writing {output}. Wait until it ends, or choose another output."
                ) from error
        for entry in os.scandir(directory):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
        yield
    finally:
        os.close(descriptor)


def _move_entries(source: Path, target: Path) -> None:
    """Move all entries of a directory into another one; if that fails, remove those that were moved."""
    moved_paths: list[Path] = []
    try:
        for name in os.listdir(source):
            moved_paths.append(target / name)
            (source / name).rename(target / name)
    except BaseException:
        for path in moved_paths:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


def _open_special_file(path: Path) -> BinaryIO:
    descriptor = find_descriptor(path)
    # A copy of the descriptor, because opening its path again would write from the start of a redirected file.
    return path.open("wb") if descriptor is None else os.fdopen(os.dup(descriptor), "wb")


def _read_umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
