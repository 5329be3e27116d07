"""Insert tables made from `assets/results/` into the README and the documentation: python -m tests.benchmarks.tables.

A table stands between the lines `<!-- table: NAME -->` and `<!-- /table -->`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks import (
    audit_tables,
    budget_tables,
    calibration_tables,
    paper_results,
    photos_tables,
    record,
    speed_tables,
    study_tables,
)
from tests.benchmarks.markdown import LINE_WIDTH, describe_results, format_range, format_table
from tests.benchmarks.results import load_results

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "assets/docs").glob("*.md"))]
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)
PAPER_UNITS = {
    "members": "vaetui, annotator `members`",
    "centre": "vaetui, annotator `centre`",
    "mean": "the same, `members`, with the mean of z (`--latent mean`)",
    "normal": "the same, `members`, from N(0, 0.02) (`--init normal`)",
    "labels": "every label given, same networks",
}
"""Measured runs of the paper's recipe, and their descriptions."""
PCA = "PCA-50 and k-means, 80 clusters named correctly, no training"


def speed_table() -> str:
    """Return the table of `speed`."""
    results = load_results("speed")
    rows = []
    for line in results["lines"]:
        digits = {"MB": 0, "ms": 1}.get(line["unit"], 2)
        rows.append(
            [
                f"{line['what']} ({line['detail']})",
                f"{line['measured']:,.{digits}f} {line['unit']}",
                f"{'≥' if line['at_least'] else '≤'} {line['bound']:g} {line['unit']}",
                "" if line["held"] else "falls short",
            ]
        )
    return f"{describe_results(results)}:\n\n" + format_table(["what", "measured", "target", ""], rows)


def slow_line_table() -> str:
    """Return the table of `slow_line`."""
    results = load_results("slow_line")
    head = ["seconds to", "size", "median", "95th percentile", "complete", "without the line", "kB sent", "target", ""]
    rows = []
    for line in results["lines"]:
        bound = line["bound"]
        rows.append(
            [
                line["what"],
                line["size"],
                *(f"{line[key]:.2f}" for key in ("seen", "late", "whole", "direct")),
                f"{line['bytes'] / 1000:.1f}",
                "" if bound is None else f"≤ {bound:g}",
                "" if bound is None or line["seen"] <= bound else "falls short",
            ]
        )
    return f"{describe_results(results)}:\n\n" + format_table(head, rows)


def robustness_list() -> str:
    """Return the results of `soak` and `fuzz` as a list."""
    soak, fuzz = load_results("soak"), load_results("fuzz")
    kills = (
        f"On {soak['date']}, seed {soak['seed']}: {soak['kills']} kills in {soak['runs']} small runs of the real "
        "program, while it started, trained, saved, clustered, split, answered and exported. Of "
        f"{soak['confirmed']} confirmed answers and undos, {soak['lost']} were lost and {soak['invented']} appeared "
        f"that nobody gave; {soak['identical']} of {soak['runs']} runs ended with the bits of an uninterrupted one."
    )
    damage = (
        f"On {fuzz['date']}, seed {fuzz['seed']}: {fuzz['cases']:,} cases of damage of {len(fuzz['kinds'])} kinds to "
        f"the files of small sessions. {fuzz['works']:,} sessions continued, {fuzz['refused']:,} were refused in one "
        f"sentence, {fuzz['failed']} failed; none took more than {max(fuzz['most_memory_mb'], 1)} MB of memory "
        "beyond an undamaged session."
    )
    return "\n".join(textwrap.fill(f"* {item}", LINE_WIDTH, subsequent_indent="  ") for item in (kills, damage))


def large_dataset_table() -> str:
    """Return the table of `large_dataset`: a column of seconds, memory and pauses for each number of images.

    Parts that an interrupted run lacks are extrapolated from the run with the fewest images, and marked.
    """
    runs = {int(count): run for count, run in load_results("large_dataset")["runs"].items()}
    counts, lines = sorted(runs), []
    for count in counts:
        run = runs[count]
        origin = describe_results({"seed": 0, **run})
        sentences = [
            f"{count:,} images of 28x28, {run.get('answers', 0)} answers, {origin}. Memory is counted beyond "
            f"the {run['bare_mb']} MB of a bare process with Python, PyTorch and scikit-learn."
        ]
        if "first_screen_mb" in run:
            sentences.append(f"Up to the first labelling screen it peaks at {run['first_screen_mb']:,} MB.")
        if "right" in run:
            sentences.append(f"At the end {100 * run['right']:.1f} % of the exported labels are correct.")
        sentences.append(f"The longest time without a reaction to a key was {run['unheeded_s']:.1f} s.")
        lines.append(textwrap.fill(" ".join(sentences), LINE_WIDTH))
    tables = [_format_large_parts(runs)]
    if any(run.get("calls") for run in runs.values()):
        names = [*dict.fromkeys(name for count in counts for name in runs[count].get("calls", {}))]
        rows = [[name, *(f"{runs[count].get('calls', {}).get(name, '')}" for count in counts)] for name in names]
        tables.append(format_table(["seconds in the app", *(f"{count / 1e6:g} million" for count in counts)], rows))
    return "\n\n".join([*lines, *tables])


def _format_large_parts(runs: dict[int, dict[str, Any]]) -> str:
    """Return a table with a row for each part, and a note on extrapolated figures."""
    counts = sorted(runs)
    first, has_estimates = runs[counts[0]]["parts"], False
    head, rows = ["part"], []
    for count in counts:
        head += [f"{count / 1e6:g} million: seconds", "MB", "of it not file pages", "longest pause, s"]
    for name in first:
        row = [name]
        for count in counts:
            if (part := runs[count]["parts"].get(name)) is not None:
                row += [f"{part['seconds']:,.1f}", f"{part['memory_mb']:,.0f}", f"{part['own_mb']:,.0f}"]
                row.append(f"{part['pause_s']:.1f}" if "pause_s" in part else "")
                continue
            has_estimates, factor = True, count / counts[0]
            seconds = first[name]["seconds"] * (1 if name.endswith(("epoch", "answers")) else factor)
            memory = [first[name][key] * factor for key in ("memory_mb", "own_mb")]
            row += [f"≈ {seconds:,.1f}", *(f"≈ {value:,.0f}" for value in memory), ""]
        rows.append(row)
    table = format_table(head, rows)
    if not has_estimates:
        return table
    note = (
        "Figures with ≈ are not measured but extrapolated from the smaller run in proportion to the number of images, "
        "but for the seconds of epochs, which train on a limited number of images."
    )
    return f"{table}\n\n{textwrap.fill(note, LINE_WIDTH)}"


def manual_run_table() -> str:
    """Return the table of a run that a person labelled."""
    results = load_results("run-by-hand")
    epochs = [str(epoch) for epoch in range(1, len(results["test_accuracy"]) + 1)]
    rows = [["vaetui", *(f"{100 * share:.1f}" for share in results["test_accuracy"])], ["paper", *results["paper"]]]
    return (
        f"A run labelled by hand in the app (seed {results['seed']}, {results['answers']} answers in "
        f"{results['rounds']} rounds, {results['date']}), beside the published figures:\n\n"
    ) + format_table(["test accuracy in %, after epoch", *epochs], rows)


def accuracy_table() -> str:
    """Return the test accuracy by epoch: published, measured, and of the baselines."""
    rows = [["paper", *(f"{share:.1f}" for share in paper_results.TEST_ACCURACY), "50 to 80"]]
    for unit, description in PAPER_UNITS.items():
        values = paper_results.measured(unit, "test_accuracy")
        if len(values):
            answers = [run["answers"] for run in paper_results.list_runs(unit) if "answers" in run]
            count = " to ".join(sorted({str(min(answers)), str(max(answers))})) if answers else "60,000"
            rows.append([description, *map(format_range, values.T), count])
    for unit, description in (("plain", "no classification loss, 80 clusters named correctly"), ("pca", PCA)):
        accuracy = format_range(paper_results.cluster_accuracy(unit, 80))
        rows.append([description, *[""] * 5, accuracy, "80"])
    head = ["test accuracy in %, after epoch", *(str(epoch) for epoch in range(1, 7)), "answers"]
    return format_table(head, rows)


def reading_tables() -> str:
    """Return the reading accuracy by z_dim, and the comparison with the paper's other figures."""
    by_z_dim = paper_results.reading_accuracy_by_z_dim()
    published = [str(paper_results.READING_ACCURACY_BY_Z_DIM.get(z_dim, "")) for z_dim in by_z_dim]
    first = format_table(
        ["reconstructions read correctly in %, z_dim", *map(str, by_z_dim)],
        [
            ["paper, a person reads", *published],
            ["vaetui, a network reads", *map(format_range, by_z_dim.values())],
        ],
    )
    with_loss, without_loss = (
        paper_results.measured(unit, "reading_accuracy_by_eval") for unit in ("members", "plain")
    )
    gap = (with_loss - without_loss)[:, 3:]  # in the first epoch both are the same
    best, best_without = paper_results.BEST_READING_ACCURACY
    comparisons = [
        ("reconstructions read correctly, best evaluation, with classification loss", best, with_loss.max(axis=1)),
        ("the same without", best_without, without_loss.max(axis=1)),
        ("difference in points, mean over 15 evaluations", paper_results.READING_ACCURACY_GAP, gap.mean(axis=1)),
    ]
    for weight, share in paper_results.LABEL_ACCURACY_BY_WEIGHT.items():
        for unit in ("members", "centre"):
            description = f"pseudo-labels of weight above {weight} that are correct, last round, annotator `{unit}`"
            comparisons.append((description, share, paper_results.label_accuracy_above(weight, unit)))
    rows = [[description, f"{share:.1f}", format_range(values)] for description, share, values in comparisons]
    reader_accuracy = format_range(paper_results.measured("members", "reader_accuracy"))
    note = (
        "(The network that reads was trained on all 60,000 labelled images; of the original test images it reads\n"
        f"{reader_accuracy} % correctly.)"
    )
    second = format_table(["in %", "paper, a person reads", "vaetui, a network reads"], rows)
    return f"{first}\n\n{note}\n\n{second}"


TABLES: dict[str, Callable[[], str]] = {
    "robustness": robustness_list,
    "speed": speed_table,
    "slow_line": slow_line_table,
    "large_dataset": large_dataset_table,
    "contention": speed_tables.contention_table,
    "training_rates": speed_tables.training_rates_table,
    "graph": speed_tables.graph_table,
    "ranks": speed_tables.ranks_table,
    "whole_runs": speed_tables.whole_runs_table,
    "run": manual_run_table,
    "accuracies": accuracy_table,
    "readings": reading_tables,
    "record": record.record_table,
    "parts": record.parts_table,
    "record_errors": record.wrong_answers_table,
    "steps": record.steps_table,
    "rounds": study_tables.rounds_table,
    "sets": study_tables.datasets_table,
    "exported": study_tables.exported_table,
    "errors": study_tables.errors_table,
    "ablation": study_tables.ablation_table,
    "seconds": study_tables.seconds_table,
    "budget": budget_tables.budget_table,
    "review": budget_tables.review_table,
    "audit": audit_tables.audit_table,
    "audit_errors": audit_tables.audit_errors_table,
    "calibration": calibration_tables.calibration_table,
    "photos": photos_tables.photos_table,
    "photos_expected": photos_tables.photos_expected_table,
}


def insert_tables(text: str) -> str:
    """Return a document with all its tables made anew."""
    return TABLE.sub(lambda match: f"{match[1]}{TABLES[match[2]]()}\n{match[3]}", text)


def main() -> None:
    for path in DOCUMENTS:
        path.write_text(insert_tables(path.read_text()))


if __name__ == "__main__":
    main()
