"""Fit the coefficients of the uncalibrated confidence to measured sessions; see `vaetui.engine.calibration`.

Each state of a session has an intercept of its own at first, so that the slopes describe differences between images.
A ridge regression of the intercepts on the facts then replaces them. Every image set counts the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.calibration import LEAD_CENTRE, SessionFacts, UncalibratedModel, compute_uncalibrated_logits

RIDGE = 0.5
"""Penalty of a fact, in states of average weight."""
SLOPE_PRECISION = 0.1
"""Precision of the prior of the slopes."""
SET_WEIGHT = 200.0
"""Observations that an image set counts as."""
STEPS = 40
"""Newton steps."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Labels of a session after some rounds."""

    name: str
    """The image set."""
    rounds: int
    """Rounds that the networks were trained on."""
    facts: SessionFacts
    """What the answers say."""
    columns: NDArray[np.float64]
    """The classifier's lead less LEAD_CENTRE, and the stability, [M, 2]."""
    is_right: NDArray[np.float64]
    """1 for right labels, else 0, [M]."""


def load_states(paths: Sequence[Path]) -> list[State]:
    """Return the states that the benchmark stored in these files."""
    states = []
    for path in paths:
        with np.load(path) as arrays:
            for key in arrays.files:
                if key.startswith("facts_"):
                    rounds = int(key.removeprefix("facts_"))
                    features = arrays[f"features_{rounds}"].astype(np.float64)
                    columns = np.stack([features[:, 1] - LEAD_CENTRE, features[:, 3]], axis=1)
                    facts = SessionFacts(*arrays[key].tolist())
                    name = path.stem.rpartition("-")[0]
                    states.append(State(name, rounds, facts, columns, arrays[f"is_right_{rounds}"].astype(np.float64)))
    return states


def print_models(paths: Sequence[Path]) -> None:
    """Print the coefficients of both models, and how far each set is off without it in the fit."""
    states = load_states(paths)
    for title, uses_later, chosen in (
        ("WITH_LATER_ANSWERS", True, [state for state in states if state.rounds > 1]),
        ("WITHOUT_LATER_ANSWERS", False, [state for state in states if state.rounds == 1]),
    ):
        print(title, fit_model(chosen, uses_later))
        for name in sorted({state.name for state in chosen}):
            others = [state for state in chosen if state.name != name]
            if others:
                model = fit_model(others, uses_later)
                gaps = [measure_gap(model, state) for state in chosen if state.name == name]
                print(f"  {name}: {', '.join(f'{100 * gap:+.1f}' for gap in gaps)} points without this set")


def measure_gap(model: UncalibratedModel, state: State) -> float:
    """Return the mean uncalibrated confidence less the share of right labels."""
    leads, stabilities = state.columns[:, 0] + LEAD_CENTRE, state.columns[:, 1]
    logits = compute_uncalibrated_logits(model, state.facts, leads, stabilities)
    return float(_sigmoid(logits).mean() - state.is_right.mean())


def fit_model(states: Sequence[State], uses_later: bool) -> UncalibratedModel:
    """Return the coefficients; without `uses_later`, that of the agreement of later answers is 0."""
    facts = np.stack([state.facts.to_logits() for state in states])  # [S, 3]
    if not uses_later:
        facts[:, 0] = 0
    names = [state.name for state in states]
    set_shares = np.array([1 / names.count(name) for name in names])
    columns = [state.columns for state in states]
    slopes, intercepts = _fit_slopes(states, columns, set_shares)
    ease = _fit_ridge(facts, intercepts, set_shares * _measure_slants(columns, slopes, intercepts))
    eases = _sigmoid(intercepts)
    doubled = [np.hstack([part * (1 - share), part * share]) for part, share in zip(columns, eases, strict=True)]
    slopes, intercepts = _fit_slopes(states, doubled, set_shares)
    offset = _fit_ridge(facts, intercepts, set_shares * _measure_slants(doubled, slopes, intercepts))
    return UncalibratedModel(
        low=_round(facts.min(axis=0)),
        high=_round(facts.max(axis=0)),
        offset=_round(offset),
        ease=_round(ease),
        hard_slopes=_round(slopes[:2]),
        easy_slopes=_round(slopes[2:]),
    )


def _fit_slopes(
    states: Sequence[State], columns: Sequence[NDArray[np.float64]], set_shares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return slopes common to all states, [F], and an intercept for each, [S], by block-wise Newton steps."""
    width = columns[0].shape[1]
    slopes, intercepts = np.zeros(width), np.zeros(len(states))
    for _ in range(STEPS):
        curvature, gradient = SLOPE_PRECISION * np.eye(width), -SLOPE_PRECISION * slopes
        own_curvatures, own_gradients = np.zeros(len(states)), np.zeros(len(states))
        mixed = np.zeros((len(states), width))
        for number, (state, part) in enumerate(zip(states, columns, strict=True)):
            weight = SET_WEIGHT * set_shares[number] / len(part)
            rates = _sigmoid(part @ slopes + intercepts[number])
            weights, residuals = weight * rates * (1 - rates), weight * (state.is_right - rates)
            curvature += part.T @ (part * weights[:, None])
            gradient += part.T @ residuals
            own_curvatures[number] = weights.sum() + 1e-3
            own_gradients[number] = residuals.sum() - 1e-3 * intercepts[number]
            mixed[number] = weights @ part
        reduced = curvature - mixed.T @ (mixed / own_curvatures[:, None])
        step = np.linalg.solve(reduced, gradient - mixed.T @ (own_gradients / own_curvatures))
        slopes = slopes + np.clip(step, -2, 2)
        intercepts = intercepts + np.clip((own_gradients - mixed @ step) / own_curvatures, -2, 2)
    return slopes, intercepts


def _measure_slants(
    columns: Sequence[NDArray[np.float64]], slopes: NDArray[np.float64], intercepts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the squared change of the mean confidence of each state with its intercept, [S]."""
    slants = []
    for part, intercept in zip(columns, intercepts.tolist(), strict=True):
        rates = _sigmoid(part @ slopes + intercept)
        slants.append(float((rates * (1 - rates)).mean()) ** 2)
    return np.array(slants)


def _fit_ridge(
    facts: NDArray[np.float64], intercepts: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the constant and the coefficients of the facts, [4]."""
    means, scales = facts.mean(axis=0), facts.std(axis=0) + 1e-9
    columns = np.hstack([np.ones((len(facts), 1)), (facts - means) / scales])
    penalty = RIDGE * weights.mean() * np.diag([0.0, 1.0, 1.0, 1.0])
    solution = np.linalg.solve(columns.T @ (columns * weights[:, None]) + penalty, columns.T @ (weights * intercepts))
    coefficients = solution[1:] / scales
    return np.concatenate([[solution[0] - means @ coefficients], coefficients])


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(values, -50, 50)))
    return result


def _round(values: NDArray[np.float64]) -> tuple[Any, ...]:
    return tuple(round(value, 3) for value in values.tolist())
