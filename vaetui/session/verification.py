"""Everything in a session is verified, and mended where that is wanted; it does not know who reads the findings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from vaetui.engine.events import Progressed
from vaetui.errors import Trouble
from vaetui.session.data_loading import origin_of
from vaetui.session.data_source import announced
from vaetui.session.data_split import load
from vaetui.session.labelling_round import Labelling
from vaetui.storage import (
    atomic_files,
    file_names,
    locations,
    log,
    migrations,
    recovery,
    round_snapshots,
    tensors,
    untrusted,
)
from vaetui.storage.artifact_store import Vault, twice
from vaetui.storage.findings import Finding
from vaetui.storage.fingerprints import Stamp
from vaetui.storage.lock import Lock
from vaetui.storage.repository import Facts
from vaetui.storage.round_snapshots import Remembered

NOTHING = "nothing here mends that"


def inspect(name: str, repair: bool) -> Generator[Progressed, None, list[Finding]]:
    """Find all that is not as it should be in a session, and mend what can be mended where that is wanted.

    Raises Trouble for an unknown session, one that somebody works in, and one of which too little is left.
    """
    directory = locations.find(name)
    found = []
    for path, why in list(untrusted.strange(directory)):
        found.append(Finding(path.name, why, untrusted.set_aside(path) if repair else "taken out of it"))
    if found and not repair:
        return found  # nothing is opened beside a link
    lock = Lock(directory)
    try:
        yield Progressed("looking at the facts", 0, 4)
        if repair:
            atomic_files.sweep(directory)
            migrations.upgrade(directory)
        elif migrations.is_older(file_names.facts(directory)):
            return [Finding(file_names.FACTS, "is of an older format", "upgraded, and then all is verified")]
        found += recovery.audit(directory, repair)
        if repair or not any(each.file == file_names.FACTS for each in found):
            found += yield from _look(directory, repair)
        else:
            found[-1] = replace(found[-1], remedy=f"{found[-1].remedy}, and then all is verified")
        if repair:
            logger = log.keep(directory)
            for each in found:
                logger.warning(each)
    finally:
        log.close()
        lock.release()
    return found


def _look(directory: Path, repair: bool) -> Generator[Progressed, None, list[Finding]]:
    """Go through what the facts, which are whole, name."""
    with contextlib.closing(Facts(directory, writes=repair)) as facts:
        if unusable := _tried(file_names.FACTS, lambda: (facts.config, facts.shape, facts.created)):
            return unusable
        vault = Vault(directory, facts, [] if repair else None)
        yield Progressed("looking at the files", 1, 4)
        found = list(vault.audit(repair))
        for path in sorted(directory.iterdir()):
            if not (
                path.name in file_names.ALWAYS
                or file_names.NAMED.fullmatch(path.name)
                or atomic_files.PARTIAL in path.name
            ):
                remedy = untrusted.set_aside(path) if repair else "kept aside"
                found.append(Finding(path.name, "is no part of the session", remedy))
        yield Progressed("looking into them", 2, 4)
        told = {each.file for each in found if each.lost or not repair}
        for name, use in _uses(vault, facts):
            if name not in told:
                found += _tried(name, use)
        yield Progressed("looking at the images", 3, 4)
        whole = facts.stamp(file_names.DIVISION) and file_names.DIVISION not in told
        origin = origin_of(facts)
        remedy = NOTHING if origin is None else f"made anew by vaetui resume, if {origin.path} is as it was"
        found += _tried(facts.data, partial(load, vault, facts) if whole else partial(announced, facts.data), remedy)
    return found


def _uses(vault: Vault, facts: Facts) -> Iterator[tuple[str, Callable[[], object]]]:
    """Give for each file what is done with it."""
    for number, *_ in facts.rounds():
        yield file_names.photograph(number), partial(Labelling, vault, facts, facts.config, number)
    for stamp in facts.stamps():
        if stamp.name.startswith("epoch"):
            yield stamp.name, partial(round_snapshots.load, vault, stamp.name, Remembered)
        elif not twice(stamp.name):
            yield stamp.name, partial(_unpack, vault, stamp)


def _unpack(vault: Vault, checkpoint: Stamp) -> None:
    tensors.unpacked(vault.get(checkpoint.name, checkpoint.size))


def _tried(file: str, use: Callable[[], object], remedy: str = NOTHING) -> list[Finding]:
    """Use a file, and tell what is in the way."""
    try:
        use()
        return []
    except Trouble as trouble:
        return [Finding(file, f"cannot be used ({trouble})", remedy, lost=True)]
