"""Tables of what `study` measured."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks import paper_results
from tests.benchmarks.markdown import format_range, format_table
from tests.benchmarks.results import list_runs, load_results

Runs = list[dict[str, Any]]
ROUND_UNITS = {
    "mnist": "MNIST",
    "splits": "the same, 12 clusters a round, the other 4 answers are splits",
    "centre": "the same, the annotator sees only the decoded centres (`--annotator centre`)",
    "fashion": "Fashion-MNIST",
    "digits": "scikit-learn's digits, 1,438 images",
    "imbalanced": "MNIST, 20,000 images, classes from 1 % to 30 %",
    "coloured": "MNIST, 20,000 colour images: any bright digit on any dark background",
    "coloured without tint": "the same, without colour changes in second views (`--colour-jitter 0`)",
}
"""Units of four rounds, and their descriptions."""
DATASETS = ("mnist", "fashion", "digits", "imbalanced")
PARTS = {
    "training": "training",
    "clustering": "clustering",
    "measuring": "measuring",
    "loading": "loading",
    "judging": "label evaluation",
    "saving": "saving",
}
"""Parts of a run's time, and their descriptions; clustering is k-means, graph and propagation."""
ABLATIONS = {
    "second view": "second view of each image (`--augment 0`; removes contrastive and consistency loss too)",
    "contrast": "contrastive loss",
    "consistency": "consistency loss: one class for both views",
    "graph": "graph: answers spread within their cluster, as in the paper",
    "doubt": "later rounds ask about uncertain images",
    "fine clusters": "small clusters of them, of which the most uncertain are asked",
    "directions": "clusters by cosine, not by Euclidean distance",
    "normalisation": "batch normalisation",
    "hidden units": "classifier on the hidden units, not on z",
    "decline": "learning rate that decays in each epoch, not 2e-3 throughout",
}
IMAGE_COUNTS = (10_000, 60_000, 240_000)


def rounds_table() -> str:
    """Return the test accuracy after each round."""
    rows = []
    for unit, description in ROUND_UNITS.items():
        shares = 100 * np.array([run["test_accuracy"][-4:] for run in list_runs("propagation", unit)])
        cells = [*(f"{share:.2f}" for share in shares.mean(axis=0)), f"{shares[:, -1].min():.2f}", f"{len(shares)}"]
        rows.append([description, *cells])
    results = load_results("propagation")
    dates = ", ".join(sorted({run["date"] for run in results.values()}))
    once = [f"{count} answers {format_range(_final_accuracy(f'once {count}'))} %" for count in (10, 20)]
    return (
        f"Measured on {dates}, {results['mnist/0']['machine']}, by `simulate` with 2 % wrong answers:\n\n"
        + format_table(["test accuracy in % after", "16", "32", "48", "64 answers", "worst seed", "seeds"], rows)
        + f"\n\nAll answers in one round, after two epochs: {', '.join(once)}."
    )


def datasets_table() -> str:
    """Return the final accuracy on each image set by the recipes, a baseline and the upper bound."""
    rows = []
    for unit in DATASETS:
        components = 100 * np.array([run["clusters"]["64"] for run in list_runs("propagation", f"{unit} components")])
        paper = paper_results.measured("members", "test_accuracy") if unit == "mnist" else _accuracy(f"{unit} paper")
        thorough = "thorough" if unit == "mnist" else f"{unit} thorough"
        recipes = (_final_accuracy(name, "record") for name in (unit, thorough))
        columns = (components, paper[:, 4], *recipes, _final_accuracy(f"{unit} labels"))
        rows.append([ROUND_UNITS[unit], *map(format_range, columns)])
    head = ["", "PCA and k-means", "`paper`", "`propagation` (default)", "`thorough`, 20 answers", "every label given"]
    return format_table(head, rows)


def exported_table() -> str:
    """Return the quality of exported labels."""
    rows = []
    for unit in DATASETS:
        exported = [run["exported"] for run in list_runs("propagation", unit)]
        keys = ("accuracy", "expected", "calibration_error")
        cells = [100 * np.array([quality[key] for quality in exported]) for key in keys]
        rows.append([ROUND_UNITS[unit], *map(format_range, cells)])
    head = ["of all training images, in %", "correct labels", "mean confidence", "calibration error"]
    return format_table(head, rows)


def errors_table() -> str:
    """Return the final accuracy by the share of wrong answers."""
    units = {0: "wrong 0", 2: "one thread", 5: "wrong 5", 10: "wrong 10", 20: "wrong 20"}
    cells = [format_range(_final_accuracy(unit)) for unit in units.values()]
    return format_table(["wrong answers in %", *map(str, units)], [["test accuracy", *cells]])


def ablation_table() -> str:
    """Return what each part of the recipe contributes and costs."""
    accuracy = _accuracy("one thread")
    seconds = np.mean([run["seconds"]["total"] for run in list_runs("propagation", "one thread")])
    rows = []
    for name, description in ABLATIONS.items():
        lost = accuracy - _accuracy(f"without {name}")
        saved = seconds - np.mean([run["seconds"]["total"] for run in list_runs("propagation", f"without {name}")])
        cells = [" and ".join(f"{points:.2f}" for points in lost[:, epoch]) for epoch in (-3, -1)]
        rows.append([description, *cells, f"{saved:.0f} of {seconds:.0f}"])
    lost_on_fashion = _final_accuracy("fashion") - _final_accuracy("fashion without hidden units")
    return (
        format_table(["removed (seeds 0 and 1)", "points lost after 32 answers", "after 64", "seconds saved"], rows)
        + "\n\n(One thread, beside other work: seconds are accurate to about 15. Without the hidden units,\n"
        + f"Fashion-MNIST loses {' and '.join(f'{points:.2f}' for points in lost_on_fashion)} points.)"
    )


def seconds_table() -> str:
    """Return the time of each part, and how it grows with the number of images."""
    timed = {
        "the default recipe": list_runs("record", "mnist"),
        "`thorough`": list_runs("record", "thorough"),
        "older default recipe": list_runs("propagation", "mnist"),
    }
    rows = []
    for description, runs in timed.items():
        rates = f"{min(run['gflops'] for run in runs)} to {max(run['gflops'] for run in runs)} GFLOP/s"
        description = f"{description}, MNIST, {runs[0]['threads']} threads ({rates}), mean of {len(runs)}"
        rows.append(_seconds_row(description, runs))
    for count in IMAGE_COUNTS:
        if runs := list_runs("propagation", f"{count} images"):
            rows.append(_seconds_row(f"older default recipe, {count:,} images, 1 thread, beside other work", runs))
    return format_table(["seconds", *PARTS.values(), "total", "test accuracy"], rows)


def _seconds_row(description: str, runs: Runs) -> list[str]:
    seconds = [np.mean([run["seconds"].get(part, 0.0) for run in runs]) for part in (*PARTS, "total")]
    accuracy = np.mean([100 * run["test_accuracy"][-1] for run in runs])
    return [description, *(f"{part:.1f}" for part in seconds), f"{accuracy:.2f}"]


def _accuracy(unit: str) -> NDArray[np.float64]:
    return 100 * np.array([run["test_accuracy"] for run in list_runs("propagation", unit)])


def _final_accuracy(unit: str, results_name: str = "propagation") -> NDArray[np.float64]:
    return 100 * np.array([run["test_accuracy"][-1] for run in list_runs(results_name, unit)])
