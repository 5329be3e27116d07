"""Tables of what `ceiling` measured, for the README; they measure nothing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tests.benchmarks import published
from tests.benchmarks.results import RESULTS

Runs = list[dict[str, Any]]
ROUNDS = {
    "mnist": "MNIST",
    "splits": "the same, 12 clusters a round, the other 4 answers split",
    "centre": "the same, only the decoded centres read (`--annotator centre`)",
    "fashion": "Fashion-MNIST",
    "digits": "scikit-learn's digits, 1,438 images",
    "imbalanced": "MNIST, 20,000 images, classes from 1 % to 30 %",
    "coloured": "MNIST, 20,000 images in colour: any bright ink on any dark ground",
    "coloured without tint": "the same, colours of second views as they are (`--colour-jitter 0`)",
}
"""What was answered in four rounds, and how a reader knows it."""
SETS = ("mnist", "fashion", "digits", "imbalanced")
PARTS = ("training", "clustering", "measuring", "loading", "judging", "saving")
"""Parts of a run's time; clustering is k-means, graph and propagation."""
REMOVED = {
    "second view": "second view of each image (`--augment 0`; contrast and consistency go with it)",
    "contrast": "contrast between images",
    "consistency": "one class for both views",
    "graph": "graph: answers spread over their cluster, as in the paper",
    "doubt": "later rounds ask what is in doubt",
    "fine clusters": "fine clusters of it, of which those with the most doubt are asked",
    "directions": "clusters by direction, not by distance",
    "normalisation": "batch normalisation",
    "hidden units": "classifier on the hidden units, not on z",
    "decline": "rate that declines in each epoch, not 2e-3 throughout",
}


def rounds() -> str:
    """Give the accuracy after each round."""
    head = "| test accuracy in % after | 16 | 32 | 48 | 64 answers | worst seed | seeds |"
    rows = [head, "| --- " * (head.count("|") - 1) + "|"]
    for unit, words in ROUNDS.items():
        shares = 100 * np.array([run["test_accuracy"][1:] for run in _runs(unit)])
        cells = [*(f"{share:.2f}" for share in shares.mean(axis=0)), f"{shares[:, -1].min():.2f}", f"{len(shares)}"]
        rows.append(f"| {words} | {' | '.join(cells)} |")
    once = [f"{count} answers {published.spread(_last(f'once {count}'))} %" for count in (10, 20)]
    return "\n".join([_when(), "", *rows, "", f"All in one round, after two epochs: {', '.join(once)}."])


def sets() -> str:
    """Give what was reached on each set beside the other recipe, a baseline and the ceiling."""
    head = "| test accuracy in %, 64 answers | PCA and k-means | `paper` | `neighbours` | every label given |"
    rows = [head, "| --- " * (head.count("|") - 1) + "|"]
    for unit in SETS:
        components = 100 * np.array([run["clusters"]["64"] for run in _runs(f"{unit} components")])
        papers = published.column("members", "test_accuracy") if unit == "mnist" else _accuracies(f"{unit} paper")
        columns = (components, papers[:, 4], _last(unit), _last(f"{unit} labels"))
        rows.append(f"| {ROUNDS[unit]} | {' | '.join(map(published.spread, columns))} |")
    return "\n".join(rows)


def taken() -> str:
    """Give how good the labels are that a person takes away."""
    head = "| of all training images, in % | labels right | right by their confidence | mean gap between the two |"
    rows = [head, "| --- " * (head.count("|") - 1) + "|"]
    for unit in SETS:
        told = [run["exported"] for run in _runs(unit)]
        cells = [100 * np.array([it[key] for it in told]) for key in ("accuracy", "expected", "calibration_error")]
        rows.append(f"| {ROUNDS[unit]} | {' | '.join(map(published.spread, cells))} |")
    return "\n".join(rows)


def wrong() -> str:
    """Give the accuracy by the share of wrong keys."""
    units = {0: "wrong 0", 2: "one thread", 5: "wrong 5", 10: "wrong 10", 20: "wrong 20"}
    head = f"| wrong keys, in % | {' | '.join(map(str, units))} |"
    cells = [published.spread(_last(unit)) for unit in units.values()]
    return "\n".join([head, "| --- " * (len(units) + 1) + "|", f"| test accuracy | {' | '.join(cells)} |"])


def removed() -> str:
    """Give what each part of the recipe brings and costs."""
    head = "| taken out (seeds 0 and 1) | points lost after 32 answers | after 64 | seconds saved |"
    rows = [head, "| --- " * (head.count("|") - 1) + "|"]
    whole = _accuracies("one thread")
    time = np.mean([run["seconds"]["total"] for run in _runs("one thread")])
    for name, words in REMOVED.items():
        lost = whole - _accuracies(f"without {name}")
        saved = time - np.mean([run["seconds"]["total"] for run in _runs(f"without {name}")])
        cells = [" and ".join(f"{each:.2f}" for each in lost[:, epoch]) for epoch in (2, 4)]
        rows.append(f"| {words} | {' | '.join(cells)} | {saved:.0f} of {time:.0f} |")
    lost = _last("fashion") - _last("fashion without hidden units")
    told = " and ".join(f"{each:.2f}" for each in lost)
    notes = (
        "(One thread, beside other work: seconds are good to some 15. Without the hidden units Fashion-MNIST loses "
        f"{told} points.)"
    )
    return "\n".join([*rows, "", notes])


def seconds() -> str:
    """Give where the time goes, and how it grows with the images."""
    quiet = _runs("mnist")
    head = f"| seconds | {' | '.join(PARTS)} | all | test accuracy |"
    rows = [head, "| --- " * (head.count("|") - 1) + "|"]
    rates = f"{min(run['gflops'] for run in quiet)} to {max(run['gflops'] for run in quiet)}"
    rows.append(_parts(f"MNIST, {quiet[0]['threads']} threads ({rates} GFLOP/s), mean of {len(quiet)}", quiet))
    for count in GROWTH:
        if runs := _runs(f"{count} images"):
            rows.append(_parts(f"{count:,} images, 1 thread, beside other work", runs))
    return "\n".join(rows)


GROWTH = (10_000, 60_000, 240_000)


def _parts(words: str, runs: Runs) -> str:
    cells = [np.mean([run["seconds"].get(part, 0.0) for run in runs]) for part in (*PARTS, "total")]
    accuracy = np.mean([100 * run["test_accuracy"][-1] for run in runs])
    return f"| {words} | {' | '.join(f'{each:.1f}' for each in cells)} | {accuracy:.2f} |"


def _runs(unit: str) -> Runs:
    """Give the runs of a unit, in the order of their seeds."""
    found = [(int(name.rpartition("/")[2]), run) for name, run in TOLD.items() if name.rpartition("/")[0] == unit]
    return [run for _, run in sorted(found, key=lambda each: each[0])]


def _accuracies(unit: str) -> np.ndarray:
    return 100 * np.array([run["test_accuracy"] for run in _runs(unit)])


def _last(unit: str) -> np.ndarray:
    return _accuracies(unit)[:, -1]


def _when() -> str:
    dates = ", ".join(sorted({run["date"] for run in TOLD.values()}))
    return f"Measured on {dates}, {TOLD['mnist/0']['machine']}, by `simulate` with 2 % wrong keys:"


TOLD: dict[str, dict[str, Any]] = json.loads((RESULTS / "neighbours.json").read_text())
"""What was measured, by unit and seed."""
