"""Where the time of a run went, part by part; it does not know what a part is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from vaetui.engine.events import BatchesTrained, Clustered, Event, Loading, Progress, Saved


class Stopwatch:
    """Seconds by part, and since the beginning."""

    def __init__(self) -> None:
        """Begin."""
        self.seconds_by_part: dict[str, float] = {}
        """Seconds by part, in the order of their first use."""
        self._start_s = perf_counter()
        self._excluded_s = 0.0

    @property
    def total_seconds(self) -> float:
        """Seconds since the beginning, without those away."""
        return perf_counter() - self._start_s - self._excluded_s

    @contextmanager
    def exclude(self) -> Iterator[None]:
        """Count the time until this is left nowhere."""
        begun = perf_counter()
        try:
            yield
        finally:
            self._excluded_s += perf_counter() - begun

    @contextmanager
    def measure(self, part_name: str) -> Iterator[None]:
        """Count the time until this is left as that part."""
        begun = perf_counter()
        try:
            yield
        finally:
            self._add_seconds(part_name, perf_counter() - begun)

    def measure_events(self, events: Iterator[Event]) -> Iterator[Event]:
        """Pass events on, and count the time that each took to come; not what is done with it."""
        loading = False
        begun = perf_counter()
        for event in events:
            self._add_seconds("loading" if loading else _name_part(event), perf_counter() - begun)
            loading = isinstance(event, Loading)
            yield event
            begun = perf_counter()

    def _add_seconds(self, part_name: str, seconds: float) -> None:
        self.seconds_by_part[part_name] = self.seconds_by_part.get(part_name, 0.0) + seconds


def _name_part(event: Event) -> str:
    """Name the work that ends with an event."""
    if isinstance(event, Progress):
        return "measuring" if "test" in event.activity else "clustering"
    parts = {Loading: "loading", BatchesTrained: "training", Saved: "saving", Clustered: "clustering"}
    return parts.get(type(event), "measuring")
