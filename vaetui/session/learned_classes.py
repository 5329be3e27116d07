"""The classes that the networks of a session can tell apart."""

from __future__ import annotations

from vaetui.engine.answers import ClassAnswer, effective_answers
from vaetui.engine.config import Config, find_round_of_epoch
from vaetui.storage.repository import SessionRepository

MIN_LEARNED_CLASSES = 2
"""Fewest classes that a classifier can tell apart: trained with one class, it names that class for any image."""


def find_answered_class_ids(config: Config, repository: SessionRepository, epoch: int) -> tuple[int, ...]:
    """Return the classes, ascending, whose answers the networks were trained on up to the end of an epoch.

    Merged classes are replaced by their targets. Answers that were undone or replaced and answers without confidence
    do not count. Raises UserError for an answer that names no class of the session.
    """
    classes, class_ids = repository.load_class_list(), set[int]()
    for round_number in range(1, (find_round_of_epoch(config.training, epoch) or 0) + 1):
        records = repository.list_answers(round_number)
        for answer in effective_answers((record.path, record.answer) for record in records).values():
            if isinstance(answer, ClassAnswer) and answer.confidence > 0:
                if answer.class_id >= len(classes):
                    classes.require_active(answer.class_id)
                class_ids.add(classes.canonical[answer.class_id])
    return tuple(sorted(class_ids))


def find_unanswered_class_ids(repository: SessionRepository) -> tuple[int, ...]:
    """Return the active classes, ascending, that no answer in force of any round names with a confidence above 0."""
    classes, class_ids = repository.load_class_list(), set[int]()
    for round_number, _, _ in repository.list_rounds():
        records = repository.list_answers(round_number)
        for answer in effective_answers((record.path, record.answer) for record in records).values():
            if isinstance(answer, ClassAnswer) and answer.confidence > 0 and answer.class_id < len(classes):
                class_ids.add(classes.canonical[answer.class_id])
    return tuple(class_id for class_id in classes.active_ids if class_id not in class_ids)


def find_learned_class_ids(config: Config, repository: SessionRepository, epoch: int) -> tuple[int, ...]:
    """Return the classes that the networks can tell apart after an epoch, ascending; empty if they are fewer than two.

    No other class may be predicted: the classifier has never seen it.
    """
    class_ids = find_answered_class_ids(config, repository, epoch)
    return class_ids if len(class_ids) >= MIN_LEARNED_CLASSES else ()
