"""Print the output of `sessions`, `show` and `check` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vaetui.errors import make_printable

if TYPE_CHECKING:
    from vaetui.storage.findings import Finding


HEADING_CELLS = 18
"""Width of the headings of a session's status."""


def print_sessions(summaries: list[dict[str, Any]]) -> None:
    """Print a table with one row per session; a session that cannot be read has its error in the row."""
    from datetime import datetime

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for header in ("session", "state", "epoch", "round", "answers", "test", "created"):
        table.add_column(header, no_wrap=header in ("session", "created"))
    for summary in summaries:
        if "error" in summary:
            table.add_row(summary["name"], Text(summary["error"]))
            continue
        table.add_row(
            summary["name"],
            _format_state(summary),
            f"{summary['epoch']} of {summary['epochs']}",
            f"{summary['round']} of {summary['rounds']}",
            str(summary["answers"]),
            _format_percent(summary["test_accuracy"][-1] if summary["test_accuracy"] else None),
            f"{datetime.fromtimestamp(summary['created']):%Y-%m-%d %H:%M}",
        )
    console = Console()
    with console.capture() as capture:  # Rich itself would exit without a message if the pipe is closed.
        console.print(table)
    click.echo(capture.get(), nl=False)


def print_session(summary: dict[str, Any]) -> None:
    """Print the status of one session, one line per topic."""
    state = f"{_format_state(summary)}, epoch {summary['epoch']} of {summary['epochs']}"
    state += f", round {summary['round']} of {summary['rounds']}"
    if summary["clusters"] is not None:
        state += f", {summary['answered_clusters']} of {summary['clusters']} clusters answered"
    lines = {"session": summary["name"], "state": state}
    if summary["failure"]:
        lines["failed"] = summary["failure"]
    lines |= {
        "data": make_printable(summary["data"]),
        **summary["import"],
        "recipe": f"{summary['recipe']}, seed {summary['seed']}",
        "answers": f"{summary['answers']}, label coverage {_format_percent(summary['label_coverage'])}",
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
        metrics = {"prediction churn": summary["prediction_churn"], "mean confidence": summary["mean_confidence"]}
    metrics["reading accuracy"] = summary["reading_accuracy"]
    lines = {
        header: "  ".join(_format_percent(value) for value in values)
        for header, values in metrics.items()
        if any(value is not None for value in values)
    }
    agreements = []
    for agreement in summary["agreements"]:
        rate, confidence = _format_percent(agreement["agreement_rate"]), agreement["mean_confidence"]
        confidence_text = "" if confidence is None else f" (mean confidence {_format_percent(confidence)})"
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
    suffix = ", detached" if summary["detached"] else ", failed" if summary["failure"] else ""
    return f"{summary['phase']}{suffix}"


def _format_percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.1f} %"
