"""Images in any form become a set, decoded once; it does not know sessions."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from vaetui.data import building
from vaetui.data.array_roles import Stacked, find_stacks
from vaetui.data.image_csv import list_table
from vaetui.data.image_folder import Listed, list_folder
from vaetui.data.import_options import Wish
from vaetui.engine.events import Progressed
from vaetui.engine.idx import locate
from vaetui.engine.images import read_images
from vaetui.errors import Trouble
from vaetui.storage import dataset_cache
from vaetui.storage.dataset_cache import Origin, Seen

FORMAT = 1
"""Of the sets; part of their keys."""
TABLES = (".csv", ".tsv")


class OtherwiseError(Exception):
    """The same files came to other images than before: something in between has changed."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Images that a session can begin with."""

    directory: Path
    """Where their IDX files are."""
    classes: tuple[str, ...] | None
    """The names of the classes, where they are told."""
    skipped: int = 0
    """Files that could not be used."""


def gather(path: Path, wish: Wish) -> Generator[Progressed, None, Gathered]:
    """Make a set of the images at a path, or find the one that was made of the very same; yields its progress.

    A directory of IDX files is used as it is. Raises Trouble for what holds no images, or too few.
    """
    path = path.absolute()
    if os.path.isdir(path) and _is_idx(path) and wish.size is None and wish.colour is None:
        return Gathered(path, wish.classes)
    yield Progressed(f"looking at {path.name}", 0, 1)
    found = listed(path, wish)
    seen = _look(found)
    key = _key(path, wish, seen)
    made = dataset_cache.place(key)
    if dataset_cache.origin(made) is None:
        seen = yield from _make(found, path, wish, seen, key)
    else:
        seen = dataset_cache.seen(made)
    about = dataset_cache.origin(made)
    return Gathered(made, about.classes if about else None, sum(it.reason is not None for it in seen))


def again(directory: Path, origin: Origin, checksum: bytes | None) -> Generator[Progressed, None, bool]:
    """Make a set anew, and tell whether that could be done: else what is there stays.

    What it was made of must be as it was, and come to the images that have that SHA-256, where one is known.
    """
    path = Path(origin.path)
    yield Progressed(f"looking at {path.name}", 0, 1)
    try:
        wish = wish_of(origin)
        found = listed(path, wish)
    except Trouble:
        return False
    seen = _look(found)
    key = _key(path, wish, seen)
    if dataset_cache.place(key) != directory:
        return False
    try:
        yield from _make(found, path, wish, seen, key, lambda made: checksum in (None, _checksum(made)))
    except OtherwiseError:
        return False
    return True


def listed(path: Path, wish: Wish) -> Listed | Stacked:
    """Find what there is at a path, in whatever form, or raise Trouble."""
    if os.path.isdir(path):
        return find_stacks(path, wish) if _is_idx(path) else list_folder(path, wish.labels)
    if not os.path.exists(path):  # asks also for a path that is too long to be one
        raise Trouble(f"There is no {path}; give a directory or a file of images with --data.")
    if path.suffix.lower() in TABLES:
        return list_table(path, wish.labels, wish.column)
    return find_stacks(path, wish)


def changes(directory: Path) -> str | None:
    """Say in a sentence how the files that a set was made of differ from what they were; None where they do not."""
    origin = dataset_cache.origin(directory)
    if origin is None:
        return None
    path, then = Path(origin.path), {it.name: it for it in dataset_cache.seen(directory)}
    if not then:  # it is damaged
        return None
    try:
        found = listed(path, wish_of(origin))
    except Trouble:
        return f"{path} is gone, or is no set of images any more; the session goes on with the images as they were."
    now = {it.name: it for it in _look(found)}
    news, gone = len(now.keys() - then.keys()), len(then.keys() - now.keys())
    other = sum(
        (it.size, it.changed) != (then[name].size, then[name].changed) for name, it in now.items() if name in then
    )
    if not news + gone + other:
        return None
    counts = ", ".join(
        f"{count} {what}" for count, what in ((news, "new"), (gone, "gone"), (other, "changed")) if count
    )
    return f"{path} changed since the session was made (files: {counts}); it goes on with the images as they were."


def wish_of(origin: Origin) -> Wish:
    """Give the wish that a set was made by, or raise Trouble for what is none."""
    told = origin.wish
    size, colour, classes, column = (told.get(name) for name in ("size", "colour", "classes", "column"))
    try:
        return Wish(
            None if size is None else (int(size[0]), int(size[1])),
            None if colour is None else bool(colour),
            bool(told.get("labels")),
            None if column is None else str(column),
            None if classes is None else tuple(map(str, classes)),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise Trouble(f"The set of {origin.path} does not tell how it was made.") from error


def _make(
    found: Listed | Stacked,
    path: Path,
    wish: Wish,
    seen: list[Seen],
    key: str,
    right: Callable[[Path], bool] | None = None,
) -> Generator[Progressed, None, list[Seen]]:
    """Make the set of that key; gives what was looked at, and skipped why.

    With `right` it takes the place of one that is there, if it is right; else raises OtherwiseError.
    """
    with dataset_cache.making(key, anew=right is not None) as place:
        if isinstance(found, Listed):
            root = str(found.root)
            classes, seen = yield from building.decode(found, wish, seen, place)
        else:
            root = None
            classes = yield from building.convert(found, wish, place)
        dataset_cache.describe(place, Origin(str(path), asdict(wish), classes, root), seen)
        if right is not None and not right(place):
            raise OtherwiseError
    return seen


def _checksum(directory: Path) -> bytes:
    return read_images(locate(directory).train_images)[1]


def _look(found: Listed | Stacked) -> list[Seen]:
    """Look at size and time of all files; those that are no candidates come last."""
    if isinstance(found, Stacked):
        return [_seen(str(path), path.name) for path in found.files]
    skipped = [Seen(name, 0, 0, why) for name, why in found.skipped]
    return [*(_seen(os.path.join(found.root, name), name) for name in found.names), *skipped]


def _seen(path: str, name: str) -> Seen:
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return Seen(name, 0, 0)
    return Seen(name, stat.st_size, stat.st_mtime_ns)


def _key(path: Path, wish: Wish, seen: Iterable[Seen]) -> str:
    told = [FORMAT, str(path), asdict(wish), [[it.name, it.size, it.changed] for it in seen]]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:24]


def _is_idx(path: Path) -> bool:
    try:
        locate(path)
    except Trouble:
        return False
    return True
