"""What `sessions`, `show` and `check` print for a person; it does not know where that comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vaetui.errors import visible

if TYPE_CHECKING:
    from vaetui.storage.findings import Finding


def sessions(told: list[dict[str, Any]]) -> None:
    """Print a line for each session."""
    from datetime import datetime

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for head in ("session", "state", "epoch", "round", "answers", "test", "begun"):
        table.add_column(head, no_wrap=head in ("session", "begun"))
    for it in told:
        if "trouble" in it:
            table.add_row(it["name"], Text(it["trouble"]))
            continue
        table.add_row(
            it["name"],
            _state(it),
            f"{it['epoch']} of {it['epochs']}",
            f"{it['round']} of {it['rounds']}",
            str(it["answers"]),
            _percent(it["test_accuracy"][-1] if it["test_accuracy"] else None),
            f"{datetime.fromtimestamp(it['created']):%Y-%m-%d %H:%M}",
        )
    Console().print(table)


def session(told: dict[str, Any]) -> None:
    """Print how one session stands."""
    asked = "" if told["centres"] is None else f", {told['answered']} of {told['centres']} centres answered"
    readings = "  ".join(_percent(share) for share in told["reading_accuracy"])
    lines = {
        "session": told["name"],
        "state": f"{_state(told)}, epoch {told['epoch']} of {told['epochs']}, "
        f"round {told['round']} of {told['rounds']}{asked}",
        **({"failed": told["failure"]} if told["failure"] else {}),
        "images": visible(told["data"]),
        "recipe": f"{told['recipe']}, seed {told['seed']}",
        "answers": f"{told['answers']}, covering {_percent(told['covered'])} of the images",
        **_figures(told),
        **({"read": readings} if any(share is not None for share in told["reading_accuracy"]) else {}),
        "time": f"{told['training_seconds'] / 60:.1f} min training, {told['labelling_seconds'] / 60:.1f} min labelling",
        "directory": told["directory"],
    }
    for head, line in lines.items():
        click.echo(f"{head:10}{line}")


def _figures(told: dict[str, Any]) -> dict[str, str]:
    """Write the accuracy by epoch, or else what is known of each without true labels, and the word of the answers."""
    shares = {"test": told["test_accuracy"]}
    if not any(share is not None for share in shares["test"]):
        shares = {"changed": told["changed"], "expected": told["expected"]}
    lines = {
        head: "  ".join(_percent(share) for share in by_epoch)
        for head, by_epoch in shares.items()
        if any(share is not None for share in by_epoch)
    }
    agreed = [
        f"{_percent(it['agreed'])} of {it['images']} in round {it['round']}"
        + (f" (expected {_percent(it['expected'])})" if it["expected"] is not None else "")
        for it in told["agreements"]
    ]
    return lines | ({"agreed": ", ".join(agreed)} if agreed else {})


def findings(name: str, found: list[Finding], left: list[Finding], repaired: bool) -> None:
    """Print what was found damaged in a session, what is left of it, and what is to be done."""
    for each in found:
        remedy = each.remedy if repaired or each.lost else f"with --repair it is {each.remedy}"
        click.echo(visible(f"{each.file} {each.wrong}: {remedy}"))
    if not found:
        click.echo(f"{name} is whole.")
    elif not left:
        click.echo(f"{name} is mended.")
    elif repaired:
        click.echo(f"{name} is mended as far as that can be done here.")
    elif not all(each.lost for each in left):
        click.echo(f"Mend what can be mended with: vaetui check {name} --repair")


def _state(told: dict[str, Any]) -> str:
    """Name the phase, and whether it is trained without a terminal now, or was until that failed."""
    course = ", detached" if told["detached"] else ", failed" if told["failure"] else ""
    return f"{told['phase']}{course}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
