"""The keys of the training screen, by names that a keymap can override; what they do it does not know."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from vaetui.tui.presenters.epoch_metrics import METRIC_HELP as KNOWN

TRAINING_KEYS: list[BindingType] = [
    Binding(
        "space",
        "press('pause')",
        "pause, go on",
        id="training.pause",
        tooltip="Stop training at the next step and save; again: go on from there",
    ),
    Binding(
        "t",
        "press('read')",
        "reading test",
        id="training.read",
        tooltip="Read what the network remembers of the held-out images; training goes on meanwhile",
    ),
    Binding(
        "d",
        "press('draw')",
        "samples",
        id="training.draw",
        tooltip="Draw new pictures from the latent space, of any class or of one; training goes on meanwhile",
    ),
]
TRAINING_CONFIRMED_KEYS = frozenset(["training.pause", "training.read", "training.draw"])
"""Bindings that must be meant, so the guard looks at them."""
TRAINING_LOSS_GLOSSARY = (
    ("reconstruction", "how badly the pixels are remembered: nats an image; the axis of the curves"),
    ("divergence", "how much a latent vector says of its image: nats an image; own scale"),
    ("classification", "how badly your answers are met: nats an image; own scale"),
)
TRAINING_SHARE_GLOSSARY = (
    ("pixels", "share of the pixels of the held-out images that are on the right side of one half"),
    ("read", "share of the reconstructions that you read right in the reading test of that epoch"),
    ("covered", "share of the training images that had a label of yours"),
    ("img/s", "images trained a second"),
)
TRAINING_GLOSSARY = (
    *TRAINING_LOSS_GLOSSARY,
    ("test", "share of the test images that the classifier calls right"),
    *TRAINING_SHARE_GLOSSARY,
)
"""What the figures of the screen mean."""
TRAINING_GLOSSARY_WITHOUT_TEST_LABELS = (*TRAINING_LOSS_GLOSSARY, *KNOWN, *TRAINING_SHARE_GLOSSARY)
"""The same where no true labels tell an accuracy."""
