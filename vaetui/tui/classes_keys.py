"""The keys of the screen of classes, by names that a keymap can override; what they do it does not know."""

from __future__ import annotations

from textual.binding import Binding, BindingType


def _key(name: str, keys: str, words: str, help: str, *, show: bool = False) -> Binding:
    return Binding(keys, f"press('{name}')", words, show=show, id=f"classes.{name}", tooltip=help)


KEYS: list[BindingType] = [
    _key("add", "a", "add", "Add a class, which can be named at once", show=True),
    _key("rename", "r", "rename", "Give the marked class another name", show=True),
    _key("merge", "m", "merge", "Let the marked class count as another, in all rounds and from now on", show=True),
    _key("undo", "u", "undo", "Take back the last act of the round, an answer too", show=True),
    _key("redo", "U", "redo", "Bring back what was undone"),
    _key("up", "up,k", "up", "Go up"),
    _key("down", "down,j", "down", "Go down"),
    _key("close", "escape", "back", "Go back to the centres", show=True),
]
WEIGHTY = frozenset(f"classes.{name}" for name in ("add", "rename", "merge", "undo", "redo", "close"))
"""Bindings that must be meant, so the guard looks at them: they change what is known, or lead elsewhere."""
FIGURES = (
    ("class", "its number, which never changes"),
    ("answers", "how often it was named in the session so far, those named that were merged into it too"),
    ("digit", "the key that names it while labelling; / names any"),
)
"""What the figures of the screen mean."""
