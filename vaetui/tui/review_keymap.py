"""Key bindings of the review, of two confused classes and of the border of a class, and glossaries of their terms."""

from __future__ import annotations

from vaetui.tui.binding_tables import Glossary, create_binding, create_digit_bindings
from vaetui.tui.key_bindings import KeyBinding


def create_image_moves(group: str) -> list[KeyBinding]:
    """Return bindings that move the selection among images."""
    return [
        create_binding(group, "left", "left,h", "move", "Select the image at the left", show=True),
        create_binding(group, "down", "down,j", "move", "Select the image below", show=True),
        create_binding(group, "up", "up,k", "move", "Select the image above", show=True),
        create_binding(group, "right", "right,l", "move", "Select the image at the right", show=True),
        create_binding(group, "first", "home", "ends", "Select the first image of the page", show=True),
        create_binding(group, "last", "end", "ends", "Select the last image of the page", show=True),
    ]


def create_relabelling(group: str, clear_keys: str) -> list[KeyBinding]:
    """Return bindings that correct images and take corrections back."""
    clear_text = "Keep the label of the selected image after all"
    return [
        create_binding(group, "unreadable", "x", "unreadable", "Unreadable: no label, ignored in training", show=True),
        create_binding(group, "undo", "u", "undo", "Undo the last mark of this page, then the last page", show=True),
        create_binding(group, "choose", "slash", "find class", "Find the class of the image by name", show=True),
        create_binding(group, "redo", "ctrl+r,U", "undo", "Record the page undone last again", show=True),
        create_binding(group, "clear", clear_keys, "clear", clear_text, show=True),
        create_binding(group, "zoom", "z", "full size", "Show the image in full size, or all again", show=True),
    ]


REVIEW_KEYS: list[KeyBinding] = [
    *create_digit_bindings("review", "Relabel the marked images, or the selected one and go on to the next", show=True),
    create_binding("review", "accept", "enter", "accept page", "Record all images of the page as shown", show=True),
    create_binding(
        "review", "second", "full_stop", "second class", "Relabel with the class below the image", show=True
    ),
    create_binding("review", "mark", "space", "mark", "Mark the image, to relabel all marked ones at once", show=True),
    create_binding(
        "review", "mark_all", "a", "mark all", "Mark all images that have no correction, or none", show=True
    ),
    create_binding("review", "next_class", "tab", "next class", "Review the next class", show=True),
    *create_relabelling("review", "delete,backspace"),
    create_binding("review", "pairs", "p", "pairs", "Compare two confused classes side by side", show=True),
    create_binding("review", "border", "b", "border", "Where does this class end? Find out by distance", show=True),
    create_binding(
        "review",
        "varied",
        "m",
        "mixed page",
        "Show doubtful images of all classes that differ: as answers they teach the most; or the class again",
        show=True,
    ),
    create_binding("review", "list", "c", "classes", "List the classes, and review one of them", show=True),
    *create_image_moves("review"),
    create_binding("review", "page_up", "pageup", "page", "Look at the page before this one", show=True),
    create_binding(
        "review", "page_down", "pagedown", "page", "Look at the next page without accepting this", show=True
    ),
    create_binding(
        "review", "previous_class", "shift+tab", "next class", "Review the class before this one", show=True
    ),
    create_binding("review", "close", "escape,q,w", "back", "Remove all marks, or close the review", show=True),
]
REVIEW_GLOSSARY: Glossary = (
    ("page", "Images with the same label, the most doubtful first; images with an answer of their own are left out"),
    ("about 84 wrong", "Expected number of wrong labels of the class, computed from the networks or an audit"),
    ("or ■ dog", "The second most probable class of the image"),
    ("■ cat or ■ dog", "On a mixed page: the label of the image, and the second most probable class"),
    ("→ ■ dog", "Relabelled; recorded when the page is accepted"),
    (" * ", "Marked: the next class key relabels it"),
    ("changed", "Images of the last pages that were not right as shown"),
    ("answers", "An accepted page counts as one answer, and each correction as another one"),
)
PAIR_KEYS: list[KeyBinding] = [
    create_binding(
        "pair", "accept", "enter", "accept page", "Record all images with the class they have now", show=True
    ),
    create_binding(
        "pair", "mark", "space,full_stop", "other class", "Move the image to the other class, or back", show=True
    ),
    *create_digit_bindings("pair", "Relabel the selected image and go on to the next", show=True),
    create_binding("pair", "next", "tab,n", "next pair", "Show the next pair", show=True),
    *create_relabelling("pair", "delete,backspace"),
    create_binding("pair", "list", "c", "pairs", "List the pairs, and show one of them", show=True),
    *create_image_moves("pair"),
    create_binding("pair", "previous", "shift+tab", "next pair", "Show the pair before this one", show=True),
    create_binding("pair", "close", "escape,q,p", "back", "Return to the review", show=True),
]
PAIR_GLOSSARY: Glossary = (
    ("pair", "Two classes that are easily confused; those with the most images in doubt come first"),
    ("left, right", "Images labelled with the first class, and with the second one, the most doubtful first"),
    ("→ ■ dog", "Moved to the other class; recorded when the page is accepted"),
)
BORDER_KEYS: list[KeyBinding] = [
    create_binding("border", "fits", "y", "all fit", "All images of the page fit the class", show=True),
    create_binding("border", "differs", "n", "some do not", "Some images of the page do not fit", show=True),
    create_binding("border", "accept", "enter", "go on", "All fit, or only the marked do not; or record", show=True),
    create_binding("border", "mark", "space,x", "mark", "Mark an image that does not fit, or unmark it", show=True),
    create_binding("border", "undo", "u", "undo", "Go back to the last page of the search", show=True),
    *create_image_moves("border"),
    create_binding("border", "page_up", "pageup", "part", "Show the images before these of the page", show=True),
    create_binding("border", "page_down", "pagedown", "part", "Show the images after these of the page", show=True),
    create_binding("border", "zoom", "z", "full size", "Show the image in full size, or all again", show=True),
    create_binding(
        "border", "close", "escape,q,b", "cancel", "Remove all marks, or return and change nothing", show=True
    ),
]
BORDER_GLOSSARY: Glossary = (
    ("by distance", "Pages of the class, the nearest to its centre first; within a page in random order"),
    ("border", "Pages 1, 2, 4, 8 … are shown until one does not fit; then the border lies between two pages"),
    ("beyond", "Images farther from the centre: they lose their label, unless they have an answer of their own"),
)
