"""The settings of the app that a config file, the environment and options choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vaetui.tui.keymap import KEY_BINDINGS, format_first_key


@dataclass(frozen=True, slots=True)
class AppSettings:
    """What the user has set, except for a single session."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys by binding id, as Textual names them, of those that differ from the defaults; () for no key."""
    theme: str = "auto"
    """"auto", "dark", "light", or "terminal" for the 16 colours of the terminal."""
    pictures: str = "auto"
    """The picture mode, or "auto"."""
    one_key_mode: bool | None = None
    """Whether new sessions start in one-key mode; None if the user has not chosen."""

    def format_key(self, binding_id: str) -> str:
        """Return the name of the first key of a binding, such as "g" for "label.go"."""
        return format_first_key(self.keys.get(binding_id, KEY_BINDINGS[binding_id].keys))
