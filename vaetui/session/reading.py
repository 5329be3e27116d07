"""The reading test of an epoch (paper, section 4): what somebody read in the reconstructions; it knows no networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vaetui.engine.metrics import reading_accuracy
from vaetui.session.board import Sheet
from vaetui.session.data import Data
from vaetui.store import clusterings, places
from vaetui.store.clusterings import Remembered
from vaetui.store.facts import Facts
from vaetui.trouble import Trouble


def lay_out(directory: Path, facts: Facts, data: Data | None, epoch: int) -> Sheet:
    """Give the test of a finished epoch as it stands.

    Raises Trouble where there is nothing to read, and where nobody could tell what was read right.
    """
    if not epoch:
        raise Trouble("There is nothing to read before the first epoch has ended.")
    if data is None:
        raise Trouble("The images are still being loaded; try again in a moment.")
    if data.truths.validation is None:
        raise Trouble("These images have no true labels, so nobody could tell what was read right.")
    kept = places.remembered(directory, epoch)
    if not kept.is_file():
        raise Trouble("The reconstructions of this epoch were not kept; there is a reading test after the next one.")
    pictures = clusterings.load(kept, Remembered).pictures
    return Sheet(epoch, pictures, facts.reading(epoch), facts.epochs()[epoch - 1].reading_accuracy)


def record(
    directory: Path, facts: Facts, data: Data | None, epoch: int, place: int, seen: Sequence[int | None]
) -> Sheet:
    """Record what was read from that place on, and forget what was read there before; judge it when it is complete.

    Raises Trouble for a place that is not next or before it, for more pictures than there are, and as `lay_out`.
    """
    sheet = lay_out(directory, facts, data, epoch)
    read = (*sheet.read[:place], *seen)
    if not 0 <= place <= len(sheet.read) or len(read) > len(sheet.pictures):
        raise Trouble(f"{len(sheet.read)} of {len(sheet.pictures)} pictures are read; go on from there or before.")
    truth = data.truths.validation if data else None
    accuracy = reading_accuracy(read, truth) if truth and len(read) == len(sheet.pictures) else None
    facts.record_reading(epoch, place, seen, accuracy)
    return Sheet(epoch, sheet.pictures, read, accuracy)
