"""Only classes that the networks were trained on are predicted and exported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.classes import AddClass, MergeClass
from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.export.label_table import ANSWER, CLASSIFIER, NO_CLASS_ID, PROPAGATED
from vaetui.runtime.session_runner import drain_events
from vaetui.session.learned_classes import find_learned_class_ids, find_trained_class_ids
from vaetui.session.predictor import Predictor
from vaetui.session.session import Session

pytestmark = pytest.mark.usefixtures("home")
CONFIGS = pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=lambda config: config.recipe)
NEW_IMAGES = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)


def answer(session: Session, *class_ids: int) -> None:
    """Answer the first clusters with these classes, and the others as unreadable."""
    for cluster in session.round_view().clusters:
        is_named = cluster.path[0] < len(class_ids)
        session.record_answer(cluster.path, ClassAnswer(class_ids[cluster.path[0]]) if is_named else Unreadable())


def close_and_train(session: Session) -> None:
    session.close_round()
    list(session.advance())


def predict_class_ids(name: str) -> set[int]:
    predictions = drain_events(Predictor(name).predict(NEW_IMAGES))
    assert 0 < predictions.confidences.min() <= predictions.confidences.max() <= 1
    return set(predictions.class_ids.tolist())


@CONFIGS
def test_before_training_with_answers_only_answered_images_have_a_label(config: Config, runs: RunTemplates) -> None:
    session = runs.open("answered", config)
    answer(session, 3, 5)
    table = drain_events(session.build_label_table())
    has_label = table.class_ids != NO_CLASS_ID
    assert 0 < has_label.sum() < len(table)
    assert set(table.class_ids[has_label].tolist()) == {3, 5}
    assert set(table.source_ids[has_label].tolist()) <= {ANSWER, PROPAGATED}
    assert (table.confidences[~has_label] == 0).all()
    session.close()
    with pytest.raises(UserError, match="answered has not learned any class yet"):
        predict_class_ids("answered")


@CONFIGS
def test_classes_that_nobody_named_are_neither_exported_nor_predicted(config: Config, runs: RunTemplates) -> None:
    session = runs.open("named", config)
    answer(session, 3, 5, 3)
    close_and_train(session)
    table = drain_events(session.build_label_table())
    assert set(table.class_ids.tolist()) == {3, 5}
    assert CLASSIFIER in table.source_ids
    is_classified = table.source_ids == CLASSIFIER
    confidences = table.confidences[is_classified]
    assert ((confidences > 0) & (confidences < 1)).all(), "estimates, whatever the classifier says"
    answer(session, 7)  # not trained on yet
    table = drain_events(session.build_label_table())
    assert set(table.class_ids[table.source_ids == CLASSIFIER].tolist()) <= {3, 5}
    session.close()
    assert predict_class_ids("named") <= {3, 5}
    with pytest.raises(UserError, match=r"have not learned class 7\. Choose one of: 3, 5\."):
        drain_events(Predictor("named").generate_samples(2, 7, 0))
    assert drain_events(Predictor("named").generate_samples(2, 5, 0)).shape == (2, 28, 28)


@CONFIGS
def test_one_named_class_makes_no_prediction(config: Config, runs: RunTemplates) -> None:
    session = runs.open("single", config)
    answer(session, 3)
    close_and_train(session)
    table = drain_events(session.build_label_table())
    assert set(table.class_ids.tolist()) == {3, NO_CLASS_ID}
    assert CLASSIFIER not in table.source_ids
    session.close()
    predictor = Predictor("single")
    predictor.require_learned_classes()
    with pytest.raises(
        UserError, match=r"single has learned name one class, 3\. Name a second one with: vaetui resume"
    ):
        predict_class_ids("single")


def test_a_finished_session_with_one_class_is_not_to_be_resumed(runs: RunTemplates) -> None:
    session = runs.open("done", replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, rounds=1)))
    answer(session, 3)
    close_and_train(session)
    session.close()
    with pytest.raises(UserError, match=r"name one class, 3\. It has no round left to answer; create another session"):
        predict_class_ids("done")


@CONFIGS
@pytest.mark.parametrize("class_ids", [(3,), (3, 5, 3)])
def test_summary_counts_no_image_for_a_class_that_nobody_named(
    config: Config, class_ids: tuple[int, ...], runs: RunTemplates
) -> None:
    """The networks may predict other classes; with one class, only images with an answer have a label."""
    session = runs.open("counted", replace(config, training=replace(config.training, rounds=1)))
    answer(session, *class_ids)
    close_and_train(session)
    assert session.phase == "finished"
    counts = dict(session.summary().class_counts)
    assert {class_id for class_id, count in counts.items() if count} == {*class_ids}
    table = drain_events(session.build_label_table())
    direct_counts = np.bincount(table.class_ids[table.source_ids <= PROPAGATED], minlength=10)
    images = session._resources.images
    assert images is not None
    if len({*class_ids}) == 1:
        assert list(counts.values()) == direct_counts.tolist()
    assert sum(counts.values()) <= len(images.train)
    assert set(session.summary().unanswered_class_ids) == {*range(10)} - {*class_ids}
    session.close()


def test_undone_and_replaced_answers_and_those_without_confidence_teach_no_class(runs: RunTemplates) -> None:
    session = runs.open("changed")
    session.record_answer((0,), ClassAnswer(1))
    session.record_answer((0,), ClassAnswer(2))
    session.record_answer((1,), ClassAnswer(3))
    session.record_answer((2,), ClassAnswer(4, 0.0))
    session.record_answer((3,), ClassAnswer(5))
    session.undo()
    list(session.split_cluster((4,), 2))
    session.record_answer((4, 0), ClassAnswer(6))
    close_and_train(session)
    epoch = len(session.training_curves().finished_epochs)
    assert find_trained_class_ids(session.config, session._repository, epoch - 1) == ()
    assert find_learned_class_ids(session.config, session._repository, epoch) == (2, 3, 6)
    session.close()


def test_merged_and_added_classes_count_from_the_next_epoch_on(runs: RunTemplates) -> None:
    session = runs.open("merged")
    answer(session, 3, 4, 5)
    close_and_train(session)
    session.edit_classes(MergeClass(4, 9))
    session.edit_classes(MergeClass(5, 9))
    session.edit_classes(AddClass(10, "ten"))
    epoch = len(session.training_curves().finished_epochs)
    assert find_learned_class_ids(session.config, session._repository, epoch) == (3, 9)
    assert set(drain_events(session.build_label_table()).class_ids.tolist()) <= {3, 9}
    answer(session, 10)
    assert find_learned_class_ids(session.config, session._repository, epoch) == (3, 9)
    close_and_train(session)
    assert find_learned_class_ids(session.config, session._repository, epoch + 1) == (3, 9, 10)
    session.close()
    assert predict_class_ids("merged") <= {3, 9, 10}
