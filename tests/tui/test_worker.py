"""The worker: what it posts, how it stops, what it refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from textual import on
from textual.app import App

from tests.tui.harness import wait_until
from vaetui.engine.events import BatchesTrained, Event, Loading, Losses, Saved
from vaetui.tui.worker import EventReported, EventWorker, WorkerEnded

STEP = BatchesTrained(1, 1, 10, Losses(1.0, 1.0, 1.0), 100.0, 0.1)


class Listener(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.follower = EventWorker()
        self.heard: list[Event] = []
        self.ends: list[WorkerEnded] = []

    @on(EventReported)
    def hear(self, message: EventReported) -> None:
        self.heard.append(message.event)

    @on(WorkerEnded)
    def end(self, message: WorkerEnded) -> None:
        self.ends.append(message)
        self.follower.mark_idle()


class Endless:
    """Yields until it is closed, and remembers which thread closed it."""

    def __init__(self, event: Event = STEP) -> None:
        self.event = event
        self.begun = threading.Event()
        self.closed_by: int | None = None

    def events(self) -> Iterator[Event]:
        pace = threading.Event()
        try:
            while True:
                yield self.event
                self.begun.set()
                pace.wait(0.002)
        finally:
            self.closed_by = threading.get_ident()


async def test_events_arrive_in_order_and_then_the_end() -> None:
    app = Listener()
    async with app.run_test() as pilot:
        app.follower.start(iter([Loading("PyTorch"), Saved()]), target=app)
        assert app.follower.is_busy
        await wait_until(pilot, lambda: app.ends)
        assert app.heard == [Loading("PyTorch"), Saved()]
        assert not app.ends[0].was_stopped
        assert app.ends[0].failure is None
        assert not app.follower.is_busy


async def test_steps_are_not_queued_and_the_last_is_kept() -> None:
    app = Listener()
    later = BatchesTrained(1, 2, 10, Losses(0.5, 1.0, 1.0), 100.0, 0.1)
    async with app.run_test() as pilot:
        app.follower.start(iter([STEP, Saved(), later]), target=app)
        await wait_until(pilot, lambda: app.ends)
        assert app.heard == [Saved()]
        assert app.follower.latest_batches is later


async def test_stopping_closes_the_generator_in_its_own_thread() -> None:
    app, endless = Listener(), Endless()
    async with app.run_test() as pilot:
        app.follower.start(endless.events(), target=app)
        await wait_until(pilot, endless.begun.is_set)
        app.follower.stop()
        assert app.follower.is_stopping
        await wait_until(pilot, lambda: app.ends)
        assert app.ends[0].was_stopped
        assert endless.closed_by not in (None, threading.get_ident())


async def test_a_second_slow_verb_is_refused_until_the_end_of_the_first_is_handled() -> None:
    app, endless = Listener(), Endless()
    async with app.run_test() as pilot:
        app.follower.start(endless.events(), target=app)
        with pytest.raises(RuntimeError):
            app.follower.start(iter([]), target=app)
        app.follower.stop()
        await wait_until(pilot, lambda: app.ends)
        app.follower.start(iter([]), target=app)
        await wait_until(pilot, lambda: len(app.ends) == 2)


async def test_what_a_slow_verb_raises_comes_with_its_end() -> None:
    def events() -> Iterator[Event]:
        yield Saved()
        raise OSError("the disk is full")

    app = Listener()
    async with app.run_test() as pilot:
        app.follower.start(events(), target=app)
        await wait_until(pilot, lambda: app.ends)
        assert isinstance(app.ends[0].failure, OSError)


async def test_what_saving_raises_comes_with_the_end_too() -> None:
    def events() -> Iterator[Event]:
        try:
            while True:
                yield STEP
        finally:
            raise OSError("the disk is full")

    app = Listener()
    async with app.run_test() as pilot:
        app.follower.start(events(), target=app)
        app.follower.stop()
        await wait_until(pilot, lambda: app.ends)
        assert isinstance(app.ends[0].failure, OSError)


async def test_the_end_of_the_app_closes_the_generator() -> None:
    app, endless = Listener(), Endless()
    async with app.run_test() as pilot:
        worker = app.follower.start(endless.events(), target=app)
        await wait_until(pilot, endless.begun.is_set)
        worker.cancel()
        await wait_until(pilot, lambda: app.ends)
        assert endless.closed_by is not None
