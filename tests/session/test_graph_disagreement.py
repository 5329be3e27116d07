"""Tests of the disagreement of classifier and graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from tests.session.conftest import FINISHED, RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG
from vaetui.engine.classes import MergeClass
from vaetui.session.graph_disagreement import measure_disagreement
from vaetui.session.session import Session
from vaetui.session.session_status import load_status
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.stored_arrays import EpochPredictions

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def session(runs: RunTemplates) -> Iterator[Session]:
    """A session in its second round, after an epoch that learned from the answers of the first."""
    session = runs.open("differing", PROPAGATION_CONFIG, round_number=2)
    yield session
    session.close()


def load_predictions(session: Session, epoch: int) -> EpochPredictions:
    return stored_arrays.load_arrays(session._store, file_names.predictions_name(epoch), EpochPredictions)


def test_share_and_pairs_are_those_of_predictions_and_propagated_answers(session: Session) -> None:
    arrays = load_predictions(session, 2)
    rows = [
        (int(predicted), int(propagated))
        for predicted, propagated, weight in zip(
            arrays.class_ids, arrays.propagated_class_ids, arrays.propagated_weights, strict=True
        )
        if weight > 0
    ]
    differing = [(min(pair), max(pair)) for pair in rows if pair[0] != pair[1]]
    assert differing, "the small networks of this run differ from the graph"
    disagreement = measure_disagreement(session._store, session._repository, 2)
    assert disagreement is not None
    assert disagreement.share == pytest.approx(len(differing) / len(rows))
    assert {(first, second): count for first, second, count in disagreement.pairs} == Counter(differing)
    counts = [count for *_, count in disagreement.pairs]
    assert counts == sorted(counts, reverse=True)
    assert session.training_curves().disagreement == disagreement


def test_propagated_answers_are_those_that_the_epoch_trained_on(session: Session) -> None:
    arrays = load_predictions(session, 2)
    labelled_set = session._propagator.load_round_labels(1).labelled_set
    assert np.array_equal(arrays.propagated_class_ids[labelled_set.indices], labelled_set.class_ids)
    assert (arrays.propagated_weights[labelled_set.indices] > 0).all()


def test_merged_classes_do_not_differ_any_more(session: Session) -> None:
    before = session.training_curves().disagreement
    assert before is not None
    first, second, count = before.pairs[0]
    session.edit_classes(MergeClass(second, first))
    after = session.training_curves().disagreement
    assert after is not None
    labelled_count = np.count_nonzero(load_predictions(session, 2).propagated_weights)
    assert after.share == pytest.approx(before.share - count / labelled_count)
    assert all(second not in pair[:2] for pair in after.pairs)
    session.undo()
    assert session.training_curves().disagreement == before


def test_status_names_the_classes_that_differ_once_every_class_has_an_answer(session: Session) -> None:
    assert load_status("differing")["disagreement"] is None
    for class_id in session.round_view().unanswered_class_ids:
        session.edit_classes(MergeClass(class_id, 0))
    disagreement = session.training_curves().disagreement
    assert disagreement is not None
    assert load_status("differing")["disagreement"] == {
        "share": disagreement.share,
        "pairs": [
            {"classes": [str(first), str(second)], "images": count} for first, second, count in disagreement.pairs
        ],
    }


def test_nothing_is_measured_before_labels_without_predictions_and_for_a_lost_file(
    session: Session, runs: RunTemplates
) -> None:
    assert measure_disagreement(session._store, session._repository, 1) is None
    name = file_names.predictions_name(2)
    for path in (session.directory / name, session.directory / file_names.second_copy_name(name)):
        path.write_bytes(b"damaged")
    assert measure_disagreement(session._store, session._repository, 2) is None
    paper = runs.open("paper", SMALL_CONFIG, FINISHED)
    assert paper.training_curves().disagreement is None
    paper.close()
