"""The reading test: its keys, its manners, its result."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from textual.events import Key
from textual.message import Message
from textual.pilot import Pilot
from vaetui.tui.reading_keys import READING_TEST_KEYS

from tests.tui.harness import assert_snapshot, screen_text, wait_until
from tests.tui.scripted_session import HELD_OUT_COUNT, EndlessSession, ScriptedSession, create_labelled_epoch
from vaetui.engine.classes import MergeClass
from vaetui.engine.config import Config, NetworkConfig
from vaetui.engine.events import Clustered, Event, Finished, Loading, Progress
from vaetui.errors import UserError
from vaetui.session.views import ReadingTest
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.class_picker import ClassPickerScreen
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.reading_test import ReadingTestScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.terminal.burst_guard import QUIET_S
from vaetui.tui.widgets.epoch_table import EpochTable
from vaetui.tui.widgets.picture import Picture
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.worker import EventReported, WorkerEnded

pytestmark = pytest.mark.usefixtures("fast_keys")

SIZES = [(80, 24), (120, 40)]
ALL = [str(place % 10) for place in range(HELD_OUT_COUNT)]
"""The keys that read every picture right."""


class Gated(ScriptedSession):
    """A run whose first epoch is over and whose next phase begins when the test says so."""

    def __init__(self, last: Event) -> None:
        super().__init__("training")
        self.finished_epochs = [create_labelled_epoch(1)]
        self.gate = threading.Event()
        self.last = last

    def advance(self) -> Iterator[Event]:
        self.calls.append("advance")
        yield Loading("PyTorch")
        self.gate.wait(10)
        if self.current_phase == "training":
            yield Progress("clustering", 1, 2)
            if isinstance(self.last, Clustered | Finished):
                self.current_phase = "labelling" if isinstance(self.last, Clustered) else "finished"
            yield self.last


def finished(classes: int = 10, side: int = 28) -> ScriptedSession:
    session = ScriptedSession("finished", config=Config(network=NetworkConfig(classes=classes)), side=side)
    session.finished_epochs = [create_labelled_epoch(epoch) for epoch in range(1, 4)]
    return session


@asynccontextmanager
async def reading(
    session: ScriptedSession, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], VaetuiApp]]:
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen | SummaryScreen))
        await pilot.press("t")
        await wait_until(pilot, lambda: isinstance(app.screen, ReadingTestScreen))
        yield pilot, app


def prompt(app: VaetuiApp) -> str:
    return app.screen.query_one(Prompt).text


def header(app: VaetuiApp) -> str:
    return screen_text(app).splitlines()[0]


@pytest.mark.parametrize(
    ("keys", "read"),
    [
        ("0", (0,)),
        ("0 1 2 3 4 5 6 7 8 9", tuple(range(10))),
        ("7 x 7", (7, None, 7)),
        ("7 1 u", (7,)),
        ("7 1 backspace 4", (7, 4)),
        ("7 u u backspace", ()),
        ("7 r", (7,)),
        ("7 full_stop enter space t g", (7,)),
    ],
)
async def test_keys_read_and_take_back(keys: str, read: tuple[int | None, ...]) -> None:
    session = finished()
    async with reading(session) as (pilot, app):
        await pilot.press(*keys.split())
        assert session.readings.get(3, ()) == read
        assert f"epoch 3   {len(read):>2} / 12" in header(app)


async def test_a_word_confirms_and_never_says_what_is_right() -> None:
    async with reading(finished()) as (pilot, app):
        assert prompt(app) == "picture 1: what do you read?  0-9 a class, x unreadable"
        for key, words in {
            "5": "saved: 1 is read as 5",
            "1": "saved: 2 is read as 1",
            "x": "saved: 3 is unreadable",
            "u": "3 is to be read again",
            "r": "! r begins anew after the last picture",
            "k": "! that key does nothing here, ? shows all keys",
        }.items():
            await pilot.press(key)
            assert words in prompt(app)
            assert "right" not in screen_text(app)


async def test_one_cannot_go_back_before_the_first() -> None:
    session = finished()
    async with reading(session) as (pilot, app):
        await pilot.press("backspace")
        assert "this is the first picture" in prompt(app)
        assert not any(call.startswith("read") for call in session.calls)


async def test_only_the_classes_that_there_are_can_be_read() -> None:
    session = finished(classes=4)
    async with reading(session) as (pilot, app):
        await pilot.press("7")
        assert "! there is no class 7: 0-3 a class" in prompt(app)
        assert session.readings == {}
        await pilot.press("3")
        assert session.readings == {3: (3,)}
        await pilot.press("question_mark")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert "0-3 " in screen_text(app)
        assert "0-9" not in screen_text(app)


async def test_a_class_that_was_merged_cannot_be_read() -> None:
    session = finished()
    session.classes = session.classes.apply(MergeClass(3, 8))
    async with reading(session) as (pilot, app):
        await pilot.press("3")
        assert "there is no class 3: 0-2, 4-9 a class" in prompt(app)


async def test_what_is_read_stands_when_one_comes_back() -> None:
    session = finished()
    async with reading(session) as (pilot, app):
        await pilot.press("0", "x", "escape")
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        assert len(app.screen_stack) == 2
        await pilot.press("t")
        await wait_until(pilot, lambda: isinstance(app.screen, ReadingTestScreen))
        assert "picture 3: what do you read?" in screen_text(app)
        await pilot.press("2")
        assert session.readings == {3: (0, None, 2)}


async def test_the_result_comes_after_the_last_and_r_begins_anew() -> None:
    session = finished()
    async with reading(session) as (pilot, app):
        await pilot.press(*ALL[:-3], "x", "9", "1")
        await pilot.pause()
        shown = screen_text(app)
        assert "read right: 10 of 12, 83.3 %" in shown
        assert "unreadable: 1, which counts as wrong" in shown
        assert "Esc closes the test" in shown
        await pilot.press("4")
        assert "! every picture is read: r begins anew, Esc closes" in prompt(app)
        assert len(session.readings[3]) == HELD_OUT_COUNT
        await pilot.press("u")
        await pilot.pause()
        assert "picture 12: what do you read?" in screen_text(app)
        assert "read right" not in screen_text(app)
        await pilot.press("2", "r")
        await pilot.pause()
        assert session.readings[3] == ()
        assert "picture 1: what do you read?" in screen_text(app)
        assert " 0 / 12" in header(app)


async def test_a_complete_test_shows_its_result_at_once() -> None:
    session = finished()
    session.readings[3] = (*[int(key) for key in ALL[:-1]], None)
    async with reading(session) as (pilot, app):
        assert "read right: 11 of 12, 91.7 %" in screen_text(app)
        assert "12 / 12" in header(app)
        await pilot.press("r", "0")
        assert session.readings[3] == (0,)


async def test_the_screen_behind_shows_the_new_figure() -> None:
    session = finished()
    async with reading(session) as (pilot, app):
        await pilot.press(*ALL, "escape")
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        assert "reconstructions read right 100.0 % (epoch 3)" in screen_text(app)


async def test_the_table_of_epochs_shows_the_new_figure() -> None:
    session = Gated(Finished())
    async with reading(session, (120, 40)) as (pilot, app):
        await pilot.press("5", *ALL[1:], "escape")
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        assert "read %" in screen_text(app)
        assert " 91.7 " in screen_text(app)
        assert app.screen.query_one(EpochTable).region.area > 0
        session.gate.set()
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))


async def test_q_leaves_and_closes_the_slow_verb_first() -> None:
    session = EndlessSession()
    session.finished_epochs = [create_labelled_epoch(1)]
    async with reading(session) as (pilot, app):
        await pilot.press("1", "q")
        await wait_until(pilot, lambda: not app.is_running)
    assert session.stop_count == 1
    assert session.readings == {1: (1,)}
    assert app.failure is None


async def test_question_mark_explains_the_keys_and_leaves_the_test_open() -> None:
    session = finished()
    async with reading(session, (80, 40)) as (pilot, app):
        await pilot.press("question_mark")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        shown = screen_text(app)
        for words in ("reading test", "0-9", "Say what you read", "u ⌫", "Begin anew", "read right"):
            assert words in shown
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, ReadingTestScreen))
        await pilot.pause()
        assert isinstance(app.screen, ReadingTestScreen), "Esc closed the help and nothing else"


@pytest.mark.parametrize("phase", ["training", "finished"])
async def test_what_stands_against_a_test_is_said_on_the_screen(phase: str) -> None:
    session = ScriptedSession(phase, events=[])  # type: ignore[arg-type]
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: len(app.screen_stack) == 2 and not app.event_worker.is_busy)
        before = app.screen
        await pilot.press("t")
        await pilot.pause()
        assert app.screen is before
        assert "There is no reading test before the first epoch ends." in screen_text(app)
        session.finished_epochs = [create_labelled_epoch(1)]
        await pilot.press("t", "escape")
        await wait_until(pilot, lambda: app.screen is before)
        assert "nothing to read" not in screen_text(app)


async def test_a_long_sentence_is_read_to_its_end_while_training(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("vaetui.tui.screens.training.monotonic", lambda: now)
    session = EndlessSession()
    words = "The reconstructions of this epoch were not kept; there is a reading test after the next one."

    def refuse() -> ReadingTest:
        raise UserError(words)

    monkeypatch.setattr(session, "reading_test", refuse)
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("t")
        await wait_until(pilot, lambda: "The reconstructions" in screen_text(app))
        assert words in " ".join(screen_text(app).split())
        now = 111.0
        await wait_until(pilot, lambda: "next" in screen_text(app).splitlines()[-2] and "img/s" in screen_text(app))
        assert "not kept" not in screen_text(app)


async def test_trouble_while_reading_is_said_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    session = finished()
    async with reading(session) as (pilot, app):
        await pilot.press("0")

        def full(epoch: int, place: int, seen: Sequence[int | None]) -> ReadingTest:
            raise UserError("The disk is full: make room on it, for instance by deleting a session, and read it again.")

        monkeypatch.setattr(session, "record_reading", full)
        await pilot.press("1")
        await pilot.pause()
        assert "The disk is full" in screen_text(app)
        assert "read it again." in screen_text(app)
        assert " 1 / 12" in header(app)


async def test_a_burst_reads_nothing_and_a_person_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VaetuiApp, "MIN_KEY_GAP_S", QUIET_S)
    session = finished()
    async with reading(session) as (pilot, app):
        burst = [Key(character, character) for character in "?62;4;22c"]
        for key in [*burst, Key("escape", None), *burst, Key("x", "x"), Key("u", "u")]:
            app.post_message(key)
        await wait_until(pilot, lambda: "not from a person: dropped" in prompt(app))
        assert session.readings == {}
        assert isinstance(app.screen, ReadingTestScreen)
        await wait_until(pilot, lambda: monotonic() - app.guard._last_key_s > QUIET_S)
        await pilot.press("4")
        await wait_until(pilot, lambda: session.readings == {3: (4,)})


@pytest.mark.parametrize(
    ("last", "words", "kind"),
    [
        (Clustered(1, 16, ()), "the round is ready: Esc", LabellingScreen),
        (Finished(), "the run is over: Esc", SummaryScreen),
    ],
)
async def test_a_new_phase_waits_until_the_test_is_closed(last: Event, words: str, kind: type) -> None:
    session = Gated(last)
    async with reading(session) as (pilot, app):
        await pilot.press("0", "1")
        session.gate.set()
        await wait_until(pilot, lambda: words in header(app))
        assert isinstance(app.screen, ReadingTestScreen)
        assert not app.event_worker.is_busy
        await pilot.press("2")
        assert session.readings == {1: (0, 1, 2)}
        assert words in header(app)
        await pilot.press("question_mark")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("q")
        await wait_until(pilot, lambda: isinstance(app.screen, ReadingTestScreen))
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, kind))
        assert len(app.screen_stack) == 2


async def test_the_screen_of_the_new_phase_is_told_that_the_worker_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Message] = []
    post = LabellingScreen.post_message

    def note(screen: LabellingScreen, message: Message) -> bool:
        told.extend([message] if isinstance(message, WorkerEnded) else [])
        return post(screen, message)

    monkeypatch.setattr(LabellingScreen, "post_message", note)
    session = Gated(Clustered(1, 16, ()))
    async with reading(session) as (pilot, app):
        session.gate.set()
        await wait_until(pilot, lambda: "ready" in header(app))
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, LabellingScreen) and told)
        assert len(told) == 1


async def test_a_new_phase_behind_the_test_does_not_keep_one_from_leaving() -> None:
    session = Gated(Finished())
    async with reading(session) as (pilot, app):
        session.gate.set()
        await wait_until(pilot, lambda: "the run is over" in header(app))
        await pilot.press("q")
        await wait_until(pilot, lambda: not app.is_running)
    assert app.failure is None


async def test_training_goes_on_behind_the_test() -> None:
    session = Gated(Finished())
    session.last = Progress("encoding", 1, 2)
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        training = app.screen
        assert isinstance(training, TrainingScreen)
        await pilot.press("t")
        await wait_until(pilot, lambda: isinstance(app.screen, ReadingTestScreen))
        session.finished_epochs.append(create_labelled_epoch(2))
        app.post_message(EventReported(session.finished_epochs[-1]))
        await wait_until(
            pilot, lambda: training.activity is not None and training.activity.description == "loading PyTorch"
        )
        await pilot.press("3")
        assert session.readings == {1: (3,)}, "the test goes on with the epoch that it began with"
        session.gate.set()
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is training)
        await pilot.press("t")
        await wait_until(pilot, lambda: isinstance(app.screen, ReadingTestScreen))
        assert "epoch 2    0 / 12" in header(app)


async def test_no_test_is_opened_over_a_run_that_is_about_to_go_on() -> None:
    session = finished()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen) and not app.event_worker.is_busy)
        assert isinstance(app.screen, SummaryScreen)
        app.screen.is_round_requested = True
        await pilot.press("t")
        await pilot.pause()
        assert "One more round begins" in screen_text(app)
        assert isinstance(app.screen, SummaryScreen)


def test_every_key_has_a_name_of_its_own() -> None:
    ids = [binding.id for binding in READING_TEST_KEYS if not isinstance(binding, tuple)]
    assert len(ids) == len(set(ids))
    assert all(name and name.startswith("reading.") for name in ids)


@pytest.mark.parametrize("size", SIZES)
async def test_it_looks_as_before(size: tuple[int, int]) -> None:
    session = finished()
    async with reading(session, size) as (pilot, app):
        await pilot.press("0", "7", "x", "3", "4")
        await pilot.pause()
        assert_snapshot(app, f"reading-{size[0]}x{size[1]}")
        await pilot.press(*ALL[5:])
        await pilot.pause()
        assert_snapshot(app, f"reading-result-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (100, 30), (120, 40), (200, 60)])
async def test_nothing_is_cut_off_at_any_size(size: tuple[int, int]) -> None:
    async with reading(finished(), (80, 24)) as (pilot, app):
        await pilot.press("0", "1", "2", "3", "4")
        await pilot.resize_terminal(*size)
        await pilot.pause()
        whole, shown = app.screen.region, screen_text(app)
        for picture in app.screen.query(Picture):
            assert whole.contains_region(picture.region)
            assert picture.region.area > 0
        for words in ("epoch 3    5 / 12", "picture 6: what do you read?  ", "·4", "read", "to follow", "? keys"):
            assert words in shown


async def test_where_there_is_no_room_one_sentence_asks_for_it() -> None:
    async with reading(finished()) as (pilot, app):
        await pilot.resize_terminal(50, 16)
        await pilot.pause()
        shown = " ".join(screen_text(app).split())
        assert shown == "vaetui needs at least 60 columns and 18 rows. Enlarge the terminal."


async def test_pictures_of_another_shape_are_shown() -> None:
    async with reading(finished(side=32)) as (pilot, app):
        await pilot.pause()
        assert screen_text(app).count("▀") > 50


LETTERS = tuple(f"kind {letter}" for letter in "abcdefghijklmnopqrstuvwxyz")


def lettered() -> ScriptedSession:
    """A finished run of 26 classes."""
    session = ScriptedSession("finished", config=Config(network=NetworkConfig(classes=26)), classes=LETTERS)
    session.finished_epochs = [create_labelled_epoch(1)]
    return session


async def test_one_of_many_classes_is_read_by_its_letters() -> None:
    session = lettered()
    async with reading(session) as (pilot, app):
        assert "0-9 or / a class, x unreadable" in prompt(app)
        assert "/ others  0 k…a  1 k…b" in screen_text(app)
        await pilot.press("slash")
        await wait_until(pilot, lambda: isinstance(app.screen, ClassPickerScreen))
        await pilot.press("z", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ReadingTestScreen))
        assert session.readings == {1: (25,)}
        assert "saved: 1 is read as kind z" in prompt(app)
        await pilot.press("3", "slash", "escape")
        await wait_until(pilot, lambda: isinstance(app.screen, ReadingTestScreen))
        assert "·kind z" in screen_text(app)
        assert session.readings == {1: (25, 3)}
        await pilot.press(*["x"] * (HELD_OUT_COUNT - 2), "slash")
        assert "! every picture is read" in prompt(app)


async def test_trouble_with_a_class_read_by_its_letters_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    session = lettered()
    async with reading(session) as (pilot, app):

        def full(epoch: int, place: int, seen: Sequence[int | None]) -> ReadingTest:
            raise UserError("The disk is full.")

        monkeypatch.setattr(session, "record_reading", full)
        await pilot.press("slash", "q", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ReadingTestScreen))
        assert "! The disk is full." in prompt(app)


async def test_a_new_phase_waits_also_while_a_class_is_looked_for() -> None:
    session = Gated(Finished())
    async with reading(session) as (pilot, app):
        await pilot.press("slash")
        await wait_until(pilot, lambda: isinstance(app.screen, ClassPickerScreen))
        session.gate.set()
        await wait_until(pilot, lambda: not app.event_worker.is_busy)
        assert isinstance(app.screen, ClassPickerScreen)
        await pilot.press("7", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ReadingTestScreen))
        assert session.readings == {1: (7,)}
        assert "the run is over: Esc" in header(app)
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))
