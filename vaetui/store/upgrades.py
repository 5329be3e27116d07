"""A session of an older format is brought up to date, files and facts together; it does not know older tables.

Only for who holds the lock.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from vaetui.store import database, files, ledger, places, tensors
from vaetui.store.audit import snapshot
from vaetui.store.ledger import Entry
from vaetui.store.schema import VERSION
from vaetui.store.stamps import stamped
from vaetui.trouble import Trouble


def upgrade(directory: Path) -> None:
    """Bring a session up to date; a crash leaves it as it was, to be upgraded once more, or as it shall be.

    Raises Trouble for facts that no older version would have written, and for a full disk.
    """
    facts = places.facts(directory)
    if not _is_older(facts):
        return
    with files.explained(facts), contextlib.closing(database.connect(facts)) as base:
        old = directory / places.BEFORE_CHECKPOINTS
        kept = [path.read_bytes() for path in [old] if path.is_file()]
        found = {path.name: path.read_bytes() for path in sorted(directory.glob("*.npz"))}
        for content in kept:
            with contextlib.suppress(Trouble):  # a damaged one: what it held is trained again
                checkpoint = tensors.unpacked(content)
                name = places.checkpoint(checkpoint.epoch, checkpoint.step)
                files.write(directory / name, content)
                found[name] = content
        base.execute("BEGIN IMMEDIATE")
        database.upgrade(base)
        database.apply(base, Entry(1, tuple(("file", stamped(name, content)) for name, content in found.items())))
        files.write(places.ledger(directory), ledger.line(snapshot(base)))
        base.execute("COMMIT")
        old.unlink(missing_ok=True)


def _is_older(facts: Path) -> bool:
    """Tell whether facts are of an older format; damaged ones are not, whatever they say."""
    try:
        with contextlib.closing(database.connect(facts)) as base:
            older = database.version(base) < VERSION
        if older:
            database.looked_over(facts).close()
        return older
    except (OSError, sqlite3.Error):
        return False
