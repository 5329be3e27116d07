"""Test the help screen: its sections, scrolling by keys, the search, and the keys that open and close it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.harness import screen_text, settle, wait_for_screen, wait_until
from tests.tui.scripted_session import ScriptedSession, create_labelled_epoch
from vaetui.session.views import Phase
from vaetui.tui.app import VaetuiApp
from vaetui.tui.key_bindings import format_key_list
from vaetui.tui.keymap import LABELLING_GLOSSARY, SCREEN_KEYS
from vaetui.tui.presenters.help_text import METHOD_SENTENCES
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.settings import AppSettings


def read_lines(pilot: Pilot[Any]) -> list[str]:
    """Return the lines on the screen without the scroll bar."""
    return [line.rstrip(" ▁▂▃▄▅▆▇█") for line in screen_text(pilot.app).splitlines()]


@asynccontextmanager
async def open_help(
    size: tuple[int, int] = (80, 24), key: str = "question_mark", settings: AppSettings | None = None
) -> AsyncIterator[Pilot[Any]]:
    """Open the help of the labelling screen."""
    app = VaetuiApp(ScriptedSession(), settings=settings or AppSettings())
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press(key)
        await wait_for_screen(pilot, HelpScreen)
        await wait_until(pilot, lambda: "Answer" in screen_text(app))
        yield pilot


def test_consecutive_digits_are_joined_to_a_range() -> None:
    assert format_key_list(list("0123456789")) == "0-9"
    assert format_key_list(["u"]) == "u"
    assert format_key_list(["←", "h"]) == "← h"
    assert format_key_list(["←", "↓", "↑", "→"]) == "←↓↑→"


@pytest.mark.parametrize(("size", "key"), [((80, 24), "question_mark"), ((120, 40), "f1"), ((200, 60), "f1")])
async def test_all_of_the_help_can_be_read_by_pages_and_fits_the_width(size: tuple[int, int], key: str) -> None:
    async with open_help(size, key) as pilot:
        pages = ["\n".join(read_lines(pilot))]
        for _ in range(8):
            await pilot.press("pagedown")
            await pilot.pause()
            pages.append("\n".join(read_lines(pilot)))
        text = " ".join(" ".join(pages).split())
        assert all(len(line) <= size[0] for page in pages for line in page.splitlines())
        for heading in ("Answer", "Move", "Look closer", "Change your mind", "Classes", "Everywhere", "How it works"):
            assert heading in text
        assert METHOD_SENTENCES[0].split()[-1] in text
        for term, _ in LABELLING_GLOSSARY:
            assert " ".join(term.split()) in text
        for binding in SCREEN_KEYS["label"]:
            assert all(word in text for word in binding.tooltip.split()), binding


async def test_keys_scroll_by_line_page_and_to_the_ends_and_the_footer_names_them() -> None:
    async with open_help() as pilot:
        top = read_lines(pilot)
        assert "↓↑ scroll · PgUp PgDn page · Home End first/last · / search · Esc q back" in top[-1]
        assert top[1].startswith("  Answer")

        async def press(key: str) -> list[str]:
            await pilot.press(key)
            await pilot.pause()
            return read_lines(pilot)

        second_line = top[2]
        assert (await press("down"))[1] == second_line
        assert (await press("k"))[1:4] == top[1:4]
        assert (await press("j"))[1] == second_line
        await press("up")
        end = await press("end")
        assert any(LABELLING_GLOSSARY[-1][0] in line for line in end)
        assert (await press("home"))[1:4] == top[1:4]
        assert (await press("pagedown"))[1] == top[-2]
        assert (await press("pageup"))[1:4] == top[1:4]


async def test_search_shows_only_lines_with_the_words_and_escape_shows_all_again() -> None:
    async with open_help() as pilot:
        await pilot.press("slash", *"undo")
        await pilot.pause()
        text = screen_text(pilot.app)
        assert "Undo the last answer" in text
        assert "Split the cluster" not in text
        assert "Search: undo" in text
        await pilot.press("enter")
        await pilot.pause()
        text = screen_text(pilot.app)
        assert 'lines with "undo"' in text.splitlines()[0]
        assert "Search:" not in text
        await pilot.press("slash", *" zzz")
        await pilot.pause()
        assert "No line contains these words." in screen_text(pilot.app)
        await pilot.press("escape")
        await pilot.pause()
        assert "Split the cluster" in screen_text(pilot.app)
        await pilot.press("slash", *"undo", "enter", "escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HelpScreen)
        await pilot.press("escape")
        await wait_for_screen(pilot, LabellingScreen)


@pytest.mark.parametrize("key", ["escape", "q", "question_mark", "f1"])
async def test_help_is_closed_by_the_keys_that_open_it_and_by_escape(key: str) -> None:
    async with open_help() as pilot:
        await pilot.press(key)
        await wait_for_screen(pilot, LabellingScreen)


async def test_rebound_keys_are_named_in_the_help_and_work_in_it() -> None:
    settings = AppSettings({"label.go": ("G",), "help.down": ("ctrl+e",), "any.help": ("f5",), "label.zoom": ()})
    async with open_help(key="f5", settings=settings) as pilot:
        second_line = read_lines(pilot)[2]
        await pilot.press("ctrl+e")
        await pilot.pause()
        assert read_lines(pilot)[1] == second_line
        await pilot.press("slash", *"end the round")
        await pilot.pause()
        rows = [line.split()[:3] for line in read_lines(pilot)]
        assert ["G", "End", "the"] in rows
        await pilot.press("escape", "slash", *"many members")
        await pilot.pause()
        assert "(no key)" in screen_text(pilot.app)


@pytest.mark.parametrize("phase", ["training", "labelling", "finished"])
async def test_every_phase_has_a_help(phase: Phase) -> None:
    session = ScriptedSession(phase, events=[])
    session.finished_epochs = [create_labelled_epoch(1)]
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 100)) as pilot:
        await wait_until(pilot, lambda: len(app.screen_stack) == 2 and not app.event_worker.is_busy)
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        texts = ("Everywhere", "Save and leave", "Ctrl-Z", "Suspend; fg in the shell continues", "Switch picture mode")
        for text in (*texts, "vaetui config", "How it works", "Terms"):
            assert text in screen_text(app)
