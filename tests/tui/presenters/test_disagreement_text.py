"""Tests of the sentence about the disagreement of classifier and graph."""

from __future__ import annotations

import pytest

from vaetui.session.views import Disagreement
from vaetui.tui.presenters.disagreement_text import describe_disagreement
from vaetui.tui.presenters.expected_accuracy import fit_texts

NAMES = ("cat", "owl", "fox")


@pytest.mark.parametrize(
    ("disagreement", "text"),
    [
        (
            Disagreement(0.052, ((0, 2, 300), (0, 1, 12))),
            "Classifier and graph differ on 5 % of the images, most of them cat and fox",
        ),
        (
            Disagreement(0.3, ((0, 2, 300), (0, 1, 290), (1, 2, 200))),
            "Classifier and graph differ on 30 % of the images, most often cat and fox",
        ),
        (
            Disagreement(0.004, ((1, 2, 3),)),
            "Classifier and graph differ on less than 1 % of the images, most of them owl and fox",
        ),
        (Disagreement(0.0, ()), "Classifier and graph agree on all images"),
    ],
)
def test_share_and_most_frequent_pair_are_named(disagreement: Disagreement, text: str) -> None:
    assert describe_disagreement(disagreement, NAMES)[0] == text


def test_nothing_is_said_without_a_measurement() -> None:
    assert describe_disagreement(None, NAMES) == []


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (70, "Classifier and graph differ on 5 %: cat and fox"),
        (38, "Graph differs on 5 %: cat and fox"),
        (30, "Graph differs on 5 %"),
        (10, ""),
    ],
)
def test_shorter_texts_stand_where_the_sentence_does_not_fit(cells: int, text: str) -> None:
    assert fit_texts([describe_disagreement(Disagreement(0.05, ((0, 2, 3),)), NAMES)], cells) == text
