"""Helpers that open screens, wait for conditions, and read and compare the text on screens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClusterPath
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.widgets.prompt import Prompt

ScreenT = TypeVar("ScreenT", bound=Screen[Any])
SNAPSHOTS = Path(__file__).parent / "snapshots"
SIZES = [(80, 24), (120, 40)]
"""Columns and rows at which screens are compared with snapshots."""


async def wait_until(pilot: Pilot[Any], condition: Callable[[], object], timeout_s: float = 60) -> None:
    """Run the app until the condition is true; raise TimeoutError if it does not become true in time."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await pilot.pause(0.01)
    await pilot.pause()


async def wait_for_screen(pilot: Pilot[Any], screen_type: type[object]) -> None:
    """Run the app until a screen of this type is on top."""
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, screen_type))


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until the workers have ended and their messages are handled."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def press_slowly(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys and let the app handle each one, as some of them open or close a screen."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


@asynccontextmanager
async def open_labelling(
    session: ScriptedSession, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], LabellingScreen]]:
    """Run the app with a session in the labelling phase, and wait until its images are loaded."""
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, LabellingScreen)
        yield pilot, screen


@asynccontextmanager
async def open_over_labelling(
    session: ScriptedSession, key: str, screen_type: type[ScreenT], size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], ScreenT]]:
    """Open a screen by its key over the labelling screen, and wait until it has loaded."""
    async with open_labelling(session, size) as (pilot, _):
        await pilot.press(key)
        await wait_for_screen(pilot, screen_type)
        await settle(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, screen_type)
        yield pilot, screen


def focused_path(screen: LabellingScreen) -> ClusterPath:
    return screen.presenter.focused_cluster.path


def prompt_text(screen: Screen[Any]) -> str:
    return screen.query_one(Prompt).text


def screen_text(app: App[Any]) -> str:
    """Return the lines on the screen, without trailing blanks."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips()) + "\n"


def header_text(app: App[Any]) -> str:
    return screen_text(app).splitlines()[0]


def assert_snapshot(app: App[Any], name: str) -> None:
    """Compare the screen with snapshots/NAME.txt; VAETUI_SNAPSHOTS=update in the environment writes that file."""
    path, text = SNAPSHOTS / f"{name}.txt", screen_text(app)
    if os.environ.get("VAETUI_SNAPSHOTS") == "update":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{name} differs; VAETUI_SNAPSHOTS=update accepts the new screen"
