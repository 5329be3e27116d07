"""Answers spread to members by equation 2."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.test_clusters import clustering, cut
from vaetui.engine.answers import Answer, ClassAnswer, Split, Unreadable
from vaetui.engine.clusters import find_cluster, iter_leaves
from vaetui.engine.pseudo_labels import label_by_cluster


def test_a_member_weighs_confidence_times_exp_of_its_distance() -> None:
    _, tree = clustering(0, 120, 3)
    weights = label_by_cluster(tree, {(1,): ClassAnswer(7, 0.8)}, 120, decay=0.2)
    cluster = find_cluster(tree, (1,))
    assert np.allclose(weights.weights[cluster.members], 0.8 * np.exp(-0.2 * cluster.distances))
    assert set(weights.class_ids[cluster.members]) == {7}
    assert weights.label_coverage == len(cluster.members) / 120


def test_the_parts_of_a_split_cluster_speak_for_themselves() -> None:
    latents, tree = clustering(1, 120, 3)
    tree = cut(latents, tree, (0,), 2, 1)
    weights = label_by_cluster(tree, {(0,): Split(2), (0, 1): ClassAnswer(4)}, 120, decay=0.2)
    assert np.flatnonzero(weights.weights).tolist() == sorted(find_cluster(tree, (0, 1)).members)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 20),
    st.lists(st.one_of(st.none(), st.just(Unreadable()), st.builds(ClassAnswer, st.integers(0, 9), st.floats(0, 1)))),
    st.floats(0, 3),
)
def test_weights_lie_in_0_to_1_and_open_clusters_weigh_nothing(
    seed: int, said: list[Answer | None], decay: float
) -> None:
    _, tree = clustering(seed, 60, 4)
    answers = {(at,): answer for at, answer in enumerate(said[:4]) if answer is not None}
    weights = label_by_cluster(tree, answers, 60, decay)
    assert np.all((weights.weights >= 0) & (weights.weights <= 1))
    for cluster in iter_leaves(tree):
        if not isinstance(answers.get(cluster.path), ClassAnswer):
            assert not weights.weights[cluster.members].any()
