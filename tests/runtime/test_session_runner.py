"""The progress that commands show while they wait."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyte
import pytest
import rich.console
import rich.progress
from rich.progress import Task

from vaetui.engine.events import Notice, Progress
from vaetui.runtime.session_runner import run_with_progress


def test_remaining_time_of_a_step_is_not_computed_from_the_step_before(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks: list[Task] = []
    now = 0.0
    real_add_task = rich.progress.Progress.add_task

    def add_task(self: rich.progress.Progress, *args: object, **values: object) -> object:
        self.get_time = lambda: now
        result = real_add_task(self, *args, **values)  # type: ignore[arg-type]
        tasks.append(self.tasks[0])
        return result

    def list_steps() -> Iterator[Progress]:
        nonlocal now
        for done in (0, 500, 900):
            yield Progress("comparing images", done, 1000)
            now += 0.1
        for done, rate in ((0, ""), (10, ", 10 images/s"), (20, ", 9 images/s")):
            yield Progress(f"computing vectors{rate}", done, 1000)
            now += 1

    monkeypatch.setattr(rich.progress.Progress, "add_task", add_task)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    run_with_progress(list_steps())  # type: ignore[arg-type]
    assert tasks[0].time_remaining == 98


class TerminalOutput(io.StringIO):
    """Collects what is written to a terminal."""

    def isatty(self) -> bool:
        return True


def test_notice_during_a_step_has_lines_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def list_events() -> Iterator[Progress | Notice]:
        yield Progress("comparing images", 10, 100)
        yield Notice("Session [x] is open: the labels are those of now.")
        yield Progress("comparing images", 20, 100)

    terminal = TerminalOutput()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    run_with_progress(list_events())  # type: ignore[arg-type]
    screen = pyte.Screen(80, 10)
    pyte.Stream(screen).feed(terminal.getvalue().replace("\n", "\r\n"))
    assert [line.rstrip() for line in screen.display if line.strip()] == [
        "Session [x] is open: the labels are those of now."
    ]
