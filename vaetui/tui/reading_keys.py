"""The keys of the reading test, by names that a keymap can override; what they do it does not know."""

from __future__ import annotations

from functools import partial

from textual.binding import BindingType

from vaetui.tui.keymap import bind_digits, bind_key

_bind_reading_test_key = partial(bind_key, "reading")
READING_TEST_KEYS: list[BindingType] = [
    *bind_digits("reading", "Say what you read"),
    _bind_reading_test_key("choose", "slash", "choose", "by name", "Name the class by its letters"),
    _bind_reading_test_key(
        "unreadable", "x", "unreadable", "unreadable", "Nothing can be read, which counts as wrong", show=True
    ),
    _bind_reading_test_key(
        "back", "u,backspace", "back", "one back", "Forget what was read last, and read it again", show=True
    ),
    _bind_reading_test_key(
        "close", "escape", "close", "close", "Close the test; next time it goes on from here", show=True
    ),
    _bind_reading_test_key("again", "r", "again", "begin anew", "Begin anew, after the last picture"),
]
READING_TEST_CONFIRMED_KEYS = frozenset(
    [f"reading.class.{digit}" for digit in range(10)]
    + [f"reading.{name}" for name in ("choose", "unreadable", "back", "close", "again")]
)
"""Bindings that must be meant, so the guard looks at them: they change what is read, or leave the screen."""
READING_TEST_GLOSSARY = (
    ("pictures", "what the network remembers of the held-out images, at the end of the epoch"),
    ("·3  –", "read as a 3; unreadable"),
    ("17 / 128", "pictures read so far, and all of them"),
    ("read right", "share of all pictures read as what they are, told after the last; unreadable is wrong"),
)
"""What the figures of the screen mean."""
