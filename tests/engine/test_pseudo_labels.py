"""Tests of labelled sets and of equation 2."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.random_clusters import cluster_randomly, split_cluster
from vaetui.engine.answers import Answer, ClassAnswer, ClusterPath, Split, Unreadable
from vaetui.engine.clusters import find_cluster, iter_leaves
from vaetui.engine.pseudo_labels import LabelledSet, concat_labelled_sets, label_answered_images, label_by_cluster


def test_weight_of_a_member_is_confidence_times_exp_of_its_distance() -> None:
    _, tree = cluster_randomly(0, 120, 3)
    pseudo_labels = label_by_cluster(tree, {(1,): ClassAnswer(7, 0.8)}, 120, decay=0.2)
    cluster = find_cluster(tree, (1,))
    assert np.allclose(pseudo_labels.weights[cluster.members], 0.8 * np.exp(-0.2 * cluster.distances))
    assert set(pseudo_labels.class_ids[cluster.members]) == {7}
    assert pseudo_labels.label_coverage == len(cluster.members) / 120


def test_split_cluster_labels_only_the_members_of_answered_sub_clusters() -> None:
    latents, tree = cluster_randomly(1, 120, 3)
    tree = split_cluster(latents, tree, (0,), 2, 1)
    pseudo_labels = label_by_cluster(tree, {(0,): Split(2), (0, 1): ClassAnswer(4)}, 120, decay=0.2)
    assert np.flatnonzero(pseudo_labels.weights).tolist() == sorted(find_cluster(tree, (0, 1)).members)


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 20),
    st.lists(st.one_of(st.none(), st.just(Unreadable()), st.builds(ClassAnswer, st.integers(0, 9), st.floats(0, 1)))),
    st.floats(0, 3),
)
def test_weights_are_0_to_1_and_0_without_a_class(seed: int, root_answers: list[Answer | None], decay: float) -> None:
    _, tree = cluster_randomly(seed, 60, 4)
    answers: dict[ClusterPath, Answer] = {
        (index,): answer for index, answer in enumerate(root_answers[:4]) if answer is not None
    }
    weights = label_by_cluster(tree, answers, 60, decay).weights
    assert np.all((weights >= 0) & (weights <= 1))
    for cluster in iter_leaves(tree):
        if not isinstance(answers.get(cluster.path), ClassAnswer):
            assert not weights[cluster.members].any()


def test_last_label_of_an_image_counts() -> None:
    first = LabelledSet(np.array([1, 2]), np.array([5, 5]), np.array([1.0, 1.0]), np.ones(2))
    second = LabelledSet(np.array([2]), np.array([7]), np.array([0.5]), np.ones(1))
    pseudo_labels = label_answered_images(concat_labelled_sets([first, second]), 4)
    assert pseudo_labels.class_ids.tolist() == [0, 5, 7, 0]
    assert pseudo_labels.weights.tolist() == [0, 1, 0.5, 0]
