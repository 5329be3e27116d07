"""Pages of single images to correct, of a real session with copies among its images."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.idx import write_idx, write_small_mnist
from tests.session.scripted_run import PROPAGATION_CONFIG, answer_round
from tests.session_templates import SessionTemplates
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Unreadable
from vaetui.engine.classes import MergeClass
from vaetui.engine.images import read_idx_array
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.session.review_views import ReviewImage
from vaetui.session.session import Session

COPY_COUNT = 60
"""The last images of the set equal the first ones."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session that waits for answers in round 2."""
    data = write_small_mnist(tmp_path_factory.mktemp("data"), train=540, test=50)
    for name, axes in (("train-images-idx3-ubyte", 3), ("train-labels-idx1-ubyte", 1)):
        array = read_idx_array(data / name, axes)
        write_idx(data / name, np.concatenate([array, array[:COPY_COUNT]]))
    directory = tmp_path_factory.mktemp("session")
    lifecycle.create_at(directory, str(data), PROPAGATION_CONFIG)
    with closing(lifecycle.resume_at(directory)) as session:
        list(session.advance())
        list(answer_round(session))
        session.close_round()
        list(session.advance())
    return directory


@pytest.fixture
def session(template: Path, tmp_path: Path) -> Iterator[Session]:
    """A copy of that session, with its labels loaded."""
    with closing(lifecycle.resume_at(Path(shutil.copytree(template, tmp_path / "session")))) as session:
        list(session.load_labelling())
        yield session


def accept(session: Session, page: tuple[ReviewImage, ...], corrections: dict[int, int] | None = None) -> None:
    """Record a page; `corrections` are classes by position."""
    session.record_image_answers(
        [
            AnsweredImage(
                image.image_index,
                ClassAnswer((corrections or {}).get(position, image.label_class_id)),
                image.label_class_id,
            )
            for position, image in enumerate(page)
        ],
        "review",
    )


def find_largest_class(session: Session) -> int:
    return max(session.reviews.classes(), key=lambda item: item.image_count).class_id


def test_pages_hold_distinct_images_of_one_class_most_doubtful_first(session: Session) -> None:
    labelling = session.labellings.current
    assert labelling is not None
    for review_class in session.reviews.classes():
        class_id = review_class.class_id
        images = session.reviews.page(class_id, 1_000)
        indices = np.array([image.image_index for image in images])
        assert indices.max(initial=-1) < 540  # the copies come last
        assert (labelling.label_table.class_ids[indices] == class_id).all()
        assert len({*indices.tolist()}) == len(indices)
        assert (np.diff(labelling.doubts[indices]) <= 0).all()
        assert [image.confidence for image in images] == pytest.approx((1 - labelling.doubts[indices]).tolist())
        assert [image.second_class_id for image in images] == labelling.second_class_ids[indices].tolist()
        assert session.reviews.page(class_id, 5, 3) == images[3:8]


def test_a_page_of_no_class_holds_the_most_doubtful_images_of_all(session: Session) -> None:
    images = session.reviews.page(None, 1_000)
    assert len(images) == 540
    assert images[0].confidence == min(image.confidence for image in images)
    assert len({image.label_class_id for image in images}) > 1


def test_a_varied_page_holds_doubtful_images_that_differ(session: Session) -> None:
    labelling = session.labellings.current
    assert labelling is not None
    page = session.reviews.varied_page(None, 12)
    assert page == session.reviews.varied_page(None, 12)
    assert len({image.image_index for image in page}) == 12
    confidences = [image.confidence for image in page]
    assert confidences == sorted(confidences)
    doubtful = {image.image_index for image in session.reviews.page(None, 135)}  # a quarter
    assert {image.image_index for image in page} <= doubtful

    def distance_to_page(images: tuple[ReviewImage, ...]) -> float:
        candidates = labelling.embeddings[sorted(doubtful)]
        shown = labelling.embeddings[[image.image_index for image in images]]
        return float(np.linalg.norm(candidates[:, None] - shown, axis=2).min(axis=1).mean())

    assert distance_to_page(page) < distance_to_page(session.reviews.page(None, 12))
    accept(session, page)
    assert {image.image_index for image in session.reviews.varied_page(None, 12)}.isdisjoint(
        image.image_index for image in page
    )


def test_a_varied_page_of_a_small_class_holds_all_of_it(session: Session) -> None:
    class_id = min(session.reviews.classes(), key=lambda item: item.image_count).class_id
    images = session.reviews.page(class_id, 600)
    assert session.reviews.varied_page(class_id, len(images)) == images
    assert {image.label_class_id for image in session.reviews.varied_page(class_id, 3)} == {class_id}


def test_classes_come_by_their_expected_errors(session: Session) -> None:
    labelling = session.labellings.current
    assert labelling is not None
    table, classes = labelling.label_table, session.reviews.classes()
    assert sum(item.image_count for item in classes) == 600
    errors = [item.expected_errors for item in classes]
    assert errors == sorted(errors, reverse=True)
    for item in classes:
        assert item.image_count == (table.class_ids == item.class_id).sum()
        doubts = labelling.doubts[table.class_ids == item.class_id]
        assert item.expected_errors == pytest.approx(float(doubts.sum()), rel=1e-5)
        assert item.reviewed_count == 0


def test_an_accepted_page_is_not_shown_again_until_it_is_undone(session: Session) -> None:
    class_id = find_largest_class(session)
    page = session.reviews.page(class_id, 8)
    before = session.reviews.classes()
    other_id = page[2].second_class_id if page[2].second_class_id != class_id else (class_id + 1) % 10
    accept(session, page, {2: other_id})
    after = {item.class_id: item for item in session.reviews.classes()}
    assert {image.image_index for image in session.reviews.page(class_id, 8)}.isdisjoint(
        image.image_index for image in page
    )
    copies = sum(1 + (image.image_index < COPY_COUNT) for image in page)
    corrected = 1 + (page[2].image_index < COPY_COUNT)
    assert after[class_id].reviewed_count == copies - corrected
    assert after[other_id].reviewed_count == corrected
    session.undo()
    assert session.reviews.page(class_id, 8) == page
    assert session.reviews.classes() == before


def test_unreadable_images_leave_their_class(session: Session) -> None:
    class_id = find_largest_class(session)
    before = {item.class_id: item.image_count for item in session.reviews.classes()}
    image = next(image for image in session.reviews.page(class_id, 600) if image.image_index < COPY_COUNT)
    session.record_image_answers([AnsweredImage(image.image_index, Unreadable(), class_id)], "review")
    after = {item.class_id: item.image_count for item in session.reviews.classes()}
    assert after == {**before, class_id: before[class_id] - 2}  # with its copy
    assert image not in session.reviews.page(class_id, 600)


def test_progress_counts_the_last_three_pages(session: Session) -> None:
    class_id = find_largest_class(session)
    assert (session.reviews.progress().pages, session.reviews.progress().shown) == (0, 0)
    pages: tuple[dict[int, int], ...] = (
        {position: (class_id + position + 1) % 10 for position in range(3)},
        {},
        {0: (class_id + 1) % 10},
        {},
    )
    for corrections in pages:
        accept(session, session.reviews.page(class_id, 6), corrections)
    progress = session.reviews.progress()
    assert (progress.pages, progress.last_pages, progress.shown, progress.changed) == (4, 3, 18, 1)
    session.record_image_answers([AnsweredImage(0, ClassAnswer(1))], "audit")
    assert session.reviews.progress() == progress


def test_pairs_are_the_classes_between_which_images_are_doubtful(session: Session) -> None:
    pairs = session.reviews.pairs()
    assert [pair.count for pair in pairs] == sorted((pair.count for pair in pairs), reverse=True)
    first = pairs[0]
    assert first.class_a < first.class_b
    left, right = session.reviews.pair_page(first.class_a, first.class_b, 600)
    assert {(image.label_class_id, image.second_class_id) for image in left} <= {(first.class_a, first.class_b)}
    assert {(image.label_class_id, image.second_class_id) for image in right} <= {(first.class_b, first.class_a)}
    expected = sum(1 - image.confidence for image in (*left, *right))
    assert first.count == round(expected)
    assert session.reviews.pair_page(first.class_a, first.class_b, 2) == (left[:2], right[:2])


def test_the_border_search_orders_a_class_by_distance_from_its_centre(session: Session) -> None:
    labelling = session.labellings.current
    assert labelling is not None
    class_id = find_largest_class(session)
    search = session.reviews.border(class_id, 16)
    images = np.array(search.image_indices)
    assert {*images.tolist()} == {image.image_index for image in session.reviews.page(class_id, 600)}
    centre = labelling.embeddings[images].mean(axis=0)
    distances = np.linalg.norm(labelling.embeddings[images] - centre, axis=1)
    assert np.corrcoef(distances, np.arange(len(images)))[0, 1] > 0.8
    while not search.is_done:
        search = search.with_answer(fits=(search.page_number or 0) <= 2)
    assert search.result == search.image_indices[32:]
    before = {item.class_id: item.image_count for item in session.reviews.classes()}
    session.record_border(class_id, search.result)
    copies = sum(1 + (image_index < COPY_COUNT) for image_index in search.result)
    count = {item.class_id: item.image_count for item in session.reviews.classes()}[class_id]
    assert before[class_id] - copies <= count < before[class_id] - copies // 2  # images that were shown keep it
    assert len(session.reviews.border(class_id, 16).image_indices) < len(images)


def test_the_next_page_of_a_class_is_expected_to_hold_the_sum_of_its_doubts(session: Session) -> None:
    class_id = find_largest_class(session)
    expected = sum(1 - image.confidence for image in session.reviews.page(class_id, 7))
    assert session.reviews.expected_errors_on_next_page(class_id, 7) == pytest.approx(expected, rel=1e-5)


def test_after_an_audit_the_expected_errors_are_calibrated_and_the_order_stays(session: Session) -> None:
    class_id = find_largest_class(session)
    before = session.reviews.page(class_id, 20)
    truth = np.array(load_true_classes(session))
    list(session.audits.start("full"))
    while (view := session.audits.view) is not None and view.part != "done":
        session.audits.record(
            [(item.position, ClassAnswer(int(truth[item.image_index]))) for item in view.items if item.check is None]
        )
    labelling = session.labellings.current
    assert labelling is not None
    assert labelling.label_table.calibration is not None
    after = session.reviews.page(class_id, 20)
    assert [image.image_index for image in after] == [image.image_index for image in before]
    assert [image.confidence for image in after] != [image.confidence for image in before]
    errors = sum(item.expected_errors for item in session.reviews.classes())
    assert errors == pytest.approx(float((1 - labelling.label_table.confidences).sum()), rel=1e-4)
    wrong_count = (labelling.label_table.class_ids != truth).sum()
    assert errors == pytest.approx(wrong_count, abs=0.2 * len(truth))


def load_true_classes(session: Session) -> list[int]:
    assert session.true_labels is not None
    labels = session.true_labels.train_validation_labels
    assert labels is not None
    return [int(class_id) for class_id in labels.class_ids]


def test_merged_classes_are_reviewed_as_one(session: Session) -> None:
    before = {item.class_id: item.image_count for item in session.reviews.classes()}
    source_id, target_id = sorted(before)[:2]
    session.edit_classes(MergeClass(source_id, target_id))
    after = {item.class_id: item.image_count for item in session.reviews.classes()}
    assert source_id not in after
    assert after[target_id] == before[source_id] + before[target_id]
    assert {image.label_class_id for image in session.reviews.page(target_id, 600)} == {target_id}


def test_a_review_before_the_labels_are_loaded_is_refused(template: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(template, tmp_path / "session"))
    with closing(lifecycle.resume_at(directory)) as session:
        list(session.advance())
        with pytest.raises(UserError, match="not loaded"):
            session.reviews.classes()


@pytest.mark.usefixtures("home")
def test_a_finished_session_without_propagation_is_reviewed_by_cluster_labels(templates: SessionTemplates) -> None:
    templates.copy("finished", "demo")
    with closing(lifecycle.resume("demo")) as session:
        list(session.advance())
        list(session.load_labelling())
        classes = session.reviews.classes()
        assert len(classes) > 1
        for item in classes:
            page = session.reviews.page(item.class_id, 600)
            assert 0 < len(page) <= item.image_count
            assert len(session.reviews.varied_page(item.class_id, 4)) == min(4, len(page))
            assert len(session.reviews.border(item.class_id, 8).image_indices) == len(page)
        session.reviews.pairs()
        accept(session, session.reviews.page(classes[0].class_id, 5))
        assert session.reviews.progress().shown == 5
