"""Test the labelling screen: keys, prompts, and what it does while the worker is busy."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from threading import Event as Gate

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot

from tests.tui.harness import (
    focused_path,
    open_labelling,
    prompt_text,
    screen_text,
    settle,
    wait_for_screen,
    wait_until,
)
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import Answer, ClassAnswer, Cleared, ClusterPath, NearestImageAnswer, Split, Unreadable
from vaetui.engine.config import Config, NetworkConfig
from vaetui.engine.events import Event, Loading, Progress
from vaetui.errors import UserError
from vaetui.tui.app import VaetuiApp
from vaetui.tui.presenters.labelling_presenter import LabellingPresenter
from vaetui.tui.presenters.line_dialogue import EMPTY_FIELD_HINT
from vaetui.tui.screens.labelling import FIRST_LOOK_NOTICE, IGNORED_KEYS_NOTICE, LOADING_NOTICE, LabellingScreen
from vaetui.tui.screens.vaetui_screen import PASTE_NOTICE
from vaetui.tui.settings import AppSettings
from vaetui.tui.widgets.line_panel import LinePanel
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.text_line import TextLine

KEYS_TO_ANSWERS: list[tuple[str, list[tuple[ClusterPath, Answer]], ClusterPath]] = [
    ("9 enter", [((0,), ClassAnswer(9))], (1,)),
    ("9 space", [((0,), ClassAnswer(9))], (1,)),
    ("9 8", [((0,), ClassAnswer(9, 0.8))], (1,)),
    ("9 o", [((0,), NearestImageAnswer(9))], (1,)),
    ("o 9", [((0,), NearestImageAnswer(9))], (1,)),
    ("o 9 3 o", [((0,), NearestImageAnswer(9)), ((1,), NearestImageAnswer(3))], (2,)),
    ("a o 5 6", [((0,), NearestImageAnswer(5)), ((1,), ClassAnswer(6))], (2,)),
    ("o enter", [((0,), NearestImageAnswer(0))], (1,)),
    ("o escape 4 enter", [((0,), ClassAnswer(4))], (1,)),
    ("o o 4 enter", [((0,), ClassAnswer(4))], (1,)),
    ("o x g m right 4", [((0,), NearestImageAnswer(4))], (1,)),
    ("9 o u", [], (0,)),
    ("9 o u U", [((0,), NearestImageAnswer(9))], (0,)),
    ("9 o minus", [((0,), NearestImageAnswer(9))], (1,)),
    ("9 o left delete", [((0,), NearestImageAnswer(9)), ((0,), Cleared())], (0,)),
    ("9 o left 8 enter", [((0,), NearestImageAnswer(9)), ((0,), ClassAnswer(8))], (1,)),
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
    ("3 7 a 5 a 6 enter", [((0,), ClassAnswer(3, 0.7)), ((1,), ClassAnswer(5)), ((2,), ClassAnswer(6))], (3,)),
    ("1 enter minus minus", [((0,), ClassAnswer(1)), ((0,), ClassAnswer(1, 0.9)), ((0,), ClassAnswer(1, 0.8))], (1,)),
    ("enter", [((0,), ClassAnswer(0))], (1,)),
    ("enter space", [((0,), ClassAnswer(0)), ((1,), ClassAnswer(1))], (2,)),
    ("1 enter left delete", [((0,), ClassAnswer(1)), ((0,), Cleared())], (0,)),
    ("1 enter left backspace", [((0,), ClassAnswer(1)), ((0,), Cleared())], (0,)),
    ("end", [], (15,)),
    ("end home", [], (0,)),
    ("tab tab shift+tab", [], (1,)),
    ("full_stop enter", [], (0,)),
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
]
"""Keys, the answers that they give, and the focused cluster behind them."""


class GatedSession(ScriptedSession):
    """A session whose slow methods wait for a gate after their first event."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()

    def advance(self) -> Iterator[Event]:
        yield Loading("PyTorch")
        self.gate.wait(60)
        yield from super().advance()

    def split_cluster(self, path: ClusterPath, part_count: int) -> Iterator[Event]:
        yield Progress("splitting", 0, 1)
        self.gate.wait(60)
        yield from super().split_cluster(path, part_count)


def panel_rows(screen: LabellingScreen) -> list[str]:
    return [row.rstrip() for row in screen.query_one(LinePanel).text.split("\n")]


def create_named_session(*names: str) -> ScriptedSession:
    return ScriptedSession(config=Config(network=NetworkConfig(classes=len(names))), classes=names)


async def test_keys_record_answers_and_move_the_focus() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        for keys, answers, path in KEYS_TO_ANSWERS:
            session.answer_log = []
            session.set_one_key_mode(False)
            screen.presenter = LabellingPresenter(session)
            await pilot.press(*keys.split())
            assert session.answer_log == answers, keys
            assert focused_path(screen) == path, keys


async def test_split_inserts_the_parts_and_focuses_the_first() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("right", "s", "enter")
        await settle(pilot)
        assert session.answer_log == [((1,), Split(4))]
        assert focused_path(screen) == (1, 0)
        assert "Split: cluster 1. u: undo" in prompt_text(screen)
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


async def test_answered_cluster_can_be_split_and_split_cluster_answered() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("3", "enter", "left", "s", "2", "enter")
        await settle(pilot)
        assert focused_path(screen) == (0, 0)
        await pilot.press("left", "7", "enter")
        assert session.answer_log[-1] == ((0,), ClassAnswer(7))
        assert len(screen.presenter.round_view.clusters) == 16
        assert focused_path(screen) == (1,)


async def test_m_cycles_through_the_member_orders() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, _):
        for order in ("random", "farthest", "nearest"):
            await pilot.press("m")
            assert session.calls[-1] == f"member_images 0 {order}"
            assert f"{order} members" in screen_text(pilot.app)


async def test_g_asks_while_clusters_have_no_answer_and_trains_afterwards() -> None:
    session = ScriptedSession(clusters=2)
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("1", "enter", "g")
        assert "1 cluster has no answer  g: train anyway · Esc: stay" in prompt_text(screen).replace(".", "")
        await pilot.press("escape", "2", "enter", "escape")
        assert "close_round" not in session.calls
        assert "g: train" in prompt_text(screen)
        await pilot.press("g")
        assert session.calls.count("close_round") == 1
        await settle(pilot)
    assert session.round_number == 2


async def test_g_twice_trains_without_the_missing_answers() -> None:
    session = ScriptedSession(clusters=3)
    async with open_labelling(session) as (pilot, _):
        await pilot.press("g", "g")
        assert session.calls.count("close_round") == 1
        await settle(pilot)


async def test_help_keeps_the_typed_class_and_q_exits() -> None:
    session = ScriptedSession()
    async with open_labelling(session, (80, 60)) as (pilot, screen):
        await pilot.press("9", "question_mark")
        await pilot.pause()
        assert pilot.app.screen is not screen
        assert "Split the cluster (k-means), then label the parts" in screen_text(pilot.app)
        await pilot.press("escape")
        assert pilot.app.screen is screen
        await pilot.press("enter")
        assert session.answer_log == [((0,), ClassAnswer(9))]
        await pilot.press("q")
    assert pilot.app.return_code == 0


async def test_keymap_moves_a_key() -> None:
    session = ScriptedSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        app.set_keymap({"label.class.1": "ampersand"})
        await settle(pilot)
        await pilot.press("ampersand", "enter")
        assert session.answer_log == [((0,), ClassAnswer(1))]


async def test_named_classes_are_listed_and_confirmed_by_name() -> None:
    session = create_named_session("cat", "dog", "wild horse")
    async with open_labelling(session) as (pilot, screen):
        assert "0 cat  1 dog  2 wild horse" in str(screen.query_one("#rule", TextLine).text)
        await pilot.press("2")
        assert prompt_text(screen) == "Cluster 0? 2 wild horse_  Enter: certain · 1-9: confidence · Esc: cancel"
        await pilot.press("8")
        assert '= "wild horse", confidence 0.8' in prompt_text(screen)
        assert session.answer_log == [((0,), ClassAnswer(2, 0.8))]
        await pilot.press("3")
        assert "Digit 3 has no class (use 0-2)" in prompt_text(screen)


async def test_class_of_the_nearest_image_is_found_by_name_or_made_and_shown_with_a_mark_of_its_own() -> None:
    session = create_named_session("cat", "dog", "wild horse")
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("o")
        assert prompt_text(screen).startswith("Cluster 0, nearest image: class? Enter: cat · 48 %")
        await pilot.press("s")
        assert prompt_text(screen) == "! 0-2: class of that image · /: find class · Esc: cancel"
        await pilot.press("slash", *"hors", "enter")
        assert session.answer_log == [((0,), NearestImageAnswer(2))]
        assert 'Saved: nearest image of cluster 0 = "wild horse"' in prompt_text(screen)
        assert "0 □wild horse" in screen_text(pilot.app)
        await pilot.press("o", "slash", *"owl", "ctrl+n")
        assert session.answer_log[1:] == [((1,), NearestImageAnswer(3))]
        assert session.classes.names[3] == "owl"
        await pilot.press("left", "minus")
        assert "An answer for the nearest image alone is always certain" in prompt_text(screen)
        await pilot.press("u")
        assert "Undid: class edit and answer for the nearest im" in prompt_text(screen)
        assert len(session.classes) == 3
        assert "0 □wild horse" in screen_text(pilot.app)


async def test_key_of_the_nearest_image_can_be_rebound() -> None:
    session = ScriptedSession()
    app = VaetuiApp(session, settings=AppSettings(keys={"label.nearest": ("r",)}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("9", "r", "9", "o")
        assert session.answer_log == [((0,), NearestImageAnswer(9))]


@pytest.mark.parametrize(("share", "is_hinted"), [(0.48, True), (0.7, False), (None, True)])
async def test_only_sessions_with_features_hint_at_the_nearest_image_of_a_mixed_cluster(
    share: float | None, is_hinted: bool
) -> None:
    for inputs in ("images", "vectors"):
        session = ScriptedSession(config=Config(network=NetworkConfig(inputs=inputs)))
        session.top_share = share
        async with open_labelling(session) as (pilot, screen):
            is_shown = is_hinted and inputs == "vectors"
            assert ("o: nearest image alone" in prompt_text(screen)) == is_shown
            await pilot.press("9")
            assert ("1-9: confidence · o: nearest · Esc: cancel" in prompt_text(screen)) == is_shown
            await pilot.press("a")
            assert ("o: only the nearest image" in prompt_text(screen)) == is_shown


async def test_line_finds_one_of_many_classes_by_name_beside_the_picture() -> None:
    session = create_named_session(*(f"kind {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"))
    async with open_labelling(session) as (pilot, screen):
        assert "/ others  0 kind a  1 kind b" in screen.query_one("#rule", TextLine).text
        assert screen.query_one("#digits", TextLine).text == "6 kind g  7 kind h  8 kind i  9 kind j"
        await pilot.press("slash", *"Qz")
        assert pilot.app.screen is screen
        assert panel_rows(screen)[:3] == ["", "", ""]
        assert panel_rows(screen)[3] == " Cluster 0: class? Qz_"
        assert " ".join(panel_rows(screen)[4].split()) == "Ctrl-N: new class Qz · Esc: cancel 0 of 26"
        await pilot.press("enter")
        assert "! No match" in panel_rows(screen)[-1]
        await pilot.press("backspace")
        assert panel_rows(screen)[2] == " › kind q"
        await pilot.press("enter")
        assert "class? kind q_" in prompt_text(screen)
        await pilot.press("7")
        assert session.answer_log == [((0,), ClassAnswer(16, 0.7))]
        await pilot.press("slash", "down", "down", "up", "escape")
        await pilot.press("slash", "d", "space", "backspace", "backspace", "down", "down", "enter", "enter")
        assert session.answer_log[1] == ((1,), ClassAnswer(6, 1.0)), "the second of the predicted classes"
        assert len(session.classes) == 26


async def test_line_finds_names_in_any_script() -> None:
    session = create_named_session("猫 (zahm)", "Bär", "鳥")
    async with open_labelling(session) as (pilot, screen):
        for text, class_id in (("鳥", 2), ("ä", 1), ("猫 (", 0)):
            await pilot.press("slash", *text)
            assert f"class? {text}_" in panel_rows(screen)[-2]
            await pilot.press("f5", "enter", "enter")
            assert session.answer_log[-1][1] == ClassAnswer(class_id)


async def test_empty_line_never_answers() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("slash", "enter", "space", "enter", "backspace", "enter")
        assert screen.is_line_open
        assert EMPTY_FIELD_HINT in panel_rows(screen)[-1]
        await pilot.press("escape")
        assert session.answer_log == []
        assert focused_path(screen) == (0,)


@pytest.mark.parametrize(
    ("keys", "answers"),
    [
        ("/thr\r\r", [((0,), ClassAnswer(1))]),
        ("/thr\r4", [((0,), ClassAnswer(1, 0.4))]),
        ("/xyz\r\x1b", []),
        ("/\r\r\x1b", []),
        ("s3\r", [((0,), Split(3))]),
        ("mmnn2\r", [((2,), ClassAnswer(2))]),
        ("1\x1b2\r", [((0,), ClassAnswer(2))]),
        ("x7\r", [((0,), Unreadable())]),
        ("x7\ru", []),
        ("c\x1b1\r", [((0,), ClassAnswer(1))]),
        ("?\x1bz\x1b1\r", [((0,), ClassAnswer(1))]),
        ("mca\x1b\x1b1\r", [((0,), ClassAnswer(1))]),
        ("a1/three\r2", [((0,), ClassAnswer(1)), ((1,), ClassAnswer(1)), ((2,), ClassAnswer(2))]),
    ],
)
async def test_keys_that_arrive_at_once_act_as_typed_one_by_one(
    keys: str, answers: list[tuple[ClusterPath, Answer]]
) -> None:
    names = {"\r": "enter", "\x1b": "escape", "/": "slash", "?": "question_mark"}
    session = create_named_session("zero", "three", "two")
    async with open_labelling(session) as (pilot, screen):
        for character in keys:
            pilot.app.post_message(Key(names.get(character, character), character))
        await settle(pilot)
        await wait_until(pilot, lambda: session.answer_log == answers)
        await settle(pilot)
        assert session.answer_log == answers
        assert pilot.app.screen is screen


async def test_pasted_text_answers_nothing_and_the_next_enter_neither() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        pilot.app.post_message(Paste("3\r4\rx"))
        await pilot.pause()
        assert PASTE_NOTICE in prompt_text(screen)
        await pilot.press("enter")
        assert session.answer_log == []
        assert "Enter: 0 · 48 %" in prompt_text(screen)
        await pilot.press("enter")
        assert session.answer_log == [((0,), ClassAnswer(0))]


async def test_one_key_mode_is_shown_and_remembered() -> None:
    session = ScriptedSession()
    saved: list[bool] = []
    app = VaetuiApp(session, save_one_key_mode=saved.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, LabellingScreen)
        await pilot.press("a")
        assert prompt_text(app.screen).startswith(" ONE-KEY  Cluster 0? Enter: 0 · 48 %  One-key mode on")
        assert (session.one_key_mode, saved) == (True, [True])
        await pilot.press("5", "minus", "minus")
        assert session.answer_log[-1] == ((0,), ClassAnswer(5, 0.8))
        assert 'cluster 0 = "5", confidence 0.8' in prompt_text(app.screen)
        await pilot.press("u", "u")
        assert session.answer_log == []
        await pilot.press("a")
        assert (session.one_key_mode, saved) == (False, [True, False])
        assert "ONE-KEY" not in prompt_text(app.screen)
    session.set_one_key_mode(True)
    async with open_labelling(session) as (_, screen):
        assert "ONE-KEY" in prompt_text(screen)


async def test_one_key_mode_of_the_settings_applies_to_new_sessions_only() -> None:
    for choice, is_on in ((None, True), (False, False)):
        session = ScriptedSession()
        if choice is not None:
            session.set_one_key_mode(choice)
        app = VaetuiApp(session, settings=AppSettings(one_key_mode=True))
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert ("ONE-KEY" in prompt_text(app.screen)) == is_on


@pytest.mark.parametrize(("key", "choice"), [("a", True), ("escape", False), ("right", False)])
async def test_one_key_mode_is_offered_once_from_the_second_round_on(key: str, choice: bool) -> None:
    session = ScriptedSession(clusters=2)
    async with open_labelling(session) as (pilot, screen):
        assert "one key?" not in prompt_text(screen)
        await pilot.press("1", "enter", "2", "enter", "g")
        await wait_until(pilot, lambda: pilot.app.screen is not screen and session.phase == "labelling")
        await settle(pilot)
        second = pilot.app.screen
        assert prompt_text(second).startswith("Answer with one key? a: on · Esc: no")
        await pilot.press(key)
        assert session.one_key_mode is choice
        assert "one key?" not in prompt_text(second)
        await pilot.press("1", *(() if choice else ("enter",)), "2", *(() if choice else ("enter",)), "g", "g")
        await wait_until(pilot, lambda: pilot.app.screen is not second and session.phase == "labelling")
        assert "one key?" not in prompt_text(pilot.app.screen)


async def test_long_information_stays_on_one_line_without_the_mark_of_an_error() -> None:
    async with open_labelling(ScriptedSession()) as (pilot, screen):
        screen.presenter.status_text = (
            "Expected accuracy about 96 % (not audited). The last epoch changed 3.5 % of the predictions"
        )
        screen._update_view()
        await pilot.pause()
        assert prompt_text(screen) == "Cluster 0? Enter: 0 · 48 %  Expected accuracy about 96 % (not audited)"
        assert screen.query_one(Prompt).size.height == 1


async def test_sorting_and_filter_are_shown_and_palette_finds_hidden_clusters() -> None:
    session = ScriptedSession()
    async with open_labelling(session, (120, 40)) as (pilot, screen):
        await pilot.press("1", "enter", "O", "f")
        assert "by size · open only" in screen_text(pilot.app)
        assert len(screen.presenter.visible_clusters) == 15
        await pilot.press("colon", "0", "enter")
        await pilot.pause()
        assert focused_path(screen) == (0,)
        assert len(screen.presenter.visible_clusters) == 16


async def test_wrong_key_shows_a_hint_of_one_line() -> None:
    session = ScriptedSession(config=Config(network=NetworkConfig(classes=4)))
    session.learned_class_ids = ()
    async with open_labelling(session) as (pilot, screen):
        for keys, hint in {
            "7": "Digit 7 has no class (use 0-3)",
            "full_stop": "Unknown key. ? lists all keys",
            "escape enter": "Type a class first (0-3)",
            "2 0": "Enter: certain · 1-9: confidence 0.1-0.9",
            "s": "Enter: certain · 1-9: confidence 0.1-0.9",
            "escape minus": "Cluster 0 has no answer yet",
        }.items():
            await pilot.press(*keys.split())
            assert hint in prompt_text(screen)
            assert screen.query_one(Prompt).size.height == 1
        assert session.answer_log == []


async def test_failed_answer_shows_the_error_and_keeps_the_focus(monkeypatch: pytest.MonkeyPatch) -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):

        def fail(answers: object, new_class: object = None, extends_last_step: bool = False) -> None:
            raise UserError("The disk is full. Free space, for instance by deleting a session, and then answer again.")

        with monkeypatch.context() as context:
            context.setattr(session, "record_answers", fail)
            await pilot.press("9", "enter")
            await pilot.pause()
        assert "The disk is full" in screen_text(pilot.app)
        assert "answer again." in screen_text(pilot.app)
        assert focused_path(screen) == (0,)
        await pilot.press("9", "enter")
        assert session.answer_log == [((0,), ClassAnswer(9))]


async def start_loading(pilot: Pilot[None]) -> LabellingScreen:
    """Wait for the screen of a session that is still loading."""
    await wait_for_screen(pilot, LabellingScreen)
    assert isinstance(pilot.app.screen, LabellingScreen)
    return pilot.app.screen


async def test_answers_are_recorded_while_loading_and_a_split_follows() -> None:
    session = GatedSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await start_loading(pilot)
        await pilot.press("4", "enter")
        assert session.answer_log == [((0,), ClassAnswer(4))]
        assert "loading the images" in screen_text(app)
        await pilot.press("s", "enter")
        assert session.answer_log == [((0,), ClassAnswer(4))]
        assert LOADING_NOTICE in prompt_text(screen)
        await pilot.press("right")
        session.gate.set()
        await settle(pilot)
        assert "loading the images" not in screen_text(app)
        assert session.answer_log[1:] == [((1,), Split(4))], "the split of the cluster that had the focus"
        assert session.calls[-1] == "member_images 1.0 nearest"


async def test_training_requested_while_loading_starts_afterwards() -> None:
    session = GatedSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await start_loading(pilot)
        await pilot.press("g", "g", "g")
        assert f"{LOADING_NOTICE} train · Esc: cancel" in prompt_text(screen)
        assert "close_round" not in session.calls
        session.gate.set()
        await wait_until(pilot, lambda: "close_round" in session.calls)


async def test_action_that_waits_for_the_model_is_replaced_and_cancelled() -> None:
    session = GatedSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await start_loading(pilot)
        await pilot.press("g", "g", "s", "3", "enter")
        assert f"{LOADING_NOTICE} split into 3 parts · Esc: cancel" in prompt_text(screen)
        await pilot.press("right", "5", "enter", "escape")
        assert "Cancelled: split into 3 parts" in prompt_text(screen)
        session.gate.set()
        await settle(pilot)
        assert session.answer_log == [((1,), ClassAnswer(5))]
        assert "close_round" not in session.calls


async def test_space_that_was_meant_to_pause_training_accepts_no_guess() -> None:
    session = ScriptedSession("training")
    session.set_one_key_mode(False)
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, LabellingScreen)
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, LabellingScreen)
        assert screen._first_look_until > 0
        screen._first_look_until = math.inf  # slow machines: as if the round had opened just now
        await pilot.press("space")
        assert FIRST_LOOK_NOTICE in prompt_text(screen)
        assert session.answer_log == []
        await pilot.press("3", "1")
        assert session.answer_log == [((0,), ClassAnswer(3, 0.1))]
        await pilot.press("2", "enter", "0", "6")
        assert session.answer_log[1:] == [((1,), ClassAnswer(2)), ((2,), ClassAnswer(0, 0.6))], "a typed class is meant"
        screen._first_look_until = time.monotonic()
        await pilot.press("space")
        assert len(session.answer_log) == 4


async def test_keys_are_ignored_while_a_cluster_is_being_split() -> None:
    session = GatedSession()
    session.gate.set()
    async with open_labelling(session) as (pilot, screen):
        session.gate.clear()
        await pilot.press("s", "enter")
        assert prompt_text(screen) == "Splitting cluster 0 …"
        call_count = len(session.calls)
        await pilot.press("5", "enter", "x", "g", "g", "u", "right", "m")
        assert len(session.calls) == call_count
        assert prompt_text(screen) == f"Splitting cluster 0 …  {IGNORED_KEYS_NOTICE}"
        session.gate.set()
        await settle(pilot)
        assert focused_path(screen) == (0, 0)
        assert prompt_text(screen).endswith(f"Split: cluster 0. {IGNORED_KEYS_NOTICE}")
        await pilot.press("enter")  # the rest of an input of which the start was ignored
        assert len(session.answer_log) == 1
        await pilot.press("enter")
        assert [path for path, _ in session.answer_log] == [(0,), (0, 0)]


async def test_focus_starts_at_the_first_cluster_without_an_answer() -> None:
    session = ScriptedSession()
    session.answer_log = [((0,), ClassAnswer(1)), ((1,), Unreadable())]
    async with open_labelling(session) as (_, screen):
        assert focused_path(screen) == (2,)
