"""Tests of the advice after the first round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from vaetui.engine.answers import Answer, ClassAnswer, NearestImageAnswer, Split, Unreadable
from vaetui.session.feature_advice import FEATURES_ADVICE, OTHER_FEATURES_ADVICE, advise_features
from vaetui.session.views import ClusterView, RoundView


def build_round(answers: Sequence[Answer | None], round_number: int = 1, parts: int = 0) -> RoundView:
    """Return a round whose clusters have these answers; each split one has some parts with a class."""
    views = []
    for index, answer in enumerate(answers):
        paths = [(index,), *((index, part) for part in range(parts) if isinstance(answer, Split))]
        for path in paths:
            shown = answer if len(path) == 1 else ClassAnswer(0)
            views.append(ClusterView(path, np.zeros((2, 2), np.uint8), 10, 1.0, shown, None, (), 1.0))
    return RoundView(round_number, 4, tuple(views), 0, len(answers), (), 0, (None,) * 10, None, None)


CLASS: Answer = ClassAnswer(3)


@pytest.mark.parametrize("mixed", [Split(4), Unreadable(), NearestImageAnswer(2, 5)])
def test_vectors_are_advised_if_most_clusters_of_the_first_round_mix_classes(mixed: Answer) -> None:
    round_view = build_round([mixed] * 9 + [CLASS] * 7)
    assert advise_features(round_view, has_features=False) == FEATURES_ADVICE
    assert advise_features(round_view, has_features=True) == OTHER_FEATURES_ADVICE


def test_no_advice_if_nearly_all_clusters_have_a_class() -> None:
    few_mixed: list[Answer] = [Split(4), Unreadable(), NearestImageAnswer(2, 5), Split(2)]
    assert advise_features(build_round([CLASS] * 12 + few_mixed), False) is None
    assert advise_features(build_round([CLASS] * 11 + [*few_mixed, Unreadable()]), False) == FEATURES_ADVICE


def test_other_vectors_are_advised_only_if_most_clusters_mix_classes() -> None:
    assert advise_features(build_round([CLASS] * 8 + [NearestImageAnswer(2, 5)] * 8), True) is None
    assert advise_features(build_round([CLASS] * 7 + [NearestImageAnswer(2, 5)] * 9), True) == OTHER_FEATURES_ADVICE


def test_parts_of_a_split_cluster_do_not_outvote_it() -> None:
    assert advise_features(build_round([Split(4)] * 9 + [CLASS] * 7, parts=4), False) == FEATURES_ADVICE


def test_no_advice_before_enough_clusters_are_answered_and_none_in_later_rounds() -> None:
    assert advise_features(build_round([Unreadable()] * 4 + [None] * 12), False) is None
    assert advise_features(build_round([Unreadable()] * 16, round_number=2), False) is None


def test_unanswered_clusters_do_not_count() -> None:
    assert advise_features(build_round([Unreadable()] * 5 + [None] * 11), False) == FEATURES_ADVICE


def test_advice_names_only_options_and_models_that_exist() -> None:
    from vaetui.cli.main import new
    from vaetui.features.model_names import DEFAULT_MODEL, MODEL_ALIASES

    assert "--features" in {name for parameter in new.params for name in parameter.opts}
    assert f"--features {DEFAULT_MODEL}" in FEATURES_ADVICE
    assert OTHER_FEATURES_ADVICE.split()[-1].rstrip(".") in MODEL_ALIASES
