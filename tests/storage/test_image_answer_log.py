"""Answers about single images in force, their number, and what undo, redo and later answers change."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.recording import record_answer, record_border, record_page
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Cleared, Unreadable
from vaetui.engine.config import Config
from vaetui.engine.events import Clustered
from vaetui.storage.repository import SessionRepository


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[SessionRepository]:
    """The database of a session in round 2."""
    with contextlib.closing(SessionRepository.create(tmp_path, Config(), "mnist", (640, 28, 28))) as repository:
        repository.record_round_start(Clustered(1, 5, ()))
        repository.record_round_end(1)
        repository.record_round_start(Clustered(2, 5, ()))
        yield repository


def list_classes(repository: SessionRepository, last_round: int | None = None) -> dict[int, int | None]:
    return {
        record.image.image_index: record.image.answer.class_id if isinstance(record.image.answer, ClassAnswer) else None
        for record in repository.list_image_answers(last_round)
    }


def create_page(class_id: int, first: int, count: int = 8, corrections: int = 0) -> list[AnsweredImage]:
    """Create the answers of a page, of which the first ones are corrections to the next class."""
    return [
        AnsweredImage(first + index, ClassAnswer(class_id + (index < corrections)), class_id) for index in range(count)
    ]


def test_page_counts_as_one_answer_and_one_for_each_correction(repository: SessionRepository) -> None:
    record_page(repository, 1, *create_page(3, 0, corrections=2))
    assert (repository.count_answers(), repository.count_answers_by_class()) == (3, {3: 1, 4: 2})
    record_page(repository, 1, *create_page(5, 100, 1))
    record_page(repository, 1, AnsweredImage(200, ClassAnswer(6)), AnsweredImage(201, Unreadable()), origin="audit")
    assert (repository.count_answers(), repository.count_answers_by_class()) == (6, {3: 1, 4: 2, 5: 1, 6: 1})
    record_page(repository, 1, *create_page(7, 300), *create_page(8, 400), origin="pair")
    assert repository.count_answers() == 7, "two classes side by side are one page"
    record_page(repository, 1, *create_page(7, 500), *create_page(8, 600), origin="audit")
    assert repository.count_answers() == 9, "an audit has a page for each class"
    record_page(repository, 1, *create_page(7, 700), *create_page(8, 800, corrections=1))
    assert repository.count_answers() == 11, "a page of a review that mixes classes is one page"
    record_border(repository, 1, 3, 17)
    record_answer(repository, 1, (0,), ClassAnswer(3))
    assert (repository.count_answers(), repository.count_image_answers()) == (13, 12)
    assert repository.count_answers_by_class()[3] == 2


def test_last_answer_about_an_image_is_in_force_until_it_is_cleared(repository: SessionRepository) -> None:
    record_page(repository, 1, *create_page(3, 0, 3))
    record_page(repository, 2, AnsweredImage(1, ClassAnswer(9), 3), AnsweredImage(2, Unreadable(), 3))
    assert list_classes(repository) == {0: 3, 1: 9, 2: None}
    assert list_classes(repository, 1) == {0: 3, 1: 3, 2: 3}, "a repeated epoch trains on the labels of its time"
    record_page(repository, 2, AnsweredImage(0, Cleared(), 3), AnsweredImage(1, Cleared(), 9))
    assert list_classes(repository) == {2: None}
    assert (repository.count_answers(), repository.count_answers_by_class()) == (1, {})
    assert repository.count_answers_by_class(1) == {3: 1}


def test_undo_and_redo_change_what_is_in_force_and_later_answers_discard_undone_ones(
    repository: SessionRepository, tmp_path: Path
) -> None:
    record_page(repository, 2, *create_page(3, 0, 2))
    step_id = record_page(repository, 2, *create_page(5, 0, 2))
    border = record_border(repository, 2, 5, 17)
    for last_step_id in (border.step_id, step_id):
        repository.record_undo(last_step_id)
    assert (list_classes(repository), repository.list_borders()) == ({0: 3, 1: 3}, [])
    assert [action.step_id for action in repository.list_actions(2, "undone")] == [step_id, step_id, border.step_id]
    repository.record_redo(step_id)
    assert list_classes(repository) == {0: 5, 1: 5}
    repository.record_undo(step_id)
    new_step_id = record_page(repository, 2, *create_page(7, 1, 1))
    assert new_step_id > border.id, "ids are never used again"
    assert repository.list_actions(2, "undone") == []
    assert list_classes(repository) == {0: 3, 1: 7}
    assert [record.id for record in repository.list_all_borders()] == [border.id], "its file stays"
    with contextlib.closing(SessionRepository(tmp_path)) as reader:
        assert list_classes(reader) == {0: 3, 1: 7}
        assert reader.count_answers() == repository.count_answers() == 2


def test_last_answered_round_is_that_of_a_cluster_or_else_of_an_image(repository: SessionRepository) -> None:
    assert repository.find_last_answered_round() == 0
    record_page(repository, 3, *create_page(3, 0, 2))
    assert repository.find_last_answered_round() == 2, "answers after the last round count for it"
    record_answer(repository, 1, (0,), ClassAnswer(3))
    assert repository.find_last_answered_round() == 1


def test_times_of_images_and_borders_count_as_labelling(repository: SessionRepository) -> None:
    record_page(repository, 2, *create_page(3, 0, 2))
    record_border(repository, 2, 5, 17)
    record_answer(repository, 2, (0,), ClassAnswer(3))
    times = repository.list_action_times(2)
    assert len(times) == 4
    assert times == sorted(times)
    assert repository.list_action_times(1) == []
