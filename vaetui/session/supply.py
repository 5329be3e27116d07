"""The images of a session are read, and made anew where their set is damaged; it does not know what they are for."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from vaetui.engine.events import Progressed
from vaetui.intake import gathering
from vaetui.session.data import Data, load
from vaetui.session.source import directory, located
from vaetui.session.truths import Truths
from vaetui.store import sets
from vaetui.store.facts import Facts
from vaetui.store.sets import Origin
from vaetui.store.vault import Vault
from vaetui.trouble import Trouble


def supply(vault: Vault, facts: Facts) -> Generator[Progressed, None, tuple[Data, Truths, str | None]]:
    """Read the images and their true classes, and say in a sentence what had to be made anew for that.

    Raises Trouble for images that are gone or changed, where they cannot be made anew of what they were made of.
    """
    place = directory(facts.data)
    ours, origin = place.parent == sets.all_sets(), origin_of(facts)
    try:
        found = _read(vault, facts)
    except Trouble as trouble:
        if not (yield from _again(place, origin)):
            raise Trouble(_remedy(place, origin) if ours or not place.is_dir() else str(trouble)) from trouble
    else:
        # What is not needed at once should be whole as well: labels, and which files the images were made of.
        whole = not ours or (sets.told(place) and sets.origin(place) == origin)
        if whole or not (yield from _again(place, origin)):
            return *found, None
    assert origin is not None
    return *_read(vault, facts), f"the images in {place} were lost or damaged: made anew from {origin.path}"


def origin_of(facts: Facts) -> Origin | None:
    """Tell what the images can be made anew from; None where a person made the directory that they are in."""
    place = directory(facts.data)
    return (facts.material.origin or sets.origin(place)) if place.parent == sets.all_sets() else None


def _read(vault: Vault, facts: Facts) -> tuple[Data, Truths]:
    data = load(vault, facts)
    return data, Truths(located(facts), data, facts.classes)


def _again(place: Path, origin: Origin | None) -> Generator[Progressed, None, bool]:
    return origin is not None and (yield from gathering.again(place, origin))


def _remedy(place: Path, origin: Origin | None) -> str:
    """Say what brings images back that are lost or damaged."""
    if origin is not None:
        return (
            f"The images in {place} are lost or damaged, and {origin.path}, of which they were made, is gone or has "
            "changed; put either back as it was: no answer is lost."
        )
    return f"The images in {place} are lost or damaged; put them back from a backup: no answer is lost."
