"""The reading test of an epoch (paper, section 4): what somebody read in the reconstructions; it knows no networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vaetui.engine.metrics import reading_accuracy
from vaetui.errors import Trouble
from vaetui.session.digit_keys import chosen
from vaetui.session.session_labels import Truths
from vaetui.session.views import Sheet
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.artifact_store import Vault
from vaetui.storage.repository import LAST, Facts
from vaetui.storage.round_snapshots import Remembered


def lay_out(vault: Vault, facts: Facts, truths: Truths | None) -> Sheet:
    """Give the test that was begun and not finished, else that of the last finished epoch.

    Raises Trouble where there is nothing to read, and where nobody could tell what was read right.
    """
    epochs = facts.epochs()
    if not epochs:
        raise Trouble("There is nothing to read before the first epoch has ended.")
    if truths is None:
        raise Trouble("The images are still being loaded; try again in a moment.")
    if truths.validation is None:
        raise Trouble("These images have no true labels, so nobody could tell what was read right.")
    begun = [ended for ended in epochs if ended.reading_accuracy is None and facts.reading(ended.epoch)]
    return _sheet(vault, facts, [*epochs, *begun][-1].epoch)


def record(
    vault: Vault, facts: Facts, truths: Truths | None, epoch: int, place: int, seen: Sequence[int | None]
) -> Sheet:
    """Record what was read from that place on, and forget what was read there before; judge it when it is complete.

    Raises Trouble for a place that is not next or before it, for more pictures than there are, for a class that
    there is not, or not any more, and while nobody could tell what was read right.
    """
    sheet = _sheet(vault, facts, epoch)
    read = (*sheet.read[:place], *seen)
    if not 0 <= place <= len(sheet.read) or len(read) > len(sheet.pictures):
        raise Trouble(f"{len(sheet.read)} of {len(sheet.pictures)} pictures are read; go on from there or before.")
    classes = facts.classes()
    for kind in seen:
        if kind is not None:
            classes.check(kind)
    truth = truths.validation if truths else None
    counted = [classes.roots[kind] if kind is not None and kind < len(classes) else kind for kind in read]
    accuracy = reading_accuracy(counted, truth) if truth and len(read) == len(sheet.pictures) else None
    facts.record_reading(epoch, place, seen, accuracy)
    return replace(sheet, read=read, accuracy=accuracy)


def _sheet(vault: Vault, facts: Facts, epoch: int) -> Sheet:
    if not facts.stamp(file_names.remembered(epoch)):
        raise Trouble("The reconstructions of this epoch were not kept; there is a reading test after the next one.")
    pictures = round_snapshots.load(vault, file_names.remembered(epoch), Remembered).pictures
    keyed = chosen(facts.classes(), facts.tally(LAST))
    return Sheet(epoch, pictures, facts.reading(epoch), facts.epochs()[epoch - 1].reading_accuracy, keyed)
