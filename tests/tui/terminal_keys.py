"""Type in a scripted terminal at the pace of a person."""

from __future__ import annotations

import time

from tests.terminal import ScriptedTerminal


def type_keys(terminal: ScriptedTerminal, keys: str) -> None:
    """Type as fast as a person can: 80 ms a key."""
    for key in keys:
        terminal.send(key.encode())
        process_for(terminal, 0.080)


def process_for(terminal: ScriptedTerminal, seconds: float) -> None:
    """Process output for a while, to observe that nothing happens."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        terminal.process(0.01)
