"""The facts about a session that its uncalibrated confidences depend on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG
from vaetui.engine.answers import ClassAnswer
from vaetui.session.label_evidence import collect_facts, estimate_confidences
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.stored_arrays import EpochPredictions

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize(("uncertainty_factor", "kind"), [(3.0, "narrowing"), (0.0, "images")])
def test_facts_compare_answers_with_predictions(runs: RunTemplates, uncertainty_factor: float, kind: str) -> None:
    cluster_config = replace(PROPAGATION_CONFIG.cluster, uncertainty_factor=uncertainty_factor)
    session = runs.open("facts", replace(PROPAGATION_CONFIG, cluster=cluster_config), round_number=2)
    labelling_round = session.require_current_round()
    predicted_class_ids = labelling_round.snapshot.predicted_class_ids
    for cluster in session.round_view().clusters:
        shown = predicted_class_ids[labelling_round.member_indices(cluster.path, "nearest", 8)]
        other = next(class_id for class_id in range(10) if class_id not in shown)
        session.record_answer(cluster.path, ClassAnswer(other))
    session.close_round()
    epoch = PROPAGATION_CONFIG.training.warmup_epochs + 2
    facts = collect_facts(session._repository, session._propagator, epoch, predicted_class_ids.astype(np.uint8))
    assert facts.kind == kind
    assert facts.later_images > facts.later_matches == 0
    assert facts.labelled_images > facts.labelled_matches > 0
    session.close()


def test_expected_accuracy_is_the_mean_confidence_of_the_stored_predictions(runs: RunTemplates) -> None:
    session = runs.open("expected", PROPAGATION_CONFIG, round_number=2)
    store, repository = session._store, session._repository
    epoch = repository.list_epochs()[-1]
    predictions = stored_arrays.load_arrays(store, file_names.predictions_name(epoch.epoch), EpochPredictions)
    confidences = estimate_confidences(
        *(store, repository, session._propagator, epoch.epoch), *(predictions.class_ids, predictions.leads)
    )
    assert confidences is not None
    assert epoch.expected_accuracy == pytest.approx(confidences.mean(dtype=np.float64))
    session.close()
