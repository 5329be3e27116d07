"""The images of a session are read, and made anew where their set is damaged; it does not know what they are for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

from vaetui.data import importing
from vaetui.engine.events import Progressed
from vaetui.errors import Trouble
from vaetui.session.data_source import directory, located
from vaetui.session.data_split import Data, load
from vaetui.session.session_labels import Truths
from vaetui.storage import dataset_cache, file_names, round_snapshots
from vaetui.storage.artifact_store import Lost, Vault
from vaetui.storage.dataset_cache import Origin
from vaetui.storage.repository import Facts
from vaetui.storage.round_snapshots import Division


def supply(vault: Vault, facts: Facts) -> Generator[Progressed, None, tuple[Data, Truths, str | None]]:
    """Read the images and their true classes, and say in a sentence what had to be made anew for that.

    Raises Trouble for images that are gone or changed, where they cannot be made anew of what they were made of.
    """
    place = directory(facts.data)
    ours, origin = place.parent == dataset_cache.all_sets(), origin_of(facts)
    try:
        found = _read(vault, facts)
    except Lost:  # a file of the session, not of the set
        raise
    except Trouble as trouble:
        if not (yield from _again(vault, facts, origin)):
            raise Trouble(_remedy(place, origin) if ours or not place.is_dir() else str(trouble)) from trouble
    else:
        # What is not needed at once should be whole as well: labels, and which files the images were made of.
        if not ours or (dataset_cache.told(place) and dataset_cache.origin(place) == origin):
            return *found, None
        mended = False
        with suppress(Trouble):  # the images are whole: nothing that goes wrong with the rest keeps a person out
            mended = yield from _again(vault, facts, origin)
        if not mended:
            return *found, None
    assert origin is not None
    return *_read(vault, facts), f"the images in {place} were lost or damaged: made anew from {origin.path}"


def origin_of(facts: Facts) -> Origin | None:
    """Tell what the images can be made anew from; None where a person made the directory that they are in."""
    place = directory(facts.data)
    return (facts.material.origin or dataset_cache.origin(place)) if place.parent == dataset_cache.all_sets() else None


def _read(vault: Vault, facts: Facts) -> tuple[Data, Truths]:
    data = load(vault, facts)
    return data, Truths(located(facts), data, facts.classes)


def _again(vault: Vault, facts: Facts, origin: Origin | None) -> Generator[Progressed, None, bool]:
    if origin is None:
        return False
    drawn = facts.stamp(file_names.DIVISION) is not None
    checksum = round_snapshots.load(vault, file_names.DIVISION, Division).checksum.tobytes() if drawn else None
    return (yield from importing.again(directory(facts.data), origin, checksum))


def _remedy(place: Path, origin: Origin | None) -> str:
    """Say what brings images back that are lost or damaged."""
    if origin is not None:
        return (
            f"The images in {place} are lost or damaged, and {origin.path}, of which they were made, is gone or has "
            "changed; put either back as it was: no answer is lost."
        )
    return f"The images in {place} are lost or damaged; put them back from a backup: no answer is lost."
