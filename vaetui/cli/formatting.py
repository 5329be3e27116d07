"""What `sessions`, `show` and `check` print for a person; it does not know where that comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vaetui.errors import sanitize

if TYPE_CHECKING:
    from vaetui.storage.findings import Finding


def print_sessions(summaries: list[dict[str, Any]]) -> None:
    """Print a line for each session."""
    from datetime import datetime

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for head in ("session", "state", "epoch", "round", "answers", "test", "begun"):
        table.add_column(head, no_wrap=head in ("session", "begun"))
    for it in summaries:
        if "error" in it:
            table.add_row(it["name"], Text(it["error"]))
            continue
        table.add_row(
            it["name"],
            _format_state(it),
            f"{it['epoch']} of {it['epochs']}",
            f"{it['round']} of {it['rounds']}",
            str(it["answers"]),
            _format_percent(it["test_accuracy"][-1] if it["test_accuracy"] else None),
            f"{datetime.fromtimestamp(it['created']):%Y-%m-%d %H:%M}",
        )
    Console().print(table)


def print_session(summary: dict[str, Any]) -> None:
    """Print how one session stands."""
    asked = "" if summary["clusters"] is None else f", {summary['answered_clusters']} of {summary['clusters']} centres answered"
    readings = "  ".join(_format_percent(share) for share in summary["reading_accuracy"])
    lines = {
        "session": summary["name"],
        "state": f"{_format_state(summary)}, epoch {summary['epoch']} of {summary['epochs']}, "
        f"round {summary['round']} of {summary['rounds']}{asked}",
        **({"failed": summary["failure"]} if summary["failure"] else {}),
        "images": sanitize(summary["data"]),
        "recipe": f"{summary['recipe']}, seed {summary['seed']}",
        "answers": f"{summary['answers']}, covering {_format_percent(summary['label_coverage'])} of the images",
        **_format_metrics(summary),
        **({"read": readings} if any(share is not None for share in summary["reading_accuracy"]) else {}),
        "time": f"{summary['training_seconds'] / 60:.1f} min training, {summary['labelling_seconds'] / 60:.1f} min labelling",
        "directory": summary["directory"],
    }
    for head, line in lines.items():
        click.echo(f"{head:10}{line}")


def _format_metrics(summary: dict[str, Any]) -> dict[str, str]:
    """Write the accuracy by epoch, or else what is known of each without true labels, and the word of the answers."""
    shares = {"test": summary["test_accuracy"]}
    if not any(share is not None for share in shares["test"]):
        shares = {"changed": summary["prediction_churn"], "expected": summary["mean_confidence"]}
    lines = {
        head: "  ".join(_format_percent(share) for share in by_epoch)
        for head, by_epoch in shares.items()
        if any(share is not None for share in by_epoch)
    }
    agreed = [
        f"{_format_percent(it['agreement_rate'])} of {it['image_count']} in round {it['round']}"
        + (f" (expected {_format_percent(it['mean_confidence'])})" if it["mean_confidence"] is not None else "")
        for it in summary["agreements"]
    ]
    return lines | ({"agreed": ", ".join(agreed)} if agreed else {})


def print_findings(session_name: str, findings: list[Finding], remaining: list[Finding], was_repaired: bool) -> None:
    """Print what was found damaged in a session, what is left of it, and what is to be done."""
    for each in findings:
        remedy = each.remedy if was_repaired or each.is_lost else f"with --repair it is {each.remedy}"
        click.echo(sanitize(f"{each.file_name} {each.problem}: {remedy}"))
    if not findings:
        click.echo(f"{session_name} is whole.")
    elif not remaining:
        click.echo(f"{session_name} is mended.")
    elif was_repaired:
        click.echo(f"{session_name} is mended as far as that can be done here.")
    elif not all(each.is_lost for each in remaining):
        click.echo(f"Mend what can be mended with: vaetui check {session_name} --repair")


def _format_state(summary: dict[str, Any]) -> str:
    """Name the phase, and whether it is trained without a terminal now, or was until that failed."""
    course = ", detached" if summary["detached"] else ", failed" if summary["failure"] else ""
    return f"{summary['phase']}{course}"


def _format_percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.1f} %"
