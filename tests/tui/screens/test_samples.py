"""New pictures: how they are drawn beside everything else, of which class, and what is said meanwhile."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from tests.session.scripted_run import create_session, run_to_end
from tests.tui.harness import assert_snapshot, screen_text, wait_until
from tests.tui.scripted_session import EndlessSession, ScriptedSession, create_labelled_epoch
from vaetui.engine.config import Config, NetworkConfig
from vaetui.engine.events import Clustered, Event, Loading, Progress
from vaetui.session.predictor import Predictor
from vaetui.session.session import Session
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.class_picker import ClassPickerScreen
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.samples import NO_LEARNED_CLASS_NOTICE, SamplesScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.widgets.picture import Picture
from vaetui.tui.widgets.prompt import Prompt

pytestmark = pytest.mark.usefixtures("fast_keys")

SIZES = [(80, 24), (120, 40)]


class Slow(ScriptedSession):
    """A finished run that draws no further than to its middle until the test says so."""

    def __init__(self) -> None:
        super().__init__("finished")
        self.finished_epochs = [create_labelled_epoch(epoch) for epoch in range(1, 4)]
        self.gate = threading.Event()

    def samples(self, count: int, class_id: int | None, seed: int) -> Iterator[Event]:
        yield Progress("drawing", 1, 4)
        self.gate.wait(10)
        yield from super().samples(count, class_id, seed)


class Gated(ScriptedSession):
    """A run whose next round is ready when the test says so."""

    def __init__(self) -> None:
        super().__init__("training")
        self.finished_epochs = [create_labelled_epoch(1)]
        self.gate = threading.Event()

    def advance(self) -> Iterator[Event]:
        yield Loading("PyTorch")
        self.gate.wait(10)
        if self.current_phase == "training":
            self.current_phase = "labelling"
            yield Clustered(1, 16, ())


class Faulty(ScriptedSession):
    """A finished run with a bug where pictures are drawn."""

    def samples(self, count: int, class_id: int | None, seed: int) -> Iterator[Event]:
        yield Progress("drawing", 1, 4)
        raise ValueError("a bug")


def finished(classes: tuple[str, ...] | None = None) -> ScriptedSession:
    count = 10 if classes is None else len(classes)
    session = ScriptedSession("finished", config=Config(network=NetworkConfig(classes=count)), classes=classes)
    session.finished_epochs = [create_labelled_epoch(epoch) for epoch in range(1, 4)]
    return session


@asynccontextmanager
async def opened(
    session: ScriptedSession | Session, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], VaetuiApp]]:
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen | SummaryScreen))
        await pilot.press("d")
        await wait_until(pilot, lambda: isinstance(app.screen, SamplesScreen))
        yield pilot, app


def samples(app: VaetuiApp) -> SamplesScreen:
    assert isinstance(app.screen, SamplesScreen)
    return app.screen


def still(app: VaetuiApp) -> bool:
    return isinstance(app.screen, SamplesScreen) and not app.screen.event_worker.is_busy


def said(app: VaetuiApp) -> str:
    return app.screen.query_one(Prompt).text


def drawn(app: VaetuiApp) -> list[int]:
    """Tell how bright each picture on the wall is."""
    return [int(picture._image.max()) for picture in app.screen.query(Picture)]


@pytest.mark.parametrize(("size", "count"), [((80, 24), 18), ((120, 40), 32)])
async def test_the_wall_is_full_of_new_pictures_and_nothing_is_cut_off(size: tuple[int, int], count: int) -> None:
    session = finished()
    async with opened(session, size) as (pilot, app):
        await wait_until(pilot, lambda: still(app) and all(drawn(app)))
        assert session.calls[-1] == f"samples {count} None 0"
        assert len(drawn(app)) == count
        whole = app.screen.region
        assert all(whole.contains_region(picture.region) for picture in app.screen.query(Picture))
        assert "new pictures of any class, seed 0" in screen_text(app).splitlines()[0]


async def test_keys_draw_others_one_class_and_any_class_again() -> None:
    session = finished()
    async with opened(session) as (pilot, app):
        for key, wanted in (("n", "None 1"), ("3", "3 1"), ("n", "3 2"), ("7", "7 2"), ("a", "None 2")):
            await wait_until(pilot, lambda: still(app))
            before = samples(app).pictures
            await pilot.press(key)
            await wait_until(pilot, lambda: still(app))
            assert session.calls[-1] == f"samples 18 {wanted}"
            assert not np.array_equal(samples(app).pictures, before)
        assert "new pictures of any class, seed 2" in screen_text(app).splitlines()[0]


async def test_a_class_beyond_the_digits_is_named_by_its_letters() -> None:
    session = finished(tuple(f"kind {letter}" for letter in "abcdefghijklm"))
    async with opened(session) as (pilot, app):
        await wait_until(pilot, lambda: still(app))
        await pilot.press("slash")
        await wait_until(pilot, lambda: isinstance(app.screen, ClassPickerScreen))
        await pilot.press("l", "enter")
        await wait_until(pilot, lambda: still(app))
        assert session.calls[-1] == "samples 18 11 0"
        assert "new pictures of class kind l" in screen_text(app).splitlines()[0]


async def test_a_digit_without_a_class_and_a_class_before_any_is_learned_are_told() -> None:
    session = finished(("cat", "dog"))
    async with opened(session) as (pilot, app):
        await wait_until(pilot, lambda: still(app))
        await pilot.press("2")
        assert "there is no class 2" in said(app)
        session.finished_epochs = session.finished_epochs[:1]
        for key in ("1", "slash"):
            await pilot.press("x", key)
            assert NO_LEARNED_CLASS_NOTICE in said(app)
        assert len([call for call in session.calls if call.startswith("samples")]) == 1


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_each_of_two_keys_goes_back_and_leaves_nothing(key: str) -> None:
    async with opened(finished()) as (pilot, app):
        await pilot.press(key)
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        assert not app.is_leaving
        await pilot.press("d")
        await wait_until(pilot, lambda: still(app))


async def test_before_there_is_anything_to_draw_from_a_line_says_so_and_a_key_tries_again() -> None:
    session = EndlessSession()
    async with opened(session) as (pilot, app):
        await wait_until(pilot, lambda: "nothing to draw from yet" in said(app))
        session.finished_epochs = [create_labelled_epoch(1)]
        await pilot.press("n")
        await wait_until(pilot, lambda: still(app) and all(drawn(app)))
        assert app.event_worker.is_busy, "training goes on"


async def test_what_takes_long_shows_how_far_it_is_and_keys_are_heard_meanwhile() -> None:
    session = Slow()
    async with opened(session) as (pilot, app):
        await wait_until(pilot, lambda: "drawing  ━━━━━" in said(app))
        assert " 25 %" in said(app)
        await pilot.press("question_mark")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert "Draw others, by the next seed" in screen_text(app)
        await pilot.press("escape")
        session.gate.set()
        await wait_until(pilot, lambda: still(app) and all(drawn(app)))
        assert "pictures of any class:" in said(app)


async def test_only_what_was_wanted_last_is_drawn() -> None:
    session = Slow()
    async with opened(session) as (pilot, app):
        await pilot.press("4", "n", "n", "5")
        session.gate.set()
        await wait_until(pilot, lambda: still(app) and all(drawn(app)))
        assert [call for call in session.calls if call.startswith("samples")][-1] == "samples 18 5 2"
        assert len([call for call in session.calls if call.startswith("samples")]) <= 2


async def test_pictures_can_be_left_while_they_are_drawn() -> None:
    session = Slow()
    async with opened(session) as (pilot, app):
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        session.gate.set()
        await app.workers.wait_for_complete()
        await pilot.pause()
    assert app.failure is None


async def test_a_round_that_is_ready_waits_behind_the_pictures() -> None:
    session = Gated()
    async with opened(session) as (pilot, app):
        session.gate.set()
        await wait_until(pilot, lambda: "the round is ready: Esc" in screen_text(app).splitlines()[0])
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, LabellingScreen))


async def test_a_larger_terminal_gets_more_pictures_and_the_same_size_none() -> None:
    session = finished()
    async with opened(session) as (pilot, app):
        await wait_until(pilot, lambda: still(app))
        await pilot.resize_terminal(120, 40)
        await wait_until(pilot, lambda: still(app) and len(drawn(app)) == 32 and all(drawn(app)))
        await pilot.resize_terminal(80, 24)
        await wait_until(pilot, lambda: len(drawn(app)) == 18 and all(drawn(app)))
        assert [call for call in session.calls if call.startswith("samples")] == [
            "samples 18 None 0",
            "samples 32 None 0",
        ]


async def test_a_bug_in_drawing_ends_the_app_once_training_has_saved() -> None:
    app = VaetuiApp(Faulty("finished"))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        await pilot.press("d")
        await wait_until(pilot, lambda: not app.is_running)
    assert isinstance(app.failure, ValueError)


@pytest.mark.parametrize("size", SIZES)
async def test_the_screen_looks_as_before(size: tuple[int, int]) -> None:
    async with opened(finished(), size) as (pilot, app):
        await wait_until(pilot, lambda: still(app) and all(drawn(app)))
        assert_snapshot(app, f"samples-{size[0]}x{size[1]}")


@pytest.mark.usefixtures("home")
async def test_a_real_session_draws_the_same_as_the_command(digits: Path) -> None:
    session = create_session("real", digits)
    list(run_to_end(session))
    async with opened(session) as (pilot, app):
        for key, label, seed in (("n", None, 1), ("3", 3, 1)):
            await wait_until(pilot, lambda: still(app), 60)
            await pilot.press(key)
            await wait_until(pilot, lambda: still(app), 60)
            drawing = Predictor("real").generate_samples(18, label, seed)
            while True:
                try:
                    next(drawing)
                except StopIteration as end:
                    assert np.array_equal(samples(app).pictures, end.value)
                    break
    session.close()
