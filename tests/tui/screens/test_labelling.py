"""Every key of the labelling screen does what it says."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest
from vaetui.tui.labelling_keys import LABELLING_KEYS

from tests.tui.harness import focused_path, open_labelling, prompt_text, screen_text, settle, wait_until
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import Answer, ClassAnswer, ClusterPath, Split, Unreadable
from vaetui.engine.config import Config, NetworkConfig
from vaetui.engine.events import Event as Happening
from vaetui.engine.events import Loading, Progress
from vaetui.errors import UserError
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.class_picker import ClassPickerScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.text_line import TextLine

pytestmark = pytest.mark.usefixtures("fast_keys")


@pytest.mark.parametrize(
    ("keys", "said", "at"),
    [
        ("9 enter", [((0,), ClassAnswer(9))], (1,)),
        ("9 space", [((0,), ClassAnswer(9))], (1,)),
        ("9 8", [((0,), ClassAnswer(9, 0.8))], (1,)),
        ("9 escape 4 enter", [((0,), ClassAnswer(4))], (1,)),
        ("x", [((0,), Unreadable())], (1,)),
        ("right 2 enter", [((1,), ClassAnswer(2))], (2,)),
        ("l 2 enter", [((1,), ClassAnswer(2))], (2,)),
        ("down", [], (8,)),
        ("j", [], (8,)),
        ("down up", [], (0,)),
        ("down k", [], (0,)),
        ("right left", [], (0,)),
        ("right h", [], (0,)),
        ("1 enter left n", [((0,), ClassAnswer(1))], (1,)),
        ("1 enter p", [((0,), ClassAnswer(1))], (15,)),
        ("a 5 6", [((0,), ClassAnswer(5)), ((1,), ClassAnswer(6))], (2,)),
        ("3 7 a 5 a 6 enter", [((0,), ClassAnswer(3, 0.7)), ((1,), ClassAnswer(5, 0.7)), ((2,), ClassAnswer(6))], (3,)),
        ("1 enter left minus", [((0,), ClassAnswer(1)), ((0,), ClassAnswer(1, 0.9))], (0,)),
        ("1 8 left plus", [((0,), ClassAnswer(1, 0.8)), ((0,), ClassAnswer(1, 0.9))], (0,)),
        ("1 8 left equals_sign", [((0,), ClassAnswer(1, 0.8)), ((0,), ClassAnswer(1, 0.9))], (0,)),
        ("1 1 left minus", [((0,), ClassAnswer(1, 0.1))], (0,)),
        ("1 enter left plus", [((0,), ClassAnswer(1))], (0,)),
        ("minus", [], (0,)),
        ("1 enter right right u", [], (0,)),
        ("1 enter u U", [((0,), ClassAnswer(1))], (0,)),
        ("1 enter 2 enter u u U", [((0,), ClassAnswer(1))], (0,)),
        ("u", [], (0,)),
        ("U", [], (0,)),
        ("g 5 escape", [], (0,)),
        ("m i i full_stop", [], (0,)),
    ],
)
async def test_keys_answer_and_move(keys: str, said: list[tuple[ClusterPath, Answer]], at: ClusterPath) -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        await pilot.press(*keys.split())
        assert session.answer_log == said
        assert focused_path(screen) == at


async def test_splitting_puts_the_parts_in_place_and_asks_the_first() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("right", "s", "enter")
        await settle(pilot)
        assert session.answer_log == [((1,), Split(4))]
        assert focused_path(screen) == (1, 0)
        await pilot.press("s", "3", "enter")
        await settle(pilot)
        assert focused_path(screen) == (1, 0, 0)
        await pilot.press("1", "enter", "2", "enter", "x")
        assert focused_path(screen) == (1, 1)
        await pilot.press("left", "left", "left", "left", "left")
        assert "1 ⟨3/6⟩" in screen_text(pilot.app)
        await pilot.press("u", "u", "u", "u")
        assert focused_path(screen) == (1, 0)
        await pilot.press("u")
        assert (session.answer_log, focused_path(screen)) == ([], (1,))


async def test_an_answered_cluster_can_be_split_and_a_split_one_answered() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("3", "enter", "left", "s", "2", "enter")
        await settle(pilot)
        assert focused_path(screen) == (0, 0)
        await pilot.press("left", "7", "enter")
        assert session.answer_log[-1] == ((0,), ClassAnswer(7))
        assert len(screen.presenter.round_view.clusters) == 16
        assert focused_path(screen) == (1,)


async def test_m_goes_round_nearest_random_farthest() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, _):
        for which in ("random", "farthest", "nearest"):
            await pilot.press("m")
            assert session.calls[-1] == f"members 0 {which}"
            assert f"{which} members" in screen_text(pilot.app)


async def test_g_goes_on_at_once_when_all_are_answered_and_asks_before() -> None:
    session = ScriptedSession(clusters=2)
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("1", "enter", "g")
        assert "1 centre is open  g again goes on, Esc stays" in prompt_text(screen)
        assert "go_on" not in session.calls
        await pilot.press("escape", "2", "enter")
        assert "go_on" not in session.calls
        await pilot.press("escape")
        assert "all are answered, g goes on" in prompt_text(screen)
        await pilot.press("g")
        assert session.calls.count("go_on") == 1
        await settle(pilot)
    assert session.round_number == 2


async def test_g_twice_leaves_open_centres_open() -> None:
    session = ScriptedSession(clusters=3)
    async with open_labelling(session) as (pilot, _):
        await pilot.press("g", "g")
        assert session.calls.count("go_on") == 1
        await settle(pilot)


async def test_q_leaves_and_question_mark_explains_every_key() -> None:
    session = ScriptedSession()
    async with open_labelling(session, (80, 60)) as (pilot, screen):
        await pilot.press("9", "question_mark")
        await pilot.pause()
        assert pilot.app.screen is not screen
        assert "by k-means" in screen_text(pilot.app)
        await pilot.press("escape")
        assert pilot.app.screen is screen
        await pilot.press("enter")
        assert session.answer_log == [((0,), ClassAnswer(9))]
        await pilot.press("q")
    assert pilot.app.return_code == 0


def test_every_key_has_a_name_of_its_own() -> None:
    ids = [binding.id for binding in LabellingScreen.BINDINGS if not isinstance(binding, tuple)]
    assert len(ids) == len(LABELLING_KEYS) == len(set(ids))
    assert all(name and name.startswith("label.") for name in ids)


async def test_a_keymap_moves_a_key() -> None:
    session = ScriptedSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        app.set_keymap({"label.class.1": "ampersand"})
        await settle(pilot)
        await pilot.press("ampersand", "enter")
        assert session.answer_log == [((0,), ClassAnswer(1))]


async def test_classes_are_shown_by_their_names() -> None:
    session = ScriptedSession(config=Config(network=NetworkConfig(classes=3)), classes=("cat", "dog", "wild horse"))
    async with open_labelling(session) as (pilot, screen):
        assert "0 cat  1 dog  2 wild horse" in str(screen.query_one("#rule", TextLine).text)
        await pilot.press("2")
        assert "class? 2 wild horse_" in prompt_text(screen)
        await pilot.press("8")
        assert "is wild horse at 0.8" in prompt_text(screen)
        assert session.answer_log == [((0,), ClassAnswer(2, 0.8))]
        await pilot.press("3")
        assert "there is no class 3: 0-2 name one" in prompt_text(screen)


async def test_one_of_many_classes_is_named_by_its_letters() -> None:
    letters = tuple(f"kind {letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
    session = ScriptedSession(config=Config(network=NetworkConfig(classes=26)), classes=letters)
    async with open_labelling(session) as (pilot, screen):
        assert "/ others  0 …a  1 …b" in screen.query_one("#rule", TextLine).text
        await pilot.press("slash")
        names = pilot.app.screen
        assert isinstance(names, ClassPickerScreen)
        await pilot.press(*"Qz")
        assert names.query_one("#names", TextLine).text.split("\n") == [" new class: Qz ", ""]
        await pilot.press("backspace")
        assert names.query_one("#names", TextLine).text.split("\n") == [" kind q ", " new class: Q ", ""]
        await pilot.press("enter")
        await wait_until(pilot, lambda: pilot.app.screen is screen)
        assert "class? 16 kind q_" in prompt_text(screen)
        await pilot.press("7")
        assert session.answer_log == [((0,), ClassAnswer(16, 0.7))]
        await pilot.press("slash", "down", "down", "up", "escape")
        await wait_until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("slash", "d", "space", "backspace", "down", "enter", "enter")
        await wait_until(pilot, lambda: len(session.answer_log) == 2)
        assert session.answer_log[1] == ((1,), ClassAnswer(1, 1.0))


async def test_names_in_any_script_are_found() -> None:
    session = ScriptedSession(config=Config(network=NetworkConfig(classes=3)), classes=("猫 (zahm)", "Bär", "鳥"))
    async with open_labelling(session) as (pilot, screen):
        for typed, label in (("鳥", 2), ("ä", 1), ("猫 (", 0)):
            await pilot.press("slash", *typed)
            assert pilot.app.screen.query_one(Prompt).text.startswith(f"class? {typed}_")
            await pilot.press("f5", "enter", "enter")
            await wait_until(pilot, lambda: pilot.app.screen is screen)
            assert session.answer_log[-1][1] == ClassAnswer(label)


async def test_a_wrong_key_says_what_would_work() -> None:
    session = ScriptedSession(config=Config(network=NetworkConfig(classes=4)))
    async with open_labelling(session) as (pilot, screen):
        for keys, words in {
            "7": "there is no class 7: 0-3 name one",
            "full_stop": "? shows those that do",
            "enter": "first a class",
            "2 0": "0 is no answer",
            "s": "! Enter = sure, 1-9 = tenths",
            "escape minus": "0 has no class yet",
        }.items():
            await pilot.press(*keys.split())
            assert words in prompt_text(screen)
            assert screen.query_one(Prompt).size.height == 1
        assert session.answer_log == []


async def test_trouble_is_said_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):

        def full(path: ClusterPath, answer: Answer) -> None:
            raise UserError("The disk is full: make room on it, for instance by deleting a session, and answer again.")

        monkeypatch.setattr(session, "answer", full)
        await pilot.press("9", "enter")
        await pilot.pause()
        assert "The disk is full" in screen_text(pilot.app)
        assert "answer again." in screen_text(pilot.app)
        assert focused_path(screen) == (0,)
        monkeypatch.undo()
        monkeypatch.setattr(VaetuiApp, "MIN_KEY_GAP_S", 0)
        await pilot.press("9", "enter")
        assert session.answer_log == [((0,), ClassAnswer(9))]


class GatedSession(ScriptedSession):
    """A session whose slow verbs wait for a gate after their first event."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Event()

    def advance(self) -> Iterator[Happening]:
        yield Loading("PyTorch")
        self.gate.wait(20)
        yield from super().advance()

    def split(self, path: ClusterPath, parts: int) -> Iterator[Happening]:
        yield Progress("splitting", 0, 1)
        self.gate.wait(20)
        yield from super().split(path, parts)


async def test_the_first_answer_needs_no_images() -> None:
    session = GatedSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LabellingScreen))
        await pilot.press("4", "enter")
        assert session.answer_log == [((0,), ClassAnswer(4))]
        assert "loading the images" in screen_text(app)
        await pilot.press("s", "enter")
        assert session.answer_log == [((0,), ClassAnswer(4))]
        assert "still being loaded" in app.screen.query_one(Prompt).text
        await pilot.press("right")
        session.gate.set()
        await settle(pilot)
        assert "loading the images" not in screen_text(app)
        assert session.answer_log[1:] == [((1,), Split(4))]  # as it was asked for, though the focus had gone on
        assert session.calls[-1] == "members 1.0 nearest"


async def test_training_goes_on_as_soon_as_the_networks_are_loaded() -> None:
    session = GatedSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LabellingScreen))
        await pilot.press("g", "g")
        assert "go_on" not in session.calls
        session.gate.set()
        await wait_until(pilot, lambda: "go_on" in session.calls)


async def test_keys_wait_while_a_cluster_is_being_split() -> None:
    session = GatedSession()
    session.gate.set()
    async with open_labelling(session) as (pilot, screen):
        session.gate.clear()
        await pilot.press("s", "enter")
        assert prompt_text(screen) == "splitting 0 …"
        asked = len(session.calls)
        await pilot.press("5", "enter", "x", "g", "g", "u", "right", "m")
        assert len(session.calls) == asked
        assert prompt_text(screen) == "splitting 0 …"
        session.gate.set()
        await settle(pilot)
        assert focused_path(screen) == (0, 0)


async def test_the_focus_begins_at_the_first_open_centre() -> None:
    session = ScriptedSession()
    session.answer_log = [((0,), ClassAnswer(1)), ((1,), Unreadable())]
    async with open_labelling(session) as (_, screen):
        assert focused_path(screen) == (2,)
