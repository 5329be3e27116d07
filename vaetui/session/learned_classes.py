"""The classes that answers name, those that the networks were trained on, and those that they can tell apart."""

from __future__ import annotations

from collections.abc import Iterable

from vaetui.engine.answers import Answer, ClassAnswer, find_answer_class
from vaetui.engine.classes import ClassList
from vaetui.engine.config import Config, find_round_of_epoch
from vaetui.storage.repository import SessionRepository

MIN_LEARNED_CLASSES = 2
"""Fewest classes that a classifier can tell apart: trained with one class, it names that class for any image."""


def find_trained_class_ids(config: Config, repository: SessionRepository, epoch: int) -> tuple[int, ...]:
    """Return the classes, ascending, whose answers the networks were trained on up to the end of an epoch.

    Merged classes are replaced by their targets. Answers that were undone, replaced, cleared or corrected since then
    and answers without confidence do not count. Raises UserError for an answer that names no class of the session.
    """
    last_round = find_round_of_epoch(config.training, epoch) or 0
    return tuple(sorted(find_answered_class_ids(repository, last_round) & find_answered_class_ids(repository)))


def find_learned_class_ids(config: Config, repository: SessionRepository, epoch: int) -> tuple[int, ...]:
    """Return the classes that the networks can tell apart after an epoch, ascending; empty if they are fewer than two.

    No other class may be predicted: the classifier has never seen it.
    """
    return keep_if_distinguishable(find_trained_class_ids(config, repository, epoch))


def keep_if_distinguishable(class_ids: tuple[int, ...]) -> tuple[int, ...]:
    """Return the classes, or () if they are too few for a classifier to tell apart."""
    return class_ids if len(class_ids) >= MIN_LEARNED_CLASSES else ()


def find_unanswered_class_ids(repository: SessionRepository) -> tuple[int, ...]:
    """Return the active classes, ascending, that no answer in force of any round names with a confidence above 0."""
    answered_class_ids = find_answered_class_ids(repository)
    return tuple(class_id for class_id in repository.load_class_list().active_ids if class_id not in answered_class_ids)


def find_answered_class_ids(repository: SessionRepository, last_round: int | None = None) -> set[int]:
    """Return the classes that the answers made up to a round, or all answers, name with a confidence above 0."""
    answers = (record.answer for record in repository.list_effective_answers(last_round))
    classes = repository.load_class_list()
    return collect_answered_class_ids(answers, classes) | find_image_class_ids(repository, classes, last_round)


def find_image_class_ids(repository: SessionRepository, classes: ClassList, last_round: int | None = None) -> set[int]:
    """Return the classes that the answers about single images name, with merged classes replaced by their targets."""
    class_ids = repository.list_image_class_ids(last_round)
    if class_ids and max(class_ids) >= len(classes):
        classes.require_active(max(class_ids))
    return {classes.canonical[class_id] for class_id in class_ids}


def collect_answered_class_ids(answers: Iterable[Answer], classes: ClassList) -> set[int]:
    """Return the classes that answers name with a confidence above 0, with merged classes replaced by their targets."""
    class_ids = set[int]()
    for answer in answers:
        class_id = find_answer_class(answer)
        if class_id is None or (isinstance(answer, ClassAnswer) and answer.confidence <= 0):
            continue
        if class_id >= len(classes):
            classes.require_active(class_id)
        class_ids.add(classes.canonical[class_id])
    return class_ids
