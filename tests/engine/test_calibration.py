"""Confidences: uncalibrated by the facts of a session, and calibrated by an audit."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from vaetui.engine import calibration
from vaetui.engine.calibration import FEATURES, Calibration, Evidence, SessionFacts

EASY = SessionFacts(240, 200, 360, 350, 64, 61, "images")
"""Answers as in a run of MNIST: most of them name a class, and the networks had predicted most of them."""
HARD = SessionFacts(150, 35, 220, 195, 64, 32, "images")
"""Answers as in a run of blood cells: half of the clusters were split or unreadable."""

VECTORS = SessionFacts(192, 65, 248, 248, 40, 31, "vectors")
"""Answers of a run of blood cells by vectors, 52 % of whose labels were right: the networks reproduce all answers."""
NARROWING = SessionFacts(376, 256, 496, 450, 64, 59, "narrowing")
"""Answers of a run of MNIST whose later rounds asked about few images."""
FACTS = {"easy": EASY, "hard": HARD, "vectors": VECTORS, "narrowing": NARROWING}


def sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-values))


def measure_error(confidences: NDArray[np.floating], is_right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error with 15 bins."""
    bins = np.minimum((confidences * 15).astype(int), 14)
    gaps = [
        abs(confidences[bins == number].mean() - is_right[bins == number].mean()) * np.mean(bins == number)
        for number in np.unique(bins)
    ]
    return float(sum(gaps))


def draw_labels(
    count: int, seed: int, class_offsets: NDArray[np.float64]
) -> tuple[Evidence, NDArray[np.int64], NDArray[np.bool_]]:
    """Return labels that are more often wrong than their uncalibrated confidence says, and differently by class."""
    generator = np.random.default_rng(seed)
    class_ids = generator.integers(0, len(class_offsets), count)
    logits = generator.normal(2.5, 1.0, count)
    features = np.stack([logits, logits / 2, generator.uniform(-1, 1, count), generator.uniform(0, 1, count)], axis=1)
    rates = sigmoid(0.8 * logits - 1.5 + class_offsets[class_ids])
    return Evidence(features.astype(np.float32)), class_ids, generator.random(count) < rates


def build(leads: list[float], stabilities: list[float], facts: SessionFacts) -> Evidence:
    zeros = np.zeros(len(leads), np.float32)
    return calibration.build_evidence(np.array(leads, np.float32), zeros, np.array(stabilities, np.float32), facts)


def test_uncalibrated_confidence_follows_how_easy_the_answers_say_the_images_are() -> None:
    leads, stabilities = [8.0, 5.0, 10.0], [1.0, 1.0, 1.0]
    easy, hard = (build(leads, stabilities, facts).uncalibrated_confidences for facts in (EASY, HARD))
    assert easy.min() > 0.9
    assert hard.max() < 0.6, "although the classifier is as certain as in the easy session"


def test_confidence_of_labels_by_vectors_is_lower_than_by_the_coefficients_for_images() -> None:
    leads, stabilities = [3.0, 7.0, 14.0], [0.8, 0.8, 0.8]
    by_vectors = build(leads, stabilities, VECTORS).uncalibrated_confidences
    by_images = build(leads, stabilities, replace(VECTORS, kind="images")).uncalibrated_confidences
    assert by_vectors.mean() == pytest.approx(0.52, abs=0.1)
    assert by_images.mean() > 0.62


def test_little_agreement_about_few_images_lowers_the_confidence_less_than_about_many() -> None:
    leads, stabilities = [8.0, 9.0, 10.0], [1.0, 1.0, 1.0]
    narrowing, images = (
        build(leads, stabilities, replace(NARROWING, kind=kind)).uncalibrated_confidences.mean()
        for kind in ("narrowing", "images")
    )
    assert narrowing > 0.97
    assert images < 0.93


@pytest.mark.parametrize(
    "facts", [*FACTS.values(), replace(NARROWING, later_images=0, later_matches=0)], ids=[*FACTS, "first"]
)
def test_uncalibrated_confidence_grows_with_lead_and_stability_and_stays_a_probability(facts: SessionFacts) -> None:
    by_lead = build([-50.0, -1.0, 0.0, 1.0, 5.0, 50.0], [1.0] * 6, facts).uncalibrated_confidences
    by_stability = build([3.0] * 3, [0.0, 0.5, 1.0], facts).uncalibrated_confidences
    assert (np.diff(by_lead) >= 0).all()
    assert (np.diff(by_stability) >= 0).all()
    assert 0 < by_lead.min() <= by_lead.max() < 1


@pytest.mark.parametrize("later_images", [0, 376])
def test_doubtful_labels_have_lower_confidences_even_where_hardly_a_cluster_was_named(later_images: int) -> None:
    facts = SessionFacts(later_images, later_images // 8, 8, 8, 16, 1, "narrowing")
    confidences = build([1.0, 3.0, 9.0], [1.0] * 3, facts).uncalibrated_confidences
    assert (np.diff(confidences) > 0.005).all()


def test_more_agreement_of_later_answers_raises_the_uncalibrated_confidence() -> None:
    means = [
        float(build([4.0], [1.0], replace(EASY, later_matches=matches)).uncalibrated_confidences[0])
        for matches in (20, 100, 230)
    ]
    assert means == sorted(means)
    assert means[0] < means[-1]


def test_no_answers_at_all_give_a_probability() -> None:
    confidences = build([4.0], [1.0], SessionFacts(0, 0, 0, 0, 0, 0, "narrowing")).uncalibrated_confidences
    assert 0 < confidences[0] < 1


def test_an_audit_calibrates_labels_that_were_not_checked() -> None:
    offsets = np.array([0.0, 0.5, -1.5, 0.0, 1.0])
    errors, uncalibrated_errors = [], []
    for seed in range(5):
        evidence, class_ids, is_right = draw_labels(350, seed, offsets)
        fitted = calibration.fit_calibration(evidence, is_right, np.ones(350), class_ids, 5)
        assert fitted is not None
        evidence, class_ids, is_right = draw_labels(20_000, 100 + seed, offsets)
        errors.append(measure_error(fitted.predict(evidence, class_ids), is_right))
        uncalibrated_errors.append(measure_error(evidence.uncalibrated_confidences, is_right))
    assert np.mean(errors) < 0.045
    assert np.mean(uncalibrated_errors) > 0.2


def test_a_class_that_is_mostly_wrong_gets_lower_confidences_than_others() -> None:
    evidence, class_ids, is_right = draw_labels(600, 1, np.array([1.0, 1.0, -3.0]))
    fitted = calibration.fit_calibration(evidence, is_right, np.ones(600), class_ids, 3)
    assert fitted is not None
    same = Evidence(np.repeat(evidence.features[:1], 3, axis=0))
    confidences = fitted.predict(same, np.arange(3))
    assert confidences[2] < confidences[:2].min() - 0.2


def test_sampling_weights_undo_a_sample_of_mostly_doubtful_labels() -> None:
    gaps = []
    for seed in range(5):
        evidence, class_ids, is_right = draw_labels(20_000, seed, np.zeros(2))
        is_doubtful = evidence.features[:, 0] < 1.5
        generator = np.random.default_rng(seed)
        doubtful = generator.choice(np.flatnonzero(is_doubtful), 300)
        sample = np.concatenate([doubtful, generator.choice(np.flatnonzero(~is_doubtful), 300)])
        weights = np.repeat([is_doubtful.sum() / 300, (~is_doubtful).sum() / 300], 300)
        checked = evidence.select_rows(sample)
        fitted = calibration.fit_calibration(checked, is_right[sample], weights, class_ids[sample], 2)
        assert fitted is not None
        gaps.append(float(fitted.predict(evidence, class_ids).mean() - is_right.mean()))
    assert abs(np.mean(gaps)) < 0.02


def test_labels_of_a_class_added_after_the_audit_get_a_confidence_without_an_offset() -> None:
    evidence, class_ids, is_right = draw_labels(300, 2, np.zeros(2))
    fitted = calibration.fit_calibration(evidence, is_right, np.ones(300), class_ids, 2)
    assert fitted is not None
    confidences = fitted.predict(evidence.select_rows(np.arange(3)), np.array([5, -1, 0]))
    assert np.isfinite(confidences).all()
    assert ((confidences > 0) & (confidences < 1)).all()


@pytest.mark.parametrize("is_right", [True, False])
def test_checks_that_are_all_right_or_all_wrong_give_probabilities(is_right: bool) -> None:
    evidence, class_ids, _ = draw_labels(126, 4, np.zeros(3))
    fitted = calibration.fit_calibration(evidence, np.full(126, is_right), np.ones(126), class_ids, 3)
    assert fitted is not None
    mean = float(fitted.predict(evidence, class_ids).mean())
    assert mean > 0.95 if is_right else mean < 0.1
    assert 0 < mean < 1


def test_no_checks_give_no_calibration() -> None:
    assert (
        calibration.fit_calibration(
            Evidence(np.empty((0, len(FEATURES)), np.float32)), np.empty(0, bool), np.empty(0), np.empty(0, int), 3
        )
        is None
    )


def test_a_shift_makes_the_mean_agree_with_the_checks() -> None:
    logits = np.random.default_rng(0).normal(3, 1, 400)
    is_right = np.arange(400) % 10 < 7
    shift = calibration.fit_logit_shift(logits, is_right, np.ones(400))
    assert sigmoid(logits + shift).mean() == pytest.approx(0.7, abs=0.01)
    assert calibration.fit_logit_shift(np.empty(0), np.empty(0, bool), np.empty(0)) == 0


def test_a_calibration_survives_json() -> None:
    evidence, class_ids, is_right = draw_labels(300, 5, np.zeros(3))
    fitted = calibration.fit_calibration(evidence, is_right, np.ones(300), class_ids, 3)
    assert fitted is not None
    assert Calibration.from_json(fitted.to_json()) == fitted


VALID = {
    "means": [0.0] * 4,
    "scales": [1.0] * 4,
    "intercept": 0.0,
    "coefficients": [0.0] * 4,
    "class_offsets": [0.0, 0.0],
    "class_slopes": [0.0, 0.0],
}


@pytest.mark.parametrize(
    "change",
    [
        {"means": [0.0] * 3},
        {"scales": [1.0, 1.0, 0.0, 1.0]},
        {"intercept": "nan"},
        {"intercept": float("nan")},
        {"intercept": True},
        {"intercept": 10**400},
        {"coefficients": [1e300] * 4},
        {"coefficients": 5},
        {"class_offsets": [0.0]},
        {"class_offsets": [], "class_slopes": []},
        {"class_slopes": [None, 0.0]},
        {"other": [1.0]},
    ],
)
def test_a_forged_calibration_is_refused(change: dict[str, object]) -> None:
    assert Calibration.from_json(json.dumps(VALID)).intercept == 0
    with pytest.raises(ValueError):
        Calibration.from_json(json.dumps(VALID | change))


@pytest.mark.parametrize("text", ["", "[]", "3", "null", "{}", "[" * 5000, '{"means": {"a": 1}}'])
def test_text_that_is_no_calibration_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Calibration.from_json(text)
