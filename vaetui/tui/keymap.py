"""Key bindings of every screen, by ids that a keymap can override, and glossaries of the terms on each screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from vaetui.tui.audit_keymap import AUDIT_KEYS, AUDIT_RESULT_KEYS
from vaetui.tui.binding_tables import Glossary, create_binding, create_digit_bindings, create_list_moves
from vaetui.tui.key_bindings import NO_KEY_NAME, KeyBinding, format_key_name
from vaetui.tui.review_keymap import BORDER_KEYS, PAIR_KEYS, REVIEW_KEYS
from vaetui.tui.watch_keymap import WATCH_KEYS

KeyFormatter: TypeAlias = Callable[[str], str]
"""Returns the name of the key that is bound to a binding id, such as "g" for "label.go"."""

ANSWER, MOVE, LOOK, CHANGE, CLASSES = "Answer", "Move", "Look closer", "Change your mind", "Classes"
FINISH, EVERYWHERE = "Finish the round", "Everywhere"
"""Headings of the help of the labelling screen, and of the keys of all screens."""


def create_app_binding(
    name: str, keys: str, action: str, description: str, tooltip: str, *, show: bool = True
) -> KeyBinding:
    """Return a binding of all screens, which the app performs itself."""
    return KeyBinding(f"any.{name}", keys, action, description, tooltip, show, section=EVERYWHERE)


# All screens

APP_KEYS: list[KeyBinding] = [
    create_app_binding("leave", "q", "leave", "leave", "Save and leave"),
    create_app_binding("command", "ctrl+p", "command", "commands", "Find any command of this screen by its name"),
    create_app_binding("pictures", "i", "pictures", "pictures", "Switch picture mode"),
    create_app_binding(
        "suspend", "ctrl+z", "suspend_process", "suspend", "Suspend; fg in the shell continues", show=False
    ),
    create_app_binding("more_keys", "comma", "more_keys", "more", "Show the next keys in the bottom line"),
    create_app_binding("help", "question_mark,f1", "help", "keys", "List all keys and terms"),
]
SMALL_TERMINAL_KEYS = frozenset({"any.leave", "any.suspend"})
"""Bindings that work even in a terminal that is too small."""
HELP_KEYS: list[KeyBinding] = [
    create_binding("help", "down", "down,j", "scroll", "Scroll down", show=True),
    create_binding("help", "up", "up,k", "scroll", "Scroll up", show=True),
    create_binding("help", "page_up", "pageup", "page", "Go up by a page", show=True),
    create_binding("help", "page_down", "pagedown,space", "page", "Go down by a page", show=True),
    create_binding("help", "first", "home", "first/last", "Go to the start", show=True),
    create_binding("help", "last", "end", "first/last", "Go to the end", show=True),
    create_binding("help", "search", "slash", "search", "Show only lines with the typed words", show=True),
    create_binding("help", "close", "escape,q,question_mark,f1", "back", "Close the help", show=True),
]

# Training

DISAGREEMENT_ENTRY = (
    "classifier, graph",
    "The graph spreads your answers to similar images. Where the classifier differs from it, one of them is wrong",
)
ACCURACY_ENTRY = (
    "expected accuracy",
    "Share of right labels by the networks alone: it may be off by 10 points or more. An audit measures it",
)
EPOCH_METRIC_GLOSSARY: Glossary = (
    (
        "expected",
        "Expected share of right labels (~ %), by the networks alone and not audited: it may be off by 10 points or "
        "more; none while a class is unanswered",
    ),
    ("stable", "Training images classified as in the previous epoch (%)"),
)
"""Metrics that are shown only without true labels."""
PIXELS_ENTRY = ("pixels", "Pixels of held-out images reconstructed on the right side of 0.5 (%)")
TRAINING_KEYS: list[KeyBinding] = [
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
_RECONSTRUCTION_ENTRY = (
    "reconstruction",
    "Reconstruction loss (nats per image): how much images differ from their reconstructions",
)
_VECTOR_RECONSTRUCTION_ENTRY = (
    "reconstruction",
    "Reconstruction loss (nats per image): how much the vectors of images differ from their reconstructions",
)
_LOSS_GLOSSARY: Glossary = (
    ("KL divergence", "KL div.: distance of the latent vectors from a normal distribution (nats per image)"),
    ("classification", "class.: how much the predictions differ from your answers (nats per image)"),
    ("contrastive", "contr.: how hard it is to recognise an image after a distortion (nats per image)"),
    ("consistency", "consist.: how much the predictions change with a distortion (nats per image)"),
)
_DECODER_GLOSSARY: Glossary = (
    PIXELS_ENTRY,
    ("read", "Reconstructions read correctly in the reading test of that epoch (%)"),
)


def build_training_glossary(has_test_labels: bool, has_features: bool, has_decoder: bool) -> Glossary:
    """Return the terms of the training screen of a session."""
    return (
        _VECTOR_RECONSTRUCTION_ENTRY if has_features else _RECONSTRUCTION_ENTRY,
        *_LOSS_GLOSSARY,
        *((("test", "Test images classified correctly (%)"),) if has_test_labels else EPOCH_METRIC_GLOSSARY),
        DISAGREEMENT_ENTRY,
        *(_DECODER_GLOSSARY if has_decoder else ()),
        ("img/s", "Training images per second"),
    )


# Labelling


def create_label_binding(
    name: str,
    keys: str,
    description: str,
    tooltip: str,
    section: str,
    key_name: str | None = None,
    *,
    show: bool = True,
) -> KeyBinding:
    """Return a binding of the labelling screen; the footer shows them in their order."""
    return create_binding("label", name, keys, description, tooltip, key_name=key_name, show=show, section=section)


LABELLING_KEYS: list[KeyBinding] = [
    *create_digit_bindings(
        "label", "Choose a class; then its confidence: 1-9 for 0.1-0.9, or certain", show=True, section=ANSWER
    ),
    create_label_binding("split", "s", "split", "Split the cluster (k-means), then label the parts", ANSWER),
    create_label_binding("unreadable", "x", "unreadable", "Unreadable: ignored in training", ANSWER),
    create_label_binding("undo", "u", "undo", "Undo the last answer, split or class edit", CHANGE),
    create_label_binding("go", "g", "train", "End the round and train; asks if clusters have no answer", FINISH),
    create_label_binding(
        "sure", "enter,space", "accept", "Answer with confidence 1, accept the guess, or confirm", ANSWER, "accept"
    ),
    create_label_binding("choose", "slash", "find class", "Find a class by name", ANSWER),
    create_label_binding(
        "nearest",
        "o",
        "nearest",
        "Mixed cluster: the class, before or after this key, is only that of its nearest image",
        ANSWER,
    ),
    create_label_binding("left", "left,h", "move", "Move left", MOVE),
    create_label_binding("down", "down,j", "move", "Move down", MOVE),
    create_label_binding("up", "up,k", "move", "Move up", MOVE),
    create_label_binding("right", "right,l", "move", "Move right", MOVE),
    create_label_binding("next", "n,tab", "next", "Go to the next cluster without an answer", MOVE),
    create_label_binding("previous", "p,shift+tab", "next", "Go to the previous cluster without an answer", MOVE),
    create_label_binding("members", "m", "members", "Show nearest, random, farthest members", LOOK),
    create_label_binding("zoom", "z", "zoom", "Show many members, or one in full size", LOOK),
    create_label_binding("accept_all", "A", "accept all", "Accept all guesses above 95 %, after one question", ANSWER),
    create_label_binding("one_key_mode", "a", "one-key mode", "Digits answer at once with confidence 1", ANSWER),
    create_label_binding("lower", "minus", "confidence", "Lower the confidence of the answer by 0.1", ANSWER),
    create_label_binding("raise", "plus,equals_sign", "confidence", "Raise the confidence by 0.1", ANSWER),
    create_label_binding("redo", "U", "undo", "Redo the action undone last", CHANGE),
    create_label_binding("clear", "delete,backspace", "clear", "Clear the answer of the cluster", CHANGE),
    create_label_binding("cancel", "escape", "cancel", "Choose another class, or cancel a split", CHANGE, show=False),
    create_label_binding("history", "H", "history", "List all answers of all rounds; correct or delete them", CHANGE),
    create_label_binding("classes", "c", "classes", "List all classes: add, rename or merge them", CLASSES),
    create_label_binding("sort", "O", "sort", "Sort the clusters by size, doubt or class", LOOK),
    create_label_binding("filter", "f", "filter", "Show only clusters without an answer, or all", LOOK),
    create_label_binding("map", "M", "map", "Show all images as points of a map", LOOK),
    KeyBinding(
        "label.command",
        "colon",
        "app.command",
        "commands",
        "Find a command, or go to a cluster by its number",
        True,
        section=MOVE,
    ),
    create_label_binding("page_up", "pageup", "jump", "Go up by a page", MOVE),
    create_label_binding("page_down", "pagedown", "jump", "Go down by a page", MOVE),
    create_label_binding("first", "home", "jump", "Go to the first cluster", MOVE),
    create_label_binding("last", "end", "jump", "Go to the last cluster", MOVE),
    create_label_binding("export", "e", "export", "Export the labels to a file", FINISH),
    create_label_binding("audit", "v", "audit", "Check labels by hand: how many are right?", FINISH),
    create_label_binding("review", "w", "review", "Correct the labels of single images, worst first", FINISH),
]
LABELLING_GLOSSARY: Glossary = (
    ("■ cat .8", "Answer: class cat with confidence 0.8; a confidence of 1 is not shown"),
    ("□ cat", "Answer: only the nearest image of the cluster has class cat; its other members get no label"),
    ("–  ?", "Unreadable; no answer yet"),
    ("⟨2/4⟩", "Split: 2 of its 4 parts have an answer"),
    ("predicted", "Classes that the classifier predicts for the members, with their shares"),
    ("mean distance", "From the members to the centre, in latent units"),
    ("weight", "Mean training weight of a member, in % of an image at the centre"),
    ("answers", "Labels, unreadables and splits in the session so far"),
    ACCURACY_ENTRY,
    DISAGREEMENT_ENTRY,
)
NEAREST_IMAGE_GLOSSARY: Glossary = (
    ("nearest image", "The large picture and the thumbnails: the image of the cluster that is nearest to its centre"),
    ("mean of 32", "Mean of the 32 nearest images of the cluster: clear where they agree"),
)
"""Terms of the labelling screen where no centres are decoded."""

# Classes

CLASSES_KEYS: list[KeyBinding] = [
    create_binding("classes", "add", "a", "add", "Add a class; it can be used at once", show=True),
    create_binding("classes", "rename", "r", "rename", "Rename the selected class", show=True),
    create_binding("classes", "merge", "m", "merge", "Merge the selected class into another one", show=True),
    create_binding("classes", "close", "escape", "back", "Return to the clusters", show=True),
    create_binding("classes", "undo", "u", "undo", "Undo the last answer, split or class edit", show=True),
    create_binding("classes", "redo", "U", "undo", "Redo the action undone last", show=True),
    create_binding("classes", "up", "up,k", "move", "Move up", show=True),
    create_binding("classes", "down", "down,j", "move", "Move down", show=True),
]
CLASSES_GLOSSARY: Glossary = (
    ("digit", "Key of the class while labelling: its name if that is a digit; / finds any class"),
    ("answers", "Answers with this class in the session so far, including merged classes"),
)

# Reading test

READING_TEST_KEYS: list[KeyBinding] = [
    *create_digit_bindings("reading", "Enter the class that you read", show=True),
    create_binding("reading", "unreadable", "x", "unreadable", "Unreadable: counts as wrong", show=True),
    create_binding("reading", "back", "u,backspace", "undo", "Reopen the previous picture", show=True),
    create_binding("reading", "close", "escape", "close", "Close the test; it continues here next time", show=True),
    create_binding("reading", "choose", "slash", "find class", "Find a class by name", show=True),
    create_binding("reading", "again", "r", "restart", "Restart the test after the last picture", show=True),
]
READING_TEST_GLOSSARY: Glossary = (
    ("pictures", "Reconstructions of held-out images at the end of the epoch"),
    ("■ cat  –", "Read as class cat; unreadable"),
    ("17 / 128", "Pictures read so far, and all pictures"),
    ("read correctly", "Shown after the last picture; unreadable counts as wrong"),
)

# Samples

SAMPLES_KEYS: list[KeyBinding] = [
    create_binding("samples", "next", "n", "next seed", "Generate other samples, from the next seed", show=True),
    *create_digit_bindings(
        "samples", "Generate samples of that class: the most certain of 50 times as many", show=True
    ),
    create_binding("samples", "any", "a", "any class", "Generate samples of any class", show=True),
    create_binding("samples", "close", "escape,q", "back", "Return to the previous screen", show=True),
    create_binding("samples", "choose", "slash", "find class", "Find a class by name", show=True),
]
SAMPLES_GLOSSARY: Glossary = (
    ("samples", "Images decoded from random latent vectors; not in the data set"),
    ("of a class", "The most certain of 50 times as many samples"),
    ("seed", "Random seed; vaetui samples --seed generates the same images"),
)

# Map

MAP_KEYS: list[KeyBinding] = [
    create_binding("map", "jump", "enter", "label it", "Return to the clusters, at the nearest one", show=True),
    create_binding("map", "left", "left,h", "move", "Move the cursor left", show=True),
    create_binding("map", "down", "down,j", "move", "Move the cursor down", show=True),
    create_binding("map", "up", "up,k", "move", "Move the cursor up", show=True),
    create_binding("map", "right", "right,l", "move", "Move the cursor right", show=True),
    create_binding("map", "zoom_in", "plus,equals_sign,z", "zoom", "Enlarge the map around the cursor", show=True),
    create_binding("map", "zoom_out", "minus", "zoom", "Reduce the map", show=True),
    create_binding("map", "reset", "0,home", "whole map", "Show the whole map", show=True),
    create_binding("map", "filter", "slash", "classes", "Show one or two classes alone, and apart", show=True),
    create_binding("map", "next", "n,tab", "next", "Go to the next cluster without an answer", show=True),
    create_binding("map", "previous", "p,shift+tab", "next", "Go to the previous cluster without an answer", show=True),
    create_binding(
        "map", "letters", "t", "letters", "Show letters of the classes in place of dots, or dots", show=True
    ),
    create_binding("map", "clusters", "c", "numbers", "Show or hide the cluster numbers", show=True),
    create_binding(
        "map",
        "left_far",
        "shift+left,H",
        "far",
        "Move the cursor far left",
        show=True,
        key_display="Shift-arrows",
    ),
    create_binding("map", "down_far", "shift+down,J", "far", "Move the cursor far down"),
    create_binding("map", "up_far", "shift+up,K", "far", "Move the cursor far up"),
    create_binding("map", "right_far", "shift+right,L", "far", "Move the cursor far right"),
    create_binding("map", "close", "escape,q,M", "back", "Show all classes again, or close the map", show=True),
]
MAP_GLOSSARY: Glossary = (
    ("point", "A training image, where a linear projection of its latent vector shows the classes apart"),
    ("class", "By your answer for the image, else as predicted; of classes that have an answer"),
    ("dots", "More dots in a cell: more images there; the colour is that of most of them"),
    ("several", "No class has two thirds of the images of the cell"),
    ("#3  #3=a", "Cluster 3 without an answer; answered with the class of letter a"),
    ("#3~a", "Only its nearest image was answered, with the class of letter a"),
    ("nearer to the other", "Images of two classes that lie nearer to the mean of the other one"),
)

# Members

MEMBERS_KEYS: list[KeyBinding] = [
    create_binding("members", "zoom", "enter,z", "full size", "Show the image in full size, or all again", show=True),
    create_binding("members", "left", "left,h", "move", "Select the image at the left", show=True),
    create_binding("members", "down", "down,j", "move", "Select the image below", show=True),
    create_binding("members", "up", "up,k", "move", "Select the image above", show=True),
    create_binding("members", "right", "right,l", "move", "Select the image at the right", show=True),
    create_binding("members", "page_up", "pageup", "page", "Show the previous page", show=True),
    create_binding("members", "page_down", "pagedown,space", "page", "Show the next page", show=True),
    create_binding("members", "first", "home", "ends", "Select the first image", show=True),
    create_binding("members", "last", "end", "ends", "Select the last image", show=True),
    create_binding("members", "order", "m", "order", "Show nearest, random, farthest members first", show=True),
    create_binding(
        "members", "close", "escape,q", "back", "Show all images again, or return to the clusters", show=True
    ),
]
MEMBERS_GLOSSARY: Glossary = (
    ("nearest", "By the distance from the centre of the cluster, the nearest first"),
    ("farthest", "The same, the farthest first"),
    ("random", "In a random order that stays the same"),
)

# History

HISTORY_KEYS: list[KeyBinding] = [
    *create_digit_bindings(
        "history", "Correct the answer: a class; then its confidence: 1-9 for 0.1-0.9, or certain", show=True
    ),
    create_binding("history", "accept", "enter", "go to", "Go to the cluster, or confirm a class", show=True),
    create_binding(
        "history", "choose", "slash", "find class", "Correct the answer with a class by its name", show=True
    ),
    create_binding("history", "unreadable", "x", "unreadable", "Correct the answer: unreadable", show=True),
    create_binding(
        "history",
        "nearest",
        "o",
        "nearest",
        "Correct the answer: the class, before or after this key, is only that of the nearest image",
        show=True,
    ),
    create_binding("history", "clear", "delete,backspace", "delete", "Delete the answer", show=True),
    create_binding("history", "undo", "u", "undo", "Undo the last correction or answer", show=True),
    create_binding("history", "redo", "U", "undo", "Redo the action undone last", show=True),
    create_binding("history", "filter", "f", "filter", "List the answers of a class, a kind or a round", show=True),
    *create_list_moves("history", "answer", "the newest answer", "the oldest answer"),
    create_binding("history", "close", "escape,q,H", "back", "List all answers again, or close the history", show=True),
]
HISTORY_GLOSSARY: Glossary = (
    ("answer", "Answers in force of all rounds, the newest first; a replaced answer is not listed"),
    ("■ cat .8", "Answer: class cat with confidence 0.8; a confidence of 1 is not shown"),
    ("□ cat", "Answer: only the nearest image of the cluster has class cat"),
    ("⟨4⟩ split", "The cluster was split into 4 parts, which have answers of their own"),
    ("correction", "Of the current round: as while labelling. Of an earlier round: counts from the next training on"),
)

# Summary

SUMMARY_KEYS: list[KeyBinding] = [
    create_binding("summary", "more", "o", "one more round", "Add a round and continue training", show=True),
    create_binding("summary", "audit", "v", "audit", "Check labels by hand: how many are right?", show=True),
    create_binding("summary", "review", "w", "review", "Correct the labels of single images, worst first", show=True),
    create_binding("summary", "export", "e", "export", "Export the labels to a file", show=True),
    create_binding("summary", "read", "t", "reading test", "Read reconstructions of held-out images", show=True),
    create_binding("summary", "draw", "d", "samples", "Generate samples of any class or of one", show=True),
    create_binding(
        "summary", "least_sure", "l", "least sure", "Show the least sure images in place of the figures", show=True
    ),
    create_binding("summary", "map", "M", "map", "Show all images as points of a map", show=True),
    create_binding("summary", "history", "H", "history", "List all answers of all rounds; correct them", show=True),
    KeyBinding("summary.down", "down,j", "scroll_down", "scroll", "Scroll down", show=True),
    KeyBinding("summary.up", "up,k", "scroll_up", "scroll", "Scroll up", show=True),
]
_SUMMARY_SHARE_GLOSSARY: Glossary = (
    ACCURACY_ENTRY,
    DISAGREEMENT_ENTRY,
    ("points", "Percentage points of accuracy: what the last rounds brought, and what another one may bring"),
    ("answers", "Labels, unreadables and splits"),
    (
        "agreement",
        "Images shown in the answers of a round that the classifier had predicted correctly, and its confidence in "
        "them (%); not the accuracy of the labels: rounds ask about uncertain images",
    ),
)


def build_summary_glossary(has_test_labels: bool, has_decoder: bool) -> Glossary:
    """Return the terms of the summary screen of a session."""
    decoder_entries: Glossary = (
        PIXELS_ENTRY,
        ("read correctly", "Reconstructions read correctly in the reading test of an epoch (%)"),
    )
    accuracy_entry = ("test accuracy", "Test images classified correctly (%)")
    return (
        *((accuracy_entry,) if has_test_labels else EPOCH_METRIC_GLOSSARY),
        *_SUMMARY_SHARE_GLOSSARY,
        *(decoder_entries if has_decoder else ()),
    )


# Session picker

PICKER_KEYS: list[KeyBinding] = [
    create_binding("picker", "resume", "enter", "resume", "Continue the selected session", show=True),
    create_binding("picker", "new", "n", "new", "Create a session from your images or the bundled MNIST", show=True),
    create_binding("picker", "delete", "d,delete", "delete", "Delete the session, after one question", show=True),
    create_binding("picker", "export", "e", "export", "Export the labels of the session to a file", show=True),
    create_binding("picker", "find", "slash", "find", "Find a session by its name", show=True),
    *create_list_moves("picker", "session", "the session used last", "the end of the list"),
]
PICKER_GLOSSARY: Glossary = (
    ("labelling", "A round of clusters waits for your answers"),
    ("in background", "Another process trains the session; if you resume it, that process saves and ends"),
    ("open elsewhere", "Another process has the session open: close it there first"),
    ("cannot be read", "Of an older version, or damaged; the line below the list says what to do"),
    ("answers", "Labels, unreadables and splits in the session so far"),
)

# The bindings of all screens by the first part of their ids

SCREEN_KEYS: dict[str, Sequence[KeyBinding]] = {
    "label": LABELLING_KEYS,
    "training": TRAINING_KEYS,
    "summary": SUMMARY_KEYS,
    "classes": CLASSES_KEYS,
    "reading": READING_TEST_KEYS,
    "samples": SAMPLES_KEYS,
    "map": MAP_KEYS,
    "members": MEMBERS_KEYS,
    "history": HISTORY_KEYS,
    "audit": AUDIT_KEYS,
    "audit_result": AUDIT_RESULT_KEYS,
    "review": REVIEW_KEYS,
    "pair": PAIR_KEYS,
    "border": BORDER_KEYS,
    "watch": WATCH_KEYS,
    "picker": PICKER_KEYS,
    "help": HELP_KEYS,
    "any": APP_KEYS,
}
"""Every list of bindings above belongs here: a config file can rebind what is listed, and the footer shows it."""
GROUP_TITLES = {
    "label": "Labelling",
    "training": "Training",
    "summary": "Finished run",
    "classes": "Classes",
    "reading": "Reading test",
    "samples": "Samples",
    "map": "Map",
    "members": "Members",
    "history": "History",
    "audit": "Audit",
    "audit_result": "Audit result",
    "review": "Review",
    "pair": "Confused classes",
    "border": "Border of a class",
    "watch": "Watched round",
    "picker": "Sessions",
    "help": "Help",
    "any": EVERYWHERE,
}
"""Headings in the help for bindings without a section."""
KEY_BINDINGS: Mapping[str, KeyBinding] = {
    binding.id: binding for bindings in SCREEN_KEYS.values() for binding in bindings
}
"""Every binding that a config file can rebind, by its id."""


def format_default_key(binding_id: str) -> str:
    """Return the name of the first default key of a binding, such as "g" for "label.go"."""
    return format_first_key(KEY_BINDINGS[binding_id].keys)


def format_first_key(keys: Sequence[str]) -> str:
    """Return the name of the first key, or a text for none."""
    return format_key_name(keys[0]) if keys else NO_KEY_NAME
