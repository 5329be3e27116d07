"""Keys at the pace of a person, in a scripted terminal; it does not know what they mean."""

from __future__ import annotations

import time

from tests.terminal import ScriptedTerminal


def press(terminal: ScriptedTerminal, keys: str) -> None:
    """Type as fast as a person can: 80 ms a key."""
    for key in keys:
        terminal.type(key.encode())
        go_on(terminal, 0.080)


def go_on(terminal: ScriptedTerminal, seconds: float) -> None:
    """Let a while pass: what is waited for is that nothing happens."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        terminal._turn(0.01)
