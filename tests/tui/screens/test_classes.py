"""Classes are added, renamed and merged by keys, on a screen of their own and where a name is typed."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from vaetui.tui.classes_keys import CLASSES_KEYS

from tests.tui.harness import assert_snapshot, open_labelling, prompt_text, screen_text, settle, wait_until
from tests.tui.screens.test_labelling import GatedSession
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, Split
from vaetui.engine.classes import AddClass, ClassList, MergeClass, RenameClass
from vaetui.engine.config import Config, NetworkConfig
from vaetui.errors import UserError
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.class_picker import ClassPickerScreen
from vaetui.tui.screens.classes import ClassesScreen
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.text_line import TextLine

pytestmark = pytest.mark.usefixtures("fast_keys")


def pets() -> ScriptedSession:
    return ScriptedSession(config=Config(network=NetworkConfig(classes=3)), classes=("cat", "dog", "wild horse"))


def namings(session: ScriptedSession) -> list[object]:
    return [naming for _, naming in session.class_edits]


async def screen_of(pilot: Pilot[None], kind: type[object]) -> None:
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, kind))


async def typed(pilot: Pilot[None], *keys: str) -> None:
    """Press keys that open or close a screen on the way."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def asked(pilot: Pilot[None]) -> str:
    return pilot.app.screen.query_one(Prompt).text


def rows(pilot: Pilot[None]) -> list[str]:
    return [" ".join(row.split()) for row in pilot.app.screen.query_one("#classes", TextLine).text.splitlines()]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_name_that_there_is_not_becomes_a_class_and_the_answer(size: tuple[int, int]) -> None:
    session = pets()
    async with open_labelling(session, size) as (pilot, screen):
        await typed(pilot, "slash", *"ow")
        await screen_of(pilot, ClassPickerScreen)
        assert screen_text(pilot.app).count("new class: ow") == 1
        await typed(pilot, "l", "enter")
        await screen_of(pilot, LabellingScreen)
        assert namings(session) == [AddClass(3, "owl")]
        assert "class? 3 owl_" in prompt_text(screen)
        assert "Enter = sure, 1-9 = tenths" in prompt_text(screen)
        assert "0 cat  1 dog  2 wild horse  3 owl" in screen.query_one("#rule", TextLine).text
        await pilot.press("8")
        assert session.answer_log == [((0,), ClassAnswer(3, 0.8))]
        await pilot.press("3", "enter")
        assert session.answer_log[-1] == ((1,), ClassAnswer(3)), "it has the next free digit at once"
        await pilot.press("u", "u")
        assert (session.answer_log, len(session.classes)) == ([], 4)
        await pilot.press("u")
        assert "taken back: the classes" in prompt_text(screen)
        assert len(session.classes) == 3
        await pilot.press("3")
        assert "there is no class 3: 0-2 name one" in prompt_text(screen)
        await pilot.press("U", "U")
        assert session.answer_log == [((0,), ClassAnswer(3, 0.8))]


async def test_an_eleventh_class_is_named_by_its_letters() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        await typed(pilot, "slash", *"ten", "enter", "enter")
        await screen_of(pilot, LabellingScreen)
        assert session.answer_log == [((0,), ClassAnswer(10))]
        assert "/ others" in screen.query_one("#rule", TextLine).text
        await typed(pilot, "a", "slash", *"eleven", "enter")
        await screen_of(pilot, LabellingScreen)
        assert session.answer_log[-1] == ((1,), ClassAnswer(11)), "in one-key mode a name alone answers too"
        assert "saved: 1 is eleven" in prompt_text(screen)


async def test_what_is_no_new_name_is_not_offered_and_says_why() -> None:
    session = pets()
    async with open_labelling(session) as (pilot, _):
        await typed(pilot, "slash", *"dog")
        names = pilot.app.screen.query_one("#names", TextLine)
        assert names.text.split("\n") == [" dog ", ""]
        await typed(pilot, "backspace", "backspace")
        assert names.text.split("\n") == [" dog ", " wild horse ", " new class: d ", ""]
        await typed(pilot, "home")
        assert "letters, digits, space" in asked(pilot)
        await typed(pilot, "backspace", "É")
        assert names.text.split("\n") == [" new class: É ", ""]
        await typed(pilot, "escape")
        await screen_of(pilot, LabellingScreen)
        assert session.class_edits == []


async def test_classes_are_added_renamed_and_merged_and_each_says_how_to_undo_it() -> None:
    session = pets()
    async with open_labelling(session) as (pilot, screen):
        await typed(pilot, "0", "enter", "0", "7", "1", "enter", "c")
        await screen_of(pilot, ClassesScreen)
        assert rows(pilot) == ["0 cat 2 0", "1 dog 1 1", "2 wild horse 0 2"]
        await typed(pilot, "a", *"owl", "enter")
        await screen_of(pilot, ClassesScreen)
        assert "owl is a class now, with digit 3; u takes it back" in asked(pilot)
        await typed(pilot, "up", "k", "r", *"hound", "enter")
        await screen_of(pilot, ClassesScreen)
        assert "dog is called hound now; u takes it back" in asked(pilot)
        await typed(pilot, "up", "m", *"ho", "enter")
        await screen_of(pilot, ClassesScreen)
        assert "cat counts as hound from now on; u takes it back" in asked(pilot)
        assert namings(session) == [AddClass(3, "owl"), RenameClass(1, "hound"), MergeClass(0, 1)]
        assert rows(pilot) == ["0 cat counts as hound", "1 hound 3 1", "2 wild horse 0 2", "3 owl 0 3"]
        await typed(pilot, "escape")
        await screen_of(pilot, LabellingScreen)
        assert [tile.answer for tile in screen.presenter.round_view.clusters[:3]] == [
            ClassAnswer(1),
            ClassAnswer(1, 0.7),
            ClassAnswer(1),
        ]
        await typed(pilot, "0")
        assert "cat counts as hound" in prompt_text(screen)
        assert len(session.answer_log) == 3
        await typed(pilot, "c", "u", "u")
        await screen_of(pilot, ClassesScreen)
        assert "taken back: the classes" in asked(pilot)
        assert rows(pilot) == ["0 cat 2 0", "1 dog 1 1", "2 wild horse 0 2", "3 owl 0 3"]
        await typed(pilot, "u", "u")
        assert len(session.answer_log) == 2, "an answer is taken back here too, in its order"
        await typed(pilot, "U")
        assert "brought back: the answer to 2" in asked(pilot)


async def test_a_wrong_key_and_what_cannot_be_done_get_one_short_line() -> None:
    session = pets()
    async with open_labelling(session) as (pilot, _):
        await typed(pilot, "c")
        await screen_of(pilot, ClassesScreen)
        for keys, words in {
            "z": "! that key does nothing here",
            "u": "nothing to undo",
            "U": "nothing to redo",
            "a d o g": "! Class dog already exists. Choose another name.",
            "escape r c a t": "! Class cat already exists. Choose another name.",
            "escape m x": "! no class has these letters",
            "backspace enter a c a t": "! Class cat was merged into dog. Use dog.",
            "escape r": "dog becomes? _",
        }.items():
            await typed(pilot, *keys.split())
            assert words in asked(pilot)
            assert pilot.app.screen.query_one(Prompt).size.height == 1
        assert namings(session) == [MergeClass(0, 1)]
        await typed(pilot, "escape", "k", "k", "m")
        assert "cat counts as dog: go there" in asked(pilot)
        await typed(pilot, "down", "down", "m", "enter")
        await screen_of(pilot, ClassesScreen)
        assert "Only two classes are left" in asked(pilot)
        assert namings(session) == [MergeClass(0, 1)]


async def test_the_keys_are_explained_and_escape_leads_back_one_by_one() -> None:
    async with open_labelling(pets(), (80, 60)) as (pilot, _):
        for key, kind in (("c", ClassesScreen), ("question_mark", HelpScreen), ("escape", ClassesScreen)):
            await pilot.press(key)
            await screen_of(pilot, kind)
        await pilot.press("a", "question_mark")
        await screen_of(pilot, ClassPickerScreen)
        await typed(pilot, "escape")
        await screen_of(pilot, ClassesScreen)
        await typed(pilot, "escape")
        await screen_of(pilot, LabellingScreen)


def test_every_key_has_a_name_of_its_own() -> None:
    ids = [binding.id for binding in ClassesScreen.BINDINGS if not isinstance(binding, tuple)]
    assert len(ids) == len(CLASSES_KEYS) == len(set(ids))
    assert all(name and name.startswith("classes.") for name in ids)


async def test_all_of_many_classes_can_be_reached_on_a_small_screen() -> None:
    session = ScriptedSession(
        config=Config(network=NetworkConfig(classes=100)), classes=tuple(f"kind {at} {'x' * 90}" for at in range(100))
    )
    async with open_labelling(session) as (pilot, _):
        await typed(pilot, "c")
        await screen_of(pilot, ClassesScreen)
        for _ in range(99):
            await pilot.press("down")
        assert rows(pilot)[-1].startswith("99 kind 99")
        assert len(rows(pilot)) == 19
        assert max(map(len, screen_text(pilot.app).splitlines())) <= 80
        assert "…" in rows(pilot)[0]
        await pilot.resize_terminal(20, 10)
        assert rows(pilot)[-1].startswith("99 …")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_it_looks_as_before(size: tuple[int, int]) -> None:
    session = pets()
    async with open_labelling(session, size) as (pilot, _):
        await typed(pilot, "0", "enter", "1", "enter", "c", "a", *"barn", "space", *"owl", "enter", "up", "m", "enter")
        await screen_of(pilot, ClassesScreen)
        assert_snapshot(pilot.app, f"classes-{size[0]}x{size[1]}")
        await typed(pilot, "a", *"ow")
        await screen_of(pilot, ClassPickerScreen)
        assert_snapshot(pilot.app, f"classes-name-{size[0]}x{size[1]}")


async def test_what_waits_for_the_networks_waits_until_no_name_is_typed() -> None:
    session = GatedSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LabellingScreen))
        await typed(pilot, "s", "enter", "c", "a", *"ten")
        session.gate.set()
        await settle(pilot)
        assert session.answer_log == []
        await typed(pilot, "enter", "escape")
        await wait_until(pilot, lambda: session.answer_log == [((0,), Split(4))])
        assert namings(session) == [AddClass(10, "ten")]


async def test_trouble_with_the_disk_is_said_and_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    session = pets()

    def full(naming: object) -> None:
        raise UserError("The disk is full: make room on it.")

    monkeypatch.setattr(session, "edit_classes", full)
    async with open_labelling(session) as (pilot, screen):
        await typed(pilot, "slash", *"owl", "enter")
        await screen_of(pilot, LabellingScreen)
        assert "The disk is full" in prompt_text(screen)
        assert "class?" in prompt_text(screen)
        await typed(pilot, "c", "a", *"owl", "enter")
        await screen_of(pilot, ClassesScreen)
        assert "The disk is full" in asked(pilot)
        assert session.classes == ClassList.from_names(("cat", "dog", "wild horse"))
