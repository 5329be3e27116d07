"""The judgements of the annotators, and label noise."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.simulated_sessions import BrightnessReader
from vaetui.engine.classes import NO_LABEL
from vaetui.engine.true_labels import TrueLabels
from vaetui.simulation.annotators import CentreAnnotator, Judgement, LabelNoise, MembersAnnotator

BLANK_IMAGE = np.zeros((28, 28), np.uint8)


def test_members_annotator_returns_the_majority_class_and_its_fraction() -> None:
    annotator = MembersAnnotator(TrueLabels(np.array([4, 9, 4, 4, 7, 4], np.uint8)))
    assert annotator.judge(BLANK_IMAGE, np.array([0, 1, 2, 3])) == Judgement(4, 0.75)
    assert annotator.judge(BLANK_IMAGE, np.array([4])) == Judgement(7, 1.0)


def test_members_annotator_judges_by_the_labelled_members() -> None:
    annotator = MembersAnnotator(TrueLabels(np.array([4, NO_LABEL, 4, 7, 4, NO_LABEL], np.uint8)))
    assert annotator.judge(BLANK_IMAGE, np.arange(6)) == Judgement(4, 0.75)
    assert annotator.judge(BLANK_IMAGE, np.array([1, 3])) == Judgement(7, 1.0)
    assert annotator.judge(BLANK_IMAGE, np.array([1, 5])).confidence == 0


def test_centre_annotator_returns_the_prediction_for_the_centre() -> None:
    reader = BrightnessReader()
    annotator = CentreAnnotator(reader)
    assert annotator.member_count == 0
    image = np.full((28, 28), 97, np.uint8)
    predictions = reader.predict(image[None])
    expected = Judgement(int(predictions.class_ids[0]), float(predictions.confidences[0]))
    assert annotator.judge(image, np.array([], np.int64)) == expected


@settings(max_examples=50)
@given(st.integers(0, 9), st.floats(0.0, 1.0), st.integers(0, 2**31))
def test_without_noise_the_answer_is_the_judgement_in_tenths(class_id: int, confidence: float, seed: int) -> None:
    answer = LabelNoise(10, 0.0, seed).apply_noise(Judgement(class_id, confidence))
    assert answer.class_id == class_id
    assert answer.confidence in [tenths / 10 for tenths in range(1, 11)]
    assert abs(answer.confidence - confidence) <= 0.1


def test_a_wrong_answer_is_any_other_class() -> None:
    label_noise = LabelNoise(10, 1.0, seed=3)
    counts = Counter(label_noise.apply_noise(Judgement(4, 1.0)).class_id for _ in range(300))
    assert set(counts) == set(range(10)) - {4}


@pytest.mark.parametrize("error_rate", [0.02, 0.2])
def test_wrong_answers_follow_the_error_rate_and_the_seed(error_rate: float) -> None:
    error_lists = []
    for _ in range(2):
        label_noise = LabelNoise(10, error_rate, seed=5)
        error_lists.append([label_noise.apply_noise(Judgement(4, 1.0)).class_id != 4 for _ in range(3000)])
    assert error_lists[0] == error_lists[1]
    # Four standard deviations of a binomial fraction on either side.
    assert abs(np.mean(error_lists[0]) - error_rate) < 4 * np.sqrt(error_rate * (1 - error_rate) / 3000)
