"""Test the screens of two confused classes and of the border of a class, which open over the review."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from textual.pilot import Pilot

from tests.tui.harness import (
    ScreenT,
    assert_snapshot,
    header_text,
    open_labelling,
    press_slowly,
    prompt_text,
    screen_text,
    settle,
    wait_for_screen,
    wait_until,
)
from tests.tui.review_sessions import ColourReviewSession, begin_second_round, create_review_session
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer
from vaetui.tui.screens.border import BorderScreen
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.pair import PairScreen
from vaetui.tui.screens.review import ReviewScreen
from vaetui.tui.widgets import image_page_view
from vaetui.tui.widgets.image_page_view import EARLY_KEY_HINT, ImagePageView
from vaetui.tui.widgets.selectable_tiles import SelectableTiles

SIZES = [(60, 18), (80, 24), pytest.param((120, 40), marks=pytest.mark.slow), (200, 60)]


@pytest.fixture(autouse=True)
def accept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page be accepted as soon as it is on the screen."""
    monkeypatch.setattr(image_page_view, "MIN_LOOK_S", 0.0)


@asynccontextmanager
async def open_from_review(
    key: str, screen_type: type[ScreenT], session: ScriptedSession | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], ScreenT]]:
    async with open_labelling(session or create_review_session(), size) as (pilot, _):
        await pilot.press("w")
        await wait_for_screen(pilot, ReviewScreen)
        await settle(pilot)
        await pilot.press(key)
        await wait_for_screen(pilot, screen_type)
        await settle(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, screen_type)
        yield pilot, screen


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("has_colours", [False, True])
async def test_classes_stand_side_by_side_at_every_size(has_colours: bool, size: tuple[int, int]) -> None:
    session = begin_second_round(ColourReviewSession()) if has_colours else create_review_session()
    async with open_from_review("p", PairScreen, session, size) as (pilot, screen):
        tiles = screen.query_one(SelectableTiles)
        places = [place for place, image in zip(tiles.places, screen.presenter.images, strict=True) if image]
        images = [image for image in screen.presenter.images if image]
        assert {image.label_class_id for image in images} == {0, 1}
        left = [place for place, image in zip(places, images, strict=True) if image.label_class_id == 0]
        right = [place for place, image in zip(places, images, strict=True) if image.label_class_id == 1]
        separators = {line.index("│") for line in screen_text(pilot.app).splitlines() if "│" in line}
        assert len(separators) == 1
        (separator,) = separators
        assert max(place.x + place.cells[0] for place in left) < separator < min(place.x for place in right)
        assert max(place.x + place.cells[0] for place in right) < size[0]
        shown = [image for image in tiles.shown_images if image is not None]
        for pixels, image in zip(shown, images, strict=True):
            assert np.array_equal(pixels, session.select_images([image.image_index])[0])
        lines = screen_text(pilot.app).splitlines()
        assert len(lines) == size[1]
        assert lines[1].split() == ["■", "cat", "■", "dog"]
        assert lines[1].index("cat") < separator < lines[1].index("dog")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_pair_matches_its_snapshot(size: tuple[int, int]) -> None:
    async with open_from_review("p", PairScreen, size=size) as (pilot, _):
        await press_slowly(pilot, "space", "x", "right")
        assert_snapshot(pilot.app, f"pair-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(60, 18), (80, 24)])
async def test_long_names_leave_room_for_the_facts(size: tuple[int, int]) -> None:
    names = ("Donaudampfschifffahrtsgesellschaft", "猫" * 20, "a class with a long name")
    async with open_from_review("p", PairScreen, create_review_session(names), size) as (pilot, screen):
        assert ": 60 images in doubt · pair 1 of 2" in header_text(pilot.app)
        await press_slowly(pilot, "space", "right", "x")
        assert "accept, 2 corrected" in prompt_text(screen)
        await press_slowly(pilot, "escape", "b")
        await wait_for_screen(pilot, BorderScreen)
        await settle(pilot)
        header = header_text(pilot.app).rstrip()
        assert "where does Don" in header
        assert header.endswith(("page 1 of 50", "page 1 of 25 · at most 10 to see"))
        assert "yes · n: no" in prompt_text(pilot.app.screen)
        assert len(screen_text(pilot.app).splitlines()) == size[1]


async def test_image_is_moved_across_and_the_page_recorded_and_undone() -> None:
    session = create_review_session()
    async with open_from_review("p", PairScreen, session) as (pilot, screen):
        await press_slowly(pilot, "space", "right", "right")
        assert "→ ■ dog" in screen_text(pilot.app)
        await press_slowly(pilot, "enter")
        (page,) = session.steps.pages
        assert page[0].answer == ClassAnswer(1)
        assert page[0].shown_class_id == 0
        assert f"Saved: {len(page)} images of cat and dog, 1 corrected. u: undo" in prompt_text(screen)
        await press_slowly(pilot, "u")
        assert session.steps.pages == []
        await press_slowly(pilot, "ctrl+r")
        assert session.steps.pages == [page]
        await press_slowly(pilot, "escape")
        review = pilot.app.screen
        assert isinstance(review, ReviewScreen)
        assert f"Saved: page of {len(page)} images of cat and dog. u: undo" in prompt_text(review)
        assert review.presenter.shown_images[0].image_index not in [item.image_index for item in page]
        await press_slowly(pilot, "u")
        assert session.steps.pages == []
        assert review.presenter.shown_images[0].image_index == 0


async def test_pairs_are_chosen_by_key_and_from_a_list() -> None:
    async with open_from_review("p", PairScreen) as (pilot, _):
        assert "cat / dog: 60 images in doubt · pair 1 of 3" in header_text(pilot.app)
        await press_slowly(pilot, "tab")
        assert "dog / owl: 59 images in doubt · pair 2 of 3" in header_text(pilot.app)
        await press_slowly(pilot, "c", *"polar", "enter")
        assert "owl / polar bear: 58 images in doubt · pair 3 of 3" in header_text(pilot.app)
        await press_slowly(pilot, "z", "escape", "1", "slash", *"cat", "enter")
        assert "→ ■ cat" in screen_text(pilot.app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_border_matches_its_snapshot(size: tuple[int, int]) -> None:
    async with open_from_review("b", BorderScreen, size=size) as (pilot, _):
        await press_slowly(pilot, "y", "right", "space")
        assert_snapshot(pilot.app, f"border-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("has_colours", [False, True])
async def test_border_is_searched_and_recorded_at_every_size(has_colours: bool, size: tuple[int, int]) -> None:
    session = begin_second_round(ColourReviewSession()) if has_colours else create_review_session()
    async with open_from_review("b", BorderScreen, session, size) as (pilot, screen):
        while not screen.presenter.is_done:
            page = screen.presenter.image_indices
            tiles = [image for image in screen.query_one(SelectableTiles).shown_images if image is not None]
            assert len(tiles) == len(page)
            assert np.array_equal(tiles[0], session.select_images([page[0]])[0])
            await press_slowly(pilot, "y" if min(page) > 300 else "n")
        beyond = screen.presenter.image_indices
        assert f"{len(beyond)} images beyond the border lose their label:" in prompt_text(screen)
        assert f"cat: {len(beyond)} of 200 images beyond the border" in header_text(pilot.app)
        await press_slowly(pilot, "y")
        assert not any(call.startswith("record") for call in session.calls)
        await press_slowly(pilot, "enter")
        assert isinstance(pilot.app.screen, ReviewScreen)
        assert f"record_border 0 {len(beyond)}" in session.calls
        text = f"Saved: border of cat, {len(beyond)} images beyond it. u: undo"
        assert text in prompt_text(pilot.app.screen)
        await press_slowly(pilot, "u")
        assert session.calls[-1] == "undo"
        assert session.steps.image_actions == []


async def test_search_for_the_border_is_left_without_a_trace() -> None:
    session = create_review_session()
    async with open_from_review("b", BorderScreen, session) as (pilot, _):
        await press_slowly(pilot, "y", "space", "escape")
        assert isinstance(pilot.app.screen, BorderScreen)
        await press_slowly(pilot, "u", "u", "7", "escape", "escape")
        assert isinstance(pilot.app.screen, LabellingScreen)
        assert session.steps.image_actions == []


async def test_shrunken_terminal_shows_the_page_of_the_border_in_parts() -> None:
    async with open_from_review("b", BorderScreen, size=(120, 40)) as (pilot, screen):
        assert len(screen.presenter.image_indices) == 32
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert "Do all of these fit cat? (1-" in prompt_text(screen)
        for _ in range(10):
            if screen.presenter.search.page_number != 1:
                break
            await press_slowly(pilot, "enter")
        assert screen.presenter.search.page_number == 2


@pytest.mark.parametrize("key", ["y", "n", "enter"])
async def test_page_of_the_border_cannot_be_answered_before_it_was_seen(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(image_page_view, "MIN_LOOK_S", 30.0)
    async with open_from_review("b", BorderScreen) as (pilot, screen):
        await press_slowly(pilot, key)
        assert screen.presenter.search.misfits == ()
        assert EARLY_KEY_HINT in prompt_text(screen)
        screen.query_one(ImagePageView)._ready_at_s = 0.0
        await press_slowly(pilot, key)
        assert len(screen.presenter.search.misfits) == 1


@pytest.mark.parametrize(
    ("key", "screen_type", "sentences"),
    [
        ("p", PairScreen, ["Move the image to the other class, or back", "Two classes that are easily confused"]),
        ("b", BorderScreen, ["All images of the page fit the class", "Pages 1, 2, 4, 8 … are shown"]),
    ],
)
async def test_help_explains_the_screen(key: str, screen_type: type[ScreenT], sentences: list[str]) -> None:
    async with open_from_review(key, screen_type, size=(120, 40)) as (pilot, _):
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        await wait_until(pilot, lambda: sentences[0] in screen_text(pilot.app))
        await pilot.press("end")
        await wait_until(pilot, lambda: sentences[1] in screen_text(pilot.app))
        await press_slowly(pilot, "escape")
        assert isinstance(pilot.app.screen, screen_type)
