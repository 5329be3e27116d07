"""A labelling screen under test: how it is opened, waited for and read; it does not know what is tested."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.tui.scripted import ScriptedSession
from vaetui.engine.answers import ClusterPath
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.widgets.prompt import Prompt


async def settled(pilot: Pilot[None]) -> None:
    """Wait until the worker is done and what it reported is on the screen."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


@asynccontextmanager
async def labelling(
    session: ScriptedSession, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], LabellingScreen]]:
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, LabellingScreen)
        yield pilot, screen


def focus(screen: LabellingScreen) -> ClusterPath:
    return screen.presenter.focused_cluster.path


def prompt(screen: LabellingScreen) -> str:
    return screen.query_one(Prompt).text
