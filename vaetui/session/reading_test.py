"""The reading test of an epoch (paper, section 4): what somebody read in the reconstructions; it knows no networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vaetui.engine.metrics import reading_accuracy
from vaetui.errors import UserError
from vaetui.session.digit_keys import assign_digit_keys
from vaetui.session.session_labels import SessionLabels
from vaetui.session.views import ReadingTest
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import MAX_ROUND_NUMBER, SessionRepository
from vaetui.storage.round_snapshots import Reconstructions


def load_reading_test(
    store: ArtifactStore, repository: SessionRepository, true_labels: SessionLabels | None
) -> ReadingTest:
    """Give the test that was begun and not finished, else that of the last finished epoch.

    Raises Trouble where there is nothing to read, and where nobody could tell what was read right.
    """
    epochs = repository.list_epochs()
    if not epochs:
        raise UserError("There is nothing to read before the first epoch has ended.")
    if true_labels is None:
        raise UserError("The images are still being loaded; try again in a moment.")
    if true_labels.validation is None:
        raise UserError("These images have no true labels, so nobody could tell what was read right.")
    begun = [ended for ended in epochs if ended.reading_accuracy is None and repository.load_reading(ended.epoch)]
    return _load_test_of_epoch(store, repository, [*epochs, *begun][-1].epoch)


def record_reading(
    store: ArtifactStore,
    repository: SessionRepository,
    true_labels: SessionLabels | None,
    epoch: int,
    start: int,
    class_ids: Sequence[int | None],
) -> ReadingTest:
    """Record what was read from that place on, and forget what was read there before; judge it when it is complete.

    Raises Trouble for a place that is not next or before it, for more pictures than there are, for a class that
    there is not, or not any more, and while nobody could tell what was read right.
    """
    sheet = _load_test_of_epoch(store, repository, epoch)
    read = (*sheet.class_ids[:start], *class_ids)
    if not 0 <= start <= len(sheet.class_ids) or len(read) > len(sheet.reconstructions):
        raise UserError(
            f"{len(sheet.class_ids)} of {len(sheet.reconstructions)} pictures are read; go on from there or before."
        )
    classes = repository.load_class_list()
    for kind in class_ids:
        if kind is not None:
            classes.require_active(kind)
    truth = true_labels.validation if true_labels else None
    counted = [classes.canonical[kind] if kind is not None and kind < len(classes) else kind for kind in read]
    accuracy = reading_accuracy(counted, truth) if truth and len(read) == len(sheet.reconstructions) else None
    repository.record_reading(epoch, start, class_ids, accuracy)
    return replace(sheet, class_ids=read, accuracy=accuracy)


def _load_test_of_epoch(store: ArtifactStore, repository: SessionRepository, epoch: int) -> ReadingTest:
    if not repository.find_fingerprint(file_names.reconstructions_name(epoch)):
        raise UserError("The reconstructions of this epoch were not kept; there is a reading test after the next one.")
    pictures = round_snapshots.load(store, file_names.reconstructions_name(epoch), Reconstructions).images
    keyed = assign_digit_keys(repository.load_class_list(), repository.answer_counts(MAX_ROUND_NUMBER))
    return ReadingTest(
        epoch, pictures, repository.load_reading(epoch), repository.list_epochs()[epoch - 1].reading_accuracy, keyed
    )
