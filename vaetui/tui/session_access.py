"""The keys that are refused while another process trains a session, and why."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaetui.session.views import SessionAccess  # loads NumPy

_PAUSE_KEYS = frozenset({"training.pause", "training.read"})
REFUSED_BINDING_IDS: dict[SessionAccess, frozenset[str]] = {
    "full": frozenset(),
    "attached": _PAUSE_KEYS,
    "watched": _PAUSE_KEYS | {"summary.more", "summary.audit", "summary.review", "summary.read", "summary.history"},
}
"""The bindings that would change a session which another process has open."""
ATTACHED_REFUSAL = "Other processes train this session: it can be changed when a round is ready"


def describe_refusal(access: SessionAccess, session_name: str) -> str:
    """Return why a key is refused, as one sentence."""
    if access == "attached":
        return ATTACHED_REFUSAL
    return f"Only watched: to change this session, leave and type: vaetui resume {shlex.quote(session_name)}"
