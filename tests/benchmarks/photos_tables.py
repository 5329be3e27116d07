"""Tables of the results of `photos`."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from tests.benchmarks.budget_tables import SET_NAMES
from tests.benchmarks.markdown import LINE_WIDTH, format_range, format_table
from tests.benchmarks.results import load_results

METHOD_NAMES = {
    "pca": "50 principal components of the pixels, every cluster named correctly",
    "propagation": "trained on the images, recipe propagation",
    "photos": "trained on the images, recipe photos",
    "features": "trained on vectors of the image model",
    "rotations": "the same, means over four quarter turns",
}
"""Methods, in the order of the columns, and their descriptions."""
IMAGE_SETS = SET_NAMES | {
    "mnist10k": "MNIST, its first 10,000 images",
    "fashion10k": "Fashion-MNIST, its first 10,000 images",
}
"""Image sets, in the order of the rows, and their descriptions."""
Units = list[dict[str, Any]]


def photos_table() -> str:
    """Return which share of new images is called right, by set, number of answers and method."""
    results = load_results("photos")
    units: Units = results["units"]
    methods = [method for method in METHOD_NAMES if any(unit["method"] == method for unit in units)]
    summary = (
        f"New images called right in %, mean (lowest to highest) over the seeds; image model {results['model']}, "
        f"{100 * results['error_rate']:.0f} % of the answers wrong, {results['date']}, {results['machine']}."
    )
    rows = [
        [
            f"{IMAGE_SETS.get(name, name)}, {answers}",
            *(_format_accuracies(_select_units(units, name, answers, method)) for method in methods),
        ]
        for name, answers in _list_keys(units)
    ]
    head = ["images, answers", *(METHOD_NAMES[method] for method in methods)]
    return f"{textwrap.fill(summary, LINE_WIDTH)}\n\n" + format_table(head, rows)


def photos_expected_table() -> str:
    """Return what the uncalibrated confidences promise beside the share of right labels, after each round."""
    units: Units = [unit for unit in load_results("photos")["units"] if "states" in unit]
    rows = []
    for name, answers in _list_keys(units):
        for method, description in METHOD_NAMES.items():
            chosen = _select_units(units, name, answers, method)
            if chosen:
                cells = [_format_states([unit["states"] for unit in chosen], index) for index in range(_count(chosen))]
                rows.append([f"{IMAGE_SETS.get(name, name)}, {answers}", description, *cells])
    rounds = max((len(row) - 2 for row in rows), default=0)
    head = ["images, answers", "method", *(f"round {number}: expected, right" for number in range(1, rounds + 1))]
    return format_table(head, rows)


def _list_keys(units: Units) -> list[tuple[str, int]]:
    """Return the pairs of a set and a number of answers, in the order of the descriptions of sets."""
    order = list(IMAGE_SETS)
    keys = {(unit["set"], unit["answers"]) for unit in units}
    return sorted(keys, key=lambda key: (order.index(key[0]) if key[0] in order else len(order), *key))


def _select_units(units: Units, name: str, answers: int, method: str) -> Units:
    return [unit for unit in units if (unit["set"], unit["answers"], unit["method"]) == (name, answers, method)]


def _format_accuracies(units: Units) -> str:
    """Return the accuracies on new images after the last round."""
    accuracies = np.array([100 * unit["test_accuracy"][-1] for unit in units])
    return f"{accuracies[0]:.1f}" if len(accuracies) == 1 else format_range(accuracies)


def _count(units: Units) -> int:
    return min(len(unit["states"]) for unit in units)


def _format_states(states: list[list[dict[str, Any]]], index: int) -> str:
    """Return the mean expected and the mean real share of right labels after a round."""
    expected, accuracy = (
        np.mean([100 * unit_states[index][key] for unit_states in states]) for key in ("expected", "accuracy")
    )
    return f"{expected:.0f}, {accuracy:.0f}"
