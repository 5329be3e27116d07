"""Make bindings of Textual out of the tables of keys."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from vaetui.tui.key_bindings import KeyBinding


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
