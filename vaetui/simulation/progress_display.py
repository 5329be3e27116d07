"""Show a simulated run on a terminal: a progress bar, a line per epoch and round, and a summary."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from vaetui.engine.events import BatchesTrained, Loading, Notice, Progress
from vaetui.errors import format_count
from vaetui.simulation.result import SimulationResult
from vaetui.simulation.run import ReconstructionsRead, RoundAnswered, SimulationEvent


def display_progress(events: Generator[SimulationEvent, None, SimulationResult], epoch_count: int) -> SimulationResult:
    """Consume the events of a run, print its progress and summary, and return its result."""
    console = Console()
    description, rate = TextColumn("{task.description:<34}"), TextColumn("{task.fields[rate]}")
    columns = description, BarColumn(), TaskProgressColumn(), rate, TimeElapsedColumn()
    with ProgressBar(*columns, console=console, transient=True) as progress_bar:
        task = progress_bar.add_task("starting", total=None, rate="")
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                result: SimulationResult = end.value
                break
            match event:
                case BatchesTrained(epoch_number, step, step_count, _, images_per_s):
                    activity, speed = f"epoch {epoch_number} of {epoch_count}", f"{images_per_s:,.0f} img/s"
                    progress_bar.update(task, description=activity, completed=step, total=step_count, rate=speed)
                case Progress(activity, completed, total):
                    progress_bar.update(task, description=activity, completed=completed, total=total, rate="")
                case Loading(component):
                    progress_bar.update(task, description=f"loading {component}", completed=0, total=None, rate="")
                case ReconstructionsRead(epoch):
                    test_text, reading_text = (
                        _format_percent(epoch.test_accuracy),
                        _format_percent(epoch.reading_accuracy),
                    )
                    line = f"epoch {epoch.epoch} of {epoch_count}   test {test_text}   reading {reading_text}"
                    console.print(f"{line}   {epoch.seconds:.0f} s", highlight=False)
                case Notice(message):
                    console.print(message, highlight=False)
                case RoundAnswered(round_number, answer_count, quality):
                    coverage, accuracy = _format_percent(quality.label_coverage), _format_percent(quality.overall)
                    line = f"  round {round_number}   {format_count(answer_count, 'answer')}   coverage {coverage}"
                    console.print(f"{line}   label accuracy {accuracy}", highlight=False)
    console.print(_build_summary_table(result))
    return result


def _build_summary_table(result: SimulationResult) -> Table:
    table, quality = Table(box=None, show_header=False, pad_edge=False), result.exported
    export_text = "no answers"
    if quality is not None:
        export_text = (
            f"accuracy {_format_percent(quality.accuracy)}, mean confidence {_format_percent(quality.expected)}"
        )
    rows = {
        "test accuracy": _format_percent(result.test_accuracy[-1] if result.test_accuracy else None),
        "answers": f"{result.answers} ({', '.join(map(str, result.answers_by_round))})",
        "pictures shown": f"{result.pictures_shown:,}",
        "label accuracy": _format_percent(result.label_accuracy["overall"]),
        "export": export_text,
        "audit": _describe_audit(result.audit),
        "reader accuracy": "no reader needed"
        if result.reader_accuracy is None
        else f"{_format_percent(result.reader_accuracy)} of original images",
        "seconds": ", ".join(f"{part_name} {seconds:.1f}" for part_name, seconds in result.seconds.items()),
    }
    for header, value in rows.items():
        table.add_row(header, value)
    return table


def _describe_audit(audit: dict[str, Any] | None) -> str:
    if audit is None:
        return "none"
    estimate, low, high = (f"{100 * audit[name]:.1f}" for name in ("estimate", "low", "high"))
    planted = f"{audit['catch_found']} of {format_count(audit['catch_planted'], 'planted error')} found"
    keys = format_count(audit["keys"], "key")
    return f"{estimate} % right (95 % interval {low} to {high}), {audit['checked']} checked, {keys}, {planted}"


def _format_percent(fraction: float | None) -> str:
    return "   –  " if fraction is None else f"{100 * fraction:5.1f} %"
