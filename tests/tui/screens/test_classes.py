"""Test the screen of classes and the line that asks for names: classes are added, renamed and merged by keys."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.tui.harness import (
    SIZES,
    assert_snapshot,
    open_labelling,
    press_slowly,
    prompt_text,
    screen_text,
    settle,
    wait_for_screen,
    wait_until,
)
from tests.tui.screens.test_labelling import GatedSession
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, Split
from vaetui.engine.classes import AddClass, ClassList, MergeClass, RenameClass
from vaetui.engine.config import Config, NetworkConfig
from vaetui.errors import UserError
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.classes import ClassesScreen
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.widgets.line_panel import LinePanel
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.text_line import TextLine


def create_pet_session() -> ScriptedSession:
    return ScriptedSession(config=Config(network=NetworkConfig(classes=3)), classes=("cat", "dog", "wild horse"))


def list_edits(session: ScriptedSession) -> list[object]:
    return [edit for _, edit in session.class_edits]


def top_prompt(pilot: Pilot[None]) -> str:
    return prompt_text(pilot.app.screen)


def panel_rows(pilot: Pilot[None]) -> list[str]:
    return [" ".join(row.split()) for row in pilot.app.screen.query_one(LinePanel).text.split("\n")]


def list_rows(pilot: Pilot[None]) -> list[str]:
    return [" ".join(row.split()) for row in pilot.app.screen.query_one("#classes", TextLine).text.splitlines()]


@pytest.mark.parametrize("size", SIZES)
async def test_unknown_name_becomes_a_new_class_together_with_its_answer(size: tuple[int, int]) -> None:
    session = create_pet_session()
    async with open_labelling(session, size) as (pilot, screen):
        await press_slowly(pilot, "slash", *"ow")
        assert "new class ow" in panel_rows(pilot)[-1]
        await press_slowly(pilot, "l", "enter")
        assert screen.is_line_open, "Enter makes no class"
        await press_slowly(pilot, "ctrl+n")
        assert "class? owl (new)_" in prompt_text(screen)
        assert "Enter: certain · 1-9: confidence" in prompt_text(screen)
        assert list_edits(session) == []
        await pilot.press("8")
        assert session.answer_log == [((0,), ClassAnswer(3, 0.8))]
        assert list_edits(session) == [AddClass(3, "owl")]
        assert "0 cat  1 dog  2 wild horse  3 owl" in screen.query_one("#rule", TextLine).text
        await pilot.press("3", "enter")
        assert session.answer_log[-1] == ((1,), ClassAnswer(3)), "the new class has the next free digit"
        await pilot.press("u", "u")
        assert (session.answer_log, len(session.classes)) == ([], 3), "the class and its answer are one step"
        await pilot.press("3")
        assert "Digit 3 has no class (use 0-2)" in prompt_text(screen)
        await pilot.press("U")
        assert (session.answer_log, len(session.classes)) == ([((0,), ClassAnswer(3, 0.8))], 4)


async def test_cancelled_answer_makes_no_class() -> None:
    session = create_pet_session()
    async with open_labelling(session) as (pilot, _):
        await press_slowly(pilot, "slash", *"owl", "ctrl+n", "escape", "1", "enter")
        assert session.answer_log == [((0,), ClassAnswer(1))]
        assert list_edits(session) == []
        assert len(session.classes) == 3


async def test_eleventh_class_is_found_by_name_also_in_one_key_mode() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        await press_slowly(pilot, "slash", *"ten", "ctrl+n", "enter")
        assert session.answer_log == [((0,), ClassAnswer(10))]
        assert "/ others" in screen.query_one("#rule", TextLine).text
        await press_slowly(pilot, "a", "slash", *"eleven", "ctrl+n")
        assert session.answer_log[-1] == ((1,), ClassAnswer(11)), "no confidence is asked for"
        assert 'Saved: cluster 1 = "eleven"' in prompt_text(screen)
        await press_slowly(pilot, "slash", *"ten", "enter")
        assert session.answer_log[-1] == ((2,), ClassAnswer(10))


async def test_line_offers_existing_names_and_new_ones_that_are_free() -> None:
    session = create_pet_session()
    async with open_labelling(session) as (pilot, screen):
        await press_slowly(pilot, "slash")
        assert panel_rows(pilot)[:3] == [
            "cat key 0, predicted 48 %",
            "wild horse key 2, predicted 41 %",
            "dog key 1, predicted 6 %",
        ]
        await press_slowly(pilot, *"dog", "ctrl+n")
        assert '! Class "dog" already exists.' in panel_rows(pilot)[-1]
        assert panel_rows(pilot)[2] == "› dog key 1, predicted 6 %"
        await press_slowly(pilot, "backspace", "backspace")
        assert panel_rows(pilot)[1:3] == ["› dog key 1, predicted 6 %", "wild horse key 2, predicted 41 %"]
        assert "Ctrl-N: new class d" in panel_rows(pilot)[-1]
        await press_slowly(pilot, "backspace", "É")
        assert panel_rows(pilot)[:3] == ["", "", ""]
        assert "Ctrl-N: new class É" in panel_rows(pilot)[-1]
        await press_slowly(pilot, "escape")
        assert not screen.is_line_open
        assert session.class_edits == []


async def test_classes_are_added_renamed_merged_and_undone() -> None:
    session = create_pet_session()
    async with open_labelling(session) as (pilot, screen):
        await press_slowly(pilot, "0", "enter", "0", "7", "1", "enter", "c")
        await wait_for_screen(pilot, ClassesScreen)
        assert list_rows(pilot) == ["0 cat 2", "1 dog 1", "2 wild horse 0"]
        await press_slowly(pilot, "a")
        assert panel_rows(pilot) == ["New class? _ its name", "Esc: cancel"]
        await press_slowly(pilot, *"owl", "enter")
        assert 'Added class "owl" (digit 3). u: undo' in top_prompt(pilot)
        await press_slowly(pilot, "up", "k", "r", *"hound", "enter")
        await wait_for_screen(pilot, ClassesScreen)
        assert 'Renamed class "dog" to "hound". u: undo' in top_prompt(pilot)
        await press_slowly(pilot, "up", "m", *"ho", "enter")
        await wait_for_screen(pilot, ClassesScreen)
        assert 'Merged class "cat" into "hound". u: undo' in top_prompt(pilot)
        assert list_edits(session) == [AddClass(3, "owl"), RenameClass(1, "hound"), MergeClass(0, 1)]
        assert list_rows(pilot) == ["cat merged into hound", "1 hound 3", "2 wild horse 0", "3 owl 0"]
        await press_slowly(pilot, "escape")
        await wait_for_screen(pilot, LabellingScreen)
        assert [cluster.answer for cluster in screen.presenter.round_view.clusters[:3]] == [
            ClassAnswer(1),
            ClassAnswer(1, 0.7),
            ClassAnswer(1),
        ]
        await press_slowly(pilot, "0")
        assert 'Class "cat" was merged into "hound"' in prompt_text(screen)
        assert len(session.answer_log) == 3
        await press_slowly(pilot, "c", "u", "u")
        await wait_for_screen(pilot, ClassesScreen)
        assert "Undid: class edit" in top_prompt(pilot)
        assert list_rows(pilot) == ["0 cat 2", "1 dog 1", "2 wild horse 0", "3 owl 0"]
        await press_slowly(pilot, "u", "u")
        assert len(session.answer_log) == 2, "answers are undone here too, in order"
        await press_slowly(pilot, "U")
        assert "Redid: answer for cluster 2" in top_prompt(pilot)


async def test_wrong_keys_and_refused_edits_show_one_line() -> None:
    session = create_pet_session()
    async with open_labelling(session) as (pilot, _):
        await press_slowly(pilot, "c")
        await wait_for_screen(pilot, ClassesScreen)
        for keys, text in {
            "z": "! Unknown key. ? lists all keys",
            "u": "Nothing to undo",
            "U": "Nothing to redo",
        }.items():
            await press_slowly(pilot, *keys.split())
            assert text in top_prompt(pilot)
            assert pilot.app.screen.query_one(Prompt).size.height == 1
        for keys, text in {
            "a d o g enter": '! Class "dog" already exists.',
            "escape r c a t enter": '! Class "cat" already exists.',
            "escape a enter": "! Type an answer first",
            "escape m x enter": "! No match",
            "backspace enter": "! Type part of a name",
            "d enter a c a t enter": '! Class "cat" was merged into "dog".',
            "escape r": "Rename dog to? _",
        }.items():
            await press_slowly(pilot, *keys.split())
            assert text in " ".join(panel_rows(pilot)), keys
        assert list_edits(session) == [MergeClass(0, 1)]
        await press_slowly(pilot, "escape", "k", "k", "m")
        assert 'Class "cat" was merged into "dog"' in top_prompt(pilot)
        await press_slowly(pilot, "down", "down", "m", "down", "enter")
        assert "Only two classes are left." in top_prompt(pilot)
        assert list_edits(session) == [MergeClass(0, 1)]


async def test_escape_closes_one_screen_at_a_time() -> None:
    async with open_labelling(create_pet_session(), (80, 60)) as (pilot, _):
        for key, screen_type in (("c", ClassesScreen), ("question_mark", HelpScreen), ("escape", ClassesScreen)):
            await pilot.press(key)
            await wait_for_screen(pilot, screen_type)
        await press_slowly(pilot, "a", "question_mark")
        assert panel_rows(pilot)[0] == "New class? ?_"
        await press_slowly(pilot, "escape")
        await wait_for_screen(pilot, ClassesScreen)
        await press_slowly(pilot, "escape")
        await wait_for_screen(pilot, LabellingScreen)


async def test_small_screen_scrolls_to_the_last_of_100_classes() -> None:
    session = ScriptedSession(
        config=Config(network=NetworkConfig(classes=100)),
        classes=tuple(f"kind {index} {'x' * 90}" for index in range(100)),
    )
    async with open_labelling(session) as (pilot, _):
        await press_slowly(pilot, "c")
        await wait_for_screen(pilot, ClassesScreen)
        assert isinstance(pilot.app.screen, ClassesScreen)
        pilot.app.screen._cursor_row = 96
        await pilot.press(*["down"] * 5)
        assert list_rows(pilot)[-1].startswith("kind 99")
        assert len(list_rows(pilot)) == 19
        assert max(map(len, screen_text(pilot.app).splitlines())) <= 80
        assert "…" in list_rows(pilot)[0]
        await pilot.resize_terminal(20, 10)
        assert list_rows(pilot)[-1].startswith("…")


@pytest.mark.parametrize("size", SIZES)
async def test_screens_match_their_snapshots(size: tuple[int, int]) -> None:
    session = create_pet_session()
    async with open_labelling(session, size) as (pilot, _):
        await press_slowly(
            pilot, "0", "enter", "1", "enter", "c", "a", *"barn", "space", *"owl", "enter", "up", "m", "down", "enter"
        )
        await wait_for_screen(pilot, ClassesScreen)
        assert_snapshot(pilot.app, f"classes-{size[0]}x{size[1]}")
        await press_slowly(pilot, "m", *"o")
        assert_snapshot(pilot.app, f"class-line-{size[0]}x{size[1]}")


async def test_pending_split_waits_until_the_classes_are_closed() -> None:
    session = GatedSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, LabellingScreen)
        await press_slowly(pilot, "s", "enter", "c", "a", *"ten")
        session.gate.set()
        await settle(pilot)
        assert session.answer_log == []
        await press_slowly(pilot, "enter", "escape")
        await wait_until(pilot, lambda: session.answer_log == [((0,), Split(4))])
        assert list_edits(session) == [AddClass(10, "ten")]


async def test_failed_class_edit_shows_the_error_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    session = create_pet_session()

    def fail(edit: object) -> None:
        raise UserError("The disk is full. Free space and try again.")

    monkeypatch.setattr(session, "edit_classes", fail)
    async with open_labelling(session) as (pilot, _):
        await press_slowly(pilot, "c", "a", *"owl", "enter")
        await wait_for_screen(pilot, ClassesScreen)
        assert "The disk is full" in top_prompt(pilot)
        assert session.classes == ClassList.from_names(("cat", "dog", "wild horse"))
