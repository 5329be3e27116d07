"""Test the history screen: list and preview, corrections, filter, jump, sizes, and a real session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from threading import Event as Gate

import numpy as np
import pytest
from textual.pilot import Pilot

from tests.session_templates import SessionTemplates
from tests.tui.harness import (
    assert_snapshot,
    focused_path,
    header_text,
    open_labelling,
    open_over_labelling,
    press_slowly,
    prompt_text,
    screen_text,
    settle,
    wait_for_screen,
    wait_until,
)
from tests.tui.presenters.test_history_presenter import NAMES, create_session
from tests.tui.scripted_session import ScriptedSession, create_labelled_epoch
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.events import Event, HistoryLoaded, Notice, Progress
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.history import LOADING_NOTE, HistoryScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.widgets.answer_preview import AnswerPreview
from vaetui.tui.widgets.styled_lines import StyledLines
from vaetui.tui.widgets.tiled_images import LOADING_TEXT

SIZES = [(60, 18), (80, 24), (120, 40), (200, 60)]
SNAPSHOT_SIZES = SIZES[1:3]


class SlowHistorySession(ScriptedSession):
    """A round whose answers are loaded when the gate opens."""

    def __init__(self) -> None:
        super().__init__(classes=NAMES)
        self.record_answer((0,), ClassAnswer(0))
        self.gate = Gate()

    def load_history(self) -> Iterator[Event]:
        yield Progress("loading the answers", 0, 1)
        self.gate.wait(60)
        yield from super().load_history()


class FailingHistorySession(ScriptedSession):
    """A round whose answers cannot be loaded."""

    def load_history(self) -> Iterator[Event]:
        yield Progress("loading the answers", 0, 1)
        raise UserError("The disk cannot be read.")


class DamagedHistorySession(ScriptedSession):
    """A round beside another one whose answers are lost."""

    def load_history(self) -> Iterator[Event]:
        yield Notice("The answers of round 1 are not shown.")
        yield from super().load_history()


@asynccontextmanager
async def open_history(
    session: ScriptedSession | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], HistoryScreen]]:
    async with open_over_labelling(session or create_session(), "H", HistoryScreen, size) as (pilot, screen):
        yield pilot, screen


def count_shown_members(screen: HistoryScreen) -> int:
    preview = screen.query_one(AnswerPreview)
    return sum(image is not None for image in preview.shown_images[1:])


@pytest.mark.parametrize("size", SIZES)
async def test_history_shows_list_and_preview_at_every_size(size: tuple[int, int]) -> None:
    async with open_history(size=size) as (pilot, screen):
        lines = screen_text(pilot.app).splitlines()
        assert len(lines) == size[1]
        assert "history   6 answers of 2 rounds" in lines[0]
        assert lines[2].startswith("› 2     5.1     ■ cat .5")
        assert "Round 2, cluster 5.1" in lines[-2]
        preview = screen.query_one(AnswerPreview)
        assert preview.shown_images[0] is not None
        assert count_shown_members(screen) == preview.capacity
        assert preview.capacity >= {60: 0, 80: 2, 120: 6, 200: 36}[size[0]]
        for place in preview.places:
            assert preview.region.x + place.x + place.cells[0] <= size[0]
            assert preview.region.y + place.y + place.cells[1] <= size[1] - 2
        if size in SNAPSHOT_SIZES:
            assert_snapshot(pilot.app, f"history-{size[0]}x{size[1]}")


async def test_preview_follows_the_selection_also_into_earlier_rounds() -> None:
    session = create_session()
    async with open_history(session) as (pilot, screen):
        await press_slowly(pilot, "end")
        await pilot.pause()
        assert session.calls[-1] == "member_images 0 nearest 1"
        centre = screen.query_one(AnswerPreview).shown_images[0]
        entry = screen.presenter.focused_entry
        assert entry is not None
        assert entry.round_number == 1
        assert np.array_equal(centre, entry.picture)


async def test_keys_correct_an_answer_of_an_earlier_round_and_undo_it() -> None:
    session = create_session()
    async with open_history(session) as (pilot, screen):
        await press_slowly(pilot, "end", "3", "8")
        await settle(pilot)
        assert "■ dog .8" in screen_text(pilot.app)
        assert "Saved: round 1, cluster 0 = dog .8, for the next training. u: undo" in prompt_text(screen)
        await press_slowly(pilot, "u")
        await settle(pilot)
        assert "■ dog .8" not in screen_text(pilot.app)
        await press_slowly(pilot, "U", "delete")
        await settle(pilot)
        assert "5 answers of 2 rounds" in header_text(pilot.app)
        assert [call for call in session.calls if call.startswith("correct")] == ["correct_answer 1 0"] * 2


async def test_a_class_chosen_by_its_name_corrects_after_a_confidence() -> None:
    session = create_session()
    async with open_history(session) as (pilot, screen):
        await press_slowly(pilot, "end", "slash", *"owl", "enter")
        assert prompt_text(screen).startswith("Round 1, cluster 0 = owl")
        await press_slowly(pilot, "enter")
        await settle(pilot)
        assert "Saved: round 1, cluster 0 = owl, for the next training" in prompt_text(screen)


async def test_filter_lists_one_class_and_escape_lists_all() -> None:
    async with open_history() as (pilot, screen):
        await press_slowly(pilot, "f", *"cat", "enter")
        assert "class cat: 2 of 6 answers" in header_text(pilot.app)
        assert "cow" not in screen_text(pilot.app)
        await press_slowly(pilot, "escape")
        assert isinstance(pilot.app.screen, HistoryScreen)
        assert "6 answers of 2 rounds" in header_text(pilot.app)
        assert len(screen.query_one("#answers", StyledLines).lines) == 7


async def test_enter_goes_to_the_cluster_on_the_labelling_screen() -> None:
    async with open_history() as (pilot, _):
        await press_slowly(pilot, "down", "down", "enter")
        await wait_for_screen(pilot, LabellingScreen)
        assert isinstance(pilot.app.screen, LabellingScreen)
        assert focused_path(pilot.app.screen) == (0,)


@pytest.mark.parametrize("key", ["escape", "q", "H"])
async def test_closing_shows_the_corrected_answers_with_the_focus_where_it_was(key: str) -> None:
    async with open_labelling(create_session()) as (pilot, screen):
        path = focused_path(screen)
        await press_slowly(pilot, "H")
        await settle(pilot)
        await press_slowly(pilot, "down", "down", "x")
        await settle(pilot)
        await press_slowly(pilot, key)
        await wait_for_screen(pilot, LabellingScreen)
        assert focused_path(screen) == path
        answers = {cluster.path: cluster.answer for cluster in screen.presenter.round_view.clusters}
        assert answers[0,] == Unreadable()


async def test_undoing_a_split_in_the_history_leaves_the_focus_on_a_cluster_that_exists() -> None:
    async with open_labelling(create_session()) as (pilot, screen):
        await press_slowly(pilot, "u")  # the answer of 5.1
        assert focused_path(screen) == (5, 1)
        await press_slowly(pilot, "H", "u")
        await settle(pilot)
        await press_slowly(pilot, "escape")
        await wait_for_screen(pilot, LabellingScreen)
        assert focused_path(screen) == (5,)


async def test_a_part_of_a_split_that_was_redone_in_the_history_can_be_gone_to() -> None:
    async with open_labelling(create_session()) as (pilot, screen):
        await press_slowly(pilot, "u", "u")
        assert not [cluster for cluster in screen.presenter.round_view.clusters if len(cluster.path) > 1]
        await press_slowly(pilot, "H", "U", "U")
        await settle(pilot)
        await press_slowly(pilot, "home", "enter")
        await wait_for_screen(pilot, LabellingScreen)
        assert focused_path(screen) == (5, 1)


async def test_answers_that_take_long_show_that_and_can_be_left() -> None:
    session = SlowHistorySession()
    async with open_labelling(session) as (pilot, _):
        await pilot.press("H")
        await wait_for_screen(pilot, HistoryScreen)
        await wait_until(pilot, lambda: LOADING_NOTE in screen_text(pilot.app))
        await press_slowly(pilot, "down", "3", "enter", "delete", "escape")
        await wait_for_screen(pilot, LabellingScreen)
        session.gate.set()
        await settle(pilot)
        assert not [call for call in session.calls if call.startswith("correct")]


async def test_a_second_correction_while_the_first_one_is_loaded_is_shown_too() -> None:
    session = SlowHistorySession()
    session.gate.set()
    async with open_history(session) as (pilot, screen):
        session.gate.clear()
        await press_slowly(pilot, "1", "enter", "2", "enter")
        session.gate.set()
        await wait_until(pilot, lambda: screen.presenter.entries[0].answer == ClassAnswer(2))
        await settle(pilot)
        assert not screen.event_worker.is_busy


async def test_reason_is_shown_where_the_answers_cannot_be_loaded() -> None:
    async with open_history(FailingHistorySession()) as (pilot, screen):
        assert "The disk cannot be read." in prompt_text(screen)
        await press_slowly(pilot, "escape")
        await wait_for_screen(pilot, LabellingScreen)


async def test_a_round_that_is_lost_is_named_beside_the_answers_of_the_others() -> None:
    session = DamagedHistorySession(classes=NAMES)
    session.record_answer((0,), ClassAnswer(0))
    async with open_history(session) as (pilot, screen):
        assert "The answers of round 1 are not shown." in prompt_text(screen)
        assert "■ cat" in screen_text(pilot.app)


async def test_members_appear_as_soon_as_the_images_are_loaded() -> None:
    session = create_session()
    async with open_history(session) as (pilot, screen):
        session.is_loaded = False
        await press_slowly(pilot, "down")
        await wait_until(pilot, lambda: LOADING_TEXT in screen.query_one(AnswerPreview).text)
        assert count_shown_members(screen) == 0
        session.is_loaded = True
        await wait_until(pilot, lambda: count_shown_members(screen) > 0)
        assert LOADING_TEXT not in screen.query_one(AnswerPreview).text


async def test_resizing_keeps_the_selection_and_fills_the_new_preview() -> None:
    async with open_history() as (pilot, screen):
        await press_slowly(pilot, "down")
        await pilot.resize_terminal(200, 60)
        await settle(pilot)
        assert screen.presenter.focus_index == 1
        preview = screen.query_one(AnswerPreview)
        await wait_until(pilot, lambda: count_shown_members(screen) == preview.capacity)
        assert preview.capacity >= 36


async def test_help_explains_when_corrections_count() -> None:
    async with open_history(size=(120, 60)) as (pilot, _):
        await press_slowly(pilot, "question_mark")
        await wait_for_screen(pilot, HelpScreen)
        text = screen_text(pilot.app)
        assert "Delete the answer" in text
        assert "counts from the next training on" in text


async def test_history_of_a_finished_run_corrects_answers() -> None:
    session = create_session("finished")
    session.finished_epochs = [create_labelled_epoch(epoch) for epoch in range(1, 4)]
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        await press_slowly(pilot, "H")
        await settle(pilot)
        assert isinstance(app.screen, HistoryScreen)
        await press_slowly(pilot, "end", "3", "enter")
        await settle(pilot)
        assert "Saved: round 1, cluster 0 = dog" in screen_text(app).replace("\n", " ")
        await press_slowly(pilot, "escape")
        assert isinstance(app.screen, SummaryScreen)


@pytest.mark.usefixtures("home")
async def test_real_answers_of_a_finished_run_are_listed_and_a_correction_stays_after_a_restart(
    templates: SessionTemplates,
) -> None:
    templates.copy("finished", "real")
    session = lifecycle.resume("real")
    *_, event = session.load_history()
    assert isinstance(event, HistoryLoaded)
    oldest = event.entries[0]
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await wait_until(pilot, lambda: not app.event_worker.is_busy)
        await press_slowly(pilot, "H")
        await wait_until(pilot, lambda: isinstance(app.screen, HistoryScreen) and bool(app.screen.presenter.entries))
        assert f"{len(event.entries)} answers of 2 rounds" in header_text(app)
        assert isinstance(app.screen, HistoryScreen)
        await press_slowly(pilot, "end", "up")
        entry = app.screen.presenter.focused_entry
        assert entry is not None
        await wait_until(pilot, lambda: count_shown_members(app.screen) > 0)
        await press_slowly(pilot, "4", "6")
        await settle(pilot)
    session.close()
    session = lifecycle.resume("real")
    *_, event = session.load_history()
    assert isinstance(event, HistoryLoaded)
    answers = {(item.round_number, item.path): item.answer for item in event.entries}
    assert answers[entry.round_number, entry.path] == ClassAnswer(4, 0.6)
    assert answers[oldest.round_number, oldest.path] == oldest.answer
    assert session.undo() == ()
    session.close()
