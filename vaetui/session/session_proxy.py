"""A session that passes everything on to another one, which may be replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaetui.session.session import Session
    from vaetui.session.views import SessionAccess

    _Interface = Session
else:
    _Interface = object


class SessionProxy(_Interface):
    """Has every attribute and method of a `Session`, those of its target; subclasses override some of them."""

    def __init__(self, target: Session) -> None:
        """Pass everything on to `target`."""
        self._target = target

    @property
    def access(self) -> SessionAccess:
        """What may be done with the session here now."""
        return "full"

    def describe_run(self) -> str:
        """Return which processes go on training when the session is closed here, as a sentence, or ""."""
        return ""

    @property
    def resume_options(self) -> str:
        """The options with which `vaetui resume` continues as here."""
        return ""

    if not TYPE_CHECKING:  # type checkers use the interface of Session

        def __getattr__(self, name: str) -> Any:
            """Return the attribute of the target."""
            return getattr(self._target, name)
