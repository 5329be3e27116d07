"""Answers spent on single images: pages cost one answer and one more for each correction."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.session.scripted_run import PROPAGATION_CONFIG
from tests.simulation.simulated_sessions import simulate_session
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.recipes import RECIPES
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.review_views import PAGE_IMAGES
from vaetui.session.session import Session
from vaetui.simulation.annotator_config import (
    AnnotatorConfig,
    AnnotatorName,
    ReviewKind,
    choose_mixed_answer,
    choose_review_answers,
)
from vaetui.simulation.annotators import ImageChecker, LabelNoise, MembersAnnotator
from vaetui.simulation.budgeted_annotator import BudgetedAnnotator
from vaetui.simulation.reviewing_annotator import ReviewingAnnotator
from vaetui.simulation.stopwatch import Stopwatch
from vaetui.storage.repository import SessionRepository


@pytest.fixture(scope="module")
def template(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session that waits for answers in round 2."""
    directory = tmp_path_factory.mktemp("session")
    lifecycle.create_at(directory, str(digits), PROPAGATION_CONFIG)
    with closing(lifecycle.resume_at(directory)) as session:
        list(session.advance())
        assert session.true_labels is not None
        assert session.true_labels.train_labels is not None
        annotator = MembersAnnotator(session.true_labels.train_labels)
        list(BudgetedAnnotator(session, annotator, LabelNoise(10, 0, 0), 9, Stopwatch()).answer_round())
        session.close_round()
        list(session.advance())
    return directory


@pytest.fixture
def session(template: Path, tmp_path: Path) -> Iterator[Session]:
    """A copy of that session."""
    with closing(lifecycle.resume_at(Path(shutil.copytree(template, tmp_path / "session")))) as session:
        list(session.advance())
        yield session


def review(
    session: Session, budget: int, kind: ReviewKind = "pages", error_rate: float = 0.0
) -> tuple[ReviewingAnnotator, dict[int, tuple[int, int | None]]]:
    """Spend a budget; return the annotator, and by image index the answered class and the class that was shown."""
    assert session.true_labels is not None
    true_labels = session.true_labels.train_validation_labels
    assert true_labels is not None
    checker = ImageChecker(true_labels, LabelNoise(10, error_rate, 3))
    annotator = ReviewingAnnotator(session, checker, budget, kind, Stopwatch())
    list(annotator.answer())
    with closing(SessionRepository(session.directory)) as repository:
        answers = {
            record.image.image_index: (record.image.answer.class_id, record.image.shown_class_id)
            for record in repository.list_image_answers()
            if isinstance(record.image.answer, ClassAnswer)
        }
    if not error_rate:
        assert all(true_labels.class_ids[index] == class_id for index, (class_id, _) in answers.items())
    return annotator, answers


@pytest.mark.parametrize("kind", ["pages", "varied", "class-varied"])
@pytest.mark.parametrize("budget", [1, 2, 17])
def test_pages_and_corrections_use_up_the_budget(session: Session, budget: int, kind: ReviewKind) -> None:
    annotator, answers = review(session, budget, kind)
    counts = annotator.counts
    assert annotator.budget == 0
    assert counts.total == counts.pages + counts.corrections == budget
    assert counts.corrections == sum(class_id != shown_id for class_id, shown_id in answers.values())
    with closing(SessionRepository(session.directory)) as repository:
        recorded_count = repository.count_image_answers()  # a page without an accepted image counts its corrections
    assert counts.corrections <= recorded_count <= budget
    assert len(answers) <= counts.pages * PAGE_IMAGES
    assert len(answers) <= annotator.pictures_shown <= len(answers) + counts.pages


def test_the_whole_set_is_reviewed_if_the_budget_lasts(session: Session) -> None:
    annotator, answers = review(session, 10_000)
    labels = drain_events(session.build_label_table())
    assert set(answers) == set(labels.indices.tolist())
    assert annotator.budget == 10_000 - annotator.counts.total > 0
    assert all(labels.class_ids[index] == class_id for index, (class_id, _) in answers.items())


def test_single_images_are_the_most_doubtful_ones(session: Session) -> None:
    list(session.load_labelling())
    expected = [image.image_index for image in session.reviews.page(None, 6)]
    annotator, answers = review(session, 6, "images")
    assert list(answers) == expected
    assert {shown_id for _, shown_id in answers.values()} == {None}
    assert (annotator.counts.images, annotator.counts.total, annotator.budget) == (6, 6, 0)


def test_checks_are_wrong_at_the_error_rate(session: Session) -> None:
    _, answers = review(session, 10_000, error_rate=0.2)
    assert session.true_labels is not None
    true_labels = session.true_labels.train_validation_labels
    assert true_labels is not None
    errors = np.array([true_labels.class_ids[index] != class_id for index, (class_id, _) in answers.items()])
    assert errors.mean() == pytest.approx(0.2, abs=0.05)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("kind", ["pages", "images"])
def test_a_run_spends_its_review_answers_from_the_second_round_on(digits: Path, kind: ReviewKind) -> None:
    annotator_config = AnnotatorConfig("members", 9, 0.1, review_answers=4, review_kind=kind)
    config = replace(PROPAGATION_CONFIG, training=replace(PROPAGATION_CONFIG.training, rounds=2))
    results = [simulate_session(name, digits, annotator_config, config) for name in ("first", "second")]
    counts = results[0].answers_by_kind
    assert counts.pages + counts.corrections + counts.images == 4
    assert (counts.images == 4) == (kind == "images")
    assert results[0].answers_by_round == (9, 9)
    assert results[0].answers == counts.total == 18
    assert results[0].exported == results[1].exported  # reproducible
    assert results[0].to_dict()["answers_by_kind"] == results[1].to_dict()["answers_by_kind"]


@pytest.mark.parametrize(
    ("annotator", "answers", "recipe", "expected"),
    [
        ("members", 16, "photos", 8),
        ("members", 1, "features", 0),
        ("members", 16, "propagation", 0),
        ("members", 16, "paper", 0),
        ("centre", 16, "photos", 0),
    ],
)
def test_half_of_the_answers_are_spent_on_review_where_questions_stay_as_large(
    annotator: AnnotatorName, answers: int, recipe: str, expected: int
) -> None:
    assert choose_review_answers(annotator, answers, RECIPES[recipe]) == expected


def test_nearest_images_of_mixed_clusters_are_named_by_default_with_features_alone() -> None:
    assert choose_mixed_answer("members", shows_images=True) == "nearest"
    assert choose_mixed_answer("members", shows_images=False) == "split"
    assert choose_mixed_answer("centre", shows_images=True) == "split"
