"""Helpers that build the tables of key bindings and glossaries."""

from __future__ import annotations

import string
from typing import TypeAlias

from vaetui.tui.key_bindings import KeyBinding

Glossary: TypeAlias = tuple[tuple[str, str], ...]
"""Terms on a screen and their meanings, as the help lists them."""


def create_binding(
    group: str,
    name: str,
    keys: str,
    description: str,
    tooltip: str = "",
    *,
    key_name: str | None = None,
    show: bool = False,
    key_display: str | None = None,
    section: str = "",
) -> KeyBinding:
    """Return a binding to `press(key_name or name)`; `description` appears in the footer, `tooltip` in the help."""
    action, binding_id = f"press('{key_name or name}')", f"{group}.{name}"
    return KeyBinding(binding_id, keys, action, description, tooltip, show, key_display, section)


def create_digit_bindings(group: str, tooltip: str, *, show: bool = False, section: str = "") -> list[KeyBinding]:
    """Return bindings of the ten digits to classes, which share an entry in the footer."""
    return [
        create_binding(group, f"class.{key}", key, "class", tooltip, key_name=key, show=show, section=section)
        for key in string.digits
    ]


def create_list_moves(group: str, item: str, first: str, last: str) -> list[KeyBinding]:
    """Return bindings that move the selection in a list of items; `first` and `last` say where its ends are."""
    return [
        create_binding(group, "up", "up,k", "move", f"Select the {item} above", show=True),
        create_binding(group, "down", "down,j", "move", f"Select the {item} below", show=True),
        create_binding(group, "page_up", "pageup", "jump", "Go up by a page", show=True),
        create_binding(group, "page_down", "pagedown", "jump", "Go down by a page", show=True),
        create_binding(group, "first", "home", "jump", f"Go to {first}", show=True),
        create_binding(group, "last", "end", "jump", f"Go to {last}", show=True),
    ]
