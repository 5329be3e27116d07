"""Test the review screen: pages at every size, keys, loading, lines, the way back, and what is kept."""

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
    open_labelling,
    open_over_labelling,
    press_slowly,
    prompt_text,
    screen_text,
    settle,
    wait_for_screen,
    wait_until,
)
from tests.tui.review_sessions import (
    ANIMALS,
    ColourReviewSession,
    begin_second_round,
    create_review_session,
)
from tests.tui.scripted_session import ScriptedSession, create_epoch
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.events import Event, Loading, Notice, Progress
from vaetui.errors import UserError
from vaetui.tui.app import VaetuiApp
from vaetui.tui.event_worker import EventReported
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.review import ReviewScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.settings import AppSettings
from vaetui.tui.widgets import image_page_view
from vaetui.tui.widgets.image_page_view import EARLY_KEY_HINT
from vaetui.tui.widgets.selectable_tiles import SelectableTiles

SIZES = [(60, 18), (80, 24), pytest.param((120, 40), marks=pytest.mark.slow), (200, 60)]
LONG_NAMES = ("Donaudampfschifffahrtsgesellschaft", "猫" * 20, *(f"a class with a long name, {n}" for n in range(58)))


class SlowLoadingSession(ScriptedSession):
    """A session whose labels are loaded when the gate opens."""

    def __init__(self) -> None:
        super().__init__(classes=ANIMALS)
        self.gate = Gate()

    def load_labelling(self) -> Iterator[Event]:
        yield Progress("classifying the images", 3, 4)
        self.gate.wait(60)
        yield from super().load_labelling()


class SlowModelSession(ScriptedSession):
    """A session whose model is loaded when the gate opens."""

    gate = Gate()

    def advance(self) -> Iterator[Event]:
        yield Loading("PyTorch")
        self.gate.wait(60)
        yield from super().advance()


class FailingSession(ScriptedSession):
    """A session whose labels cannot be loaded."""

    def load_labelling(self) -> Iterator[Event]:
        yield Progress("classifying the images", 0, 1)
        raise UserError("The images have changed.")


@pytest.fixture(autouse=True)
def accept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page be accepted as soon as it is on the screen."""
    monkeypatch.setattr(image_page_view, "MIN_LOOK_S", 0.0)


@asynccontextmanager
async def open_review(
    session: ScriptedSession | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], ReviewScreen]]:
    async with open_labelling(session or create_review_session(), size) as (pilot, _):
        await pilot.press("w")
        await wait_for_screen(pilot, ReviewScreen)
        await settle(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, ReviewScreen)
        yield pilot, screen


def list_shown_indices(screen: ReviewScreen) -> list[int]:
    return [image.image_index for image in screen.presenter.shown_images]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("session_type", [ScriptedSession, ColourReviewSession])
async def test_page_shows_its_images_and_the_second_classes_at_every_size(
    session_type: type[ScriptedSession], size: tuple[int, int]
) -> None:
    session = begin_second_round(session_type(classes=ANIMALS) if session_type is ScriptedSession else session_type())
    async with open_review(session, size) as (pilot, screen):
        tiles = screen.query_one(SelectableTiles)
        indices = list_shown_indices(screen)
        minimum = {60: (3, 3), 80: (8, 8), 120: (32, 12), 200: (32, 32)}[size[0]]
        assert minimum[session_type is ColourReviewSession] <= len(indices) <= 32
        shown = [image for image in tiles.shown_images if image is not None]
        assert len(shown) == len(indices)
        for image, expected in zip(shown, session.select_images(indices), strict=True):
            assert np.array_equal(image, expected)
        for place in tiles.places:
            assert place.x >= 1
            assert place.x + place.cells[0] < size[0]
            assert place.y >= 1
            assert tiles.region.y + place.y + place.cells[1] < size[1] - 2
        lines = screen_text(pilot.app).splitlines()
        assert len(lines) == size[1]
        assert sum(line.count("or ■ dog") for line in lines) == len(indices)
        assert "0 cat  1 dog  2 owl  3 polar bear" in screen_text(pilot.app)
        assert f"Image 1 of {len(indices)}: cat?" in prompt_text(screen)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_screen_matches_its_snapshot(size: tuple[int, int]) -> None:
    async with open_review(size=size) as (pilot, _):
        await press_slowly(pilot, "enter", "1", "x", "right", "space", "space", "down")
        assert_snapshot(pilot.app, f"review-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 40)])
@pytest.mark.parametrize("names", [LONG_NAMES, ("0", "1")])
async def test_names_of_any_length_fit(names: tuple[str, ...], size: tuple[int, int]) -> None:
    async with open_review(create_review_session(names), size) as (pilot, screen):
        await press_slowly(pilot, ".", "1", "space", "x", "enter")
        lines = screen_text(pilot.app).splitlines()
        assert len(lines) == size[1]
        assert "page 2 of" in lines[0]
        assert "200 images" in lines[0] or "about" in lines[0] or "wrong" in lines[0]
        assert "Saved: " in prompt_text(screen)


async def test_page_is_corrected_accepted_and_undone_by_keys() -> None:
    session = create_review_session()
    async with open_review(session) as (pilot, screen):
        await press_slowly(pilot, "1", "l", "x", "j", "space", "space", ".")
        assert screen_text(pilot.app).count("→ ■ dog") == 3
        assert "accept, 4 corrected" in prompt_text(screen) or "2 images: second class" in prompt_text(screen)
        await press_slowly(pilot, "enter")
        (page,) = session.steps.pages
        changed = {item.image_index: item.answer for item in page if item.answer != ClassAnswer(0)}
        assert list(changed.values()).count(ClassAnswer(1)) == 3
        assert list(changed.values()).count(Unreadable()) == 1
        assert f"Saved: {len(page)} images of cat, 4 corrected. u: undo" in prompt_text(screen)
        assert f"last page: 4 of {len(page)} changed" in screen_text(pilot.app)
        assert header_text(pilot.app).rstrip().endswith("page 2 of 20")
        await press_slowly(pilot, "u")
        assert session.steps.pages == []
        assert list_shown_indices(screen)[0] == 0
        assert "→" not in "".join(screen_text(pilot.app).splitlines()[1:-3])
        await press_slowly(pilot, "ctrl+r")
        assert session.steps.pages == [page]
        await press_slowly(pilot, "tab")
        assert "dog: " in header_text(pilot.app)
        await press_slowly(pilot, "shift+tab")
        assert "cat: " in header_text(pilot.app)


async def test_key_held_down_accepts_one_page_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_page_view, "MIN_LOOK_S", 30.0)
    session = create_review_session()
    async with open_review(session) as (pilot, screen):
        await press_slowly(pilot, "enter", "enter")
        assert session.steps.pages == []
        assert EARLY_KEY_HINT in prompt_text(screen)
        screen.query_one(image_page_view.ImagePageView)._ready_at_s = 0.0
        await pilot.press(*["enter"] * 10)
        await pilot.pause()
        assert len(session.steps.pages) == 1
        assert EARLY_KEY_HINT in prompt_text(screen)


async def test_labels_are_loaded_with_progress_while_keys_work() -> None:
    session = SlowLoadingSession()
    begin_second_round(session)
    async with open_labelling(session) as (pilot, _):
        await pilot.press("w")
        await wait_for_screen(pilot, ReviewScreen)
        await wait_until(pilot, lambda: "Classifying the images, 75 % …" in screen_text(pilot.app))
        await press_slowly(pilot, "enter", "1", "p", "b", "c", "slash", "z")
        assert isinstance(pilot.app.screen, ReviewScreen)
        assert session.steps.pages == []
        session.gate.set()
        await wait_until(pilot, lambda: "Image 1 of " in prompt_text(pilot.app.screen))


async def test_review_is_left_while_the_labels_are_loaded() -> None:
    session = SlowLoadingSession()
    begin_second_round(session)
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("w")
        await wait_for_screen(pilot, ReviewScreen)
        await pilot.press("escape")
        await wait_for_screen(pilot, LabellingScreen)
        session.gate.set()
        await settle(pilot)
        assert pilot.app.screen is screen


async def test_labels_are_loaded_after_the_model_of_the_app() -> None:
    session = SlowModelSession(classes=ANIMALS)
    begin_second_round(session)
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, LabellingScreen)
        await wait_until(pilot, lambda: app.event_worker.is_busy)
        await pilot.press("w")
        await wait_for_screen(pilot, ReviewScreen)
        await wait_until(pilot, lambda: "Loading the labels …" in screen_text(app))
        await press_slowly(pilot, "escape", "w")
        await wait_for_screen(pilot, ReviewScreen)
        assert "load_labelling" not in session.calls
        session.gate.set()
        await wait_until(pilot, lambda: "Image 1 of " in prompt_text(app.screen))
        assert session.calls.count("load_labelling") == 1


async def test_labels_that_cannot_be_loaded_are_reported() -> None:
    async with open_review(begin_second_round(FailingSession(classes=ANIMALS))) as (pilot, screen):
        assert "The images have changed." in prompt_text(screen)
        await press_slowly(pilot, "enter", "escape")
        assert isinstance(pilot.app.screen, LabellingScreen)


async def test_refusal_of_the_session_is_shown_and_the_page_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    session = create_review_session()

    def fail(*_: object) -> None:
        raise UserError("The file of the labels is damaged.")

    async with open_review(session) as (pilot, screen):
        await press_slowly(pilot, "1")
        for name, keys in (("page", ["tab", "enter"]), ("varied_page", ["m"]), ("border", ["b"])):
            with monkeypatch.context() as patch:
                patch.setattr(session.reviews, name, fail)
                for key in keys:
                    await press_slowly(pilot, key)
                    assert "The file of the labels is damaged." in prompt_text(screen)
                    assert pilot.app.screen is screen


async def test_first_round_has_no_labels_to_review() -> None:
    async with open_labelling(ScriptedSession()) as (pilot, screen):
        await press_slowly(pilot, "w")
        assert pilot.app.screen is screen
        assert "A review needs labels." in prompt_text(screen)


async def test_class_is_found_by_name_for_the_selected_and_for_all_marked_images() -> None:
    names = tuple(f"class {chr(ord('a') + index)}" for index in range(26))
    async with open_review(create_review_session(names)) as (pilot, screen):
        await press_slowly(pilot, "slash", *"class z", "enter")
        assert screen.presenter.draft.marks.corrections == {0: ClassAnswer(25)}
        await press_slowly(pilot, "space", "space", "slash", *"class y", "enter")
        assert list(screen.presenter.draft.marks.corrections.values()).count(ClassAnswer(24)) == 2


async def test_class_to_review_is_chosen_from_a_list_or_in_the_command_palette() -> None:
    async with open_review() as (pilot, screen):
        await press_slowly(pilot, "c")
        assert "200 images, about 20 wrong" in screen_text(pilot.app)
        await press_slowly(pilot, *"owl", "enter")
        assert "owl: 200 images" in header_text(pilot.app)
        await press_slowly(pilot, "ctrl+p", *"polar", "enter")
        await settle(pilot)
        assert "polar bear: 200 images" in header_text(pilot.app)
        assert screen.presenter.cursor == 0


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_mixed_page_matches_its_snapshot(size: tuple[int, int]) -> None:
    async with open_review(size=size) as (pilot, _):
        await press_slowly(pilot, "m", "3", "right", "space")
        assert_snapshot(pilot.app, f"review-mixed-{size[0]}x{size[1]}")


async def test_mixed_page_is_recorded_and_the_class_comes_back() -> None:
    session = create_review_session()
    async with open_review(session) as (pilot, screen):
        await press_slowly(pilot, "m", "2", "enter")
        assert len({item.shown_class_id for item in session.steps.pages[0]}) > 1
        assert "all classes: images that teach the most · page 2" in header_text(pilot.app)
        await press_slowly(pilot, "m")
        assert "cat: 199 images" in header_text(pilot.app)
        assert screen.presenter.shown_images[0].label_class_id == 0


async def test_image_is_shown_in_full_size_and_enter_returns_to_the_page() -> None:
    session = create_review_session()
    async with open_review(session) as (pilot, screen):
        await press_slowly(pilot, "right", "z")
        tiles = screen.query_one(SelectableTiles)
        (image,), (place,) = tiles.shown_images, tiles.places
        assert place.cells == (28, 14)
        assert image is not None
        assert np.array_equal(image, session.select_images([4])[0])
        assert "Enter: all images" in prompt_text(screen)
        await press_slowly(pilot, "1")
        (image,) = tiles.shown_images
        assert image is not None
        assert np.array_equal(image, session.select_images([8])[0])
        await press_slowly(pilot, "enter")
        assert len(tiles.places) > 1
        assert session.steps.pages == []
        assert screen_text(pilot.app).count("→ ■ dog") == 1


async def test_resizing_keeps_marks_and_the_selected_image() -> None:
    async with open_review(size=(120, 40)) as (pilot, screen):
        await press_slowly(pilot, *["right"] * 20, "1", "space")
        selected = screen.presenter.selected_image
        assert selected is not None
        for size in ((80, 24), (60, 18), (200, 60), (120, 40)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert screen.presenter.selected_image == selected
            assert screen.presenter.draft.marks.corrections == {80: ClassAnswer(1)}
            assert len(screen_text(pilot.app).splitlines()) == size[1]
            assert f"Image {screen.presenter.cursor + 1} of" in prompt_text(screen) or "marked" in prompt_text(screen)
        assert screen_text(pilot.app).count("→ ■ dog") == 1


async def test_corrections_of_a_page_are_kept_when_the_review_is_closed_and_leaving_asks_first() -> None:
    session = create_review_session()
    async with open_review(session) as (pilot, _):
        await press_slowly(pilot, "1", "2", "escape")
        assert isinstance(pilot.app.screen, LabellingScreen)
        assert "2 corrections are kept, but not accepted yet. w: go on" in prompt_text(pilot.app.screen)
        await press_slowly(pilot, "w")
        await settle(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, ReviewScreen)
        assert screen_text(pilot.app).count("→ ■") == 2
        await press_slowly(pilot, "escape", "q")
        assert not pilot.app._exit
        assert "2 corrections are not accepted yet. q again: leave without them" in prompt_text(pilot.app.screen)
        await pilot.press("w")
        await settle(pilot)
        await press_slowly(pilot, "enter", "escape", "q")
        assert pilot.app._exit
        assert len(session.steps.pages) == 1


async def test_labelling_screen_counts_the_answers_of_the_review_and_can_undo_them() -> None:
    session = create_review_session()
    async with open_review(session) as (pilot, _):
        await press_slowly(pilot, "1", "enter", "escape")
        assert isinstance(pilot.app.screen, LabellingScreen)
        assert "answers   2" in header_text(pilot.app)
        await press_slowly(pilot, "u")
        assert session.steps.pages == []
        assert "answers   0" in header_text(pilot.app)


async def test_review_of_a_finished_run_returns_to_the_summary() -> None:
    session = ScriptedSession("finished", classes=ANIMALS)
    session.finished_epochs = [create_epoch(epoch) for epoch in range(1, 4)]
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, SummaryScreen)
        await pilot.press("w")
        await wait_for_screen(pilot, ReviewScreen)
        await settle(pilot)
        await press_slowly(pilot, "1", "enter", "2", "escape")
        assert isinstance(app.screen, SummaryScreen)
        assert len(session.steps.pages) == 1
        assert "1 correction is kept, but not accepted yet. w: go on" in screen_text(app)


async def test_notices_unknown_keys_and_picture_modes_do_no_harm() -> None:
    session = create_review_session()
    async with open_review(session) as (pilot, screen):
        await press_slowly(pilot, "9", "y")
        assert "Unknown key" in prompt_text(screen)
        await press_slowly(pilot, "7")
        assert "Digit 7 has no class (use 0-3)" in prompt_text(screen)
        for _ in range(3):
            await press_slowly(pilot, "i")
        screen.post_message(EventReported(Notice("A notice.")))
        await pilot.pause()
        assert "A notice." in prompt_text(screen)
        assert session.steps.pages == []


async def test_help_explains_the_keys_and_terms_of_the_review() -> None:
    async with open_review(size=(120, 40)) as (pilot, _):
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        await wait_until(pilot, lambda: "Review" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "Relabel the marked images, or the selected one and go on to the next" in text
        assert "Record all images of the page as shown" in text


async def test_rebound_keys_work_and_the_prompt_names_them() -> None:
    session = create_review_session()
    settings = AppSettings(keys={"review.accept": ("g",), "review.second": ("t",)})
    app = VaetuiApp(session, settings=settings)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("w")
        await wait_for_screen(pilot, ReviewScreen)
        await settle(pilot)
        assert "g: all right" in prompt_text(app.screen)
        assert "t: dog" in prompt_text(app.screen)
        await press_slowly(pilot, "t", "enter")
        assert session.steps.pages == []
        await press_slowly(pilot, "g")
        assert session.steps.pages[0][0].answer == ClassAnswer(1)


async def test_review_without_a_layout_waits_without_spinning(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_over_labelling(create_review_session(), "w", ReviewScreen) as (pilot, screen):
        tries: list[None] = []
        monkeypatch.setattr(ReviewScreen, "_has_layout", property(lambda _: tries.append(None)))
        screen._update_view()
        await pilot.pause(0.3)
        assert 0 < len(tries) < 20
