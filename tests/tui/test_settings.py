"""Test the settings of the app: rebound keys are named everywhere, themes, and the remembered one-key mode."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.harness import prompt_text, screen_text, settle, wait_for_screen
from tests.tui.scripted_session import ScriptedSession
from vaetui.errors import UserError
from vaetui.tui.app import VaetuiApp
from vaetui.tui.keymap import KEY_BINDINGS, SCREEN_KEYS
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.settings import AppSettings, find_key_collision


def footer_text(pilot: Pilot[Any]) -> str:
    return screen_text(pilot.app).splitlines()[-1]


def test_default_keys_do_not_collide() -> None:
    assert find_key_collision({}) is None
    assert find_key_collision({binding_id: binding.keys for binding_id, binding in KEY_BINDINGS.items()}) is None


@pytest.mark.parametrize("group", SCREEN_KEYS)
def test_every_binding_collides_with_every_other_one_of_its_screen(group: str) -> None:
    first, *others = SCREEN_KEYS[group]
    for other in others:
        assert find_key_collision({other.id: first.keys[:1]}) == (first.id, other.id, first.keys[0])


async def test_rebound_key_acts_and_is_named_in_footer_help_and_prompt_while_the_default_does_nothing() -> None:
    settings = AppSettings({"label.go": ("G",), "label.split": ("f2", "b"), "any.leave": ("ctrl+x",), "label.undo": ()})
    app = VaetuiApp(ScriptedSession(), settings=settings)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        footer = footer_text(pilot)
        assert "0-9 class · F2 split · x unreadable · G train ·" in footer
        assert "Ctrl-X leave" in footer
        await pilot.press("g")
        assert "Unknown key. ? lists all keys" in prompt_text(app.screen)
        await pilot.press("q", "u")
        assert not app.is_leaving
        await pilot.press("b")
        assert "Split into" in prompt_text(app.screen)
        await pilot.press("escape", "G")
        assert "16 clusters have no answer." in prompt_text(app.screen)
        assert "G: train anyway · Esc: stay" in prompt_text(app.screen)
        await pilot.press("escape", "question_mark")
        await wait_for_screen(pilot, HelpScreen)
        await pilot.press("slash", *"split the cluster", "enter")
        await pilot.pause()
        rows = [line.split()[:3] for line in screen_text(app).splitlines()]
        assert ["F2", "b", "Split"] in rows
        await pilot.press("escape", "escape", "ctrl+x")
        assert app.is_leaving


async def test_keys_can_be_exchanged_and_taken_from_textual_itself() -> None:
    session = ScriptedSession()
    keys = {"label.unreadable": ("u",), "label.undo": ("x",), "label.members": ("shift+tab",), "label.previous": ("é",)}
    assert find_key_collision(keys) is None
    app = VaetuiApp(session, settings=AppSettings(keys))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("u")
        assert [path for path, _ in session.answer_log] == [(0,)]
        await pilot.press("x")
        assert "Undid" in prompt_text(app.screen)
        await pilot.press("shift+tab")
        await pilot.pause()
        assert "random members" in screen_text(app)
        assert app.screen.focused is None


async def test_comma_turns_the_pages_of_the_footer_through_all_keys() -> None:
    app = VaetuiApp(ScriptedSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        first_page, text = footer_text(pilot), ""
        assert first_page.endswith("q leave · , more · ? keys")
        for _ in range(20):
            text += footer_text(pilot)
            await pilot.press("comma")
            await pilot.pause()
            if footer_text(pilot) == first_page:
                break
        assert footer_text(pilot) == first_page
        shown = {binding.description for binding in SCREEN_KEYS["label"] if binding.show}
        assert all(f" {description} ·" in text for description in shown)
        await pilot.resize_terminal(200, 60)
        await pilot.pause()
        assert ", more · ? keys" in footer_text(pilot)


async def test_theme_of_the_terminal_uses_only_its_own_colours_outside_pictures() -> None:
    app = VaetuiApp(ScriptedSession(), theme="terminal-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        strips = app.screen._compositor.render_strips()
        for strip in (strips[0], *strips[-5:]):
            for segment in strip:
                style = segment.style
                colours = (style.color, style.bgcolor) if style else ()
                assert all(colour is None or colour.triplet is None for colour in colours), (segment.text, style)


@pytest.mark.parametrize(("theme", "name"), [("terminal-light", "ansi-light"), ("dark", "textual-dark")])
def test_theme_is_that_of_the_background(theme: str, name: str) -> None:
    assert VaetuiApp(ScriptedSession(), theme=theme).theme == name


def test_without_colours_the_theme_of_the_terminal_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert VaetuiApp(ScriptedSession(), theme="terminal-light").theme == "textual-light"


async def test_one_key_mode_is_kept_in_session_and_file_and_a_file_that_cannot_be_written_causes_a_notice() -> None:
    saved: list[bool] = []
    session = ScriptedSession()
    app = VaetuiApp(session, save_one_key_mode=saved.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.remember_one_key_mode(True)
        assert (saved, session.one_key_mode, app.settings.one_key_mode) == ([True], True, True)

    def refuse(is_on: bool) -> None:
        raise UserError("Cannot use config.toml (Read-only file system).")

    app = VaetuiApp(session, save_one_key_mode=refuse)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.remember_one_key_mode(False)
        await pilot.pause()
        assert session.one_key_mode is False
        assert "For this session only" in screen_text(app)
