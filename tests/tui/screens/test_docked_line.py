"""Test the docked line of a screen: it receives all keys and pasted text, and covers only the bottom rows."""

from __future__ import annotations

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot

from tests.tui.harness import SIZES, focused_path, open_labelling, prompt_text, screen_text
from tests.tui.scripted_session import ScriptedSession
from vaetui.tui.presenters.line_dialogue import Choice, LineDialogue
from vaetui.tui.screens.vaetui_screen import PASTE_NOTICE
from vaetui.tui.widgets.framed_image import FramedImage
from vaetui.tui.widgets.line_panel import LinePanel
from vaetui.tui.widgets.member_grid import MemberGrid

NAMES = [f"kind {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]


def create_dialogue(chosen: list[object]) -> LineDialogue:
    choices = [Choice(name, name, f"class {index}") for index, name in enumerate(NAMES)]
    return LineDialogue("Class?", choices, on_choice=chosen.append, help_text="type its name")


def send_burst(pilot: Pilot[None], *keys: str) -> None:
    """Queue keys without any time between them."""
    for key in keys:
        pilot.app.post_message(Key(key, key if len(key) == 1 else None))


def panel_rows(pilot: Pilot[None]) -> list[str]:
    return [row.rstrip() for row in pilot.app.screen.query_one(LinePanel).text.split("\n")]


@pytest.mark.parametrize("size", [*SIZES, (100, 30), (200, 60), (60, 18)])
async def test_line_covers_neither_the_focused_picture_nor_the_members(size: tuple[int, int]) -> None:
    async with open_labelling(ScriptedSession(), size) as (pilot, screen):
        text_before = screen_text(pilot.app)
        screen.open_line(create_dialogue([]))
        await pilot.pause()
        panel = screen.query_one(LinePanel)
        assert panel.region.bottom == size[1]
        assert panel.region.width == size[0]
        for picture in (FramedImage, MemberGrid):
            assert not panel.region.overlaps(screen.query_one(picture).region) or size == (60, 18)
        rows = screen_text(pilot.app).splitlines()
        assert rows[size[1] - 2].startswith(" Class? _  type its name")
        index = panel.region.height - 3  # of the last choice in the first column
        assert rows[size[1] - 3].split()[:2] == ["kind", NAMES[index][-1]]
        assert rows[size[1] - 1].split("   ")[0] == " ↑↓: mark · Esc: cancel"
        assert rows[size[1] - 1].endswith("26 of 26")
        screen.close_line()
        await pilot.pause()
        assert screen_text(pilot.app) == text_before


async def test_choices_that_do_not_fit_below_each_other_have_columns_and_pages() -> None:
    choices = [Choice(name, name) for name in NAMES]
    chosen: list[object] = []
    async with open_labelling(ScriptedSession()) as (pilot, screen):
        screen.open_line(LineDialogue("Class?", choices, on_choice=chosen.append))
        await pilot.pause()
        rows = [row.replace("kind", "").split() for row in panel_rows(pilot)[:3]]
        assert rows == [[*"adgjmps"], [*"behknqt"], [*"cfiloru"]]
        await pilot.press(*["down"] * 23)
        assert [row.split() for row in panel_rows(pilot)[:3]] == [
            ["kind", "v", "kind", "y"],
            ["›", "kind", "w", "kind", "z"],
            ["kind", "x"],
        ]
        await pilot.press("up", "up", "enter")
        assert chosen == ["kind u"]


async def test_long_details_are_left_out_where_that_shows_more_choices() -> None:
    choices = [Choice(name, name, "said by the classifier of most images" * (name == "kind b")) for name in NAMES]
    async with open_labelling(ScriptedSession()) as (pilot, screen):
        screen.open_line(LineDialogue("Class?", choices, on_choice=print))
        await pilot.pause()
        assert [len(row.split("kind")) - 1 for row in panel_rows(pilot)[:3]] == [7, 7, 7]
        await pilot.press("b")
        assert "said by the classifier" in panel_rows(pilot)[2]


async def test_burst_of_keys_goes_to_the_line_and_nothing_else() -> None:
    session, chosen = ScriptedSession(), list[object]()
    async with open_labelling(session) as (pilot, screen):
        screen.open_line(create_dialogue(chosen))
        send_burst(pilot, *"kind 2xq?", *["backspace"] * 4, "t", "enter")
        await pilot.pause()
        assert chosen == ["kind t"]
        assert not screen.is_line_open
        assert session.answer_log == []
        assert focused_path(screen) == (0,)
        assert pilot.app.screen is screen


async def test_pasted_text_filters_and_elsewhere_it_is_refused_with_a_notice() -> None:
    session, chosen = ScriptedSession(), list[object]()
    async with open_labelling(session) as (pilot, screen):
        pilot.app.post_message(Paste("9\r"))
        await pilot.pause()
        assert PASTE_NOTICE in prompt_text(screen)
        screen.open_line(create_dialogue(chosen))
        pilot.app.post_message(Paste("kind q\n"))
        await pilot.pause()
        assert panel_rows(pilot)[-2] == " Class? kind q_"
        assert panel_rows(pilot)[-3] == " › kind q  class 16"
        assert (session.answer_log, chosen) == ([], [])
        await pilot.press("enter")
        assert chosen == ["kind q"]


async def test_callback_may_open_another_line() -> None:
    async with open_labelling(ScriptedSession()) as (pilot, screen):
        names: list[object] = []
        first = LineDialogue(
            "Command?", [Choice("merge", 1)], on_choice=lambda _: screen.open_line(create_dialogue(names))
        )
        screen.open_line(first)
        await pilot.press("m", "enter", *"kind z", "enter")
        assert names == ["kind z"]


async def test_panel_follows_a_change_of_the_size() -> None:
    async with open_labelling(ScriptedSession(), (120, 40)) as (pilot, screen):
        screen.open_line(create_dialogue([]))
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert screen.query_one(LinePanel).region.bottom == 24
        assert screen.query_one(LinePanel).region.height == 5


async def test_long_names_and_texts_are_cut_to_the_width() -> None:
    name = "a name that differs only at its end, as file names do, and is far longer than the terminal 17"
    async with open_labelling(ScriptedSession()) as (pilot, screen):
        screen.open_line(LineDialogue("Class?", [Choice(name, 0, "a detail " * 9)], on_choice=print, text="x" * 100))
        await pilot.press(*"yz")
        assert panel_rows(pilot)[-2].endswith("xyz_")
        assert max(map(len, panel_rows(pilot))) <= 80
        await pilot.press("ctrl+u")
        assert "17" in panel_rows(pilot)[-3]
        assert max(map(len, panel_rows(pilot))) <= 80


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_hint_leaves_out_keys_that_do_not_fit_beside_it(width: int) -> None:
    hint = "Directory /somewhere/else does not exist. Create it first."
    async with open_labelling(ScriptedSession(), (width, 24)) as (pilot, screen):
        screen.open_line(LineDialogue("Path:", on_choice=print, accepts_text=True, check=lambda _: hint))
        await pilot.press("x", "enter")
        row = screen.query_one(LinePanel).text.split("\n")[-1].rstrip()
        keys = {60: "", 80: "   Esc: cancel", 120: "   Enter: confirm · Esc: cancel"}
        assert row == f" ! {hint}{keys[width]}"
