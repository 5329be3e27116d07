"""The table of the results of `calibration`."""

from __future__ import annotations

import textwrap

from tests.benchmarks.audit_tables import SET_NAMES
from tests.benchmarks.markdown import LINE_WIDTH, format_table
from tests.benchmarks.results import load_results

SHOWN_ROUNDS = (2, 4)
"""Rounds that the networks were trained on."""
PLAN_COLUMNS = ("uncalibrated", "quick", "full")
"""The states of the confidence: without an audit, and after each plan."""


def calibration_table() -> str:
    """Return how far confidences are from the share of right labels, without an audit and after one."""
    results = load_results("calibration")
    summary = (
        f"Measured on {results['date']}, {results['machine']}, by sessions of 64 answers for clusters, 2 % of them "
        f"wrong, and {results['audits']} audits of each. The calibration error is the mean gap between confidence and "
        f"share of right labels in {results['bins']} bins, in points; after an audit, on labels that were not checked."
    )
    head = ["images", "rounds", "right labels", "classifier's probability", "uncalibrated confidence"]
    head += ["calibration error: classifier", *PLAN_COLUMNS]
    rows = []
    for state in results["states"]:
        if state["rounds"] in SHOWN_ROUNDS:
            shares = (state["accuracy"], state["before"]["expected"], state["uncalibrated"]["expected"])
            errors = (state["before"]["ece"], *(state[column]["ece"] for column in PLAN_COLUMNS))
            rows.append(
                [
                    SET_NAMES.get(state["set"], state["set"]),
                    str(state["rounds"]),
                    *(f"{100 * share:.1f} %" for share in shares),
                    *(f"{100 * error:.1f}" for error in errors),
                ]
            )
    return f"{textwrap.fill(summary, LINE_WIDTH)}\n\n" + format_table(head, rows)
