"""The keys that are refused while another process trains a session, and why."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from vaetui.tui.presenters.screen_commands import LEAVE_ID, ScreenCommand

if TYPE_CHECKING:
    from vaetui.session.views import SessionAccess  # loads NumPy

_PAUSE_KEYS = frozenset({"training.pause", "training.read"})
REFUSED_BINDING_IDS: dict[SessionAccess, frozenset[str]] = {
    "full": frozenset(),
    "attached": _PAUSE_KEYS,
    "watched": _PAUSE_KEYS | {"summary.more", "summary.audit", "summary.review", "summary.read", "summary.history"},
}
"""The bindings that would change a session which another process has open."""
LEAVE_TOOLTIPS: dict[SessionAccess, str] = {
    "attached": "Leave; everything is saved",
    "watched": "Leave; the session is not changed",
}
"""The effect of leaving, where nothing is saved by this process."""
ATTACHED_REFUSAL = "Other processes train this session: it can be changed when a round is ready"


def describe_refusal(access: SessionAccess, session_name: str) -> str:
    """Return why a key is refused, as one sentence."""
    if access == "attached":
        return ATTACHED_REFUSAL
    return f"Only watched: to change this session, leave and type: vaetui resume {shlex.quote(session_name)}"


def describe_leaving(commands: Iterable[ScreenCommand], access: SessionAccess) -> list[ScreenCommand]:
    """Return the commands with the effect that leaving has."""
    return [
        replace(command, tooltip=LEAVE_TOOLTIPS.get(access, command.tooltip)) if command.id == LEAVE_ID else command
        for command in commands
    ]
