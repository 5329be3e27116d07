"""Waiting for something to become true on a screen; it does not know what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot


async def until(pilot: Pilot[Any], true: Callable[[], object], seconds: float = 10) -> None:
    """Let the app go on until that is true; the test fails after so many seconds."""
    async with asyncio.timeout(seconds):
        while not true():
            await pilot.pause(0.01)
    await pilot.pause()
