"""Where the time of a run went, part by part; it does not know what a part is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from vaetui.engine.events import Clustered, Event, Loading, Progressed, Saved, Stepped


class Stopwatch:
    """Seconds by part, and since the beginning."""

    def __init__(self) -> None:
        """Begin."""
        self.seconds: dict[str, float] = {}
        """Seconds by part, in the order of their first use."""
        self._begun = perf_counter()
        self._away = 0.0

    @property
    def total(self) -> float:
        """Seconds since the beginning, without those away."""
        return perf_counter() - self._begun - self._away

    @contextmanager
    def away(self) -> Iterator[None]:
        """Count the time until this is left nowhere."""
        begun = perf_counter()
        try:
            yield
        finally:
            self._away += perf_counter() - begun

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time until this is left as that part."""
        begun = perf_counter()
        try:
            yield
        finally:
            self._add(name, perf_counter() - begun)

    def follow(self, events: Iterator[Event]) -> Iterator[Event]:
        """Pass events on, and count the time that each took to come; not what is done with it."""
        loading = False
        begun = perf_counter()
        for event in events:
            self._add("loading" if loading else _part(event), perf_counter() - begun)
            loading = isinstance(event, Loading)
            yield event
            begun = perf_counter()

    def _add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


def _part(event: Event) -> str:
    """Name the work that ends with an event."""
    if isinstance(event, Progressed):
        return "measuring" if "test" in event.what else "clustering"
    parts = {Loading: "loading", Stepped: "training", Saved: "saving", Clustered: "clustering"}
    return parts.get(type(event), "measuring")
