"""The keys of the labelling screen, by names that a keymap can override; what they do it does not know."""

from __future__ import annotations

from functools import partial

from textual.binding import BindingType

from vaetui.tui.keymap import bind_digits, bind_key

_bind_labelling_key = partial(bind_key, "label")
LABELLING_KEYS: list[BindingType] = [
    *bind_digits("label", "Name the class; then Enter or Space = confidence 1, or 1-9 = tenths", show=True),
    _bind_labelling_key("choose", "slash", "choose", "by name", "Name the class by its letters"),
    _bind_labelling_key(
        "classes", "c", "classes", "all classes", "See all classes: add one, give it another name, merge two"
    ),
    _bind_labelling_key("sure", "enter,space", "accept", "sure", "Take the class at confidence 1, or split"),
    _bind_labelling_key("cancel", "escape", "cancel", "another class", "Choose another class, or do not split"),
    _bind_labelling_key("split", "s", "split", "split", "Divide it by k-means; its parts are asked next", show=True),
    _bind_labelling_key("unreadable", "x", "unreadable", "unreadable", "No class: its images weigh nothing", show=True),
    _bind_labelling_key("undo", "u", "undo", "undo", "Take back the last answer or split", show=True),
    _bind_labelling_key("redo", "U", "redo", "redo", "Bring back what was undone"),
    _bind_labelling_key("members", "m", "members", "members", "Show nearest, random, farthest members", show=True),
    _bind_labelling_key("next", "n", "next", "next", "Go to the next without an answer"),
    _bind_labelling_key("previous", "p", "previous", "previous", "Go to the previous without an answer"),
    _bind_labelling_key(
        "go", "g", "go", "train", "End the round and go on training; asks when centres are open", show=True
    ),
    _bind_labelling_key("one", "a", "one", "one-key mode", "A digit alone answers, at the last used confidence"),
    _bind_labelling_key("lower", "minus", "lower", "less sure", "Lower the confidence of this answer by 0.1"),
    _bind_labelling_key("raise", "plus,equals_sign", "raise", "surer", "Raise the confidence of this answer by 0.1"),
    _bind_labelling_key("left", "left,h", "left", "left", "Go left"),
    _bind_labelling_key("down", "down,j", "down", "down", "Go down"),
    _bind_labelling_key("up", "up,k", "up", "up", "Go up"),
    _bind_labelling_key("right", "right,l", "right", "right", "Go right"),
]
LABELLING_CONFIRMED_KEYS = frozenset(
    [f"label.class.{digit}" for digit in range(10)]
    + [
        f"label.{name}"
        for name in ("choose", "classes", "split", "unreadable", "undo", "redo", "go", "one", "lower", "raise")
    ]
)
"""Bindings that must be meant, so the guard looks at them: they change what is known."""
LABELLING_GLOSSARY = (
    ("·3 .8", "answered: class 3 at confidence 0.8, which is not written when it is 1"),
    ("–  ?", "unreadable; without an answer"),
    ("⟨2/4⟩", "split: 2 of its 4 parts are answered"),
    ("spread", "mean distance of the members from the centre, in units of the latent space"),
    ("weighs", "mean weight of a member in training, in % of an image on the centre itself"),
    ("covered", "share of the training images that have a label with weight above 0"),
    ("answers", "labels, unreadables and splits given in the session so far"),
)
"""What the figures of the screen mean."""
