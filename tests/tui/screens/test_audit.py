"""Test the audit and its result on the screen: keys, images, resizing, and what is drawn at two sizes."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest
from textual.events import Key
from textual.pilot import Pilot

from tests.tui.harness import (
    SIZES,
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
from tests.tui.scripted_session import ScriptedLabels, ScriptedSession, create_labelled_epoch
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config, NetworkConfig
from vaetui.engine.events import Event, Loading, Notice
from vaetui.errors import UserError
from vaetui.tui.app import VaetuiApp
from vaetui.tui.event_worker import EventReported
from vaetui.tui.screens import audit
from vaetui.tui.screens.audit import EARLY_KEY_NOTICE, WAITING_TEXT, AuditScreen
from vaetui.tui.screens.audit_result import AuditResultScreen
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.review import ReviewScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.widgets.line_panel import LinePanel
from vaetui.tui.widgets.selectable_tiles import SelectableTiles

PAGE_TEXT = 'Are these all "'


class AuditedSession(ScriptedSession):
    """A finished session with loaded images, whose images show the classes of the audit."""

    shape: tuple[int, ...] = (28, 28)

    def __init__(self, names: Sequence[str] = ()) -> None:
        config = Config(network=NetworkConfig(classes=len(names) or 10))
        super().__init__("finished", config=config, classes=tuple(names) or None)
        self.is_loaded = True
        self.finished_epochs = [create_labelled_epoch(epoch) for epoch in range(1, 4)]

    def select_images(self, image_indices: Sequence[int]) -> Pixels:
        pixels = super().select_images(image_indices)
        return pixels if len(self.shape) == 2 else np.repeat(pixels[..., None], 3, axis=-1) // np.uint8([1, 2, 3])


class ColourSession(AuditedSession):
    """The same with colour images."""

    shape = (28, 28, 3)


@pytest.fixture(autouse=True)
def accept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Enter accept a page as soon as it is on the screen."""
    monkeypatch.setattr(audit, "MIN_LOOK_S", 0.0)


@asynccontextmanager
async def open_audit(
    session: ScriptedSession, plan: str | None = "q", size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], AuditScreen]]:
    """Open the audit of a finished session; start it by the key of a plan unless it goes on."""
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        await pilot.press("v")
        await wait_for_screen(pilot, AuditScreen)
        screen = app.screen
        assert isinstance(screen, AuditScreen)
        if plan is not None:
            await wait_until(pilot, lambda: screen.is_line_open)
            await pilot.press(plan)
        await wait_for_images(pilot, screen)
        yield pilot, screen


async def wait_for_images(pilot: Pilot[None], screen: AuditScreen) -> None:
    await wait_until(pilot, lambda: not screen.awaits_paint or pilot.app.screen is not screen)


async def press(pilot: Pilot[None], screen: AuditScreen, *keys: str) -> None:
    """Press keys, each as soon as the images that it judges are on the screen."""
    for key in keys:
        await pilot.press(key)
        await wait_for_images(pilot, screen)


def answer_single_images(session: ScriptedSession, class_id: int | None = None) -> None:
    """Start a quick audit and answer its single images, with one class or as they show."""
    list(session.audits.start("quick"))
    class_count = len(session.classes)
    for image in range(30):
        session.audits.record([(image, ClassAnswer(image % class_count if class_id is None else class_id))])
    session.audits.calls.clear()


def list_records(session: ScriptedSession) -> list[str]:
    return [call.removeprefix("record ") for call in session.audits.calls if call.startswith("record ")]


def list_shown_images(screen: AuditScreen) -> list[Pixels]:
    return [image for image in screen.query_one(SelectableTiles).shown_images if image is not None]


@pytest.mark.parametrize("size", SIZES)
async def test_question_single_image_page_and_result_match_their_snapshots(size: tuple[int, int]) -> None:
    session = AuditedSession(("cat", "dog", "owl"))
    app, name = VaetuiApp(session), f"{size[0]}x{size[1]}"
    async with app.run_test(size=size) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        await pilot.press("v")
        await wait_until(pilot, lambda: isinstance(app.screen, AuditScreen) and app.screen.is_line_open)
        assert_snapshot(app, f"audit-question-{name}")
        screen = app.screen
        assert isinstance(screen, AuditScreen)
        await pilot.press("q")
        await wait_for_images(pilot, screen)
        await press(pilot, screen, "0", "2")
        assert_snapshot(app, f"audit-image-{name}")
        await press(pilot, screen, *"012" * 9, "1")
        await press(pilot, screen, "right", "1", "x")
        assert_snapshot(app, f"audit-page-{name}")
        while app.screen is screen:
            await press(pilot, screen, "enter")
        await pilot.pause()
        assert_snapshot(app, f"audit-result-{name}")


async def test_single_images_are_large_and_nothing_shows_their_label() -> None:
    session = AuditedSession(("cat", "dog", "owl"))
    async with open_audit(session) as (pilot, screen):
        await press(pilot, screen, "1")
        (image,) = list_shown_images(screen)
        assert np.array_equal(image, session.select_images([1_001])[0])
        lines = screen_text(pilot.app).splitlines()
        key_line = lines[-3].strip()
        assert key_line == "0 cat  1 dog  2 owl"
        assert 'Saved: image 1 = "dog"' in lines[-2]
        others = "\n".join((*lines[:-3], lines[-1]))
        assert not any(name in others for name in session.classes.names)
        (place,) = screen.query_one(SelectableTiles).places
        assert place.cells == (28, 14)


@pytest.mark.parametrize(
    ("size", "session_type", "class_count"),
    [
        (SIZES[0], AuditedSession, 2),
        (SIZES[1], ColourSession, 60),
        *(
            pytest.param(size, session_type, class_count, marks=pytest.mark.slow)
            for size in SIZES
            for session_type in (AuditedSession, ColourSession)
            for class_count in (2, 60, 250)
        ),
    ],
)
async def test_pages_of_any_session_are_judged_to_the_end(
    size: tuple[int, int], session_type: type[AuditedSession], class_count: int
) -> None:
    session = session_type(tuple(f"kind {number}" for number in range(class_count)))
    part_counts = {80: 4, 120: 2 if session_type is ColourSession else 1}
    answer_single_images(session, 1)
    async with open_audit(session, None, size) as (pilot, screen):
        presenter = screen.presenter
        assert presenter is not None
        first_index = 1_030
        for page in range(3):
            part_count = 0
            while presenter.view.page_number == page + 1 and not presenter.is_done:
                shown = [item.image_index for item in presenter.shown_items]
                assert shown[0] == first_index
                assert np.array_equal(list_shown_images(screen), session.select_images(shown))
                assert len(screen.query_one(SelectableTiles).places) >= len(shown)
                if not part_count:
                    await press(pilot, screen, "slash", *f"kind {class_count - 1}", "enter")
                await press(pilot, screen, "enter")
                first_index += len(shown)
                part_count += 1
            assert part_count == part_counts[size[0]]
        await wait_for_screen(pilot, AuditResultScreen)
        wrong_count = sum(image % class_count != 1 for image in range(30)) + (2 if class_count == 2 else 3)
        assert session.audits.results[0].wrong == wrong_count


async def test_key_before_the_images_are_painted_judges_nothing() -> None:
    session = AuditedSession()
    async with open_audit(session) as (pilot, screen):
        screen.handle_bound_key("1")
        for key in ("2", "unreadable", "choose"):
            screen.handle_bound_key(key)
        await pilot.pause()
        assert EARLY_KEY_NOTICE in prompt_text(screen)
        assert list_records(session) == [str([(0, ClassAnswer(1))])]
        await wait_for_images(pilot, screen)
        await press(pilot, screen, "2")
        assert list_records(session)[1:] == [str([(1, ClassAnswer(2))])]


async def test_page_is_not_accepted_in_its_first_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    session = AuditedSession()
    answer_single_images(session)
    async with open_audit(session, None) as (pilot, screen):
        monkeypatch.setattr(audit, "MIN_LOOK_S", 60.0)
        await press(pilot, screen, "enter")
        assert EARLY_KEY_NOTICE in prompt_text(screen)
        assert list_records(session) == []
        monkeypatch.setattr(audit, "MIN_LOOK_S", 0.0)
        await press(pilot, screen, "enter")
        assert len(list_records(session)) == 1


async def test_keys_judge_nothing_while_the_images_are_loaded() -> None:
    session = AuditedSession()
    session.is_loaded = False
    app = VaetuiApp(session)
    async with app.run_test() as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        session.is_loaded = False
        await pilot.press("v")
        await wait_until(pilot, lambda: isinstance(app.screen, AuditScreen) and app.screen.is_line_open)
        screen = app.screen
        assert isinstance(screen, AuditScreen)
        session.is_loaded = False
        await pilot.press("q")
        await wait_until(pilot, lambda: "loading the images" in prompt_text(screen))
        await pilot.press("3")
        assert list_records(session) == []
        session.is_loaded = True
        await wait_for_images(pilot, screen)
        await press(pilot, screen, "3")
        assert list_records(session) == [str([(0, ClassAnswer(3))])]


async def test_resizing_keeps_marks_and_accepted_images() -> None:
    session = AuditedSession(("cat", "dog"))
    answer_single_images(session)
    async with open_audit(session, None) as (pilot, screen):
        await press(pilot, screen, "1", "enter", "right", "x")
        assert "images 9-16 of 32" in header_text(pilot.app)
        await pilot.resize_terminal(120, 40)
        await settle(pilot)
        await wait_for_images(pilot, screen)
        assert "page 1 of 3" in header_text(pilot.app)
        assert "of 32" not in header_text(pilot.app)
        presenter = screen.presenter
        assert presenter is not None
        checks = [item.check for item in presenter.view.items]
        assert checks == [ClassAnswer(1), *[ClassAnswer(0)] * 7, None, Unreadable(), *[None] * 22]
        text = screen.query_one(SelectableTiles).text
        assert (text.count("■ dog"), text.count("– unreadable"), text.count("✓")) == (1, 1, 7)
        await press(pilot, screen, "enter")
        assert "page 2 of 3" in header_text(pilot.app)
        await pilot.resize_terminal(60, 18)
        await settle(pilot)
        await wait_for_images(pilot, screen)
        assert "images 1-4 of 32" in header_text(pilot.app)
        await press(pilot, screen, "enter")
        assert "images 5-8 of 32" in header_text(pilot.app)


async def test_too_small_terminal_judges_nothing() -> None:
    session = AuditedSession()
    async with open_audit(session, size=(80, 24)) as (pilot, _):
        await pilot.resize_terminal(50, 12)
        await settle(pilot)
        await pilot.press("1", "enter", "x")
        assert list_records(session) == []


async def test_full_size_shows_the_selected_image_and_class_keys_mark_it() -> None:
    session = AuditedSession(("cat", "dog"))
    answer_single_images(session)
    async with open_audit(session, None) as (pilot, screen):
        await press(pilot, screen, "right", "z")
        (image,) = list_shown_images(screen)
        assert np.array_equal(image, session.select_images([1_031])[0])
        assert 'Is this "cat"?' in prompt_text(screen)
        await press(pilot, screen, "1")
        (image,) = list_shown_images(screen)
        assert np.array_equal(image, session.select_images([1_032])[0])
        await press(pilot, screen, "z")
        assert len(list_shown_images(screen)) == 8
        assert list_records(session)[-1] == str([(31, ClassAnswer(1))])


async def test_undo_key_goes_back_to_the_last_image_and_from_the_result_to_the_last_page() -> None:
    session = AuditedSession()
    answer_single_images(session)
    async with open_audit(session, None, (120, 40)) as (pilot, screen):
        await press(pilot, screen, "u")
        assert "Undid: image 30" in prompt_text(screen)
        assert "image 30 of 30" in header_text(pilot.app)
        await press(pilot, screen, "9")
        await press(pilot, screen, "enter", "enter", "enter")
        await wait_for_screen(pilot, AuditResultScreen)
        await pilot.press("u")
        await wait_for_screen(pilot, AuditScreen)
        await wait_until(pilot, lambda: "page 3 of 3" in header_text(pilot.app))
        assert session.audits.results == ()


async def test_escape_leaves_the_audit_and_it_goes_on_at_the_same_image() -> None:
    session = AuditedSession()
    async with open_audit(session, "f") as (pilot, screen):
        await press(pilot, screen, "1", "2")
        await pilot.press("escape")
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("v")
        await wait_for_screen(pilot, AuditScreen)
        await wait_until(pilot, lambda: "full audit   image 3 of 30" in header_text(pilot.app))
        assert session.audits.calls[-1] == "start full"


async def test_loading_shows_progress_and_escape_cancels_it() -> None:
    session = AuditedSession()
    session.audits.start_steps = type(session.audits.start_steps)(0)
    app = VaetuiApp(session)
    async with app.run_test() as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        await pilot.press("v")
        await wait_until(pilot, lambda: isinstance(app.screen, AuditScreen) and app.screen.is_line_open)
        screen = app.screen
        assert isinstance(screen, AuditScreen)
        await pilot.press("q")
        await wait_until(pilot, lambda: "Encoding the training images" in prompt_text(screen))
        assert "Esc: cancel" in prompt_text(screen)
        await pilot.press("3")
        await pilot.press("escape")
        await wait_for_screen(pilot, SummaryScreen)
        session.audits.start_steps.release(10)
        await settle(pilot)
        assert list_records(session) == []
        assert isinstance(app.screen, SummaryScreen)


class LoadingSession(AuditedSession):
    """A session whose model is loaded when the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def advance(self) -> Iterator[Event]:
        yield Loading("PyTorch")
        self.gate.wait(60)


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_audit_starts_when_the_model_is_loaded_unless_it_is_cancelled_before(is_cancelled: bool) -> None:
    session = LoadingSession()
    app = VaetuiApp(session)
    async with app.run_test() as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("v")
        await wait_until(pilot, lambda: isinstance(app.screen, AuditScreen) and app.screen.is_line_open)
        await pilot.press("q")
        await wait_until(pilot, lambda: WAITING_TEXT in prompt_text(app.screen))
        if is_cancelled:
            await press_slowly(pilot, "escape")
            await wait_for_screen(pilot, SummaryScreen)
        assert session.audits.calls == []
        session.gate.set()
        await wait_until(pilot, lambda: not app.event_worker.is_busy)
        if is_cancelled:
            await pilot.pause(2 * audit.RETRY_S)
            assert session.audits.calls == []
        else:
            await wait_until(pilot, lambda: "quick audit   image 1 of 30" in header_text(app))


async def test_escape_at_the_question_starts_nothing() -> None:
    session = AuditedSession()
    app = VaetuiApp(session)
    async with app.run_test() as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        await pilot.press("v")
        await wait_until(pilot, lambda: isinstance(app.screen, AuditScreen) and app.screen.is_line_open)
        await pilot.press("escape")
        await wait_for_screen(pilot, SummaryScreen)
        assert session.audits.calls == []


@pytest.mark.parametrize(("keys", "plan"), [(("q",), "quick"), (("F",), "full"), (("down", "down", "enter"), "full")])
async def test_plan_is_chosen_by_its_letter_or_as_every_choice(keys: tuple[str, ...], plan: str) -> None:
    session = AuditedSession()
    app = VaetuiApp(session)
    async with app.run_test() as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        await pilot.press("v")
        await wait_until(pilot, lambda: isinstance(app.screen, AuditScreen) and app.screen.is_line_open)
        assert "30 single images and 10 pages of 32: about 85 keys" in app.screen.query_one(LinePanel).text
        await pilot.press(*keys)
        await wait_until(pilot, lambda: f"{plan} audit" in header_text(app))


async def test_plan_typed_together_with_the_key_of_the_audit_is_taken() -> None:
    session = AuditedSession()
    app = VaetuiApp(session)
    async with app.run_test() as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        for key in ("v", "q"):
            app.post_message(Key(key, key))
        await wait_until(pilot, lambda: "quick audit   image 1 of 30" in header_text(app))


async def test_refused_start_is_explained() -> None:
    session = AuditedSession()
    session.audits.refusal = "There are no labels to audit."
    app = VaetuiApp(session)
    async with app.run_test() as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        await pilot.press("v")
        await wait_until(pilot, lambda: isinstance(app.screen, AuditScreen) and app.screen.is_line_open)
        await pilot.press("q")
        await wait_until(pilot, lambda: "There are no labels to audit." in prompt_text(app.screen))
        await pilot.press("escape")
        await wait_for_screen(pilot, SummaryScreen)


async def test_round_1_has_nothing_to_audit_and_round_2_returns_to_its_clusters() -> None:
    session = ScriptedSession(clusters=2)
    session.is_loaded = True
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("v")
        await pilot.pause()
        assert "An audit needs labels" in screen_text(pilot.app)
        assert pilot.app.screen is screen
        session._round_number = 2
        screen.presenter.refresh_round((0,))
        await press_slowly(pilot, "escape", "v")
        await wait_for_screen(pilot, AuditScreen)
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, AuditScreen) and pilot.app.screen.is_line_open)
        await pilot.press("escape")
        await wait_for_screen(pilot, LabellingScreen)


async def test_abandoning_needs_a_yes() -> None:
    session = AuditedSession()
    async with open_audit(session) as (pilot, screen):
        await press(pilot, screen, "1", "X")
        assert "End the audit without a result, after 1 key? y/n" in screen.query_one(LinePanel).text
        await press(pilot, screen, "n", "2", "X", "y")
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.pause()
        assert session.audits.abandoned_count == 1
        assert "The audit ended without a result" in screen_text(pilot.app)


async def test_refused_check_is_shown_and_the_image_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    session = AuditedSession()

    def refuse(checks: object) -> None:
        raise UserError("The disk is full.")

    async with open_audit(session) as (pilot, screen):
        monkeypatch.setattr(session.audits, "record", refuse)
        await press(pilot, screen, "4")
        assert "The disk is full." in prompt_text(screen)
        assert "image 1 of 30" in header_text(pilot.app)


async def test_unknown_keys_and_digits_without_a_class_show_a_hint() -> None:
    session = AuditedSession(("cat", "dog"))
    async with open_audit(session) as (pilot, screen):
        await press(pilot, screen, "7")
        assert "Digit 7 has no class (use 0-1)" in prompt_text(screen)
        await press(pilot, screen, "K")
        assert "Unknown key" in prompt_text(screen)
        await press(pilot, screen, "enter", "space", "right")
        assert list_records(session) == []


async def test_help_names_the_keys_of_the_part_that_is_shown() -> None:
    session = AuditedSession()
    answer_single_images(session)
    session.audits.undo()
    async with open_audit(session, None) as (pilot, screen):
        assert "all right" not in screen_text(pilot.app).splitlines()[-1]
        await press(pilot, screen, "9")
        assert "Enter all right" in screen_text(pilot.app).splitlines()[-1]
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        assert "Accept all images shown that have no mark" in screen_text(pilot.app)


async def test_notice_is_shown_in_the_prompt() -> None:
    session = AuditedSession()
    async with open_audit(session) as (pilot, screen):
        screen.post_message(EventReported(Notice("A file is damaged.")))
        await pilot.pause()
        assert "A file is damaged." in prompt_text(screen)


@asynccontextmanager
async def open_result(session: AuditedSession) -> AsyncIterator[tuple[Pilot[None], AuditResultScreen]]:
    answer_single_images(session)
    async with open_audit(session, None, (120, 40)) as (pilot, screen):
        await press(pilot, screen, "enter", "enter", "enter")
        await wait_for_screen(pilot, AuditResultScreen)
        await pilot.pause()
        result_screen = pilot.app.screen
        assert isinstance(result_screen, AuditResultScreen)
        yield pilot, result_screen


async def test_digit_on_the_result_is_an_unknown_key() -> None:
    async with open_result(AuditedSession()) as (pilot, screen):
        await pilot.press("0")
        assert "Unknown key" in prompt_text(screen)


async def test_finished_audit_shows_its_result_first_and_a_key_starts_another() -> None:
    session = AuditedSession()
    async with open_result(session) as (pilot, _):
        assert "100.0 % of the labels are right" in screen_text(pilot.app)
        await pilot.press("q")
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("v")
        await wait_for_screen(pilot, AuditResultScreen)
        await pilot.press("n")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, AuditScreen) and pilot.app.screen.is_line_open)
        await pilot.press("f")
        await wait_until(pilot, lambda: "full audit   image 1 of 30" in header_text(pilot.app))


@pytest.mark.parametrize(("version", "is_asked"), [("0123456789ab", False), ("ffffffffffff", True)])
async def test_result_of_former_labels_is_not_shown_in_place_of_the_question(version: str, is_asked: bool) -> None:
    session = AuditedSession()
    async with open_result(session) as (pilot, _):
        session.labellings.current = ScriptedLabels(version)
        await pilot.press("escape")
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("v")
        await wait_for_screen(pilot, AuditScreen if is_asked else AuditResultScreen)


async def test_result_of_earlier_networks_is_not_shown_in_place_of_the_question() -> None:
    session = AuditedSession()
    async with open_result(session) as (pilot, _):
        session.finished_epochs.append(create_labelled_epoch(4))
        await press_slowly(pilot, "escape", "v")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, AuditScreen) and pilot.app.screen.is_line_open)


async def test_checks_are_learned_after_a_yes() -> None:
    session = AuditedSession()
    async with open_result(session) as (pilot, screen):
        await pilot.press("l")
        assert "Learn the 124 checks as answers? The result stays. y/n" in screen.query_one(LinePanel).text
        await pilot.press("y")
        await pilot.pause()
        assert "Saved: answers for 124 images. They are learned in the next training" in prompt_text(screen)
        assert "The labels have changed since." in screen_text(pilot.app)
        assert session.audits.learned_count == 1


async def test_review_replaces_the_result() -> None:
    async with open_result(AuditedSession()) as (pilot, _):
        await pilot.press("w")
        await wait_for_screen(pilot, ReviewScreen)
        await settle(pilot)
        await pilot.press("escape")
        await wait_for_screen(pilot, SummaryScreen)


async def test_result_scrolls_on_a_small_terminal() -> None:
    session = AuditedSession()
    async with open_result(session) as (pilot, _):
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert "95 % interval" in screen_text(pilot.app)
        await pilot.press("end")
        await pilot.pause()
        assert "95 % interval" not in screen_text(pilot.app)
        assert "Checked labels by class" in screen_text(pilot.app)


@pytest.mark.parametrize(("plan", "expected"), [("full", "full audit   image 1 of 30"), ("", "audit")])
async def test_app_for_an_audit_alone_shows_it_at_once_and_ends_with_it(plan: str, expected: str) -> None:
    session = AuditedSession()
    app = VaetuiApp(session, audit_plan=plan)
    async with app.run_test() as pilot:
        await wait_for_screen(pilot, AuditScreen)
        await wait_until(pilot, lambda: expected in header_text(app))
        await settle(pilot)
        assert session.calls.count("advance") == 1
        await pilot.press("escape")
        await wait_until(pilot, lambda: not app.is_running or app._exit)
    assert app.return_code == 0


async def test_app_for_an_audit_alone_ends_after_the_result() -> None:
    session = AuditedSession()
    answer_single_images(session)
    app = VaetuiApp(session, audit_plan="quick")
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for_screen(pilot, AuditScreen)
        screen = app.screen
        assert isinstance(screen, AuditScreen)
        await wait_for_images(pilot, screen)
        await press(pilot, screen, "enter", "enter", "enter")
        await wait_for_screen(pilot, AuditResultScreen)
        await pilot.press("escape")
        await wait_until(pilot, lambda: not app.is_running or app._exit)
    assert app.return_code == 0
