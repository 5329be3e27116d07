"""Convert between the tables of keys and bindings of Textual."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.binding import ActiveBinding, Binding, BindingType

from vaetui.tui.key_bindings import KeyBinding, format_key_name
from vaetui.tui.keymap import GROUP_TITLES, KEY_BINDINGS
from vaetui.tui.presenters.screen_commands import ScreenCommand

NO_KEY_PREFIX = "unbound."
"""Start of the names of keys that no keyboard has; they stand for the keys of commands without one."""

IDS_WITH_HELP = frozenset({"any.help", "any.command", "any.pictures"})
"""Commands of all screens except the help and others without help of their own."""


def build_bindings(key_bindings: Iterable[KeyBinding]) -> list[BindingType]:
    """Return the bindings of a screen for its `BINDINGS`."""
    return [
        Binding(
            binding.key,
            binding.action,
            binding.description,
            binding.show,
            binding.key_display,
            tooltip=binding.tooltip,
            id=binding.id,
        )
        for binding in key_bindings
    ]


def list_commands(active_bindings: Iterable[ActiveBinding], has_help: bool = True) -> list[ScreenCommand]:
    """Return the commands of a screen in the order of the tables, those of all screens last.

    Keys of Textual itself and the characters of text fields, which have no entry in the tables, are left out, and on a
    screen without help the commands that need it or pictures.
    """
    keys: dict[str, list[str]] = {}
    for _, binding, is_enabled, _ in active_bindings:
        binding_id = binding.id or ""
        if is_enabled and binding_id in KEY_BINDINGS and (has_help or binding_id not in IDS_WITH_HELP):
            keys.setdefault(binding_id, []).append(binding.key)
    return [
        ScreenCommand(
            binding.id,
            _format_keys(keys[binding.id], binding.keys),
            binding.description,
            binding.tooltip,
            binding.section or GROUP_TITLES[binding.id.partition(".")[0]],
            binding.show,
        )
        for binding in KEY_BINDINGS.values()
        if binding.id in keys
    ]


def _format_keys(keys: Iterable[str], default_keys: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the keys in the order of the table; Textual lists some of them in another one."""
    order = {key: index for index, key in enumerate(default_keys)}
    sorted_keys = sorted(keys, key=lambda key: order.get(key, len(order)))
    return tuple(format_key_name(key) for key in sorted_keys if not key.startswith(NO_KEY_PREFIX))
