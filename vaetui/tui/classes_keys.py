"""The keys of the screen of classes, by names that a keymap can override; what they do it does not know."""

from __future__ import annotations

from functools import partial

from textual.binding import BindingType

from vaetui.tui.keymap import bind_key

_bind_classes_key = partial(bind_key, "classes")
CLASSES_KEYS: list[BindingType] = [
    _bind_classes_key("add", "a", "add", "add", "Add a class, which can be named at once", show=True),
    _bind_classes_key("rename", "r", "rename", "rename", "Give the marked class another name", show=True),
    _bind_classes_key(
        "merge",
        "m",
        "merge",
        "merge",
        "Let the marked class count as another, in all rounds and from now on",
        show=True,
    ),
    _bind_classes_key("undo", "u", "undo", "undo", "Take back the last act of the round, an answer too", show=True),
    _bind_classes_key("redo", "U", "redo", "redo", "Bring back what was undone"),
    _bind_classes_key("up", "up,k", "up", "up", "Go up"),
    _bind_classes_key("down", "down,j", "down", "down", "Go down"),
    _bind_classes_key("close", "escape", "close", "back", "Go back to the centres", show=True),
]
CLASSES_CONFIRMED_KEYS = frozenset(f"classes.{name}" for name in ("add", "rename", "merge", "undo", "redo", "close"))
"""Bindings that must be meant, so the guard looks at them: they change what is known, or lead elsewhere."""
CLASSES_GLOSSARY = (
    ("class", "its number, which never changes"),
    ("answers", "how often it was named in the session so far, those named that were merged into it too"),
    ("digit", "the key that names it while labelling; / names any"),
)
"""What the figures of the screen mean."""
