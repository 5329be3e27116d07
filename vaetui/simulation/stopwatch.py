"""Measure the seconds that each part of a run takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from vaetui.engine.events import BatchesTrained, Clustered, Event, Loading, Progress, Saved


class Stopwatch:
    """Seconds by part, and in total since it was created."""

    def __init__(self) -> None:
        """Start the stopwatch."""
        self.seconds_by_part: defaultdict[str, float] = defaultdict(float)
        """Seconds by part, in the order of first use."""
        self._start_s = perf_counter()

    @property
    def total_seconds(self) -> float:
        """Seconds since the start, without the excluded ones."""
        return perf_counter() - self._start_s

    @contextmanager
    def exclude_from_total(self) -> Iterator[None]:
        """Exclude the time inside the `with` block from the total."""
        start_s = perf_counter()
        yield
        self._start_s += perf_counter() - start_s

    @contextmanager
    def measure_part(self, part_name: str) -> Iterator[None]:
        """Add the time inside the `with` block to a part."""
        start_s = perf_counter()
        yield
        self.seconds_by_part[part_name] += perf_counter() - start_s

    def measure_events(self, events: Iterator[Event]) -> Iterator[Event]:
        """Pass events on and measure how long each took to arrive, without the time of the consumer."""
        is_loading = False
        start_s = perf_counter()
        for event in events:
            self.seconds_by_part["loading" if is_loading else _find_part_ending_with(event)] += perf_counter() - start_s
            is_loading = isinstance(event, Loading)
            yield event
            start_s = perf_counter()


def _find_part_ending_with(event: Event) -> str:
    """Return the part of the run that ends with an event."""
    if isinstance(event, Progress):
        return "measuring" if "test" in event.activity else "clustering"
    parts = {Loading: "loading", BatchesTrained: "training", Saved: "saving", Clustered: "clustering"}
    return parts.get(type(event), "measuring")
