"""Fit the coefficients of the uncalibrated confidence to measured sessions; see `vaetui.engine.calibration`.

They maximise the likelihood of which labels are right, over all states of the sessions at once. Every image set counts
the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vaetui.engine.calibration import (
    LEAD_CENTRE,
    MODELS,
    SessionFacts,
    SessionKind,
    UncalibratedModel,
    compute_uncalibrated_logits,
)

PENALTY, SLOPE_PENALTY = 1e-3, 1e-4
"""Weights of the squared coefficients of the standardised facts, and of the squared slopes."""
MIN_SLOPE = 0.1
"""Least slope: doubtful labels are to have a lower confidence than others in every session."""
MAX_STEPS = 300
"""Most steps of the optimiser (L-BFGS)."""


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
                    kind: SessionKind = arrays[f"kind_{rounds}"].item()
                    facts = SessionFacts(*arrays[key].tolist(), kind)
                    name = path.stem.rpartition("-")[0]
                    states.append(State(name, rounds, facts, columns, arrays[f"is_right_{rounds}"].astype(np.float64)))
    return states


def print_models(paths: Sequence[Path]) -> None:
    """Print the coefficients, how far the mean confidence of each set is off, and how far without it in the fit."""
    states = load_states(paths)
    for kind, uses_later in itertools.product(MODELS, (True, False)):
        chosen = [state for state in states if (state.facts.kind, state.rounds > 1) == (kind, uses_later)]
        if not chosen:
            continue
        model = fit_model(chosen, uses_later)
        print(f"{kind}, {'with' if uses_later else 'without'} later answers, {len(chosen)} states: {model}")
        all_gaps, all_other_gaps = list[float](), list[float]()
        for name in sorted({state.name for state in chosen}):
            own, others = ([state for state in chosen if (state.name == name) is is_own] for is_own in (True, False))
            gaps = [measure_gap(model, state) for state in own]
            other_model = fit_model(others, uses_later) if others else model
            other_gaps = [measure_gap(other_model, state) for state in own]
            print(f"  {name}: {_format_gaps(gaps)} points; without this set {_format_gaps(other_gaps)}")
            all_gaps += gaps
            all_other_gaps += other_gaps
        print(f"  all: {_summarise_gaps(all_gaps)}; without the set {_summarise_gaps(all_other_gaps)}")


def measure_gap(model: UncalibratedModel, state: State) -> float:
    """Return the mean uncalibrated confidence less the share of right labels."""
    leads, stabilities = state.columns[:, 0] + LEAD_CENTRE, state.columns[:, 1]
    logits = compute_uncalibrated_logits(model, state.facts, leads, stabilities)
    return float((1 / (1 + np.exp(-logits))).mean() - state.is_right.mean())


def fit_model(states: Sequence[State], uses_later: bool) -> UncalibratedModel:
    """Return the coefficients; without `uses_later`, that of the agreement of later answers is 0."""
    facts = np.stack([state.facts.to_logits() for state in states])  # [S, 3]
    if not uses_later:
        facts[:, 0] = 0
    means, scales = facts.mean(axis=0), facts.std(axis=0) + 1e-9
    rows = torch.from_numpy(np.hstack([np.ones((len(facts), 1)), (facts - means) / scales]))
    names = [state.name for state in states]
    weights = [1 / (names.count(name) * len(set(names))) for name in names]
    columns = [torch.from_numpy(state.columns) for state in states]
    is_right = [torch.from_numpy(state.is_right) for state in states]
    offset, ease = (torch.zeros(4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    raw_slopes = torch.tensor([[-1.0, -1.0], [1.5, 1.5]], dtype=torch.float64, requires_grad=True)  # hard, easy
    optimiser = torch.optim.LBFGS([offset, ease, raw_slopes], max_iter=MAX_STEPS, line_search_fn="strong_wolfe")

    def compute_slopes() -> Tensor:
        return MIN_SLOPE + F.softplus(raw_slopes)

    def compute_loss() -> Tensor:
        optimiser.zero_grad()
        slopes = compute_slopes()
        loss = PENALTY * (offset[1:].square().sum() + ease[1:].square().sum()) + SLOPE_PENALTY * slopes.square().sum()
        for weight, row, part, labels in zip(weights, rows, columns, is_right, strict=True):
            share = torch.sigmoid(row @ ease)
            logits = row @ offset + part @ ((1 - share) * slopes[0] + share * slopes[1])
            state_loss = F.binary_cross_entropy_with_logits(logits, labels)
            loss = loss + weight * state_loss
        loss.backward()
        return loss

    optimiser.step(compute_loss)  # type: ignore[no-untyped-call]
    hard_slopes, easy_slopes = compute_slopes().detach().numpy()
    return UncalibratedModel(
        low=_round(facts.min(axis=0)),
        high=_round(facts.max(axis=0)),
        offset=_undo_scaling(offset, means, scales),
        ease=_undo_scaling(ease, means, scales),
        hard_slopes=_round(hard_slopes),
        easy_slopes=_round(easy_slopes),
    )


def _undo_scaling(coefficients: Tensor, means: NDArray[np.float64], scales: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the coefficients [4] of facts that are not standardised."""
    constant, *others = coefficients.detach().numpy()
    unscaled = np.array(others) / scales
    return _round(np.array([constant - means @ unscaled, *unscaled]))


def _format_gaps(gaps: Sequence[float]) -> str:
    return ", ".join(f"{100 * gap:+.1f}" for gap in gaps)


def _summarise_gaps(gaps: Sequence[float]) -> str:
    sizes = 100 * np.abs(gaps)
    return f"{sizes.mean():.1f} points on average, {sizes.max():.1f} at most"


def _round(values: NDArray[np.float64]) -> tuple[Any, ...]:
    return tuple(round(value, 3) for value in values.tolist())
