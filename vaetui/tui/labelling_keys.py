"""The keys of the labelling screen, by names that a keymap can override; what they do it does not know."""

from __future__ import annotations

from functools import partial

from textual.binding import BindingType

from vaetui.tui.keymap import digits, key

_key = partial(key, "label")
KEYS: list[BindingType] = [
    *digits("label", "Name the class; then Enter or Space = confidence 1, or 1-9 = tenths", show=True),
    _key("choose", "slash", "choose", "by name", "Name the class by its letters"),
    _key("classes", "c", "classes", "all classes", "See all classes: add one, give it another name, merge two"),
    _key("sure", "enter,space", "accept", "sure", "Take the class at confidence 1, or split"),
    _key("cancel", "escape", "cancel", "another class", "Choose another class, or do not split"),
    _key("split", "s", "split", "split", "Divide it by k-means; its parts are asked next", show=True),
    _key("unreadable", "x", "unreadable", "unreadable", "No class: its images weigh nothing", show=True),
    _key("undo", "u", "undo", "undo", "Take back the last answer or split", show=True),
    _key("redo", "U", "redo", "redo", "Bring back what was undone"),
    _key("members", "m", "members", "members", "Show nearest, random, farthest members", show=True),
    _key("next", "n", "next", "next", "Go to the next without an answer"),
    _key("previous", "p", "previous", "previous", "Go to the previous without an answer"),
    _key("go", "g", "go", "train", "End the round and go on training; asks when centres are open", show=True),
    _key("one", "a", "one", "one-key mode", "A digit alone answers, at the last used confidence"),
    _key("lower", "minus", "lower", "less sure", "Lower the confidence of this answer by 0.1"),
    _key("raise", "plus,equals_sign", "raise", "surer", "Raise the confidence of this answer by 0.1"),
    _key("left", "left,h", "left", "left", "Go left"),
    _key("down", "down,j", "down", "down", "Go down"),
    _key("up", "up,k", "up", "up", "Go up"),
    _key("right", "right,l", "right", "right", "Go right"),
]
WEIGHTY = frozenset(
    [f"label.class.{digit}" for digit in range(10)]
    + [
        f"label.{name}"
        for name in ("choose", "classes", "split", "unreadable", "undo", "redo", "go", "one", "lower", "raise")
    ]
)
"""Bindings that must be meant, so the guard looks at them: they change what is known."""
FIGURES = (
    ("·3 .8", "answered: class 3 at confidence 0.8, which is not written when it is 1"),
    ("–  ?", "unreadable; without an answer"),
    ("⟨2/4⟩", "split: 2 of its 4 parts are answered"),
    ("spread", "mean distance of the members from the centre, in units of the latent space"),
    ("weighs", "mean weight of a member in training, in % of an image on the centre itself"),
    ("covered", "share of the training images that have a label with weight above 0"),
    ("answers", "labels, unreadables and splits given in the session so far"),
)
"""What the figures of the screen mean."""
