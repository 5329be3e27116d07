"""Everything in a session is verified, and mended where that is wanted; it does not know who reads the findings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from pathlib import Path

from vaetui.engine.events import Progressed
from vaetui.session.data import load
from vaetui.session.labelling import Labelling
from vaetui.store import audit, entries, files, home, log, places, upgrades
from vaetui.store.facts import Facts
from vaetui.store.findings import Finding
from vaetui.store.lock import Lock
from vaetui.store.vault import Vault
from vaetui.trouble import Trouble

ASIDE = "kept aside"
"""What becomes of what is no part of a session."""


def inspect(name: str, repair: bool) -> Generator[Progressed, None, list[Finding]]:
    """Find all that is not as it should be in a session, and mend what can be mended where that is wanted.

    Raises Trouble for an unknown session, one that somebody works in, and one of which too little is left.
    """
    directory = home.find(name)
    found = []
    for path, why in list(entries.strange(directory)):
        found.append(Finding(path.name, why, entries.set_aside(path) if repair else ASIDE))
    if found and not repair:
        return found  # nothing is opened beside a link
    lock = Lock(directory)
    try:
        yield Progressed("looking at the facts", 0, 4)
        if repair:
            files.sweep(directory)
            log.keep(directory).info("repaired")
            upgrades.upgrade(directory)
        elif upgrades.is_older(places.facts(directory)):
            return [Finding(places.FACTS, "is of an older format", "upgraded, and then all is verified")]
        found += audit.audit(directory, repair)
        if repair or not any(each.file == places.FACTS for each in found):
            found += yield from _look(directory, repair)
    finally:
        lock.release()
    return found


def _look(directory: Path, repair: bool) -> Generator[Progressed, None, list[Finding]]:
    """Go through what the facts, which are whole, name."""
    with contextlib.closing(Facts(directory, writes=repair)) as facts:
        vault = Vault(directory, facts, [] if repair else None)
        yield Progressed("looking at the files", 1, 4)
        found = list(vault.audit(repair))
        lost = {each.file for each in found if each.lost}
        for path in sorted(set(directory.iterdir()) - _known(directory, facts)):
            found.append(Finding(path.name, "is no part of the session", entries.set_aside(path) if repair else ASIDE))
        yield Progressed("looking at the rounds", 2, 4)
        for number, *_ in facts.rounds():
            if not lost & {places.photograph(number), places.copy(places.photograph(number))}:
                found += _tried(places.photograph(number), Labelling, vault, facts, facts.config, number)
        yield Progressed("looking at the images", 3, 4)
        if facts.stamp(places.DIVISION) and places.DIVISION not in lost:
            found += _tried("data", load, vault, facts)
    return found


def _tried(file: str, use: Callable[..., object], *given: object) -> list[Finding]:
    """Use a file, and tell what is in the way."""
    try:
        use(*given)
        return []
    except Trouble as trouble:
        return [Finding(file, f"cannot be used ({trouble})", "nothing here mends that", lost=True)]


def _known(directory: Path, facts: Facts) -> set[Path]:
    """Give all files that may stand in a session's directory."""
    kept = [name for stamp in facts.stamps() for name in (stamp.name, places.copy(stamp.name))]
    return {directory / name for name in (*kept, *places.ALWAYS)}
