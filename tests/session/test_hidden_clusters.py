"""Tests of rounds that cluster the components of hidden units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.clusters import iter_leaves, to_metric_space
from vaetui.engine.config import MAX_HIDDEN_COMPONENTS, Config
from vaetui.session import lifecycle
from vaetui.session.session import Session

pytestmark = pytest.mark.usefixtures("home")


def open_second_round(runs: RunTemplates, name: str, config: Config = PROPAGATION_CONFIG, classes: int = 10) -> Session:
    """Answer ten clusters of the first round with some of the ten classes, and begin the second."""
    session = runs.open(name, config, 1)
    for cluster in session.round_view().clusters:
        list(session.split_cluster(cluster.path, 2))
    for index, cluster in enumerate(iter_leaves(session.require_current_round().tree)):
        session.record_answer(cluster.path, ClassAnswer(index % classes))
    session.close_round()
    list(session.advance())
    return session


def test_rounds_after_every_class_has_an_answer_are_clustered_by_hidden_units(runs: RunTemplates) -> None:
    session = open_second_round(runs, "hidden")
    assert session.round_number == 2
    labelling_round = session.require_current_round()
    snapshot = labelling_round.snapshot
    assert snapshot.latents.shape[1] == PROPAGATION_CONFIG.network.z_dim
    assert snapshot.hidden_components.shape == (len(snapshot.latents), MAX_HIDDEN_COMPONENTS)
    assert snapshot.centres.shape[1] == MAX_HIDDEN_COMPONENTS
    np.testing.assert_array_equal(labelling_round.embeddings, snapshot.hidden_components)
    for cluster in labelling_round.tree:
        distances = np.linalg.norm(labelling_round.select_embeddings(cluster.members) - cluster.centre, axis=1)
        np.testing.assert_allclose(distances, cluster.distances, atol=1e-5)
        assert cluster.centre_image.any(), "decoded from the latent vectors of the members"
    session.close()


def test_first_round_and_rounds_with_a_class_without_answer_are_clustered_by_latent_vectors(runs: RunTemplates) -> None:
    for session in (runs.open("first", PROPAGATION_CONFIG, 1), open_second_round(runs, "missing", classes=9)):
        labelling_round = session.require_current_round()
        snapshot = labelling_round.snapshot
        assert snapshot.hidden_components.shape == (len(snapshot.latents), 0)
        assert snapshot.centres.shape[1] == PROPAGATION_CONFIG.network.z_dim
        np.testing.assert_array_equal(labelling_round.embeddings, to_metric_space(snapshot.latents, "cosine"))
        session.close()


def test_clusters_of_hidden_units_are_split_and_their_parts_are_the_same_after_a_restart(runs: RunTemplates) -> None:
    session = open_second_round(runs, "split")
    path = max(session.round_view().clusters, key=lambda cluster: cluster.size).path
    list(session.split_cluster(path, 3))
    parts = session.require_current_round().find_cluster(path).children
    session.close()
    session = lifecycle.resume("split")
    list(session.advance())
    restored = session.require_current_round().find_cluster(path).children
    assert len(parts) == len(restored) == 3
    for part, other in zip(parts, restored, strict=True):
        assert part.centre.shape == (MAX_HIDDEN_COMPONENTS,)
        for name in ("centre", "members", "distances", "centre_image", "mean_image"):
            np.testing.assert_array_equal(getattr(part, name), getattr(other, name), err_msg=name)
    session.close()


def test_recipe_that_clusters_latent_vectors_does_so_in_all_rounds(runs: RunTemplates) -> None:
    network = replace(PROPAGATION_CONFIG.network, clustered="latents")
    session = open_second_round(runs, "latents", replace(PROPAGATION_CONFIG, network=network))
    snapshot = session.require_current_round().snapshot
    assert snapshot.hidden_components.shape[1] == 0
    assert snapshot.centres.shape[1] == network.z_dim
    session.close()
