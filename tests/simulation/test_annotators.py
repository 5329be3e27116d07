"""What the stand-ins make of a cluster, and which key they hit."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaetui.engine.ground_truth import TrueLabels
from vaetui.simulation.annotators import CentreAnnotator, Judgement, LabelNoise, MembersAnnotator
from vaetui.simulation.reader_cache import TrainedReader

BLANK = np.zeros((28, 28), np.uint8)


def test_members_are_called_what_most_of_them_are_with_their_share() -> None:
    annotator = MembersAnnotator(TrueLabels(np.array([4, 9, 4, 4, 7, 4], np.uint8)))
    assert annotator.judge(BLANK, np.array([0, 1, 2, 3])) == Judgement(4, 0.75)
    assert annotator.judge(BLANK, np.array([4])) == Judgement(7, 1.0)


def test_the_centre_alone_is_read(shelved: TrainedReader) -> None:
    annotator = CentreAnnotator(shelved.reader)
    assert annotator.member_count == 0
    picture = np.full((28, 28), 90, np.uint8)
    opinions = shelved.reader.predict(picture[None])
    expected = Judgement(int(opinions.class_ids[0]), float(opinions.confidences[0]))
    assert annotator.judge(picture, np.array([], np.int64)) == expected


@given(st.integers(0, 9), st.floats(0.0, 1.0), st.integers(0, 2**31))
def test_steady_fingers_type_what_was_meant_in_tenths(label: int, share: float, seed: int) -> None:
    typed = LabelNoise(10, 0.0, seed).make_answer(Judgement(label, share))
    assert typed.class_id == label
    assert typed.confidence in [tenth / 10 for tenth in range(1, 11)]
    assert abs(typed.confidence - share) <= 0.1


def test_a_wrong_key_is_always_another_class_and_any_of_them() -> None:
    fingers = LabelNoise(10, 1.0, seed=3)
    typed = Counter(fingers.make_answer(Judgement(4, 1.0)).class_id for _ in range(300))
    assert set(typed) == set(range(10)) - {4}


@pytest.mark.parametrize("rate", [0.02, 0.2])
def test_wrong_keys_are_as_frequent_as_asked_and_the_same_every_time(rate: float) -> None:
    runs = []
    for _ in range(2):
        fingers = LabelNoise(10, rate, seed=5)
        runs.append([fingers.make_answer(Judgement(4, 1.0)).class_id != 4 for _ in range(3000)])
    assert runs[0] == runs[1]
    # Four standard deviations of a binomial share on either side.
    assert abs(np.mean(runs[0]) - rate) < 4 * np.sqrt(rate * (1 - rate) / 3000)
