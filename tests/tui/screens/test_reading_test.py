"""Test the reading test: its keys, its result, and what happens while it covers another screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from threading import Event as Gate

import pytest
from rich.color import Color
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

from tests.tui.harness import (
    SIZES,
    assert_snapshot,
    header_text,
    prompt_text,
    screen_text,
    wait_for_screen,
    wait_until,
)
from tests.tui.scripted_session import HELD_OUT_COUNT, EndlessSession, ScriptedSession, create_labelled_epoch
from vaetui.engine.classes import MergeClass
from vaetui.engine.config import Config, NetworkConfig
from vaetui.engine.events import Clustered, Event, Finished, Loading, Progress
from vaetui.errors import UserError
from vaetui.session.views import Phase, ReadingTest
from vaetui.tui.app import VaetuiApp
from vaetui.tui.event_worker import EventReported, WorkerEnded
from vaetui.tui.presenters.class_colours import get_class_style
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.reading_test import ReadingTestScreen
from vaetui.tui.screens.summary import ROUND_PENDING_NOTICE, SummaryScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.widgets.captioned_images import CaptionedImages
from vaetui.tui.widgets.epoch_table import EpochTable
from vaetui.tui.widgets.tiled_images import TiledImages

CORRECT_KEYS = [str(index % 10) for index in range(HELD_OUT_COUNT)]
"""The keys that read every picture correctly."""
KEYS_TO_READINGS: list[tuple[str, tuple[int | None, ...]]] = [
    ("0", (0,)),
    ("0 1 2 3 4 5 6 7 8 9", tuple(range(10))),
    ("7 x 7", (7, None, 7)),
    ("7 1 u", (7,)),
    ("7 1 backspace 4", (7, 4)),
    ("7 u u backspace", ()),
    ("7 r", (7,)),
    ("7 full_stop enter space t g", (7,)),
]


class GatedSession(ScriptedSession):
    """A run behind its first epoch, whose next phase starts when the gate opens."""

    def __init__(self, last_event: Event) -> None:
        super().__init__("training")
        self.finished_epochs = [create_labelled_epoch(1)]
        self.gate = Gate()
        self.last_event = last_event

    def advance(self) -> Iterator[Event]:
        self.calls.append("advance")
        yield Loading("PyTorch")
        self.gate.wait(60)
        if self.current_phase == "training":
            yield Progress("clustering", 1, 2)
            if isinstance(self.last_event, Clustered | Finished):
                self.current_phase = "labelling" if isinstance(self.last_event, Clustered) else "finished"
            yield self.last_event


def create_finished_session(classes: int = 10, side: int = 28) -> ScriptedSession:
    session = ScriptedSession("finished", config=Config(network=NetworkConfig(classes=classes)), side=side)
    session.finished_epochs = [create_labelled_epoch(epoch) for epoch in range(1, 4)]
    return session


def create_session_of_26_classes() -> ScriptedSession:
    names = tuple(f"kind {letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
    session = ScriptedSession("finished", config=Config(network=NetworkConfig(classes=26)), classes=names)
    session.finished_epochs = [create_labelled_epoch(1)]
    return session


@asynccontextmanager
async def open_reading_test(
    session: ScriptedSession, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], VaetuiApp]]:
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen | SummaryScreen))
        await pilot.press("t")
        await wait_for_screen(pilot, ReadingTestScreen)
        yield pilot, app


def refuse_readings(message: str, session: ScriptedSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(epoch: int, start: int, class_ids: Sequence[int | None]) -> ReadingTest:
        raise UserError(message)

    monkeypatch.setattr(session, "record_reading", fail)


async def test_keys_record_and_reopen_readings() -> None:
    session = create_finished_session()
    async with open_reading_test(session) as (pilot, app):
        assert isinstance(app.screen, ReadingTestScreen)
        for keys, readings in KEYS_TO_READINGS:
            session.readings.clear()
            app.screen.reading_test = session.reading_test()
            await pilot.press(*keys.split())
            assert session.readings.get(3, ()) == readings, keys
            assert f"epoch 3   {len(readings):>2} / 12" in header_text(app)


async def test_readings_are_confirmed_without_judging_them() -> None:
    async with open_reading_test(create_finished_session()) as (pilot, app):
        assert prompt_text(app.screen) == "Picture 1: what do you read?  0-9: class · x: unreadable"
        for key, text in {
            "5": 'Saved: picture 1 = "5"',
            "1": 'Saved: picture 2 = "1"',
            "x": "Saved: picture 3 = unreadable",
            "u": "Picture 3 reopened",
            "r": "! Read all pictures before you restart",
            "k": "! Unknown key. ? lists all keys",
        }.items():
            await pilot.press(key)
            assert text in prompt_text(app.screen)
            assert "correct" not in screen_text(app)


async def test_back_on_the_first_picture_changes_nothing() -> None:
    session = create_finished_session()
    async with open_reading_test(session) as (pilot, app):
        await pilot.press("backspace")
        assert "This is the first picture" in prompt_text(app.screen)
        assert not any(call.startswith("record_reading") for call in session.calls)


async def test_digits_without_a_class_are_refused() -> None:
    session = create_finished_session(classes=4)
    async with open_reading_test(session) as (pilot, app):
        await pilot.press("7")
        assert "! Digit 7 has no class (use 0-3)" in prompt_text(app.screen)
        assert session.readings == {}
        await pilot.press("3")
        assert session.readings == {3: (3,)}
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        assert "0-3 " in screen_text(app)
        assert "0-9" not in screen_text(app)


async def test_merged_class_is_refused() -> None:
    session = create_finished_session()
    session.classes = session.classes.with_edit(MergeClass(3, 8))
    async with open_reading_test(session) as (pilot, app):
        await pilot.press("3")
        assert "Digit 3 has no class (use 0-2, 4-9)" in prompt_text(app.screen)


async def test_reopened_test_continues_after_the_last_reading() -> None:
    session = create_finished_session()
    async with open_reading_test(session) as (pilot, app):
        await pilot.press("0", "x", "escape")
        await wait_for_screen(pilot, SummaryScreen)
        assert len(app.screen_stack) == 2
        await pilot.press("t")
        await wait_for_screen(pilot, ReadingTestScreen)
        assert "Picture 3: what do you read?" in screen_text(app)
        await pilot.press("2")
        assert session.readings == {3: (0, None, 2)}


async def test_last_reading_shows_the_result_and_r_restarts() -> None:
    session = create_finished_session()
    async with open_reading_test(session) as (pilot, app):
        await pilot.press(*CORRECT_KEYS[:-3], "x", "9", "1")
        await pilot.pause()
        text = screen_text(app)
        assert "Read correctly: 10 of 12 (83.3 %)" in text
        assert "Unreadable: 1 (counted as wrong)" in text
        assert "Esc: close · r: restart" in text
        await pilot.press("4")
        assert "! All pictures are read. Esc: close · r: restart" in prompt_text(app.screen)
        assert len(session.readings[3]) == HELD_OUT_COUNT
        await pilot.press("u")
        await pilot.pause()
        assert "Picture 12: what do you read?" in screen_text(app)
        assert "correct" not in screen_text(app)
        await pilot.press("2", "r")
        await pilot.pause()
        assert session.readings[3] == ()
        assert "Picture 1: what do you read?" in screen_text(app)
        assert " 0 / 12" in header_text(app)


async def test_complete_test_opens_with_its_result() -> None:
    session = create_finished_session()
    session.readings[3] = (*[int(key) for key in CORRECT_KEYS[:-1]], None)
    async with open_reading_test(session) as (pilot, app):
        assert "Read correctly: 11 of 12 (91.7 %)" in screen_text(app)
        assert "12 / 12" in header_text(app)
        await pilot.press("r", "0")
        assert session.readings[3] == (0,)


async def test_summary_shows_the_new_accuracy() -> None:
    async with open_reading_test(create_finished_session()) as (pilot, app):
        await pilot.press(*CORRECT_KEYS, "escape")
        await wait_for_screen(pilot, SummaryScreen)
        assert "reconstructions read correctly 100.0 % (epoch 3)" in screen_text(app)


async def test_epoch_table_shows_the_new_accuracy() -> None:
    session = GatedSession(Finished())
    async with open_reading_test(session, (120, 40)) as (pilot, app):
        await pilot.press("5", *CORRECT_KEYS[1:], "escape")
        await wait_for_screen(pilot, TrainingScreen)
        assert "read %" in screen_text(app)
        assert " 91.7 " in screen_text(app)
        assert app.screen.query_one(EpochTable).region.area > 0
        session.gate.set()
        await wait_for_screen(pilot, SummaryScreen)


async def test_q_exits_after_training_has_saved() -> None:
    session = EndlessSession()
    session.finished_epochs = [create_labelled_epoch(1)]
    async with open_reading_test(session) as (pilot, app):
        await pilot.press("1", "q")
        await wait_until(pilot, lambda: not app.is_running)
    assert session.stop_count == 1
    assert session.readings == {1: (1,)}
    assert app.failure is None


async def test_help_lists_the_keys_and_closes_alone() -> None:
    async with open_reading_test(create_finished_session(), (80, 40)) as (pilot, app):
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        text = screen_text(app)
        for words in (
            "Reading test",
            "0-9",
            "Enter the class that you read",
            "u Backspace",
            "Restart",
            "read correctly",
        ):
            assert words in text
        await pilot.press("escape")
        await wait_for_screen(pilot, ReadingTestScreen)
        await pilot.pause()
        assert isinstance(app.screen, ReadingTestScreen), "Esc closes the help only"


@pytest.mark.parametrize("phase", ["training", "finished"])
async def test_refused_test_shows_the_reason_until_the_next_key(phase: Phase) -> None:
    session = ScriptedSession(phase, events=[])
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: len(app.screen_stack) == 2 and not app.event_worker.is_busy)
        screen = app.screen
        await pilot.press("t")
        await pilot.pause()
        assert app.screen is screen
        assert "There is nothing to read before the first epoch has ended." in screen_text(app)
        session.finished_epochs = [create_labelled_epoch(1)]
        await pilot.press("t", "escape")
        await wait_until(pilot, lambda: app.screen is screen)
        assert "nothing to read" not in screen_text(app)


async def test_long_notice_stays_on_the_training_screen_for_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("vaetui.tui.screens.training.monotonic", lambda: now)
    session = EndlessSession()
    message = "The reconstructions of this epoch were not kept; there is a reading test after the next one."

    def refuse() -> ReadingTest:
        raise UserError(message)

    monkeypatch.setattr(session, "reading_test", refuse)
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("t")
        await wait_until(pilot, lambda: "The reconstructions" in screen_text(app))
        assert message in " ".join(screen_text(app).split())
        now = 111.0
        await wait_until(
            pilot, lambda: "img/s" in (line := screen_text(app).splitlines()[-2]) and "name clusters" in line
        )
        assert "not kept" not in screen_text(app)


async def test_failed_reading_shows_the_error_and_keeps_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    session = create_finished_session()
    async with open_reading_test(session) as (pilot, app):
        await pilot.press("0")
        refuse_readings(
            "The disk is full. Free space, for instance by deleting a session, and read it again.", session, monkeypatch
        )
        await pilot.press("1")
        await pilot.pause()
        assert "The disk is full" in screen_text(app)
        assert "read it again." in " ".join(screen_text(app).split())
        assert " 1 / 12" in header_text(app)


@pytest.mark.parametrize(
    ("last_event", "text", "screen_type"),
    [
        (Clustered(1, 16, ()), "round ready (Esc)", LabellingScreen),
        (Finished(), "run finished (Esc)", SummaryScreen),
    ],
)
async def test_new_phase_waits_until_the_test_is_closed(last_event: Event, text: str, screen_type: type) -> None:
    session = GatedSession(last_event)
    async with open_reading_test(session) as (pilot, app):
        await pilot.press("0", "1")
        session.gate.set()
        await wait_until(pilot, lambda: text in header_text(app))
        assert isinstance(app.screen, ReadingTestScreen)
        assert not app.event_worker.is_busy
        await pilot.press("2")
        assert session.readings == {1: (0, 1, 2)}
        assert text in header_text(app)
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        await pilot.press("q")
        await wait_for_screen(pilot, ReadingTestScreen)
        await pilot.press("escape")
        await wait_for_screen(pilot, screen_type)
        assert len(app.screen_stack) == 2


async def test_screen_of_the_new_phase_receives_the_deferred_end(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[Message] = []
    post_message = LabellingScreen.post_message

    def record_message(screen: LabellingScreen, message: Message) -> bool:
        messages.extend([message] if isinstance(message, WorkerEnded) else [])
        return post_message(screen, message)

    monkeypatch.setattr(LabellingScreen, "post_message", record_message)
    session = GatedSession(Clustered(1, 16, ()))
    async with open_reading_test(session) as (pilot, app):
        session.gate.set()
        await wait_until(pilot, lambda: "ready" in header_text(app))
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, LabellingScreen) and messages)
        assert len(messages) == 1


async def test_q_exits_while_a_new_phase_waits() -> None:
    session = GatedSession(Finished())
    async with open_reading_test(session) as (pilot, app):
        session.gate.set()
        await wait_until(pilot, lambda: "run finished" in header_text(app))
        await pilot.press("q")
        await wait_until(pilot, lambda: not app.is_running)
    assert app.failure is None


async def test_training_continues_behind_the_test() -> None:
    session = GatedSession(Progress("encoding", 1, 2))
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, TrainingScreen)
        training = app.screen
        assert isinstance(training, TrainingScreen)
        await pilot.press("t")
        await wait_for_screen(pilot, ReadingTestScreen)
        session.finished_epochs.append(create_labelled_epoch(2))
        app.post_message(EventReported(session.finished_epochs[-1]))
        await wait_until(pilot, lambda: training.activity and training.activity.description == "loading PyTorch")
        await pilot.press("3")
        assert session.readings == {1: (3,)}, "the test stays with its epoch"
        session.gate.set()
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is training)
        await pilot.press("t")
        await wait_for_screen(pilot, ReadingTestScreen)
        assert "epoch 2    0 / 12" in header_text(app)


async def test_test_does_not_open_while_another_round_is_pending() -> None:
    app = VaetuiApp(create_finished_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen) and not app.event_worker.is_busy)
        assert isinstance(app.screen, SummaryScreen)
        app.screen.is_round_requested = True
        await pilot.press("t")
        await pilot.pause()
        assert ROUND_PENDING_NOTICE in screen_text(app)
        assert isinstance(app.screen, SummaryScreen)


@pytest.mark.parametrize("size", SIZES)
async def test_screen_matches_its_snapshot(size: tuple[int, int]) -> None:
    async with open_reading_test(create_finished_session(), size) as (pilot, app):
        await pilot.press("0", "7", "x", "3", "4")
        await pilot.pause()
        assert_snapshot(app, f"reading-{size[0]}x{size[1]}")
        await pilot.press(*CORRECT_KEYS[5:])
        await pilot.pause()
        assert_snapshot(app, f"reading-result-{size[0]}x{size[1]}")


async def test_pictures_and_texts_are_visible_at_every_size() -> None:
    async with open_reading_test(create_finished_session(), (80, 24)) as (pilot, app):
        await pilot.press("0", "1", "2", "3", "4")
        for size in [(60, 18), (80, 24), (100, 30), (120, 40), (200, 60)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            text = screen_text(app)
            for images in app.screen.query(TiledImages):
                for place in images.places:
                    region = Region(place.x, place.y, *place.cells).translate(images.region.offset)
                    assert app.screen.region.contains_region(region)
            for words in ("epoch 3    5 / 12", "Picture 6: what do you read?  ", "■ 4", "read", "next", "? keys"):
                assert words in text, size


async def test_places_without_a_picture_show_nothing_and_captions_have_the_colour_of_the_class() -> None:
    async with open_reading_test(create_finished_session(), (120, 40)) as (pilot, app):
        previous = app.screen.query_one("#previous", CaptionedImages)
        assert set(map(type, previous.shown_images)) == {type(None)}
        await pilot.press("3", "x")
        await pilot.pause()
        assert [image is not None for image in previous.shown_images] == [False] * (previous.capacity - 2) + [True] * 2
        row = next(strip for strip in app.screen._compositor.render_strips() if "■ 3" in strip.text)
        column = row.text.index("■")
        (segment,) = row.crop(column, column + 1)
        assert segment.style is not None
        assert segment.style.color == Color.parse(get_class_style(3))


async def test_too_small_terminal_shows_only_the_size_notice() -> None:
    async with open_reading_test(create_finished_session()) as (pilot, app):
        await pilot.resize_terminal(50, 16)
        await pilot.pause()
        text = " ".join(screen_text(app).split())
        assert text == "vaetui needs at least 60 columns and 18 rows. Enlarge the terminal."


async def test_images_of_another_size_are_shown() -> None:
    async with open_reading_test(create_finished_session(side=32)) as (pilot, app):
        await pilot.pause()
        assert screen_text(app).count("▀") > 50


async def test_line_reads_one_of_many_classes_by_name() -> None:
    session = create_session_of_26_classes()
    async with open_reading_test(session) as (pilot, app):
        assert "0-9 or /: class · x: unreadable" in prompt_text(app.screen)
        assert "/ others  0 k…a  1 k…b" in screen_text(app)
        await pilot.press("slash", "z", "enter")
        assert session.readings == {1: (25,)}
        assert 'Saved: picture 1 = "kind z"' in prompt_text(app.screen)
        await pilot.press("3", "slash", "escape")
        await wait_for_screen(pilot, ReadingTestScreen)
        assert "■ kind z" in screen_text(app)
        assert session.readings == {1: (25, 3)}
        await pilot.press(*["x"] * (HELD_OUT_COUNT - 2), "slash")
        assert "! All pictures are read" in prompt_text(app.screen)


async def test_failed_reading_from_the_line_shows_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    session = create_session_of_26_classes()
    async with open_reading_test(session) as (pilot, app):
        refuse_readings("The disk is full.", session, monkeypatch)
        await pilot.press("slash", "q", "enter")
        await wait_for_screen(pilot, ReadingTestScreen)
        assert "! The disk is full." in prompt_text(app.screen)


async def test_new_phase_waits_while_the_line_is_open() -> None:
    session = GatedSession(Finished())
    async with open_reading_test(session) as (pilot, app):
        await pilot.press("slash")
        session.gate.set()
        await wait_until(pilot, lambda: not app.event_worker.is_busy)
        assert isinstance(app.screen, ReadingTestScreen)
        assert app.screen.is_line_open
        await pilot.press("7", "enter")
        await wait_for_screen(pilot, ReadingTestScreen)
        assert session.readings == {1: (7,)}
        assert "run finished (Esc)" in header_text(app)
        await pilot.press("escape")
        await wait_for_screen(pilot, SummaryScreen)
