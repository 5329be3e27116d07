"""Test the screen of many members and of one in full size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from textual.pilot import Pilot

from tests.tui.harness import (
    assert_snapshot,
    focused_path,
    open_labelling,
    prompt_text,
    screen_text,
    settle,
    wait_until,
)
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, ClusterPath
from vaetui.engine.clusters import Pixels
from vaetui.session.views import MemberOrder
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.members import MembersScreen
from vaetui.tui.widgets.selectable_images import SelectableImages
from vaetui.tui.widgets.text_images import fit_image

SIZES = [(80, 24), pytest.param((120, 40), marks=pytest.mark.slow), (200, 60)]


class NumberedMembers(ScriptedSession):
    """A session whose members tell their position by their pixels."""

    shape: tuple[int, ...] = (28, 28)

    def member_images(
        self, path: ClusterPath, order: MemberOrder, count: int, round_number: int | None = None
    ) -> Pixels:
        self.calls.append(f"member_images {order} {count}")
        if not self.is_loaded:
            return np.zeros((0, *self.shape), np.uint8)
        return np.stack([self.draw_member(index, order) for index in range(count)])

    def draw_member(self, index: int, order: MemberOrder = "nearest") -> Pixels:
        first = {"nearest": 0, "random": 1, "farthest": 2}[order]
        return np.random.default_rng([first, index]).integers(0, 256, self.shape, np.uint8)


class ColourMembers(NumberedMembers):
    """The same with photos of 64x64 pixels."""

    shape = (64, 64, 3)


@asynccontextmanager
async def open_members(
    session: ScriptedSession, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], MembersScreen]]:
    async with open_labelling(session, size) as (pilot, _):
        await pilot.press("right", "z")
        await settle(pilot)
        assert isinstance(pilot.app.screen, MembersScreen)
        yield pilot, pilot.app.screen


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("session_type", [NumberedMembers, ColourMembers])
async def test_page_shows_the_first_members_and_page_down_the_next_ones(
    session_type: type[NumberedMembers], size: tuple[int, int]
) -> None:
    session = session_type()
    async with open_members(session, size) as (pilot, screen):
        grid = screen.query_one(SelectableImages)
        capacity = len(grid.places)
        assert capacity >= {80: 10, 120: 12, 200: 12}[size[0]]
        for page in range(3):
            for position, image in enumerate(grid.shown_images):
                assert np.array_equal(image, session.draw_member(page * capacity + position))
            assert f"Nearest member {page * capacity + 1} of 2,137" in prompt_text(screen)
            assert f"{page * capacity + 1}-{(page + 1) * capacity} shown" in prompt_text(screen)
            await pilot.press("pagedown")
            await pilot.pause()
        await pilot.press("end")
        await pilot.pause()
        assert "Nearest member 2,137 of 2,137" in prompt_text(screen)
        assert np.array_equal(
            [image for image in grid.shown_images if image is not None][-1], session.draw_member(2136)
        )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["enter", "z"])
async def test_zoom_shows_the_selected_member_pixel_by_pixel_and_as_large_as_it_fits(
    key: str, size: tuple[int, int]
) -> None:
    session = NumberedMembers()
    async with open_members(session, size) as (pilot, screen):
        await pilot.press("right", "down", key)
        await pilot.pause()
        grid = screen.query_one(SelectableImages)
        (image,), (place,) = grid.shown_images, grid.places
        index = screen.selection.index
        assert index == 1 + screen.selection.columns
        assert np.array_equal(image, session.draw_member(index))
        scale = {24: 1, 40: 2, 60: 3}[size[1]]
        assert place.cells == (28 * scale, 14 * scale)
        upper, lower = fit_image(image, 28, 28)[:2, 5]
        (segment,) = grid.render_line(place.y).crop(place.x + 5 * scale, place.x + 5 * scale + 1)
        assert segment.style is not None
        assert segment.style.bgcolor is not None
        expected = int(upper if scale > 1 else lower)
        assert segment.style.bgcolor.get_truecolor() == (expected,) * 3
        await pilot.press("right")
        await pilot.pause()
        assert np.array_equal(grid.shown_images[0], session.draw_member(index + 1))
        await pilot.press("escape")
        await pilot.pause()
        assert len(grid.places) > 1
        assert pilot.app.screen is screen


async def test_colour_member_of_64_pixels_fills_a_small_terminal() -> None:
    async with open_members(ColourMembers()) as (pilot, screen):
        await pilot.press("z")
        await pilot.pause()
        (place,) = screen.query_one(SelectableImages).places
        assert place.cells == (38, 19)
        assert screen_text(pilot.app).count("▀") > 38 * 15


async def test_order_key_shows_other_members_from_the_first_one() -> None:
    session = NumberedMembers()
    async with open_members(session) as (pilot, screen):
        grid = screen.query_one(SelectableImages)
        await pilot.press("right", "m")
        await pilot.pause()
        assert np.array_equal(grid.shown_images[0], session.draw_member(0, "random"))
        assert prompt_text(screen).startswith("Random member 1 of 2,137")
        await pilot.press("m")
        await pilot.pause()
        assert np.array_equal(grid.shown_images[3], session.draw_member(3, "farthest"))


async def test_digits_answer_nothing_and_escape_returns_to_the_same_cluster() -> None:
    session = NumberedMembers()
    async with open_members(session) as (pilot, screen):
        await pilot.press("7")
        assert "Esc: back to the clusters, where the digits answer" in prompt_text(screen)
        assert session.answer_log == []
        await pilot.press("escape")
        await settle(pilot)
        labelling = pilot.app.screen
        assert isinstance(labelling, LabellingScreen)
        assert focused_path(labelling) == (1,)
        await pilot.press("7", "enter")
        assert session.answer_log == [((1,), ClassAnswer(7))]


async def test_members_appear_once_the_images_are_loaded() -> None:
    session = NumberedMembers()
    async with open_labelling(session) as (pilot, _):
        session.is_loaded = False
        await pilot.press("z")
        await settle(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, MembersScreen)
        assert "loading the images" in prompt_text(screen)
        await pilot.press("enter", "right")
        session.is_loaded = True
        await wait_until(pilot, lambda: screen.query_one(SelectableImages).shown_images)
        assert "Nearest member 2 of 2,000" in prompt_text(screen)


async def test_resize_keeps_the_selected_member() -> None:
    session = NumberedMembers()
    async with open_members(session, (120, 40)) as (pilot, screen):
        await pilot.press(*["right"] * 20)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert prompt_text(screen).startswith("Nearest member 21 of 2,137")
        grid = screen.query_one(SelectableImages)
        start, _ = screen.selection.page_bounds
        assert np.array_equal(grid.shown_images[20 - start], session.draw_member(20))
        assert grid.region.height == 21


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_screen_matches_its_snapshot(size: tuple[int, int]) -> None:
    async with open_members(ScriptedSession(), size) as (pilot, _):
        await pilot.press("right", "down")
        await pilot.pause()
        assert_snapshot(pilot.app, f"members-{size[0]}x{size[1]}")
