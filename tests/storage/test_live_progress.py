"""Test the report of the present progress of training."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from vaetui.engine.events import BatchesTrained, Event, Loading, Losses, Progress, Saved
from vaetui.storage import file_names, live_progress

BATCHES = BatchesTrained(2, 30, 400, Losses(101.5, 7.25, 0.5, 1.0, 0.125), 2_870.5, 0.75)


class Run:
    """A session with a script of events."""

    def __init__(self, directory: Path, events: list[Event]) -> None:
        self.directory = directory
        self._events = events

    @live_progress.reports_progress
    def advance(self) -> Generator[Event, None, None]:
        yield from self._events


@pytest.mark.parametrize("event", [BATCHES, Progress("clustering", 3, 16), Loading("PyTorch")])
def test_last_event_about_training_is_read_as_it_was_reported(tmp_path: Path, event: Event) -> None:
    report = live_progress.ProgressReport(tmp_path)
    report.add(event)
    report.add(Saved())
    assert live_progress.read_progress(tmp_path) == event


def test_another_activity_is_reported_at_once_and_the_same_one_later(tmp_path: Path) -> None:
    report = live_progress.ProgressReport(tmp_path)
    report.add(BATCHES)
    report.add(Progress("clustering", 0, 16))
    report.add(Progress("clustering", 1, 16))
    assert live_progress.read_progress(tmp_path) == Progress("clustering", 0, 16)


def test_report_exists_while_the_method_runs_and_not_afterwards(tmp_path: Path) -> None:
    events = Run(tmp_path, [BATCHES, Saved()]).advance()
    assert next(events) == BATCHES
    assert live_progress.read_progress(tmp_path) == BATCHES
    events.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        *(
            "",
            "{",
            "[]",
            "5",
            "[1, 2, 1]",
            "[1, [], 1]",
            "[1, [5], 1]",
            '[1, ["a", 1], 1]',
            '[1, ["a", -1, 2], 1]',
            "[" * 900,
        ),
        json.dumps([1, ["clustering", 3, 16], 2]),
        json.dumps([1, ["x" * 201, 3, 16], 1]),
        json.dumps([1, [1, 2, 3, [0.0] * 4, 1.0, 1.0], 1]),
        json.dumps([1, [1, 2, 3, [0.0] * 4 + ["a"], 1.0, 1.0], 1]),
        json.dumps([1, [1, 2, True, [0.0] * 5, 1.0, 1.0], 1]),
        "[1, [1, 2, 3, [0, 0, 0, 0, NaN], 1.0, 1.0], 1]",
    ],
)
def test_invalid_report_counts_as_none(tmp_path: Path, content: str) -> None:
    file_names.live_progress_path(tmp_path).write_text(content)
    assert live_progress.read_progress(tmp_path) is None


def test_control_characters_of_an_activity_are_left_out(tmp_path: Path) -> None:
    file_names.live_progress_path(tmp_path).write_text(json.dumps([1, ["a\x1b[2Jb", 1, 2], 1]))
    assert live_progress.read_progress(tmp_path) == Progress("a[2Jb", 1, 2)


def test_link_is_neither_followed_nor_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "other.txt"
    target.write_text("mine")
    file_names.live_progress_path(tmp_path).symlink_to(target)
    live_progress.ProgressReport(tmp_path).add(BATCHES)
    assert target.read_text() == "mine"
    assert live_progress.read_progress(tmp_path) is None
