"""The keys of the reading test, by names that a keymap can override; what they do it does not know."""

from __future__ import annotations

from textual.binding import Binding, BindingType


def _key(name: str, keys: str, press: str, words: str, help: str, *, show: bool = False) -> Binding:
    return Binding(keys, f"press('{press}')", words, show=show, id=f"reading.{name}", tooltip=help)


DIGITS = [_key(f"class.{digit}", str(digit), str(digit), "class", "Say what you read") for digit in range(10)]
KEYS: list[BindingType] = [
    *DIGITS,
    _key("choose", "slash", "choose", "by name", "Name the class by its letters"),
    _key("unreadable", "x", "unreadable", "unreadable", "Nothing can be read, which counts as wrong", show=True),
    _key("back", "u,backspace", "back", "one back", "Forget what was read last, and read it again", show=True),
    _key("close", "escape", "close", "close", "Close the test; next time it goes on from here", show=True),
    _key("again", "r", "again", "begin anew", "Begin anew, after the last picture"),
]
WEIGHTY = frozenset(
    [f"reading.class.{digit}" for digit in range(10)]
    + [f"reading.{name}" for name in ("choose", "unreadable", "back", "close", "again")]
)
"""Bindings that must be meant, so the guard looks at them: they change what is read, or leave the screen."""
FIGURES = (
    ("pictures", "what the network remembers of the held-out images, at the end of the epoch"),
    ("·3  –", "read as a 3; unreadable"),
    ("17 / 128", "pictures read so far, and all of them"),
    ("read right", "share of all pictures read as what they are, told after the last; unreadable is wrong"),
)
"""What the figures of the screen mean."""
