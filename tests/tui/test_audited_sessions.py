"""Test the audit with real sessions: checks are stored, learned and undone, and survive SIGKILL."""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import closing

import pytest

from tests.session_templates import SessionTemplates
from tests.terminal import ScriptedTerminal
from tests.tui.harness import (
    header_text,
    press_slowly,
    prompt_text,
    screen_text,
    settle,
    wait_for_screen,
    wait_until,
)
from tests.tui.terminal_keys import type_keys
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.session import lifecycle
from vaetui.session.audit_views import AuditItemView
from vaetui.session.image_answers import load_image_labels
from vaetui.session.session import Session
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens import audit
from vaetui.tui.screens.audit import MIN_LOOK_S, AuditScreen
from vaetui.tui.screens.audit_result import AuditResultScreen
from vaetui.tui.screens.summary import SummaryScreen

pytestmark = pytest.mark.usefixtures("home")
TIMEOUT_S = 120


def list_items(session: Session) -> tuple[AuditItemView, ...]:
    view = session.audits.view
    assert view is not None
    return view.items


def accept_pages_but_one(session: Session) -> None:
    """Answer all images of the open audit but those of the last page."""
    while (view := session.audits.view) is not None and view.page_number < view.page_count:
        class_ids = [item.shown_class_id or 0 for item in view.items]
        session.audits.record(
            [(item.position, ClassAnswer(class_id)) for item, class_id in zip(view.items, class_ids, strict=True)]
        )


async def test_audit_of_a_finished_run_is_stored_shown_learned_and_undone(
    templates: SessionTemplates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MIN_LOOK_S", 0.0)
    templates.copy("finished", "real")
    session = lifecycle.resume("real")
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(
            pilot, lambda: isinstance(app.screen, SummaryScreen) and not app.event_worker.is_busy, TIMEOUT_S
        )
        await pilot.press("v")
        await wait_for_screen(pilot, AuditScreen)
        await wait_until(pilot, lambda: isinstance(app.screen, AuditScreen) and app.screen.is_line_open)
        await pilot.press("q")
        screen = app.screen
        assert isinstance(screen, AuditScreen)
        await wait_until(pilot, lambda: screen.presenter is not None and not screen.awaits_paint, TIMEOUT_S)
        await press_slowly(pilot, "3")
        await wait_until(pilot, lambda: "image 2 of" in header_text(app) and not screen.awaits_paint)
        await press_slowly(pilot, "x", "escape")
        await wait_for_screen(pilot, SummaryScreen)
        accept_pages_but_one(session)
        await pilot.press("v")
        await wait_for_screen(pilot, AuditScreen)
        audit_screen = app.screen
        assert isinstance(audit_screen, AuditScreen)
        await wait_until(pilot, lambda: audit_screen.presenter is not None and not audit_screen.awaits_paint, TIMEOUT_S)
        while app.screen is audit_screen:
            await pilot.press("enter")
            await wait_until(pilot, lambda: app.screen is not audit_screen or not audit_screen.awaits_paint)
        await wait_for_screen(pilot, AuditResultScreen)
        (result,) = session.audits.results
        assert result.unreadable == 1
        assert f"{100 * result.estimate:.1f} % of the labels are right" in screen_text(app)
        await press_slowly(pilot, "l", "y")
        assert "They are learned in the next training" in prompt_text(app.screen)
        assert "The labels have changed since." in screen_text(app)
        await press_slowly(pilot, "escape")
        await settle(pilot)
        labels = load_image_labels(session._repository, session._store)
        assert len(labels.image_indices) > 30
        assert set(labels.origins) == {"audit"}
        session.undo()
        assert not len(load_image_labels(session._repository, session._store).image_indices)
    session.close()


def start_audit(name: str, *arguments: str) -> ScriptedTerminal:
    """Open an audit in a terminal, and wait for its first image or page."""
    terminal = ScriptedTerminal(["-m", "vaetui", "audit", name, *arguments, "--pictures", "half"])
    terminal.wait_for_pattern(r"quick audit +(image \d+ of|page \d+ of)")
    terminal.wait_until_quiet()
    return terminal


def kill(terminal: ScriptedTerminal) -> None:
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.close()


def type_when_shown(terminal: ScriptedTerminal, keys: str, text: str) -> None:
    """Type keys as soon as the page may be accepted, and wait for a text."""
    time.sleep(2 * MIN_LOOK_S)
    type_keys(terminal, keys)
    terminal.wait_for_text(text)


@pytest.mark.slow
def test_checks_of_single_images_and_pages_survive_sigkill(templates: SessionTemplates) -> None:
    directory = templates.copy("finished", "killed")
    terminal = start_audit("killed", "--plan", "quick")
    for image, key in enumerate("35x90", start=1):
        type_keys(terminal, key)
        terminal.wait_for_text(f"image {image + 1} of 30")
        terminal.wait_until_quiet(0.1)
    kill(terminal)

    with closing(lifecycle.resume_at(directory)) as session:
        (item,) = list_items(session)
        assert item.position == 5
        view = session.audits.view
        assert view is not None
        assert (view.plan, view.keys) == ("quick", 5)

    terminal = start_audit("killed")  # it goes on without a question
    match = terminal.wait_for_pattern(r"image (\d+) of 30")
    assert match[1] == "6"
    for image in range(6, 31):
        type_keys(terminal, "1")
        terminal.wait_for_text(f"image {image + 1} of 30" if image < 30 else "page 1 of")
        terminal.wait_until_quiet(0.1)
    type_when_shown(terminal, "\r", "images 9-16 of")
    terminal.wait_until_quiet()
    type_when_shown(terminal, "x", "– unreadable")
    kill(terminal)

    with closing(lifecycle.resume_at(directory)) as session:
        items = list_items(session)
        accepted = [isinstance(item.check, ClassAnswer) for item in items[:8]]
        assert all(accepted)
        assert [item.check for item in items[8:]] == [Unreadable(), *[None] * (len(items) - 9)]

    terminal = start_audit("killed")
    terminal.wait_for_text("images 9-16 of")
    terminal.wait_for_text("– unreadable")
    terminal.send(b"q")
    assert terminal.close() == 0
    assert re.search(rb"The audit is not finished. Go on with: vaetui audit killed", terminal.output)


@pytest.mark.slow
def test_keys_typed_before_the_first_image_judge_nothing(templates: SessionTemplates) -> None:
    directory = templates.copy("finished", "early")
    terminal = ScriptedTerminal(["-m", "vaetui", "audit", "early", "--plan", "quick", "--pictures", "half"])
    while "image 1 of 30" not in terminal.text():
        type_keys(terminal, "7")
    terminal.wait_until_quiet()
    kill(terminal)
    with closing(lifecycle.resume_at(directory)) as session:
        view = session.audits.view
        assert view is not None
        assert view.keys <= 1, "the last key may have come after the first image"
