"""The reading test of an epoch (paper, section 4): the classes that a person reads in the reconstructions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vaetui.engine.config import decodes_images
from vaetui.engine.metrics import reading_accuracy
from vaetui.errors import UserError
from vaetui.session.digit_keys import assign_digit_keys
from vaetui.session.session_true_labels import SessionTrueLabels
from vaetui.session.views import ReadingTest
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import Reconstructions


def load_reading_test(
    store: ArtifactStore, repository: SessionRepository, true_labels: SessionTrueLabels | None
) -> ReadingTest:
    """Return the unfinished reading test, else that of the last finished epoch.

    Raises UserError before the first epoch ends, and if the networks decode no images or these have no true labels.
    """
    if not decodes_images(repository.config.network):
        raise UserError(
            "These networks have no decoder, so there are no reconstructions to read. "
            "Create a session that trains one with: vaetui new --decoder"
        )
    events = repository.list_epochs()
    if not events:
        raise UserError("There is no reading test before the first epoch ends.")
    if true_labels is None:
        raise UserError("The images are still being loaded. Try again in a moment.")
    if true_labels.validation_labels is None:
        raise UserError("These images have no true labels, so a reading test cannot be scored.")
    unfinished = [
        event for event in events if event.reading_accuracy is None and repository.load_reading_answers(event.epoch)
    ]
    return _load_reading_test_of_epoch(store, repository, [*events, *unfinished][-1].epoch)


def record_reading(
    store: ArtifactStore,
    repository: SessionRepository,
    true_labels: SessionTrueLabels | None,
    epoch: int,
    start: int,
    class_ids: Sequence[int | None],
) -> ReadingTest:
    """Record classes read from image `start` on and discard later readings; score the test when it is complete.

    Raises UserError if `start` is past the next image, for too many classes, and for an unknown or merged class.
    """
    reading_test = _load_reading_test_of_epoch(store, repository, epoch)
    all_class_ids = (*reading_test.class_ids[:start], *class_ids)
    read_count, count = len(reading_test.class_ids), len(reading_test.reconstructions)
    if not 0 <= start <= read_count or len(all_class_ids) > count:
        raise UserError(f"{read_count} of {count} images are read; continue there or at an earlier one.")
    classes = repository.load_class_list()
    for class_id in class_ids:
        if class_id is not None:
            classes.require_active(class_id)
    validation_labels = true_labels.validation_labels if true_labels else None
    accuracy = None
    if validation_labels and len(all_class_ids) == count:
        canonical: dict[int | None, int | None] = dict(enumerate(classes.canonical))
        canonical_ids = [canonical.get(class_id, class_id) for class_id in all_class_ids]
        accuracy = reading_accuracy(canonical_ids, validation_labels)
    repository.record_reading_answers(epoch, start, class_ids, accuracy)
    return replace(reading_test, class_ids=all_class_ids, accuracy=accuracy)


def _load_reading_test_of_epoch(store: ArtifactStore, repository: SessionRepository, epoch: int) -> ReadingTest:
    return ReadingTest(
        epoch,
        stored_arrays.load_arrays(store, file_names.reconstructions_name(epoch), Reconstructions).images,
        repository.load_reading_answers(epoch),
        repository.list_epochs()[epoch - 1].reading_accuracy,
        assign_digit_keys(repository.load_class_list(), repository.count_answers_by_class()),
    )
