"""Audits draw every label with a known chance, and their intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vaetui.engine.audit import PLANTED_STRATUM, AuditPopulation, AuditSample, draw_audit
from vaetui.engine.audit_estimate import NO_CHECK, UNREADABLE_CHECK, AuditEstimate, estimate_audit
from vaetui.engine.audit_plans import PAGE_IMAGES, PLANS


def make_population(
    count: int, class_count: int = 10, shares: NDArray[np.float64] | None = None, shown_count: int = 60
) -> AuditPopulation:
    """Create labels whose doubts are random; the first ones were shown to a person."""
    generator = np.random.default_rng(3)
    class_ids = generator.choice(class_count, count, p=shares)
    return AuditPopulation(
        class_ids=class_ids,
        doubts=generator.random(count).astype(np.float32),
        is_answered=np.zeros(count, bool),
        is_shown=np.arange(count) < shown_count,
        second_class_ids=(class_ids + 1) % class_count,
        class_count=class_count,
    )


def make_truth(population: AuditPopulation, error_share: float) -> NDArray[np.int64]:
    """Make doubtful labels wrong more often; labels that a person saw are right."""
    generator = np.random.default_rng(4)
    scores = population.doubts**3 + 0.3 * generator.random(len(population.doubts))
    is_wrong = (scores > np.quantile(scores, 1 - error_share)) & ~population.is_shown
    others = (
        population.class_ids + generator.integers(1, population.class_count, len(scores))
    ) % population.class_count
    return np.where(is_wrong, others, population.class_ids)


def draw(population: AuditPopulation, plan: str = "full", seed: int = 0) -> AuditSample:
    return draw_audit(PLANS[plan], population, np.random.default_rng(seed))


def check_truly(sample: AuditSample, true_class_ids: NDArray[np.int64]) -> AuditEstimate:
    return estimate_audit(sample, true_class_ids[sample.image_indices])


@pytest.mark.parametrize(("plan", "planted_count"), [("quick", 4), ("full", 13)])
def test_the_sizes_are_those_of_the_plan(plan: str, planted_count: int) -> None:
    sample = draw(make_population(20_000), plan)
    assert len(sample) == PLANS[plan].blind_images + PLANS[plan].pages * PAGE_IMAGES
    assert np.bincount(sample.pages[sample.pages >= 0]).tolist() == [PAGE_IMAGES] * PLANS[plan].pages
    assert sample.is_planted.sum() == planted_count
    assert not sample.is_planted[sample.pages < 0].any()
    assert len(np.unique(sample.image_indices)) == len(sample)


def test_blind_images_are_the_most_doubtful_tenth_and_pages_show_the_others() -> None:
    population = make_population(20_000)
    sample = draw(population)
    is_real = ~sample.is_planted
    order = np.argsort(np.argsort(-population.doubts)) / 20_000
    assert (order[sample.image_indices[sample.pages < 0]] < 0.1).all()
    assert (order[sample.image_indices[(sample.pages >= 0) & is_real]] >= 0.1).all()
    np.testing.assert_array_equal(population.class_ids[sample.image_indices[is_real]], sample.class_ids[is_real])


def test_ten_classes_of_similar_size_fill_a_page_each() -> None:
    sample = draw(make_population(20_000))
    for page in range(10):
        assert len(np.unique(sample.class_ids[sample.pages == page])) == 1


@pytest.mark.parametrize("class_count", [2, 7, 60, 250])
@pytest.mark.parametrize("plan", ["quick", "full"])
def test_labels_of_one_class_are_next_to_each_other_on_every_page(class_count: int, plan: str) -> None:
    sample = draw(make_population(20_000, class_count), plan)
    for page in range(PLANS[plan].pages):
        class_ids = sample.class_ids[sample.pages == page]
        assert len(class_ids) == PAGE_IMAGES
        assert (np.diff(class_ids) != 0).sum() + 1 == len(np.unique(class_ids))


@pytest.mark.parametrize(("class_count", "count"), [(2, 3_000), (7, 4_000), (60, 6_000), (250, 6_000)])
def test_every_label_stands_for_as_many_labels_as_its_chance_of_being_drawn_says(class_count: int, count: int) -> None:
    shares = np.arange(1, class_count + 1) / np.arange(1, class_count + 1).sum()
    population = make_population(count, class_count, shares)
    sums = np.zeros(count)
    for seed in range(100):
        sample = draw(population, "full", seed)
        np.add.at(sums, sample.image_indices, sample.weights)
    assert sums.sum() / 100 == pytest.approx(count, rel=0.02)
    sums_by_class = np.bincount(population.class_ids, sums / 100, minlength=class_count)
    sizes = np.bincount(population.class_ids, minlength=class_count)
    np.testing.assert_allclose(sums_by_class, sizes, rtol=0.15, atol=6)


@pytest.mark.parametrize("error_share", [0.005, 0.03, 0.25, 0.7])
@pytest.mark.parametrize("plan", ["quick", "full"])
def test_the_interval_holds(plan: str, error_share: float) -> None:
    population = make_population(4_000)
    true_class_ids = make_truth(population, error_share)
    accuracy = (true_class_ids == population.class_ids).mean()
    shares = []
    for seed in range(100):
        sample = draw(population, plan, seed)
        shares.append(estimate_audit(sample, true_class_ids[sample.image_indices], draw_count=500).share)
    coverage = np.mean([share.low <= accuracy <= share.high for share in shares])
    assert coverage >= 0.89, coverage  # of 100 audits: 95 % but for chance
    assert np.mean([share.estimate for share in shares]) == pytest.approx(accuracy, abs=0.02)


def test_a_small_labelling_is_checked_completely_and_has_no_uncertainty() -> None:
    population = make_population(90, 3, shown_count=0)
    true_class_ids = make_truth(population, 0.2)
    sample = draw(population)
    estimate = check_truly(sample, true_class_ids)
    accuracy = (true_class_ids == population.class_ids).mean()
    assert (len(sample), sample.pages.max()) == (90, 1)
    assert estimate.share.low == estimate.share.estimate == estimate.share.high == pytest.approx(accuracy)
    assert np.unique(sample.weights) == 1


@pytest.mark.parametrize("count", [1, 2, 5, 31, 60, 319, 333, 360, 400])
@pytest.mark.parametrize("class_count", [1, 2, 9])
def test_any_small_number_of_labels_can_be_audited(count: int, class_count: int) -> None:
    population = make_population(count, max(class_count, 2), shown_count=count // 2)
    sample = draw(population)
    estimate = check_truly(sample, population.class_ids)
    assert len(np.unique(sample.image_indices)) == len(sample)
    assert 0 <= estimate.share.low <= estimate.share.estimate <= estimate.share.high <= 1
    assert estimate.share.high > 0.99
    assert estimate.catch_found == estimate.catch_planted


def test_labels_that_a_person_gave_are_not_drawn_and_count_as_right() -> None:
    population = make_population(4_000)
    population.is_answered[:2_000] = True
    sample = draw(population)
    assert (sample.image_indices[~sample.is_planted] >= 2_000).all()
    assert (sample.image_indices[sample.is_planted] < 2_000).all()
    assert sample.answered_sizes.sum() == 2_000
    wrong = (sample.class_ids + 1) % 10
    estimate = estimate_audit(sample, np.where(sample.is_planted, sample.answered_class_ids, wrong))
    assert estimate.share.estimate == pytest.approx(0.5, abs=0.01)


def test_without_a_label_to_check_there_is_no_audit() -> None:
    population = make_population(100)
    population.is_answered[:] = True
    with pytest.raises(ValueError, match="no label"):
        draw(population)


def test_planted_errors_are_images_that_a_person_gave_another_class() -> None:
    population = make_population(20_000)
    sample = draw(population)
    planted = sample.image_indices[sample.is_planted]
    assert population.is_shown[planted].all()
    np.testing.assert_array_equal(population.class_ids[planted], sample.answered_class_ids[sample.is_planted])
    assert (population.class_ids[planted] != sample.class_ids[sample.is_planted]).all()
    assert (sample.answered_class_ids[~sample.is_planted] == -1).all()


def test_without_shown_images_nothing_is_planted() -> None:
    sample = draw(make_population(20_000, shown_count=0))
    assert not sample.is_planted.any()
    assert len(sample) == 350


def test_planted_errors_do_not_count_and_missed_ones_widen_the_interval() -> None:
    population = make_population(20_000)
    true_class_ids = make_truth(population, 0.2)
    sample = draw(population)
    seen = true_class_ids[sample.image_indices]
    attentive = estimate_audit(sample, seen)
    planted = np.flatnonzero(sample.is_planted)
    careless_seen = seen.copy()
    careless_seen[planted[:9]] = sample.class_ids[planted[:9]]
    careless = estimate_audit(sample, careless_seen)
    assert (attentive.catch_found, careless.catch_found, careless.catch_planted) == (13, 4, 13)
    assert attentive.counts == careless.counts
    assert careless.share.low < attentive.share.low - 0.03
    assert careless.share.high - careless.share.low > 1.3 * (attentive.share.high - attentive.share.low)


def test_unreadable_images_say_nothing_about_the_labels() -> None:
    population = make_population(20_000)
    sample = draw(population)
    seen = sample.class_ids.copy()
    seen[:10] = UNREADABLE_CHECK
    seen[sample.is_planted] = sample.answered_class_ids[sample.is_planted]
    estimate = estimate_audit(sample, seen)
    assert (estimate.unreadable, estimate.counts.checked, estimate.counts.wrong) == (10, 350 - 13 - 10, 0)
    assert estimate.strata[0].checked == 20
    assert estimate.share.high > 0.999


def test_unchecked_images_are_left_out() -> None:
    sample = draw(make_population(20_000))
    seen = np.full(len(sample), NO_CHECK)
    seen[:15] = sample.class_ids[:15]
    estimate = estimate_audit(sample, seen)
    assert (estimate.counts.checked, estimate.catch_planted) == (15, 0)
    assert estimate.share.low < 0.2


def test_classes_have_an_interval_from_20_checks_on() -> None:
    population = make_population(20_000)
    true_class_ids = make_truth(population, 0.1)
    estimate = check_truly(draw(population, "full"), true_class_ids)
    assert list(estimate.classes) == list(range(10))
    assert all(share is not None and share.low < share.high for _, share in estimate.classes.values())
    quick = check_truly(draw(population, "quick"), true_class_ids)
    assert all((share is None) == (counts.checked < 20) for counts, share in quick.classes.values())
    assert any(share is None for _, share in quick.classes.values())


def test_the_confusion_lists_each_pair_with_its_number_most_frequent_first() -> None:
    sample = draw(make_population(20_000))
    seen = sample.class_ids.copy()
    rows = np.flatnonzero((sample.class_ids == 3) & ~sample.is_planted)
    seen[rows[:4]], seen[rows[4]] = 5, 7
    assert estimate_audit(sample, seen).confusion == ((3, 5, 4), (3, 7, 1))


def test_the_same_checks_always_have_the_same_result() -> None:
    population = make_population(5_000)
    sample = draw(population)
    assert check_truly(sample, population.class_ids) == check_truly(sample, population.class_ids)


def test_strata_outside_the_estimate_have_no_weight() -> None:
    sample = draw(make_population(20_000))
    assert (sample.weights[sample.strata == PLANTED_STRATUM] == 0).all()
    assert (sample.weights[sample.strata != PLANTED_STRATUM] > 0).all()
    assert (sample.ranks[sample.strata != PLANTED_STRATUM] > 0).all()
