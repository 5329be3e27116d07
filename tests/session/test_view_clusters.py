"""Tests of rounds that cluster three views of each image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.config import MAX_HIDDEN_COMPONENTS, MAX_PIXEL_COMPONENTS
from vaetui.session import lifecycle

pytestmark = pytest.mark.usefixtures("home")
Z_DIM = PROPAGATION_CONFIG.network.z_dim
VIEW_LENGTH = MAX_HIDDEN_COMPONENTS + Z_DIM + MAX_PIXEL_COMPONENTS


def test_all_rounds_are_clustered_by_three_views(runs: RunTemplates) -> None:
    session = runs.open("views", PROPAGATION_CONFIG, 1)
    for round_number in (1, 2):
        labelling_round = session.require_current_round()
        assert labelling_round.round_number == round_number
        snapshot = labelling_round.snapshot
        assert snapshot.latents.shape[1] == Z_DIM
        assert snapshot.views.shape == (len(snapshot.latents), VIEW_LENGTH)
        assert snapshot.centres.shape[1] == VIEW_LENGTH
        np.testing.assert_array_equal(labelling_round.embeddings, snapshot.views)
        for cluster in labelling_round.tree:
            distances = np.linalg.norm(labelling_round.select_embeddings(cluster.members) - cluster.centre, axis=1)
            np.testing.assert_allclose(distances, cluster.distances, atol=1e-5)
            assert cluster.centre_image.any(), "decoded from the latent vectors of the members"
        for index, cluster in enumerate(session.round_view().clusters):
            session.record_answer(cluster.path, ClassAnswer(index % 10))
        session.close_round()
        list(session.advance())
    session.close()


def test_clusters_of_views_are_split_and_their_parts_are_the_same_after_a_restart(runs: RunTemplates) -> None:
    session = runs.open("split", PROPAGATION_CONFIG, 1)
    path = max(session.round_view().clusters, key=lambda cluster: cluster.size).path
    list(session.split_cluster(path, 3))
    parts = session.require_current_round().find_cluster(path).children
    session.close()
    session = lifecycle.resume("split")
    list(session.advance())
    restored = session.require_current_round().find_cluster(path).children
    assert len(parts) == len(restored) == 3
    for part, other in zip(parts, restored, strict=True):
        assert part.centre.shape == (VIEW_LENGTH,)
        for name in ("centre", "members", "distances", "centre_image", "mean_image"):
            np.testing.assert_array_equal(getattr(part, name), getattr(other, name), err_msg=name)
    session.close()


def test_recipe_that_clusters_latent_vectors_stores_no_views(runs: RunTemplates) -> None:
    network = replace(PROPAGATION_CONFIG.network, clustered="latents")
    session = runs.open("latents", replace(PROPAGATION_CONFIG, network=network), 1)
    snapshot = session.require_current_round().snapshot
    assert snapshot.views.shape[1] == 0
    assert snapshot.centres.shape[1] == Z_DIM
    session.close()
