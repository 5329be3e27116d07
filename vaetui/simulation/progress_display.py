"""A run as a person watches it: one bar, and a line for each epoch and round; it does not drive anything."""

from __future__ import annotations

from collections.abc import Generator

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from vaetui.engine.events import BatchesTrained, Loading, Progress
from vaetui.simulation.result import ExportQuality, SimulationResult
from vaetui.simulation.run import ReconstructionsRead, RoundAnswered, SimulationEvent


def display_progress(events: Generator[SimulationEvent, None, SimulationResult], epoch_count: int) -> SimulationResult:
    """Consume a run of that many epochs, show how it goes, and give what it came to."""
    console = Console()
    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with ProgressBar(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=None, rate="")
        while True:
            try:
                seen = next(events)
            except StopIteration as end:
                outcome: SimulationResult = end.value
                break
            match seen:
                case BatchesTrained(epoch, step, steps, _, rate):
                    words = f"epoch {epoch} of {epoch_count}"
                    progress.update(task, description=words, completed=step, total=steps, rate=f"{rate:,.0f} img/s")
                case Progress(what, done, total):
                    progress.update(task, description=what, completed=done, total=total, rate="")
                case Loading(what):
                    progress.update(task, description=f"loading {what}", completed=0, total=None, rate="")
                case ReconstructionsRead(epoch):
                    console.print(
                        f"epoch {epoch.epoch} of {epoch_count}   test {_format_percent(epoch.test_accuracy)}"
                        f"   read {_format_percent(epoch.reading_accuracy)}   {epoch.seconds:.0f} s",
                        highlight=False,
                    )
                case RoundAnswered(number, answers, quality):
                    console.print(
                        f"  round {number}   {answers} answers   covered {_format_percent(quality.label_coverage)}"
                        f"   labels right {_format_percent(quality.overall)}",
                        highlight=False,
                    )
    console.print(_build_summary_table(outcome))
    return outcome


def _build_summary_table(result: SimulationResult) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = {
        "test accuracy": _format_percent(result.test_accuracy[-1] if result.test_accuracy else None),
        "answers": f"{result.answers} ({', '.join(map(str, result.answers_by_round))})",
        "pictures shown": f"{result.pictures_shown:,}",
        "labels right": _format_percent(result.label_accuracy["overall"]),
        "labels to take away": _format_export_quality(result.exported),
        "the reader itself": f"{_format_percent(result.reader_accuracy)} of sharp images",
        "seconds": ", ".join(f"{part} {seconds:.1f}" for part, seconds in result.seconds.items()),
    }
    for head, value in rows.items():
        table.add_row(head, value)
    return table


def _format_export_quality(export_quality: ExportQuality | None) -> str:
    return (
        f"{_format_percent(export_quality.accuracy)} right, {_format_percent(export_quality.expected)} by their confidence"
        if export_quality
        else "none"
    )


def _format_percent(fraction: float | None) -> str:
    return "   –  " if fraction is None else f"{100 * fraction:5.1f} %"
