"""Key bindings of the audit and of its result, and glossaries of their terms."""

from __future__ import annotations

from vaetui.tui.binding_tables import Glossary, create_binding, create_digit_bindings
from vaetui.tui.key_bindings import KeyBinding

AUDIT_KEYS: list[KeyBinding] = [
    *create_digit_bindings("audit", "The class of the image; on a page of the selected one, which it marks", show=True),
    create_binding("audit", "accept", "enter", "all right", "Accept all images shown that have no mark", show=True),
    create_binding("audit", "unreadable", "x", "unreadable", "Unreadable: counted apart", show=True),
    create_binding("audit", "undo", "u", "undo", "Take back the last key of the audit", show=True),
    create_binding("audit", "choose", "slash", "find class", "Find a class by name", show=True),
    create_binding("audit", "clear", "space", "unmark", "Take back the mark of the selected image", show=True),
    create_binding("audit", "left", "left,h", "move", "Select the image at the left", show=True),
    create_binding("audit", "down", "down,j", "move", "Select the image below", show=True),
    create_binding("audit", "up", "up,k", "move", "Select the image above", show=True),
    create_binding("audit", "right", "right,l", "move", "Select the image at the right", show=True),
    create_binding("audit", "zoom", "z", "full size", "Show the selected image in full size, or all again", show=True),
    create_binding("audit", "page_up", "pageup", "part", "Show the images before these of the page", show=True),
    create_binding("audit", "page_down", "pagedown", "part", "Show the images after these of the page", show=True),
    create_binding("audit", "first", "home", "ends", "Select the first image of the page", show=True),
    create_binding("audit", "last", "end", "ends", "Select the last image of the page", show=True),
    create_binding("audit", "redo", "U,ctrl+r", "undo", "Redo the key taken back last", show=True),
    create_binding("audit", "abandon", "X", "abandon", "End the audit without a result, after one question", show=True),
    create_binding("audit", "close", "escape", "back", "Leave the audit; it goes on here next time", show=True),
]
AUDIT_GLOSSARY: Glossary = (
    ("audit", "Images drawn at random and checked by hand: how many labels are right, and an interval that holds"),
    ("single images", "Shown without their label, as seen labels are easily accepted; most of the doubtful ones"),
    ("pages", "Images with the same label; a few are planted errors, which show how many errors you notice"),
    ("■ dog  –", "Marked: of class dog, not as shown; unreadable"),
    ("✓", "Accepted; a class key still marks it"),
)
AUDIT_RESULT_KEYS: list[KeyBinding] = [
    create_binding(
        "audit_result", "learn", "l", "learn", "Record the checks as answers, after one question", show=True
    ),
    create_binding("audit_result", "review", "w", "review", "Correct single images, the worst first", show=True),
    create_binding("audit_result", "again", "n", "new audit", "Audit again, with other images", show=True),
    create_binding("audit_result", "undo", "u", "undo", "Take back the last key, and go on with the audit", show=True),
    create_binding("audit_result", "down", "down,j", "scroll", "Scroll down", show=True),
    create_binding("audit_result", "up", "up,k", "scroll", "Scroll up", show=True),
    create_binding("audit_result", "page_up", "pageup", "page", "Go up by a page", show=True),
    create_binding("audit_result", "page_down", "pagedown,space", "page", "Go down by a page", show=True),
    create_binding("audit_result", "first", "home", "ends", "Go to the start", show=True),
    create_binding("audit_result", "last", "end", "ends", "Go to the end", show=True),
    create_binding("audit_result", "close", "escape,q,v", "back", "Return to the previous screen", show=True),
]
AUDIT_RESULT_GLOSSARY: Glossary = (
    ("95 % interval", "Of 100 such audits, about 95 give an interval that holds the true share of right labels"),
    ("planted errors", "Tiles with a wrong label on purpose; the interval allows for the share that was not found"),
    ("version", "Of the labels that were audited; the result holds for them, not for later ones"),
    ("calibrated", "Confidence refitted on the checks, so that of labels with 0.9 about 90 % are right"),
)
