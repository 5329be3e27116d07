"""Print the output of `sessions`, `show` and `check` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vaetui.errors import format_count, make_printable
from vaetui.tui.presenters.expected_accuracy import format_small_share, round_percent
from vaetui.tui.presenters.run_position import format_position
from vaetui.tui.presenters.unanswered_classes import format_unanswered_classes

if TYPE_CHECKING:
    from vaetui.storage.findings import Finding


HEADING_CELLS = 20
"""Width of the headings of a session's status."""
IMAGE_ANSWER_TEXTS = {
    "review": "in a review",
    "pair": "beside a confused class",
    "audit": "from audits",
    "corrected": "corrected",
    "unreadable": "unreadable",
    "beyond_borders": "more beyond a border",
}
"""Words for the counts of answers about single images."""
MAX_PAIRS = 3
"""Pairs of classes that differ most."""
MAX_TABLE_CELLS = 1_000
"""Columns of a terminal that is wide enough for any row of the table of sessions."""
MAX_NAMES_CELLS = 200
"""Columns of the names of the classes without an answer."""


def print_sessions(summaries: list[dict[str, Any]]) -> None:
    """Print a table with one row per session, and below it why a session cannot be read.

    A narrow terminal shows the day of creation only if there is room for it.
    """
    from datetime import datetime

    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for header in ("session", "state", "epoch", "round", "answers", "test", "created"):
        table.add_column(header, no_wrap=header in ("session", "round", "created"))
    for summary in summaries:
        if "error" in summary:
            table.add_row(summary["name"], "cannot be read")
            continue
        table.add_row(
            summary["name"],
            _format_short_state(summary),
            f"{summary['current_epoch']}/{summary['epochs']}",
            _format_round(summary),
            str(summary["answers"]),
            _format_percent(summary["test_accuracy"][-1] if summary["test_accuracy"] else None),
            f"{datetime.fromtimestamp(summary['created']):%Y-%m-%d}",
        )
    console = Console()
    if console.measure(table, options=console.options.update(width=MAX_TABLE_CELLS)).maximum > console.width:
        table.columns.pop()
    with console.capture() as capture:  # Rich itself would exit without a message if the pipe is closed.
        console.print(table)
    click.echo(capture.get(), nl=False)
    for summary in summaries:
        if "error" in summary:
            click.echo(f"{summary['name']}: {summary['error']}")


def print_session(summary: dict[str, Any]) -> None:
    """Print the status of one session, one line per topic."""
    position = format_position(*(summary[key] for key in ("phase", "current_epoch", "epochs", "next_round", "rounds")))
    state = f"{_format_state(summary)}{':' if summary['phase'] == 'finished' else ','} {position}"
    if summary["clusters"] is not None:
        state += f", {summary['answered_clusters']} of {summary['clusters']} clusters answered"
    lines = {"session": summary["name"], "state": state}
    if summary["training_run"] is not None:
        lines["trained by"] = _describe_run(summary)
    if summary["failure"]:
        lines["failed"] = summary["failure"]
    lines |= {
        "data": make_printable(summary["data"]),
        **summary["import"],
        "recipe": f"{summary['recipe']}, seed {summary['seed']}",
        "answers": _format_answers(summary),
        **_format_image_answers(summary["image_answers"]),
        **_format_epoch_metrics(summary),
        "time": f"{summary['training_seconds'] / 60:.1f} min training, "
        f"{summary['labelling_seconds'] / 60:.1f} min labelling",
        "directory": summary["directory"],
    }
    for header, line in lines.items():
        click.echo(f"{header:{HEADING_CELLS}}" + line.replace("\n", "\n" + " " * HEADING_CELLS))


def _format_epoch_metrics(summary: dict[str, Any]) -> dict[str, str]:
    """Format the metrics by epoch: those with true labels if there are any, else those without."""
    metrics = {"test accuracy": summary["test_accuracy"]}
    if not any(value is not None for value in summary["test_accuracy"]):
        metrics = {"prediction churn": summary["prediction_churn"]}
    metrics["reading accuracy"] = summary["reading_accuracy"]
    expected = summary["expected_accuracy"]
    lines = {}
    if any(value is not None for value in expected):
        values = ("–" if value is None else f"~{round_percent(value)} %" for value in expected)
        lines["expected accuracy"] = f"{'  '.join(values)}  (uncalibrated)"
    lines |= {
        header: "  ".join(_format_percent(value) for value in values)
        for header, values in metrics.items()
        if any(value is not None for value in values)
    }
    if summary["disagreement"] is not None:
        lines["disagreement"] = _format_disagreement(summary["disagreement"])
    if summary["audits"]:
        lines["audit"] = "\n".join(map(_format_audit, summary["audits"]))
    agreements = []
    for agreement in summary["agreements"]:
        rate, confidence = f"{100 * agreement['agreement_rate']:.0f} %", agreement["mean_confidence"]
        confidence_text = "" if confidence is None else f" (confidence {100 * confidence:.0f} %)"
        agreements.append(f"{rate} of {agreement['image_count']} in round {agreement['round']}{confidence_text}")
    return lines | ({"agreement": ", ".join(agreements)} if agreements else {})


def print_findings(
    session_name: str, findings: list[Finding], remaining_findings: list[Finding], was_repaired: bool
) -> None:
    """Print every finding with its remedy, and what to do next."""
    for finding in findings:
        remedy = finding.remedy if was_repaired or finding.is_lost else f"with --repair, {finding.remedy}"
        click.echo(make_printable(f"{finding.file_name} {finding.problem}: {remedy}"))
    if not findings:
        click.echo(f"Session {session_name} is undamaged.")
    elif not remaining_findings:
        click.echo(f"Session {session_name} is repaired.")
    elif was_repaired:
        click.echo(f"Session {session_name} is repaired as far as possible.")
    elif not all(finding.is_lost for finding in remaining_findings):
        click.echo(f"Repair with: vaetui check {session_name} --repair")


def _format_state(summary: dict[str, Any]) -> str:
    suffix = " in the background" if summary["detached"] else ", failed" if summary["failure"] else ""
    if summary["training_run"] is not None:
        count = format_count(summary["training_run"]["ranks"], "process", "processes")
        suffix = f", {count} waiting" if summary["phase"] == "labelling" else f" in {count}"
    return f"{summary['phase']}{suffix}"


def _format_short_state(summary: dict[str, Any]) -> str:
    """Return the state for a table, in which the words of `_format_state` would take two lines."""
    if summary["training_run"] is not None:
        return f"{summary['phase']}, {format_count(summary['training_run']['ranks'], 'process', 'processes')}"
    suffix = ", background" if summary["detached"] else ", failed" if summary["failure"] else ""
    return f"{summary['phase']}{suffix}"


def _describe_run(summary: dict[str, Any]) -> str:
    """Return the processes that train a session, and what they do now."""
    from vaetui.storage.training_run import TrainingRun  # its lock would delay --help

    run = TrainingRun(**summary["training_run"])
    return f"{run}, waiting for answers" if summary["phase"] == "labelling" else str(run)


def _format_round(summary: dict[str, Any]) -> str:
    """Return the round that waits for answers, the one that training leads to, or the last one of a finished run."""
    number = f"{summary['next_round'] or summary['rounds']}/{summary['rounds']}"
    return f"next: {number}" if summary["phase"] == "training" and summary["next_round"] else number


def _format_answers(summary: dict[str, Any]) -> str:
    """Return the number of answers and, once there are any, the classes without one."""
    count, unanswered_classes = summary["answers"], summary["unanswered_classes"]
    note = format_unanswered_classes(unanswered_classes, MAX_NAMES_CELLS) if count else ""
    return f"{count:,}. {note}" if note else f"{count:,}"


def _format_disagreement(disagreement: dict[str, Any]) -> str:
    """Return on how many images classifier and graph differ, and the pairs of classes that differ most."""
    pairs = (f"{' and '.join(pair['classes'])} ({pair['images']:,})" for pair in disagreement["pairs"][:MAX_PAIRS])
    text = f"classifier and graph differ on {format_small_share(disagreement['share'])} of the images"
    return f"{text}: {', '.join(pairs)}" if disagreement["pairs"] else text


def _format_audit(audit: dict[str, Any]) -> str:
    """Return the result of an audit in one line."""
    share, low, high = (f"{100 * audit[key]:.1f}" for key in ("estimate", "low", "high"))
    return (
        f"{share} % right (95 % interval {low} to {high}), {format_count(audit['checked'], 'label')} checked after "
        f"round {audit['round']}, epoch {audit['epoch']}, {audit['date'][:10]}, version {audit['version']}"
    )


def _format_image_answers(counts: dict[str, int]) -> dict[str, str]:
    """Return the number of images with an answer of their own, and where they come from, if there are any."""
    if not counts["images"] and not counts["beyond_borders"]:
        return {}
    parts = [f"{counts[key]:,} {text}" for key, text in IMAGE_ANSWER_TEXTS.items() if counts[key]]
    return {"single images": f"{counts['images']:,} ({', '.join(parts)})"}


def _format_percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.1f} %"
