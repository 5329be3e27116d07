"""Tests of labels that are renewed after each epoch of a round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.session.conftest import RunTemplates
from tests.session.scripted_run import (
    PROPAGATION_CONFIG,
    answer_round,
    list_answers,
    run_to_end,
    session_digest,
    stop_within_epoch,
)
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.recipes import get_recipe
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.stored_arrays import EpochPredictions, RenewedLabels

pytestmark = pytest.mark.usefixtures("home")
THOROUGH = get_recipe("thorough")
CONFIG = replace(
    PROPAGATION_CONFIG,
    network=replace(PROPAGATION_CONFIG.network, cluster_heads=2, head_clusters=6),
    loss=THOROUGH.loss,
    propagation=THOROUGH.propagation,
    training=replace(PROPAGATION_CONFIG.training, batch_size=16, warmup_epochs=2, epochs_per_round=3),
)
"""Epochs 1 and 2 before the first round, 3 to 5 after it, and 6 to 8 after the second."""


def load_labels(session: Session, epoch: int) -> RenewedLabels:
    return stored_arrays.load_arrays(session._store, file_names.labels_name(epoch), RenewedLabels)


def answer_all(session: Session) -> None:
    """Answer all clusters of a round with the classes in turn, and close it."""
    for index, cluster in enumerate(session.round_view().clusters):
        session.record_answer(cluster.path, ClassAnswer(index))
    session.close_round()


def test_epochs_of_a_round_after_its_first_train_on_renewed_labels(runs: RunTemplates) -> None:
    session = runs.open("renewed", CONFIG)
    answer_all(session)
    list(session.advance())
    renewed = [load_labels(session, epoch) for epoch in (4, 5)]
    recorded = [
        stored_arrays.load_arrays(session._store, file_names.predictions_name(epoch), EpochPredictions)
        for epoch in (3, 4, 5)
    ]
    for labels, predictions in zip(renewed, recorded[1:], strict=True):
        np.testing.assert_array_equal(labels.class_ids, predictions.propagated_class_ids)
        np.testing.assert_array_equal(labels.weights, predictions.propagated_weights)
    assert (recorded[0].propagated_weights != renewed[0].weights).any()
    assert (renewed[0].weights != renewed[1].weights).any()
    for epoch in (1, 2, 3):
        assert not session._repository.find_fingerprint(file_names.labels_name(epoch))
    session.close()


def test_interrupted_epoch_continues_on_its_renewed_labels(runs: RunTemplates) -> None:
    """The result is the same as without interruption, whenever the session is stopped."""
    runs.copy("interrupted", CONFIG)
    session = lifecycle.resume("interrupted")
    list(session.advance())
    for _ in range(3):
        stop_within_epoch_after_answers(session)
        session.close()
        session = lifecycle.resume("interrupted")
    list(run_to_end(session))
    session.close()
    assert (session_digest("interrupted"), list_answers("interrupted")) == runs.result(CONFIG)


def stop_within_epoch_after_answers(session: Session) -> None:
    """Answer as the scripted run does, if a round is open, and stop within the next epoch."""
    if session.phase == "labelling":
        list(session.advance())
        list(answer_round(session))
        session.close_round()
    stop_within_epoch(session)


@pytest.mark.parametrize("is_within_epoch", [True, False])
def test_lost_renewed_labels_cost_no_answer(runs: RunTemplates, is_within_epoch: bool) -> None:
    """Between two epochs they are computed anew; within one, it goes on with the labels that the round began with."""
    session = runs.open("lost", CONFIG)
    answer_all(session)
    answer_count = session._repository.count_answers()
    events = session.advance()
    for _ in events:
        if session._repository.find_fingerprint(file_names.labels_name(4)):
            break
    events.close()
    if is_within_epoch:
        stop_within_epoch(session)
    intact = load_labels(session, 4)
    session.close()
    name = file_names.labels_name(4)
    for copy_name in (name, file_names.second_copy_name(name)):
        (session.directory / copy_name).write_bytes(b"damaged")
    session = lifecycle.resume("lost")
    list(session.advance())
    assert session.round_number == 2
    assert session._repository.count_answers() == answer_count
    labels = load_labels(session, 4)
    assert (labels.weights == intact.weights).all() == (not is_within_epoch)
    session.close()
