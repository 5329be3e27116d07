"""Measure `simulate` as users run it: the default recipe and `thorough`, and what each new part adds.

python -m tests.benchmarks.record [UNIT ...] runs what is missing in assets/results/record.json, as `study` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tests.benchmarks.markdown import format_table
from tests.benchmarks.results import list_runs
from tests.benchmarks.study import MEMBERS, Overrides, Unit, measure_units
from tests.benchmarks.study_tables import ROUND_UNITS
from vaetui.engine.config import find_epoch_before_round

TEN_ANSWERS = replace(MEMBERS, answers_per_round=10)
WRONG_PERCENTS = (0, 5, 10, 20)
PARTS: dict[str, tuple[str, Overrides]] = {
    "heads": ("cluster heads", {"network": {"cluster_heads": 0}}),
    "second epoch": ("second epoch before the first round", {"training": {"warmup_epochs": 1}}),
    "views": ("three views: latent vectors alone", {"network": {"clustered": "latents"}}),
    "narrowing": ("fewer uncertain images the surer the labels", {"cluster": {"uncertainty_factor": 0.0}}),
    "skipped images": ("decoding only every second image", {"loss": {"reconstruct_every": 1}}),
}
"""What is removed, and how."""
STEPS = {
    "before": "at most a quarter of the images count as uncertain; half of the answers are pages",
    "without balance": "any share of the images counts as uncertain; all answers are for clusters",
    "with all decoded": "labels count less the more their class has",
    "mnist": "every second image of a batch is decoded: the recipe",
}
"""The last changes, oldest first. All runs but the last are those of earlier versions of the project."""
REFERENCE = "one thread"
"""What runs with wrong answers and without single parts are compared with: all have one thread, two run at a time."""
SETS = ("fashion", "digits", "imbalanced", "coloured")
"""The other image sets."""
DESCRIPTIONS = {
    "mnist": "MNIST",
    "thorough": "MNIST, `thorough`",
    **{name: ROUND_UNITS[name] for name in SETS},
    **{f"{name} thorough": f"{ROUND_UNITS[name]}, `thorough`" for name in SETS},
}
UNITS = {
    "mnist": Unit(20),
    "fashion": Unit(3, data="fashion"),
    "coloured": Unit(data="coloured"),
    "imbalanced": Unit(data="imbalanced"),
    "digits": Unit(data="digits"),
    REFERENCE: Unit(),
    "thorough": Unit(5, recipe="thorough", annotator=TEN_ANSWERS),
    **{f"wrong {percent}": Unit(annotator=replace(MEMBERS, error_rate=percent / 100)) for percent in WRONG_PERCENTS},
    **{f"without {name}": Unit(overrides=overrides) for name, (_, overrides) in PARTS.items()},
    **{f"{name} thorough": Unit(1, data=name, recipe="thorough", annotator=TEN_ANSWERS) for name in SETS},
}


def record_table() -> str:
    """Return accuracy, answers and time on each image set."""
    rows = []
    for unit, description in DESCRIPTIONS.items():
        if not (runs := list_runs("record", unit)):
            continue
        seconds = np.mean([run["seconds"]["total"] for run in runs])
        cells = [f"{runs[0]['answers']}", *_format_accuracy(runs, -1), _format_older_accuracy(unit)]
        cells += [_format_labels(runs), _format_expected(runs)]
        rows.append([description, *cells, f"{len(runs)}", f"{seconds:.0f} on {runs[0]['threads']}"])
        if unit == "thorough":
            last_epoch = find_epoch_before_round(UNITS[unit].build_config(0).training, 2)
            cells = ["10", *_format_accuracy(runs, last_epoch - 1), "", "", "", f"{len(runs)}", ""]
            rows.append(["the same, before the second round", *cells])
    accuracies = ["test accuracy in %", "worst seed", "older default recipe"]
    labels = ["correct labels in %", "expected by the program"]
    return format_table(["", "answers", *accuracies, *labels, "seeds", "seconds on threads"], rows)


def _format_accuracy(runs: list[dict[str, Any]], epoch_index: int) -> list[str]:
    """Return the mean and the lowest test accuracy of some runs after an epoch."""
    shares = [100 * run["test_accuracy"][epoch_index] for run in runs]
    return [f"{np.mean(shares):.2f}", f"{min(shares):.2f}"]


def _format_older_accuracy(unit: str) -> str:
    """Return the mean final test accuracy of an older default recipe, which `study` measured; empty if not measured."""
    runs = list_runs("propagation", unit)
    return f"{100 * np.mean([run['test_accuracy'][-1] for run in runs]):.2f}" if runs else ""


def _format_labels(runs: list[dict[str, Any]]) -> str:
    """Return the mean share of correct labels."""
    return f"{100 * np.mean([run['exported']['accuracy'] for run in runs]):.2f}"


def _format_expected(runs: list[dict[str, Any]]) -> str:
    """Return the mean of the confidences without an audit."""
    return f"{100 * np.mean([run['exported']['expected'] for run in runs]):.1f}"


def wrong_answers_table() -> str:
    """Return the accuracy with fewer and with more wrong answers."""
    rows = []
    for percent in sorted((2, *WRONG_PERCENTS)):
        runs = list_runs("record", REFERENCE if percent == 2 else f"wrong {percent}")[: UNITS["wrong 5"].seeds]
        if not runs:
            continue
        columns = [[run["test_accuracy"][-1] for run in runs], [run["exported"]["accuracy"] for run in runs]]
        rows.append([f"{percent} %", *map(_format_shares, columns)])
    return format_table(["wrong answers", "test accuracy in % (MNIST, seeds 0 and 1)", "correct labels in %"], rows)


def steps_table() -> str:
    """Return what the last changes brought on MNIST."""
    rows = []
    for unit, description in STEPS.items():
        runs = list_runs("record", unit)
        rows.append([description, *_format_accuracy(runs, -1), _format_labels(runs), f"{len(runs)}"])
    return format_table(["MNIST, 64 answers", "test accuracy in %", "worst seed", "correct labels in %", "seeds"], rows)


def _format_shares(shares: Sequence[float]) -> str:
    return " and ".join(f"{100 * share:.2f}" for share in shares)


def parts_table() -> str:
    """Return what MNIST loses and what time it saves without each new part that was measured."""
    rows = []
    for name, (description, _) in PARTS.items():
        if not (runs := list_runs("record", f"without {name}")):
            continue
        pairs = list(zip(list_runs("record", REFERENCE), runs, strict=False))
        lost = [100 * (whole["test_accuracy"][-1] - part["test_accuracy"][-1]) for whole, part in pairs]
        saved = [whole["seconds"]["total"] - part["seconds"]["total"] for whole, part in pairs]
        rows.append([description, " and ".join(f"{points:.2f}" for points in lost), f"{np.mean(saved):.0f}"])
    seconds = np.mean([run["seconds"]["total"] for run in list_runs("record", REFERENCE)])
    head = ["removed (MNIST, seeds 0 and 1)", "points lost", f"seconds saved, of {seconds:.0f}"]
    return format_table(head, rows)


if __name__ == "__main__":
    measure_units(UNITS, "tests.benchmarks.record", "record")
