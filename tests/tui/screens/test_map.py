"""Test the map screen: opening, moving, the filter, the jump to a cluster, sizes and colours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from threading import Event as Gate

import pytest
from textual.pilot import Pilot

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
from tests.tui.scripted_session import ScriptedSession, create_labelled_epoch
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.events import Event, Progress
from vaetui.errors import UserError
from vaetui.tui.app import VaetuiApp
from vaetui.tui.presenters.class_colours import get_class_style
from vaetui.tui.presenters.map_presenter import NO_LABELLING_HINT
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.map import COMPUTING_NOTE, MapScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.widgets.styled_lines import StyledLines

SIZES = [(60, 18), (80, 24), (120, 40), (200, 60)]
SNAPSHOT_SIZES = SIZES[1:3]


class SlowMapSession(ScriptedSession):
    """A round whose maps are computed when the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()

    def map_images(self, class_ids: object = ()) -> Iterator[Event]:
        yield Progress("computing the map", 0, 1)
        self.gate.wait(60)
        yield from super().map_images(class_ids)  # type: ignore[arg-type]


class FailingMapSession(ScriptedSession):
    """A round without a map."""

    def map_images(self, class_ids: object = ()) -> Iterator[Event]:
        yield Progress("computing the map", 0, 1)
        raise UserError("The snapshot of round 1 is lost.")


@asynccontextmanager
async def open_map(
    session: ScriptedSession | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], MapScreen]]:
    async with open_over_labelling(session or ScriptedSession(), "M", MapScreen, size) as (pilot, screen):
        yield pilot, screen


@pytest.mark.parametrize("size", SIZES)
async def test_map_shows_all_classes_and_the_clusters_at_every_size(size: tuple[int, int]) -> None:
    session = ScriptedSession()
    session.record_answer((0,), ClassAnswer(7))
    async with open_map(session, size) as (pilot, _):
        lines = screen_text(pilot.app).splitlines()
        text = "\n".join(lines)
        assert len(lines) == size[1]
        assert "map of round 1   2,000 images" in lines[0]
        assert "#0=7" in text
        assert all(f"#{number}" in text for number in (1, 2, 15))
        assert all(f" {class_id} " in text for class_id in range(10))
        assert "Cluster 1 open, mostly 1, 2,137 images" in lines[-2]
        assert any("⠀" < character <= "⣿" for character in text)
        if size in SNAPSHOT_SIZES:
            assert_snapshot(pilot.app, f"map-{size[0]}x{size[1]}")


async def test_enter_returns_to_labelling_at_the_nearest_cluster() -> None:
    async with open_map() as (pilot, screen):
        await press_slowly(pilot, "n", "n", "n", "p")
        nearest_cluster = screen.presenter.nearest_cluster
        assert nearest_cluster is not None
        await press_slowly(pilot, "enter")
        await wait_for_screen(pilot, LabellingScreen)
        assert isinstance(pilot.app.screen, LabellingScreen)
        assert focused_path(pilot.app.screen) == nearest_cluster.path == (2,)


@pytest.mark.parametrize("key", ["M", "H"])
async def test_map_and_history_stay_closed_while_an_answer_is_typed(key: str) -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, _):
        await press_slowly(pilot, "5", key)
        assert isinstance(pilot.app.screen, LabellingScreen)
        assert "! Enter: certain" in prompt_text(pilot.app.screen)
        await press_slowly(pilot, "enter")
    assert session.answer_log == [((0,), ClassAnswer(5))]


async def test_map_opens_at_the_focused_cluster() -> None:
    async with open_labelling(ScriptedSession()) as (pilot, screen):
        await press_slowly(pilot, "right", "right", "right", "M")
        await settle(pilot)
        assert isinstance(pilot.app.screen, MapScreen)
        assert pilot.app.screen.presenter.nearest_cluster is not None
        assert pilot.app.screen.presenter.nearest_cluster.path == focused_path(screen) == (3,)


@pytest.mark.parametrize("key", ["escape", "q", "M"])
async def test_map_closes_without_moving_the_focus(key: str) -> None:
    async with open_map() as (pilot, _):
        await press_slowly(pilot, "n", "n", key)
        await wait_for_screen(pilot, LabellingScreen)
        assert isinstance(pilot.app.screen, LabellingScreen)
        assert focused_path(pilot.app.screen) == (0,)


async def test_filter_shows_two_classes_alone_and_escape_shows_all() -> None:
    session = ScriptedSession()
    async with open_map(session) as (pilot, screen):
        await press_slowly(pilot, "slash", "down", "enter")
        await settle(pilot)
        assert session.calls[-1] == "map_images [0, 1]"
        assert screen.presenter.chosen_class_ids == (0, 1)
        assert "0 and 1 alone" in prompt_text(screen)
        assert "hidden 1,600" in screen_text(pilot.app)
        await press_slowly(pilot, "escape")
        assert isinstance(pilot.app.screen, MapScreen)
        assert screen.presenter.chosen_class_ids == ()
        assert "hidden" not in screen_text(pilot.app)
        assert session.calls[-1] == "map_images [0, 1]"


async def test_filter_finds_a_class_by_its_name_and_enter_without_text_keeps_all() -> None:
    config_classes = ("cat", "cow", "owl", "dog")
    async with open_map(ScriptedSession(classes=config_classes)) as (pilot, screen):
        await press_slowly(pilot, "slash", "enter")
        assert screen.is_line_open
        assert screen.presenter.chosen_class_ids == ()
        await press_slowly(pilot, *"owl", "enter")
        await settle(pilot)
        assert screen.presenter.chosen_class_ids == (2,)


async def test_keys_move_zoom_and_switch_to_letters() -> None:
    async with open_map() as (pilot, screen):
        assert "⣀" < max(screen_text(pilot.app)) <= "⣿"
        await press_slowly(pilot, "t")
        assert not any("⠀" < character <= "⣿" for character in screen_text(pilot.app))
        cursor = screen.presenter.cursor
        await press_slowly(pilot, "plus", "z", "left", "K", "shift+down", "down")
        assert "zoom 4x" in header_text(pilot.app)
        assert screen.presenter.cursor[0] < cursor[0]
        await press_slowly(pilot, "home")
        assert "zoom" not in header_text(pilot.app)
        await press_slowly(pilot, "c")
        assert "#1" not in screen_text(pilot.app)


async def test_a_map_that_takes_long_shows_that_and_can_be_left() -> None:
    session = SlowMapSession()
    async with open_labelling(session) as (pilot, _):
        await pilot.press("M")
        await wait_for_screen(pilot, MapScreen)
        await wait_until(pilot, lambda: COMPUTING_NOTE in screen_text(pilot.app))
        await press_slowly(pilot, "left", "enter", "slash", "escape")
        await wait_for_screen(pilot, LabellingScreen)
        session.gate.set()
        await settle(pilot)
        assert isinstance(pilot.app.screen, LabellingScreen)


async def test_only_the_classes_chosen_last_are_shown_if_a_map_takes_long() -> None:
    session = SlowMapSession()
    session.gate.set()
    async with open_map(session) as (pilot, screen):
        session.gate.clear()
        await press_slowly(pilot, "slash", *"3 and 4", "enter", "slash", *"5 and 6", "enter")
        session.gate.set()
        await wait_until(pilot, lambda: screen.presenter.chosen_class_ids == (5, 6))
        await settle(pilot)
        assert screen.presenter.chosen_class_ids == (5, 6)


async def test_all_classes_stay_if_they_are_chosen_while_a_map_is_computed() -> None:
    session = SlowMapSession()
    session.gate.set()
    async with open_map(session) as (pilot, screen):
        await press_slowly(pilot, "slash", *"3 and 4", "enter")
        await settle(pilot)
        session.gate.clear()
        await press_slowly(pilot, "slash", *"5 and 6", "enter", "escape")
        session.gate.set()
        await settle(pilot)
        assert screen.presenter.chosen_class_ids == ()
        assert not screen.event_worker.is_busy


async def test_reason_is_shown_where_there_is_no_map() -> None:
    async with open_map(FailingMapSession()) as (pilot, screen):
        assert "snapshot of round 1 is lost" in prompt_text(screen)
        await press_slowly(pilot, "escape")
        await wait_for_screen(pilot, LabellingScreen)


async def test_map_of_a_finished_run_has_no_jump() -> None:
    session = ScriptedSession("finished")
    session.finished_epochs = [create_labelled_epoch(epoch) for epoch in range(1, 4)]
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        await press_slowly(pilot, "M")
        await settle(pilot)
        assert isinstance(app.screen, MapScreen)
        assert "2,000 images" in header_text(app)
        await press_slowly(pilot, "enter")
        assert NO_LABELLING_HINT in prompt_text(app.screen)
        await press_slowly(pilot, "escape")
        assert isinstance(app.screen, SummaryScreen)


async def test_help_lists_the_keys_and_explains_the_map() -> None:
    async with open_map(size=(120, 60)) as (pilot, _):
        await press_slowly(pilot, "question_mark")
        await wait_for_screen(pilot, HelpScreen)
        text = screen_text(pilot.app)
        assert "Enlarge the map around the cursor" in text
        assert "nearer to the other" in text


async def test_unknown_key_shows_a_hint() -> None:
    async with open_map() as (pilot, screen):
        await press_slowly(pilot, "5")
        assert "Unknown key" in prompt_text(screen)


async def test_resizing_draws_the_map_for_the_new_size() -> None:
    async with open_map() as (pilot, screen):
        await pilot.resize_terminal(120, 40)
        await settle(pilot)
        lines = screen_text(pilot.app).splitlines()
        assert len(lines) == 40
        assert max(len(line) for line in lines) > 100
        assert len(screen.query_one("#plot", StyledLines).lines) == 40 - 3


async def test_cells_have_the_colours_of_their_classes() -> None:
    async with open_map() as (pilot, _):
        colours = {
            segment.style.color.name
            for strip in pilot.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None and segment.style.color is not None and "⠀" < segment.text[:1] <= "⣿"
        }
        assert {get_class_style(class_id) for class_id in range(10)} <= colours


async def test_without_colour_the_map_shows_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_map() as (pilot, screen):
        assert screen.presenter.draws_letters
        text = screen_text(pilot.app)
        assert text.count("4") > 8
        assert not any("⠀" < character <= "⣿" for character in text)


async def test_moving_the_cursor_repaints_only_its_rows() -> None:
    async with open_map() as (pilot, screen):
        plot = screen.query_one("#plot", StyledLines)
        before = list(plot.lines)
        await press_slowly(pilot, "right")
        changed = [row for row, line in enumerate(plot.lines) if line != before[row]]
        assert 0 < len(changed) <= 3
