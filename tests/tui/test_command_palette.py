"""Test the command palette: it lists every command, finds and runs them, and goes to clusters by their number."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.harness import focused_path, open_labelling, prompt_text, wait_for_screen, wait_until
from tests.tui.scripted_session import EndlessSession, ScriptedSession
from vaetui.engine.answers import ClassAnswer
from vaetui.tui.app import VaetuiApp
from vaetui.tui.keymap import SCREEN_KEYS
from vaetui.tui.presenters.command_palette import CommandPalette, build_command_choices
from vaetui.tui.presenters.line_dialogue import Choice
from vaetui.tui.presenters.screen_commands import ScreenCommand
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.samples import SamplesScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.screens.vaetui_screen import VaetuiScreen
from vaetui.tui.settings import AppSettings
from vaetui.tui.widgets.framed_image import FramedImage
from vaetui.tui.widgets.line_panel import LinePanel

COMMANDS = [
    ScreenCommand(f"label.{name}", (name[0],), name, f"Do {name} by 0.1", "") for name in ("lower", "split", "undo")
]


def panel_text(pilot: Pilot[Any]) -> str:
    return pilot.app.screen.query_one(LinePanel).text


def test_number_matches_clusters_only_and_never_runs_a_command() -> None:
    chosen: list[object] = []
    targets = [Choice(label, label) for label in ("0", "1", "10", "1.0", "11")]
    palette = CommandPalette(COMMANDS, targets, chosen.append)
    palette.paste("0.1")
    assert palette.matches == []
    assert not palette.handle_key("enter", None)
    assert palette.hint == "There is no cluster 0.1 in this round"
    palette.handle_key("ctrl+u", None)
    palette.paste("1")
    assert [choice.label for choice in palette.matches] == ["1", "10", "1.0", "11"]
    assert palette.handle_key("enter", None)
    palette.finish()
    assert chosen == ["1"]


@pytest.mark.parametrize("group", SCREEN_KEYS)
def test_every_command_except_digits_is_listed_with_its_keys(group: str) -> None:
    commands = [
        ScreenCommand(binding.id, binding.keys, binding.description, binding.tooltip, "")
        for binding in SCREEN_KEYS[group]
    ]
    choices = {choice.value: choice for choice in build_command_choices(commands)}
    for command in commands:
        if not command.is_digit and command.id not in ("any.command", "label.command", "any.more_keys"):
            choice = choices[command.id]
            assert command.tooltip in choice.label
            assert choice.detail == " ".join(command.keys)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_palette_filters_commands_and_runs_the_chosen_one(key: str, size: tuple[int, int]) -> None:
    session = ScriptedSession()
    async with open_labelling(session, size) as (pilot, screen):
        await pilot.press(key)
        assert "Command or cluster:" in panel_text(pilot)
        await pilot.press(*"unread")
        assert "› unreadable: Unreadable: ignored in training  x" in panel_text(pilot)
        assert screen.query_one(FramedImage).region.bottom <= screen.query_one(LinePanel).region.y
        await pilot.press("enter")
        await wait_until(pilot, lambda: session.answer_log)
        assert [path for path, _ in session.answer_log] == [(0,)]
        assert not screen.is_line_open
        await pilot.press(key, *"undo", "enter")
        await wait_until(pilot, lambda: "Undid" in prompt_text(screen))


async def test_number_goes_to_that_cluster_and_an_unknown_one_shows_a_hint() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("colon", "1", "2", "enter")
        assert focused_path(screen) == (12,)
        session.record_answer((3,), ClassAnswer(7, 1.0))
        await pilot.press("colon", "9", "9", "enter")
        assert "There is no cluster 99 in this round" in panel_text(pilot)
        await pilot.press("escape")
        assert focused_path(screen) == (12,)
        await pilot.press("s", "3", "enter")
        await wait_until(pilot, lambda: focused_path(screen) == (12, 0))
        await pilot.press("colon", *"12.2", "enter")
        assert focused_path(screen) == (12, 2)
        assert len(session.answer_log) <= 2


async def test_empty_line_runs_nothing() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("colon", "enter")
        assert screen.is_line_open
        await pilot.press("escape")
        assert (screen.is_line_open, session.answer_log, focused_path(screen)) == (False, [], (0,))


async def test_palette_works_while_training_and_in_screens_above() -> None:
    app = VaetuiApp(EndlessSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("ctrl+p", *"sampl", "enter")
        await wait_for_screen(pilot, SamplesScreen)
        await pilot.press("ctrl+p", *"back", "enter")
        await wait_for_screen(pilot, TrainingScreen)
        await pilot.press("ctrl+p", *"list all keys", "enter")
        await wait_for_screen(pilot, HelpScreen)
        await pilot.press("ctrl+p")
        screen = app.screen
        assert isinstance(screen, VaetuiScreen)
        assert not screen.is_line_open
        await pilot.press("escape")
        await wait_for_screen(pilot, TrainingScreen)
        await pilot.press("ctrl+p", *"pause", "enter")
        await wait_until(pilot, lambda: not app.event_worker.is_busy)


async def test_command_without_a_key_can_be_run_from_the_palette() -> None:
    session = ScriptedSession()
    app = VaetuiApp(session, settings=AppSettings({"label.unreadable": (), "label.undo": ("X",), "label.members": ()}))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: len(app.screen_stack) == 2 and not app.event_worker.is_busy)
        await pilot.press("x")
        assert session.answer_log == []
        await pilot.press("colon", *"unread", "enter")
        await wait_until(pilot, lambda: session.answer_log)
        await pilot.press("colon", *"undo the")
        assert "› undo: Undo the last answer, split or class edit  X" in panel_text(pilot)
