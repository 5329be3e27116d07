"""What another round or review page is expected to bring, from what the last ones brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vaetui.engine.config import TrainingConfig, find_round_of_epoch
from vaetui.engine.events import EpochEnded

Outlook: TypeAlias = Literal["little", "some", "unsettled", "lost"]
"""What to expect of the next round: less than `LITTLE_GAIN`; more; little by the last round, although many predictions
still change; or that it regains what the last round lost, which only true labels can show."""

GAIN_DECAY = 0.5
"""The gain of a round as a share of that of the round before. The median of 110 simulated rounds was
0.3; half lets rounds that are worth their answers seem little more rarely."""
MAX_CORRECTED_SHARE = 0.25
"""Largest share of the remaining errors, and of the predictions that the last round changed, that counts as gain; the
median of simulated rounds corrected 0.2 of the errors."""
LITTLE_GAIN = 0.01
"""Gain below which another round is not worth its answers."""
MAX_SETTLED_CHURN = 0.1
"""Share of changed predictions from which on a small gain does not mean that the next one is small."""
FIRST_COMPARABLE_ROUND = 2
"""The first round whose expected accuracy is compared with that of the next one: that of round 1 is computed without
answers that the networks had predicted before, and differs for that reason alone."""
MIN_LOSS = 0.01
"""Loss from which on the last round counts as one that lost accuracy; smaller ones are noise."""
PAGE_PRIOR_IMAGES = 32.0
"""Shown images that the expected errors of a page count as, beside what the last pages really changed."""


@dataclass(frozen=True, slots=True)
class RoundGain:
    """What a finished round brought."""

    round_number: int
    """The round, from 1."""
    gain: float
    """Accuracy after the training of the round, minus that after the round before."""


@dataclass(frozen=True, slots=True)
class ExpectedGain:
    """What the last rounds brought, and what another one is expected to bring."""

    rounds: tuple[RoundGain, ...]
    """The last rounds, at most two, in order; at least one."""
    next_gain: float
    """Expected gain in accuracy of another round, from 0 to 1."""
    outlook: Outlook
    """What to expect of another round."""
    churn: float | None
    """Share of the predictions that the epochs of the last round changed, in sum; None if not measured."""
    is_measured: bool
    """Whether true labels of test images measured the accuracy; else it is expected, and not audited."""


def expect_gain(training: TrainingConfig, epochs: Sequence[EpochEnded]) -> ExpectedGain | None:
    """Return what another round is expected to bring, once every class has an answer.

    None before two rounds in a row have comparable accuracies, and after a round without answers. The expected gain is
    the smallest of three bounds: half of the last gain, a quarter of the remaining errors, and a quarter of the
    predictions that the last round changed. A fall of the expected accuracy counts as no gain: in simulated runs most
    such falls were none.
    """
    is_measured = any(epoch.test_accuracy is not None for epoch in epochs)
    accuracies: dict[int, float | None] = {}
    answer_counts: dict[int, int] = {}
    churns: dict[int, float] = {}
    for epoch in epochs:
        round_number = find_round_of_epoch(training, epoch.epoch)
        if round_number is not None and (is_measured or round_number >= FIRST_COMPARABLE_ROUND):
            # Of the epochs of a round, the last one counts.
            answer_counts[round_number] = epoch.answer_count
            accuracies[round_number] = epoch.test_accuracy if is_measured else epoch.expected_accuracy
            if epoch.prediction_churn is not None:
                churns[round_number] = churns.get(round_number, 0.0) + epoch.prediction_churn
    gains: list[RoundGain] = []
    for round_number in sorted(accuracies)[1:]:
        after, before = accuracies[round_number], accuracies.get(round_number - 1)
        has_answers = answer_counts[round_number] > answer_counts.get(round_number - 1, -1)
        if after is None or before is None or not has_answers:  # training alone tells nothing about answers
            gains = []
            continue
        gain = after - before
        if not is_measured:  # no more labels can have become right than have changed
            gain = min(max(gain, 0.0), churns.get(round_number, 1.0))
        gains.append(RoundGain(round_number, gain))
    if not gains:
        return None
    last_round, last_gain = gains[-1].round_number, gains[-1].gain
    accuracy, churn = accuracies[last_round] or 0.0, churns.get(last_round)
    bounds = [GAIN_DECAY * last_gain, MAX_CORRECTED_SHARE * (1 - accuracy)]
    if churn is not None:
        bounds.append(MAX_CORRECTED_SHARE * churn)
    next_gain = max(min(bounds), 0.0)
    outlook: Outlook = "some" if next_gain >= LITTLE_GAIN else "little"
    if last_gain <= -MIN_LOSS:
        outlook = "lost"
    elif outlook == "little" and churn is not None and churn >= MAX_SETTLED_CHURN:
        outlook = "unsettled"
    return ExpectedGain(tuple(gains[-2:]), next_gain, outlook, churn, is_measured)


def expect_page_corrections(expected_errors: float, page_images: int, shown: int, changed: int) -> float:
    """Return the number of labels that the next review page is expected to correct.

    `expected_errors` is their number by the confidences alone. Of the `shown` images of the last pages, `changed` were
    corrected; both together are the mean of a Beta posterior whose prior counts as `PAGE_PRIOR_IMAGES`.
    """
    prior_rate = expected_errors / max(page_images, 1)
    return page_images * (changed + PAGE_PRIOR_IMAGES * prior_rate) / (shown + PAGE_PRIOR_IMAGES)
