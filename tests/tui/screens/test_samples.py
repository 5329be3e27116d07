"""Test the samples screen: requests, progress, and what happens while it covers another screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from threading import Event as Gate

import numpy as np
import pytest
from textual.pilot import Pilot

from tests.tui.harness import (
    assert_snapshot,
    header_text,
    prompt_text,
    screen_text,
    wait_for_screen,
    wait_until,
)
from tests.tui.scripted_session import EndlessSession, ScriptedSession, create_labelled_epoch
from vaetui.engine.config import Config, NetworkConfig
from vaetui.engine.events import Clustered, Event, Loading, Progress
from vaetui.session import predictor
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.samples import CANDIDATES_PER_SAMPLE, NO_LEARNED_CLASS_NOTICE, SamplesScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.widgets.picture import Picture


class SlowSamplesSession(ScriptedSession):
    """A finished run whose samples stop at a quarter until the gate opens."""

    def __init__(self) -> None:
        super().__init__("finished")
        self.finished_epochs = [create_labelled_epoch(epoch) for epoch in range(1, 4)]
        self.gate = Gate()

    def generate_samples(self, count: int, class_id: int | None, seed: int) -> Iterator[Event]:
        yield Progress("drawing", 1, 4)
        self.gate.wait(60)
        yield from super().generate_samples(count, class_id, seed)


class GatedSession(ScriptedSession):
    """A run whose next round is ready when the gate opens."""

    def __init__(self) -> None:
        super().__init__("training")
        self.finished_epochs = [create_labelled_epoch(1)]
        self.gate = Gate()

    def advance(self) -> Iterator[Event]:
        yield Loading("PyTorch")
        self.gate.wait(60)
        if self.current_phase == "training":
            self.current_phase = "labelling"
            yield Clustered(1, 16, ())


class FailingSamplesSession(ScriptedSession):
    """A finished run whose samples raise an unexpected exception."""

    def generate_samples(self, count: int, class_id: int | None, seed: int) -> Iterator[Event]:
        yield Progress("drawing", 1, 4)
        raise ValueError("a bug")


def create_finished_session(classes: tuple[str, ...] | None = None) -> ScriptedSession:
    class_count = 10 if classes is None else len(classes)
    session = ScriptedSession("finished", config=Config(network=NetworkConfig(classes=class_count)), classes=classes)
    session.finished_epochs = [create_labelled_epoch(epoch) for epoch in range(1, 4)]
    return session


@asynccontextmanager
async def open_samples(
    session: ScriptedSession, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], VaetuiApp]]:
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen | SummaryScreen))
        await pilot.press("d")
        await wait_for_screen(pilot, SamplesScreen)
        yield pilot, app


def is_idle(app: VaetuiApp) -> bool:
    return isinstance(app.screen, SamplesScreen) and not app.screen.event_worker.is_busy


def peak_brightness(app: VaetuiApp) -> list[int]:
    """Return the brightest pixel of each picture; 0 for one that is not drawn."""
    return [int(picture._image.max()) for picture in app.screen.query(Picture)]


def is_drawn(app: VaetuiApp) -> bool:
    return is_idle(app) and all(peak_brightness(app))


def list_requests(session: ScriptedSession) -> list[str]:
    return [call for call in session.calls if call.startswith("generate_samples ")]


@pytest.mark.parametrize(("size", "count"), [((80, 24), 18), ((120, 40), 32)])
async def test_grid_is_filled_and_no_picture_is_cut_off(size: tuple[int, int], count: int) -> None:
    session = create_finished_session()
    async with open_samples(session, size) as (pilot, app):
        await wait_until(pilot, lambda: is_drawn(app))
        assert session.calls[-1] == f"generate_samples {count} None 0"
        assert len(peak_brightness(app)) == count
        assert all(app.screen.region.contains_region(picture.region) for picture in app.screen.query(Picture))
        assert "samples of any class, seed 0" in header_text(app)
        assert_snapshot(app, f"samples-{size[0]}x{size[1]}")


async def test_keys_request_other_seeds_and_classes() -> None:
    session = create_finished_session()
    async with open_samples(session) as (pilot, app):
        for key, request in (("n", "None 1"), ("3", "3 1"), ("n", "3 2"), ("7", "7 2"), ("a", "None 2")):
            await wait_until(pilot, lambda: is_idle(app))
            assert isinstance(app.screen, SamplesScreen)
            pictures = app.screen.pictures
            await pilot.press(key)
            await wait_until(pilot, lambda: is_idle(app))
            assert session.calls[-1] == f"generate_samples 18 {request}"
            assert not np.array_equal(app.screen.pictures, pictures)
        assert "samples of any class, seed 2" in header_text(app)


async def test_samples_of_a_class_show_the_number_of_candidates() -> None:
    assert predictor.CANDIDATES_PER_SAMPLE == CANDIDATES_PER_SAMPLE
    async with open_samples(create_finished_session()) as (pilot, app):
        assert "Samples of any class:  decoded from random latent vectors" in prompt_text(app.screen)
        await pilot.press("3")
        await wait_until(pilot, lambda: is_idle(app))
        assert "Samples of class 3:  the most certain of 900 samples" in prompt_text(app.screen)


async def test_line_requests_a_class_without_a_digit() -> None:
    session = create_finished_session(tuple(f"kind {letter}" for letter in "abcdefghijklm"))
    async with open_samples(session) as (pilot, app):
        await wait_until(pilot, lambda: is_idle(app))
        await pilot.press("slash", *"kind l", "enter")
        await wait_until(pilot, lambda: is_idle(app))
        assert session.calls[-1] == "generate_samples 18 11 0"
        assert "samples of class kind l" in header_text(app)


async def test_missing_and_unlearned_classes_are_refused() -> None:
    session = create_finished_session(("cat", "dog"))
    async with open_samples(session) as (pilot, app):
        await wait_until(pilot, lambda: is_idle(app))
        await pilot.press("2")
        assert "Digit 2 has no class (use 0-1)" in prompt_text(app.screen)
        session.finished_epochs = session.finished_epochs[:1]
        for key in ("1", "slash"):
            await pilot.press("x", key)
            assert NO_LEARNED_CLASS_NOTICE in prompt_text(app.screen)
        assert len(list_requests(session)) == 1


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_closing_key_returns_to_the_summary(key: str) -> None:
    async with open_samples(create_finished_session()) as (pilot, app):
        await pilot.press(key)
        await wait_for_screen(pilot, SummaryScreen)
        assert not app.is_leaving
        await pilot.press("d")
        await wait_until(pilot, lambda: is_idle(app))


async def test_refused_request_shows_the_reason_and_can_be_repeated() -> None:
    session = EndlessSession()
    async with open_samples(session) as (pilot, app):
        await wait_until(pilot, lambda: "No checkpoint yet. Train one epoch first." in prompt_text(app.screen))
        session.finished_epochs = [create_labelled_epoch(1)]
        await pilot.press("n")
        await wait_until(pilot, lambda: is_drawn(app))
        assert app.event_worker.is_busy, "training continues"


async def test_slow_request_shows_progress_and_accepts_keys() -> None:
    session = SlowSamplesSession()
    async with open_samples(session) as (pilot, app):
        await wait_until(pilot, lambda: "drawing  ━━━━━" in prompt_text(app.screen))
        assert " 25 %" in prompt_text(app.screen)
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        assert "Generate other samples, from the next seed" in screen_text(app)
        await pilot.press("escape")
        session.gate.set()
        await wait_until(pilot, lambda: is_drawn(app))
        assert "Samples of any class:" in prompt_text(app.screen)


async def test_only_the_last_of_several_requests_is_shown() -> None:
    session = SlowSamplesSession()
    async with open_samples(session) as (pilot, app):
        await pilot.press("4", "n", "n", "5")
        session.gate.set()
        await wait_until(pilot, lambda: is_drawn(app))
        assert list_requests(session)[-1] == "generate_samples 18 5 2"
        assert len(list_requests(session)) <= 2


async def test_screen_can_be_closed_during_a_request() -> None:
    session = SlowSamplesSession()
    async with open_samples(session) as (pilot, app):
        await pilot.press("escape")
        await wait_for_screen(pilot, SummaryScreen)
        session.gate.set()
        await app.workers.wait_for_complete()
        await pilot.pause()
    assert app.failure is None


async def test_ready_round_waits_until_the_samples_are_closed() -> None:
    session = GatedSession()
    async with open_samples(session) as (pilot, app):
        session.gate.set()
        await wait_until(pilot, lambda: "round ready (Esc)" in header_text(app))
        await pilot.press("escape")
        await wait_for_screen(pilot, LabellingScreen)


async def test_only_a_larger_terminal_requests_more_samples() -> None:
    session = create_finished_session()
    async with open_samples(session) as (pilot, app):
        await wait_until(pilot, lambda: is_idle(app))
        await pilot.resize_terminal(120, 40)
        await wait_until(pilot, lambda: is_drawn(app) and len(peak_brightness(app)) == 32)
        await pilot.resize_terminal(80, 24)
        await wait_until(pilot, lambda: len(peak_brightness(app)) == 18 and all(peak_brightness(app)))
        assert list_requests(session) == ["generate_samples 18 None 0", "generate_samples 32 None 0"]


async def test_unexpected_exception_ends_the_app() -> None:
    app = VaetuiApp(FailingSamplesSession("finished"))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("d")
        await wait_until(pilot, lambda: not app.is_running)
    assert isinstance(app.failure, ValueError)


@pytest.mark.parametrize(("key", "title"), [("3", "samples of class 3, seed 0"), ("n", "samples of any class, seed 1")])
async def test_pictures_of_another_request_are_removed_at_once(key: str, title: str) -> None:
    session = SlowSamplesSession()
    session.gate.set()
    async with open_samples(session) as (pilot, app):
        await wait_until(pilot, lambda: is_drawn(app))
        session.gate.clear()
        await pilot.press(key)
        await wait_until(pilot, lambda: title in header_text(app))
        assert "drawing" in prompt_text(app.screen)
        await wait_until(pilot, lambda: not any(peak_brightness(app)))
        assert "drawing" in prompt_text(app.screen)
        session.gate.set()
        await wait_until(pilot, lambda: is_drawn(app))
        assert "drawing" not in prompt_text(app.screen)
