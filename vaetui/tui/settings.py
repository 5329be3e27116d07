"""The settings of the app that a config file, the environment and options choose, and the check of its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vaetui.tui.keymap import KEY_BINDINGS, SCREEN_KEYS, format_first_key

LEAVING_KEYS = ("ctrl+c", "ctrl+q")
"""Keys that leave from every screen and cannot be bound."""


@dataclass(frozen=True, slots=True)
class AppSettings:
    """What the user has set, except for a single session."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys by binding id, as Textual names them, of those that the user has bound; () for no key."""
    theme: str = "auto"
    """One of `display_choices.THEME_CHOICES`."""
    pictures: str = "auto"
    """One of `display_choices.PICTURE_CHOICES`."""
    one_key_mode: bool | None = None
    """Whether new sessions start in one-key mode; None if the user has not chosen."""

    def format_key(self, binding_id: str) -> str:
        """Return the name of the first key of a binding, such as "g" for "label.go"."""
        return format_first_key(get_keys(self.keys, binding_id))


def get_keys(bound_keys: Mapping[str, tuple[str, ...]], binding_id: str) -> tuple[str, ...]:
    """Return the keys of a binding: those that the user has bound, else the defaults."""
    return bound_keys.get(binding_id, KEY_BINDINGS[binding_id].keys)


def find_key_collision(bound_keys: Mapping[str, tuple[str, ...]]) -> tuple[str, str, str] | None:
    """Return two bindings that work on one screen with the same key, and the key; None if there are none.

    Where a screen by default uses a key of all screens for itself, such as q in the help, it may go on doing so.
    """
    for bindings in SCREEN_KEYS.values():
        binding_ids = list(dict.fromkeys([*(binding.id for binding in bindings), *_ALL_SCREENS_IDS]))
        default_pairs = {(id_, key) for id_, _, key in _find_shared_keys(binding_ids, {})}
        for first_id, second_id, key in _find_shared_keys(binding_ids, bound_keys):
            if (first_id, key) not in default_pairs:
                return first_id, second_id, key
    return None


_ALL_SCREENS_IDS = tuple(binding.id for binding in SCREEN_KEYS["any"])


def _find_shared_keys(binding_ids: list[str], bound_keys: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str, str]]:
    """Return each binding whose key another one has already, with that one and the key."""
    first_ids: dict[str, str] = {}
    shared_keys = []
    for binding_id in binding_ids:
        for key in get_keys(bound_keys, binding_id):
            first_id = first_ids.setdefault(key, binding_id)
            if first_id != binding_id:
                shared_keys.append((first_id, binding_id, key))
    return shared_keys
