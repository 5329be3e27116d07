"""The keys of the new pictures, by names that a keymap can override; what they do it does not know."""

from __future__ import annotations

from functools import partial

from textual.binding import BindingType

from vaetui.tui.keymap import bind_digits, bind_key

_bind_samples_key = partial(bind_key, "samples")
SAMPLES_KEYS: list[BindingType] = [
    _bind_samples_key("next", "n", "next", "others", "Draw others, by the next seed", show=True),
    *bind_digits("samples", "Draw pictures of that class: of many, those that the classifier is surest of", show=True),
    _bind_samples_key("any", "a", "any", "any", "Draw pictures of any class", show=True),
    _bind_samples_key(
        "choose", "slash", "choose", "by name", "Draw pictures of a class that is named by its letters", show=True
    ),
    _bind_samples_key("close", "escape,q", "close", "back", "Go back; training has gone on meanwhile", show=True),
]
SAMPLES_CONFIRMED_KEYS = frozenset(
    [f"samples.class.{digit}" for digit in range(10)] + ["samples.next", "samples.any"]
) | {
    "samples.choose",
    "samples.close",
}
"""Bindings that must be meant, so the guard looks at them: they cost seconds of the processor, or leave the screen."""
SAMPLES_GLOSSARY = (
    ("pictures", "decoded from latent vectors that were drawn at random: nobody has taken them"),
    ("of a class", "of fifty times as many, those that the classifier is surest of"),
    ("seed", "where the draws come from; vaetui samples --seed draws the same"),
)
"""What is to be seen on the screen."""
