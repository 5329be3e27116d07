"""A run as a person watches it: one bar, and a line for each epoch and round; it does not drive anything."""

from __future__ import annotations

from collections.abc import Generator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from vaetui.engine.events import Loading, Progressed, Stepped
from vaetui.simulation.result import Exported, Outcome
from vaetui.simulation.run import Answered, Read, Seen


def watch(run: Generator[Seen, None, Outcome], epochs: int) -> Outcome:
    """Consume a run of that many epochs, show how it goes, and give what it came to."""
    console = Console()
    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=None, rate="")
        while True:
            try:
                seen = next(run)
            except StopIteration as end:
                outcome: Outcome = end.value
                break
            match seen:
                case Stepped(epoch, step, steps, _, rate):
                    words = f"epoch {epoch} of {epochs}"
                    progress.update(task, description=words, completed=step, total=steps, rate=f"{rate:,.0f} img/s")
                case Progressed(what, done, total):
                    progress.update(task, description=what, completed=done, total=total, rate="")
                case Loading(what):
                    progress.update(task, description=f"loading {what}", completed=0, total=None, rate="")
                case Read(epoch):
                    console.print(
                        f"epoch {epoch.epoch} of {epochs}   test {_percent(epoch.test_accuracy)}"
                        f"   read {_percent(epoch.reading_accuracy)}   {epoch.seconds:.0f} s",
                        highlight=False,
                    )
                case Answered(number, answers, quality):
                    console.print(
                        f"  round {number}   {answers} answers   covered {_percent(quality.covered)}"
                        f"   labels right {_percent(quality.overall)}",
                        highlight=False,
                    )
    console.print(_summary(outcome))
    return outcome


def _summary(outcome: Outcome) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = {
        "test accuracy": _percent(outcome.test_accuracy[-1] if outcome.test_accuracy else None),
        "answers": f"{outcome.answers} ({', '.join(map(str, outcome.answers_by_round))})",
        "pictures shown": f"{outcome.pictures_shown:,}",
        "labels right": _percent(outcome.label_accuracy["overall"]),
        "labels to take away": _exported(outcome.exported),
        "the reader itself": f"{_percent(outcome.reader_accuracy)} of sharp images",
        "seconds": ", ".join(f"{part} {seconds:.1f}" for part, seconds in outcome.seconds.items()),
    }
    for head, value in rows.items():
        table.add_row(head, value)
    return table


def _exported(told: Exported | None) -> str:
    return f"{_percent(told.accuracy)} right, {_percent(told.expected)} by their confidence" if told else "none"


def _percent(share: float | None) -> str:
    return "   –  " if share is None else f"{100 * share:5.1f} %"
