"""Tables of speed and scale: shared machines, training rates, the graph of neighbours, several processes."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from tests.benchmarks.markdown import LINE_WIDTH, describe_results, format_table
from tests.benchmarks.results import load_results

SHARES = ("relative_to_share_by_process", "relative_to_share_by_thread")


def contention_table() -> str:
    """Return the table of `contention`: a row for each way to wait and number of busy processes beside training."""
    results = load_results("contention")
    rows = [
        [
            f"{row['images']}, {row['way']}",
            f"{row['neighbours']}",
            f"{row['rate']:,} ({row['lowest_rate']:,} to {row['highest_rate']:,})",
            *(f"{row[key]:.2f}" for key in ("relative_rate", *SHARES, "cpus_used", "cpus_used_by_other_programs")),
        ]
        for row in results["rows"]
    ]
    head = ["images, way", "busy processes", "images/s", "relative to spinning alone"]
    head += ["relative to a process's share", "relative to the threads' share", "CPUs used", "CPUs used by others"]
    return f"{describe_results(results)}:\n\n" + format_table(head, rows)


def training_rates_table() -> str:
    """Return the table of `training_rates`: a row for each recipe, kind of images and number of threads."""
    results = load_results("training_rates")
    rows = [
        [
            f"`{row['recipe']}`, {_describe_images(row['images'])}, {row['threads']}",
            f"{row['before']:,}",
            f"{row['after']:,}",
            f"{row['ratio']:.2f} ({row['lowest_ratio']:.2f} to {row['highest_ratio']:.2f})",
            f"{row['cpu_ratio']:.2f}",
        ]
        for row in results["rows"]
    ]
    head = ["recipe, images, threads", "before, images/s", "after", "ratio", "ratio per CPU second"]
    return f"{describe_results(results)}:\n\n" + format_table(head, rows)


def _describe_images(name: str) -> str:
    kind, _, side = name.partition("-")
    return "28x28 grey" if kind == "grey" else f"{side or 64}x{side or 64} colour"


def graph_table() -> str:
    """Return the table of `graph`: recall, time and accuracy for each set of images."""
    results, rows = load_results("graph"), []
    for name, figures in results["sets"].items():
        parts = figures["parts"]
        rows.append(
            [
                f"{figures['images']:,} images ({name if not name.isdecimal() else 'augmented digits'})",
                f"{100 * figures['recall']:.1f}",
                *(f"{parts['finding neighbours'][key]:.1f}" for key in ("seconds", "cpu_seconds")),
                f"{parts['finding neighbours']['memory_mb']:,}",
                *(_format_accuracy(figures.get(graph, {})) for graph in ("sample", "all images")),
            ]
        )
    head = [
        "set",
        "recall, %",
        "search, s",
        "CPU seconds",
        "memory, MB",
        "right labels, %: 15,000 images",
        "all images",
    ]
    note = (
        f"{describe_results(results)}; k = 12. Right labels: those of all images, and of the surest 90 %, propagated "
        "from 300 labels of which 8 % are wrong; mean of three draws."
    )
    return f"{textwrap.fill(note, LINE_WIDTH)}\n\n" + format_table(head, rows)


def _format_accuracy(figures: dict[str, Any]) -> str:
    if not figures:
        return ""
    shares = (figures["accuracy"], figures["accuracy_of_most_certain_90_percent"])
    return ", ".join(f"{100 * np.mean(share):.1f}" for share in shares)


def ranks_table() -> str:
    """Return the table of `ranks`: accuracy and seconds with one process and with two."""
    results = load_results("ranks")
    rows = []
    for count in sorted({key.partition("-")[0] for key in results["runs"]}):
        runs = [run for key, run in sorted(results["runs"].items()) if key.startswith(f"{count}-")]
        accuracies = [100 * run["test_accuracy"][-1] for run in runs]
        rows.append(
            [
                count,
                f"{np.mean(accuracies):.2f} ({', '.join(f'{accuracy:.2f}' for accuracy in accuracies)})",
                f"{np.mean([run['training_seconds'] for run in runs]):.0f}",
                f"{np.mean([run['seconds'] for run in runs]):.0f}",
            ]
        )
    head = ["processes", "test accuracy, %", "seconds of training", "seconds of the whole run"]
    return f"MNIST, default recipe, 64 answers; {describe_results(results)} and up:\n\n" + format_table(head, rows)


def whole_runs_table() -> str:
    """Return the table of `whole_runs`: accuracies and seconds of runs by an older version and by this one."""
    results = load_results("whole_runs")
    rows = []
    for version in ("before", "after"):
        runs = [run for key, run in sorted(results["runs"].items()) if key.startswith(f"mnist-{version}-")]
        accuracies = [100 * run["test_accuracy"][-1] for run in runs]
        exported = [100 * run["exported"]["accuracy"] for run in runs]
        seconds = [run["seconds"] for run in runs]
        rows.append(
            [
                version,
                *(
                    f"{np.mean(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})"
                    for shares in (accuracies, exported)
                ),
                *(f"{np.mean([run[part] for run in seconds]):.1f}" for part in ("training", "clustering", "total")),
            ]
        )
    count = len(results["runs"]) // 2
    head = ["version", "test accuracy, %", "exported labels, %", "training, s", "clustering, graph", "whole run"]
    return f"MNIST, default recipe, 64 answers, {count} seeds, {describe_results(results)} and up:\n\n" + format_table(
        head, rows
    )
