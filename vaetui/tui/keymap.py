"""Key bindings of every screen, by ids that a keymap can override, and glossaries of the terms on each screen."""

from __future__ import annotations

from typing import TypeAlias

from textual.binding import Binding, BindingType

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
) -> Binding:
    """Return a binding to `press(key_name or name)`; `description` appears in the footer, `tooltip` in the help."""
    action, binding_id = f"press('{key_name or name}')", f"{group}.{name}"
    return Binding(keys, action, description, show, key_display, tooltip=tooltip, id=binding_id)


def create_digit_bindings(group: str, tooltip: str, *, show: bool = False) -> list[Binding]:
    """Return bindings of the ten digits to classes; in the footer the first digit stands for all of them."""
    first = create_binding(
        group, "class.0", "0", "class", tooltip, key_name="0", show=show, key_display="0-9" if show else None
    )
    return [first, *(create_binding(group, f"class.{key}", key, "class", tooltip, key_name=key) for key in "123456789")]


def build_binding_ids(group: str, *names: str, digits: bool = False) -> frozenset[str]:
    """Return the ids of these bindings of a group, with those of the digits if asked for."""
    digit_names = [f"class.{digit}" for digit in range(10)] if digits else []
    return frozenset(f"{group}.{name}" for name in [*digit_names, *names])


# All screens

APP_KEYS: list[BindingType] = [
    Binding("q", "leave", "leave", id="any.leave", tooltip="Save and leave"),
    Binding(
        "ctrl+z",
        "suspend_process",
        "suspend",
        show=False,
        id="any.suspend",
        tooltip="Suspend; fg in the shell continues",
    ),
    Binding("i", "pictures", "pictures", show=False, id="any.pictures", tooltip="Switch picture mode"),
    Binding("question_mark", "help", "keys", key_display="?", id="any.help", tooltip="List all keys"),
]
SMALL_TERMINAL_KEYS = frozenset({"any.leave", "any.suspend"})
"""Bindings that work even in a terminal that is too small."""
APP_CONFIRMED_KEYS = build_binding_ids("any", "leave", "help", "pictures")
"""Bindings of the app that the burst guard checks on every screen."""
HELP_KEYS: list[BindingType] = [Binding("escape,q,question_mark", "back", "back", id="help.back", tooltip="Close")]
HELP_CONFIRMED_KEYS = build_binding_ids("help", "back")

# Training

EPOCH_METRIC_GLOSSARY: Glossary = (
    ("agreed", "Training images classified as in the previous epoch (%)"),
    ("expected", "Estimated accuracy of the training labels (model's own confidence)"),
)
"""Metrics that are shown only without true labels."""
PIXELS_ENTRY = ("pixels", "Pixels of held-out images reconstructed on the right side of 0.5 (%)")
TRAINING_KEYS: list[BindingType] = [
    create_binding("training", "pause", "space", "pause/resume", "Pause and save, or resume training", show=True),
    create_binding(
        "training",
        "read",
        "t",
        "reading test",
        "Read reconstructions of held-out images while training continues",
        show=True,
    ),
    create_binding(
        "training",
        "draw",
        "d",
        "samples",
        "Generate samples of any class or of one while training continues",
        show=True,
    ),
]
TRAINING_CONFIRMED_KEYS = build_binding_ids("training", "pause", "read", "draw")
_LOSS_GLOSSARY: Glossary = (
    ("reconstruction", "Reconstruction loss (nats per image)"),
    ("divergence", "KL divergence of the latent vectors from the prior (nats per image)"),
    ("classification", "Classification loss (nats per image)"),
)
_SHARE_GLOSSARY: Glossary = (
    PIXELS_ENTRY,
    ("read", "Reconstructions read correctly in the reading test of that epoch (%)"),
    ("covered", "Training images with a label (%)"),
    ("img/s", "Training images per second"),
)
TRAINING_GLOSSARY: Glossary = (*_LOSS_GLOSSARY, ("test", "Test images classified correctly (%)"), *_SHARE_GLOSSARY)
TRAINING_GLOSSARY_WITHOUT_TEST_LABELS: Glossary = (*_LOSS_GLOSSARY, *EPOCH_METRIC_GLOSSARY, *_SHARE_GLOSSARY)

# Labelling

LABELLING_KEYS: list[BindingType] = [
    *create_digit_bindings("label", "Choose a class; then Enter or Space: certain, 1-9: confidence 0.1-0.9", show=True),
    create_binding("label", "choose", "slash", "find class", "Find a class by name"),
    create_binding("label", "classes", "c", "all classes", "List all classes: add, rename or merge them"),
    create_binding(
        "label", "sure", "enter,space", "certain", "Answer with confidence 1, or confirm a split", key_name="accept"
    ),
    create_binding("label", "cancel", "escape", "cancel", "Choose another class, or cancel a split"),
    create_binding("label", "split", "s", "split", "Split the cluster (k-means), then label the parts", show=True),
    create_binding("label", "unreadable", "x", "unreadable", "Unreadable: ignored in training", show=True),
    create_binding("label", "undo", "u", "undo", "Undo the last answer, split or class edit", show=True),
    create_binding("label", "redo", "U", "redo", "Redo the action undone last"),
    create_binding("label", "members", "m", "members", "Show nearest, random, farthest members", show=True),
    create_binding("label", "next", "n", "next", "Go to the next cluster without an answer"),
    create_binding("label", "previous", "p", "previous", "Go to the previous cluster without an answer"),
    create_binding("label", "go", "g", "train", "End the round and train; asks if clusters have no answer", show=True),
    create_binding("label", "one_key_mode", "a", "one-key mode", "Digits answer at once with the last confidence"),
    create_binding("label", "lower", "minus", "less certain", "Lower the confidence of this answer by 0.1"),
    create_binding("label", "raise", "plus,equals_sign", "more certain", "Raise the confidence by 0.1"),
    create_binding("label", "left", "left,h", "left", "Move left"),
    create_binding("label", "down", "down,j", "down", "Move down"),
    create_binding("label", "up", "up,k", "up", "Move up"),
    create_binding("label", "right", "right,l", "right", "Move right"),
]
LABELLING_CONFIRMED_KEYS = build_binding_ids(
    "label",
    *("choose", "classes", "split", "unreadable", "undo", "redo", "go", "one_key_mode", "lower", "raise"),
    digits=True,
)
LABELLING_GLOSSARY: Glossary = (
    ("·cat .8", "Answer: class cat with confidence 0.8; a confidence of 1 is not shown"),
    ("–  ?", "Unreadable; no answer yet"),
    ("⟨2/4⟩", "Split: 2 of its 4 parts have an answer"),
    ("predicted", "Classes that the classifier predicts for the members, with their shares"),
    ("mean distance", "From the members to the centre, in latent units"),
    ("weight", "Mean training weight of a member, in % of an image at the centre"),
    ("covered", "Training images with a label of weight above 0 (%)"),
    ("answers", "Labels, unreadables and splits in the session so far"),
)

# Classes

CLASSES_KEYS: list[BindingType] = [
    create_binding("classes", "add", "a", "add", "Add a class; it can be used at once", show=True),
    create_binding("classes", "rename", "r", "rename", "Rename the selected class", show=True),
    create_binding("classes", "merge", "m", "merge", "Merge the selected class into another one", show=True),
    create_binding("classes", "undo", "u", "undo", "Undo the last answer, split or class edit", show=True),
    create_binding("classes", "redo", "U", "redo", "Redo the action undone last"),
    create_binding("classes", "up", "up,k", "up", "Move up"),
    create_binding("classes", "down", "down,j", "down", "Move down"),
    create_binding("classes", "close", "escape", "back", "Return to the clusters", show=True),
]
CLASSES_CONFIRMED_KEYS = build_binding_ids("classes", "add", "rename", "merge", "undo", "redo", "close")
CLASSES_GLOSSARY: Glossary = (
    ("digit", "Key of the class while labelling: its name if that is a digit; / finds any class"),
    ("answers", "Answers with this class in the session so far, including merged classes"),
)

# Reading test

READING_TEST_KEYS: list[BindingType] = [
    *create_digit_bindings("reading", "Enter the class that you read"),
    create_binding("reading", "choose", "slash", "find class", "Find a class by name"),
    create_binding("reading", "unreadable", "x", "unreadable", "Unreadable: counts as wrong", show=True),
    create_binding("reading", "back", "u,backspace", "undo", "Reopen the previous picture", show=True),
    create_binding("reading", "close", "escape", "close", "Close the test; it continues here next time", show=True),
    create_binding("reading", "again", "r", "restart", "Restart the test after the last picture"),
]
READING_TEST_CONFIRMED_KEYS = build_binding_ids(
    "reading", "choose", "unreadable", "back", "close", "again", digits=True
)
READING_TEST_GLOSSARY: Glossary = (
    ("pictures", "Reconstructions of held-out images at the end of the epoch"),
    ("·cat  –", "Read as class cat; unreadable"),
    ("17 / 128", "Pictures read so far, and all pictures"),
    ("read correctly", "Shown after the last picture; unreadable counts as wrong"),
)

# Samples

SAMPLES_KEYS: list[BindingType] = [
    create_binding("samples", "next", "n", "next seed", "Generate other samples, from the next seed", show=True),
    *create_digit_bindings(
        "samples", "Generate samples of that class: the most certain of 50 times as many", show=True
    ),
    create_binding("samples", "any", "a", "any class", "Generate samples of any class", show=True),
    create_binding("samples", "choose", "slash", "find class", "Find a class by name", show=True),
    create_binding("samples", "close", "escape,q", "back", "Return to the previous screen", show=True),
]
SAMPLES_CONFIRMED_KEYS = build_binding_ids("samples", "next", "any", "choose", "close", digits=True)
SAMPLES_GLOSSARY: Glossary = (
    ("samples", "Images decoded from random latent vectors; not in the data set"),
    ("of a class", "The most certain of 50 times as many samples"),
    ("seed", "Random seed; vaetui samples --seed generates the same images"),
)

# Summary

SUMMARY_KEYS: list[BindingType] = [
    create_binding("summary", "more", "o", "one more round", "Add a round and continue training", show=True),
    create_binding("summary", "read", "t", "reading test", "Read reconstructions of held-out images", show=True),
    create_binding("summary", "draw", "d", "samples", "Generate samples of any class or of one", show=True),
    Binding("down,j", "scroll_down", "down", show=False, id="summary.down", tooltip="Scroll down"),
    Binding("up,k", "scroll_up", "up", show=False, id="summary.up", tooltip="Scroll up"),
]
SUMMARY_CONFIRMED_KEYS = build_binding_ids("summary", "more", "read", "draw")
_SUMMARY_SHARE_GLOSSARY: Glossary = (
    PIXELS_ENTRY,
    ("read correctly", "Reconstructions read correctly in the reading test of an epoch (%)"),
    ("covered", "Training images with a label (%)"),
    ("answers", "Labels, unreadables and splits"),
    (
        "agreement",
        "Images shown in the answers of a round that the classifier had predicted correctly, and its own estimate of "
        "that (%); lower in rounds that ask only about uncertain images",
    ),
)
SUMMARY_GLOSSARY: Glossary = (("test accuracy", "Test images classified correctly (%)"), *_SUMMARY_SHARE_GLOSSARY)
SUMMARY_GLOSSARY_WITHOUT_TEST_LABELS: Glossary = (*EPOCH_METRIC_GLOSSARY, *_SUMMARY_SHARE_GLOSSARY)
