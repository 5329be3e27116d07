"""The share of right labels and its interval, from the checks of an audit.

With k errors among n checks, the posterior of the share of wrong labels is Beta(k + 1/2, n - k + 1/2) (Jeffreys; Brown,
Cai and DasGupta, Statistical Science 16, 2001), and only the labels that were not checked are uncertain: their errors
are drawn from the posterior predictive. The most doubtful stratum and the pages have a posterior each. Labels with
unequal chances of being drawn are weighted by their inverse, and n is the effective number of checks (Kish, Survey
Sampling, 1965). Images of pages are drawn systematically in the order of doubt, so n is larger by the share of the
variance that the doubt explains. Errors on pages are divided by the share of planted errors that were noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.audit import STRATUM_NAMES, AuditSample

DETECTION_PRIOR = (0.9, 0.1)
"""Beta prior of the share of errors on pages that a person notices: worth one planted error, and most likely all."""
INTERVAL_PROBABILITY = 0.95
MIN_CLASS_CHECKS = 20
"""Checks from which on a class has an interval: that of 19 right ones among 20 is 79 to 99 %."""
MAX_EXPLAINED_SHARE = 0.5
"""Most of the variance that the doubt may explain; more would rest on a few checks."""
POSTERIOR_DRAWS = 20_000
"""Draws from the posterior: the ends of the interval are then reproducible to about a twentieth of its width."""
NO_CHECK, UNREADABLE_CHECK = -2, -1
"""Values in place of a class for an image that was not checked, and for an unreadable one."""


@dataclass(frozen=True, slots=True)
class ShareEstimate:
    """An estimated share of right labels, from 0 to 1."""

    estimate: float
    """The median of the posterior."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end of the 95 % interval."""


@dataclass(frozen=True, slots=True)
class CheckCounts:
    """Checks of a stratum or class, without planted errors and unreadable images."""

    checked: int
    """Number of labels that were checked."""
    wrong: int
    """Number of these that were found wrong."""


@dataclass(frozen=True, slots=True)
class AuditEstimate:
    """The estimates for all labels by the checks of a sample."""

    share: ShareEstimate
    """The share of right labels among all of them, those answered for the image itself included."""
    counts: CheckCounts
    """All checks that count."""
    unreadable: int
    """Number of images marked as unreadable, planted errors included."""
    catch_found: int
    """Number of planted errors that were noticed."""
    catch_planted: int
    """Number of planted errors that were checked."""
    strata: tuple[CheckCounts, ...]
    """The checks by stratum."""
    classes: Mapping[int, tuple[CheckCounts, ShareEstimate | None]]
    """The checks by class of the label, and the share of right labels from `MIN_CLASS_CHECKS` checks on."""
    confusion: tuple[tuple[int, int, int], ...]
    """(class of the label, class that was seen, number), only where they differ, most frequent first."""


def estimate_audit(
    sample: AuditSample, seen_class_ids: NDArray[np.int64], draw_count: int = POSTERIOR_DRAWS
) -> AuditEstimate:
    """Estimate the share of right labels from the class that a person saw in each image, [M].

    UNREADABLE_CHECK stands for an unreadable image and NO_CHECK for one that was not checked. `draw_count` draws from
    the posterior are made.
    """
    is_planted, is_checked = sample.is_planted, seen_class_ids != NO_CHECK
    is_counted, is_wrong = (seen_class_ids >= 0) & ~is_planted, seen_class_ids != sample.class_ids
    catch_planted = int((is_checked & is_planted).sum())
    catch_found = int((is_checked & is_planted & is_wrong).sum())
    generator = np.random.default_rng(0)  # a fixed one: the same checks always have the same result
    detections = _draw_detections(sample, seen_class_ids, draw_count, generator)
    wrong_draws, size_sum = np.zeros(draw_count), float(sample.answered_sizes.sum())
    strata_counts = []
    for stratum in range(len(STRATUM_NAMES)):
        selected = is_counted & (sample.strata == stratum)
        strata_counts.append(CheckCounts(int(selected.sum()), int((selected & is_wrong).sum())))
    sizes = sample.cell_sizes.sum(1).tolist()
    is_paged = (sample.pages >= 0) & ~is_planted
    for is_part, size in ((sample.pages < 0, sizes[0]), (is_paged, sum(sizes[1:]))):
        selected = np.flatnonzero(is_part & is_counted)
        checked_weights = sample.weights[is_part & is_checked]
        readable_share = sample.weights[selected].sum() / checked_weights.sum() if len(checked_weights) else 1.0
        readable_size = max(round(size * readable_share), len(selected))
        size_sum += readable_size
        part_detections, explained_share = np.ones(draw_count), 0.0
        if is_part is is_paged:  # among 30 blind images, the doubt would seem to explain errors by chance
            part_detections = detections
            explained_share = _measure_explained_share(is_wrong[selected], sample.ranks[selected])
        wrong_draws += _draw_wrong_counts(
            sample.weights[selected], is_wrong[selected], readable_size, part_detections, generator, explained_share
        )
    shares = 1 - wrong_draws / max(size_sum, 1)
    counts = CheckCounts(int(is_counted.sum()), int((is_counted & is_wrong).sum()))
    return AuditEstimate(
        share=_summarise(shares),
        counts=counts,
        unreadable=int((seen_class_ids == UNREADABLE_CHECK).sum()),
        catch_found=catch_found,
        catch_planted=catch_planted,
        strata=tuple(strata_counts),
        classes=_estimate_classes(sample, is_counted, is_wrong, detections, generator),
        confusion=_count_confusions(sample.class_ids[is_counted], seen_class_ids[is_counted]),
    )


def estimate_part(
    sample: AuditSample,
    seen_class_ids: NDArray[np.int64],
    is_part: NDArray[np.bool_],
    size: int,
    answered_size: int,
) -> tuple[CheckCounts, ShareEstimate | None]:
    """Return the checks of a part of the labels, and the share of right labels in it from `MIN_CLASS_CHECKS` on.

    `is_part` [M] are the images of the sample that belong to the part. Of its labels, `size` can be drawn, and
    `answered_size` were given for the image itself; they count as right. A part that was chosen by the checks may
    seem to have fewer labels than checks; it then has as many. See `estimate_audit`.
    """
    is_counted = (seen_class_ids >= 0) & ~sample.is_planted
    is_wrong = seen_class_ids != sample.class_ids
    generator = np.random.default_rng(0)
    detections = _draw_detections(sample, seen_class_ids, POSTERIOR_DRAWS, generator)
    selected = np.flatnonzero(is_counted & is_part)
    size = max(size, len(selected))
    return _estimate_part(sample, selected, is_wrong, size, answered_size, detections, generator)


def _draw_detections(
    sample: AuditSample, seen_class_ids: NDArray[np.int64], draw_count: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the share of errors on pages that the person notices from its posterior by the planted errors.

    The class that a person gave a planted error before, mostly as one of a cluster, does not fit every image. Such an
    image shows the very class of its page by chance. At most as many of these answers are taken to be wrong as of all
    labels; the expected number of images that are no errors, and two standard deviations, are not counted as missed.
    """
    is_checked, is_planted = seen_class_ids != NO_CHECK, sample.is_planted
    is_different = seen_class_ids != sample.class_ids
    planted_count = int((is_planted & is_checked).sum())
    found_count = int((is_planted & is_checked & is_different).sum())
    is_counted = (seen_class_ids >= 0) & ~is_planted
    wrong_share = float(sample.weights[is_counted & is_different].sum()) / max(sample.weights[is_counted].sum(), 1)
    class_count = int((sample.cell_sizes.sum(0) > 0).sum())
    lookalike_count = planted_count * wrong_share / max(class_count - 1, 1)
    missed_count = max(planted_count - found_count - lookalike_count - 2 * lookalike_count**0.5, 0.0)
    return np.asarray(generator.beta(found_count + DETECTION_PRIOR[0], missed_count + DETECTION_PRIOR[1], draw_count))


def _estimate_classes(
    sample: AuditSample,
    is_counted: NDArray[np.bool_],
    is_wrong: NDArray[np.bool_],
    detections: NDArray[np.float64],
    generator: np.random.Generator,
) -> dict[int, tuple[CheckCounts, ShareEstimate | None]]:
    classes: dict[int, tuple[CheckCounts, ShareEstimate | None]] = {}
    class_sizes = sample.cell_sizes.sum(0)
    for class_id in np.flatnonzero(class_sizes + sample.answered_sizes).tolist():
        selected = np.flatnonzero(is_counted & (sample.class_ids == class_id))
        sizes = int(class_sizes[class_id]), int(sample.answered_sizes[class_id])
        classes[class_id] = _estimate_part(sample, selected, is_wrong, *sizes, detections, generator)
    return classes


def _estimate_part(
    sample: AuditSample,
    selected: NDArray[np.int64],
    is_wrong: NDArray[np.bool_],
    size: int,
    answered_size: int,
    detections: NDArray[np.float64],
    generator: np.random.Generator,
) -> tuple[CheckCounts, ShareEstimate | None]:
    """Return the `selected` checks of a part of the labels, and the share of right labels in it if they suffice.

    `size` labels of the part can be drawn, and `answered_size` were given for the image itself.
    """
    counts = CheckCounts(len(selected), int(is_wrong[selected].sum()))
    if counts.checked < MIN_CLASS_CHECKS:
        return counts, None
    is_paged_error = is_wrong[selected] & (sample.pages[selected] >= 0)
    paged_share = is_paged_error.sum() / max(counts.wrong, 1)
    wrong_draws = _draw_wrong_counts(
        sample.weights[selected],
        is_wrong[selected],
        size,
        1 / (1 - paged_share + paged_share / detections),
        generator,
    )
    return counts, _summarise(1 - wrong_draws / (size + answered_size))


def _draw_wrong_counts(
    weights: NDArray[np.float64],
    is_wrong: NDArray[np.bool_],
    size: int,
    detections: NDArray[np.float64],
    generator: np.random.Generator,
    explained_share: float = 0.0,
) -> NDArray[np.float64]:
    """Draw the number of wrong labels among `size`, of which those with the given weights were checked."""
    effective_count = wrong_share = 0.0
    if len(weights):
        effective_count = weights.sum() ** 2 / (weights**2).sum() / (1 - explained_share)
        wrong_share = float(weights[is_wrong].sum() / weights.sum())
    wrong_count = effective_count * wrong_share
    rates = generator.beta(wrong_count + 0.5, effective_count - wrong_count + 0.5, len(detections))
    rates = np.minimum(rates / detections, 1.0)
    checked_wrong = np.minimum(is_wrong.sum() / detections, len(weights))
    return np.asarray(checked_wrong + generator.binomial(size - len(weights), rates))


def _measure_explained_share(is_wrong: NDArray[np.bool_], ranks: NDArray[np.float64]) -> float:
    """Return the share of the variance of errors that the logarithm of the rank explains, by cross-validation."""
    if len(ranks) < MIN_CLASS_CHECKS or is_wrong.all() or not is_wrong.any():
        return 0.0
    predictors = np.stack([np.ones(len(ranks)), np.log(ranks)], axis=1)
    inverse = np.linalg.pinv(predictors)
    leverages = np.einsum("ij,ji->i", predictors, inverse)
    residuals = (is_wrong - predictors @ (inverse @ is_wrong)) / (1 - leverages)  # without the check itself
    mean_residuals = (is_wrong - is_wrong.mean()) * len(ranks) / (len(ranks) - 1)
    return float(np.clip(1 - (residuals**2).sum() / (mean_residuals**2).sum(), 0, MAX_EXPLAINED_SHARE))


def _summarise(shares: NDArray[np.float64]) -> ShareEstimate:
    tail = (1 - INTERVAL_PROBABILITY) / 2
    low, estimate, high = np.quantile(shares, [tail, 0.5, 1 - tail]).tolist()
    return ShareEstimate(estimate, max(low, 0.0), high)


def _count_confusions(
    class_ids: NDArray[np.int64], seen_class_ids: NDArray[np.int64]
) -> tuple[tuple[int, int, int], ...]:
    is_different = class_ids != seen_class_ids
    pairs = np.stack([class_ids[is_different], seen_class_ids[is_different]], axis=1)
    unique_pairs, counts = np.unique(pairs, axis=0, return_counts=True)
    rows = [(*pair, count) for pair, count in zip(unique_pairs.tolist(), counts.tolist(), strict=True)]
    return tuple(sorted(rows, key=lambda row: -row[2]))
