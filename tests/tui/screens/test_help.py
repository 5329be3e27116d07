"""Test the help: how keys are grouped and joined, and that every screen's help fits."""

from __future__ import annotations

import pytest
from textual.binding import ActiveBinding, Binding

from tests.tui.harness import SIZES, screen_text, wait_for_screen, wait_until
from tests.tui.scripted_session import ScriptedSession, create_labelled_epoch
from vaetui.session.views import Phase
from vaetui.tui.app import VaetuiApp
from vaetui.tui.key_bindings import format_key_list
from vaetui.tui.keymap import APP_KEYS, LABELLING_GLOSSARY, LABELLING_KEYS, create_binding
from vaetui.tui.screens.help import HelpScreen, group_bindings
from vaetui.tui.textual_bindings import build_bindings

pytestmark = pytest.mark.usefixtures("fast_keys")


def test_consecutive_digits_are_joined_to_a_range() -> None:
    assert format_key_list(list("0123456789")) == "0-9"
    assert format_key_list(["u"]) == "u"
    assert format_key_list(["left", "h"]) == "left h"


def test_bindings_are_grouped_by_their_ids_and_those_of_the_app_come_last() -> None:
    bindings = [
        *build_bindings(APP_KEYS[:1]),
        *(build_bindings([create_binding("label", "left", key, "left", "Move left")])[0] for key in ("left", "h")),
        Binding("f1", "help", "help", system=True, id="label.system"),
    ]
    active_bindings = [
        ActiveBinding(None, binding, True, binding.tooltip)  # type: ignore[arg-type]
        for binding in bindings
        if isinstance(binding, Binding)
    ]
    assert group_bindings(active_bindings, lambda binding: binding.key) == [
        ("labelling", [("left h", "Move left")]),
        ("Everywhere", [("q", "Save and leave")]),
    ]


@pytest.mark.parametrize("size", SIZES)
async def test_help_of_the_labelling_screen_can_be_scrolled_to_its_end(size: tuple[int, int]) -> None:
    app = VaetuiApp(ScriptedSession())
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: len(app.screen_stack) == 2 and not app.event_worker.is_busy)
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        text = screen_text(app)
        await pilot.press("end")
        await wait_until(pilot, lambda: LABELLING_GLOSSARY[-1][1] in screen_text(app))
        text += screen_text(app)
        assert all(len(line) <= size[0] for line in text.splitlines())
        first_binding = LABELLING_KEYS[0]
        assert first_binding.tooltip.split(";")[0] in text


@pytest.mark.parametrize("phase", ["training", "labelling", "finished"])
async def test_every_phase_has_a_help(phase: Phase) -> None:
    session = ScriptedSession(phase, events=[])
    session.finished_epochs = [create_labelled_epoch(1)]
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 60)) as pilot:
        await wait_until(pilot, lambda: len(app.screen_stack) == 2 and not app.event_worker.is_busy)
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        for text in (
            "Everywhere",
            "Save and leave",
            "Ctrl-Z",
            "Suspend; fg in the shell continues",
            "Switch picture mode",
            "terms",
        ):
            assert text in screen_text(app)
