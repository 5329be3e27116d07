"""Test the worker: which messages it posts, how it stops, and what it refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from textual import on
from textual.app import App

from tests.tui.harness import wait_until
from vaetui.engine.events import BatchesTrained, Event, Loading, Losses, Saved
from vaetui.tui.event_worker import EventReported, EventWorker, WorkerEnded

BATCHES = BatchesTrained(1, 1, 10, Losses(1.0, 1.0, 1.0), 100.0, 0.1)


class ListeningApp(App[None]):
    """An app that keeps the messages of its worker."""

    def __init__(self) -> None:
        super().__init__()
        self.event_worker = EventWorker()
        self.events: list[Event] = []
        self.ends: list[WorkerEnded] = []

    @on(EventReported)
    def keep_event(self, message: EventReported) -> None:
        self.events.append(message.event)

    @on(WorkerEnded)
    def keep_end(self, message: WorkerEnded) -> None:
        self.ends.append(message)
        self.event_worker.mark_idle()


class EndlessEvents:
    """Events without an end, which record the thread that closes them."""

    def __init__(self) -> None:
        self.has_started = threading.Event()
        self.closing_thread: int | None = None

    def iterate(self) -> Iterator[Event]:
        timer = threading.Event()
        try:
            while True:
                yield BATCHES
                self.has_started.set()
                timer.wait(0.002)
        finally:
            self.closing_thread = threading.get_ident()


async def test_events_are_posted_in_order_before_the_end() -> None:
    app = ListeningApp()
    async with app.run_test() as pilot:
        app.event_worker.start(iter([Loading("PyTorch"), Saved()]), target=app)
        assert app.event_worker.is_busy
        await wait_until(pilot, lambda: app.ends)
        assert app.events == [Loading("PyTorch"), Saved()]
        assert not app.ends[0].was_stopped
        assert app.ends[0].failure is None
        assert not app.event_worker.is_busy


async def test_training_reports_are_not_posted_and_the_last_is_kept() -> None:
    app = ListeningApp()
    last_batches = BatchesTrained(1, 2, 10, Losses(0.5, 1.0, 1.0), 100.0, 0.1)
    async with app.run_test() as pilot:
        app.event_worker.start(iter([BATCHES, Saved(), last_batches]), target=app)
        await wait_until(pilot, lambda: app.ends)
        assert app.events == [Saved()]
        assert app.event_worker.latest_batches is last_batches


async def test_stop_closes_the_iterator_in_the_worker_thread() -> None:
    app, events = ListeningApp(), EndlessEvents()
    async with app.run_test() as pilot:
        app.event_worker.start(events.iterate(), target=app)
        await wait_until(pilot, events.has_started.is_set)
        app.event_worker.stop()
        assert app.event_worker.is_stopping
        await wait_until(pilot, lambda: app.ends)
        assert app.ends[0].was_stopped
        assert events.closing_thread not in (None, threading.get_ident())


async def test_second_start_is_refused_until_the_end_is_handled() -> None:
    app, events = ListeningApp(), EndlessEvents()
    async with app.run_test() as pilot:
        app.event_worker.start(events.iterate(), target=app)
        with pytest.raises(RuntimeError):
            app.event_worker.start(iter([]), target=app)
        app.event_worker.stop()
        await wait_until(pilot, lambda: app.ends)
        app.event_worker.start(iter([]), target=app)
        await wait_until(pilot, lambda: len(app.ends) == 2)


async def test_exception_of_the_iterator_is_posted_with_the_end() -> None:
    def fail_after_an_event() -> Iterator[Event]:
        yield Saved()
        raise OSError("the disk is full")

    app = ListeningApp()
    async with app.run_test() as pilot:
        app.event_worker.start(fail_after_an_event(), target=app)
        await wait_until(pilot, lambda: app.ends)
        assert isinstance(app.ends[0].failure, OSError)


async def test_exception_while_closing_is_posted_with_the_end() -> None:
    def fail_when_closed() -> Iterator[Event]:
        try:
            while True:
                yield BATCHES
        finally:
            raise OSError("the disk is full")

    app = ListeningApp()
    async with app.run_test() as pilot:
        app.event_worker.start(fail_when_closed(), target=app)
        app.event_worker.stop()
        await wait_until(pilot, lambda: app.ends)
        assert isinstance(app.ends[0].failure, OSError)


async def test_cancelled_worker_closes_the_iterator() -> None:
    app, events = ListeningApp(), EndlessEvents()
    async with app.run_test() as pilot:
        worker = app.event_worker.start(events.iterate(), target=app)
        await wait_until(pilot, events.has_started.is_set)
        worker.cancel()
        await wait_until(pilot, lambda: app.ends)
        assert events.closing_thread is not None
