"""Key bindings of a round that is only watched; its terms are those of a round that is answered."""

from __future__ import annotations

from vaetui.tui.binding_tables import create_binding
from vaetui.tui.key_bindings import KeyBinding

WATCH_KEYS: list[KeyBinding] = [
    create_binding("watch", "left", "left,h", "move", "Move left", show=True),
    create_binding("watch", "down", "down,j", "move", "Move down", show=True),
    create_binding("watch", "up", "up,k", "move", "Move up", show=True),
    create_binding("watch", "right", "right,l", "move", "Move right", show=True),
    create_binding("watch", "next", "n,tab", "next", "Go to the next cluster without an answer", show=True),
    create_binding(
        "watch", "previous", "p,shift+tab", "next", "Go to the previous cluster without an answer", show=True
    ),
    create_binding("watch", "members", "m", "members", "Show nearest, random, farthest members", show=True),
    create_binding("watch", "zoom", "z,enter", "zoom", "Show many members, or one in full size", show=True),
    create_binding("watch", "sort", "O", "sort", "Sort the clusters by size, doubt or class", show=True),
    create_binding("watch", "filter", "f", "filter", "Show only clusters without an answer, or all", show=True),
    create_binding("watch", "map", "M", "map", "Show all images as points of a map", show=True),
    create_binding("watch", "draw", "d", "samples", "Generate samples of any class or of one", show=True),
    create_binding("watch", "export", "e", "export", "Export the labels to a file", show=True),
    create_binding("watch", "page_up", "pageup", "jump", "Go up by a page", show=True),
    create_binding("watch", "page_down", "pagedown", "jump", "Go down by a page", show=True),
    create_binding("watch", "first", "home", "jump", "Go to the first cluster", show=True),
    create_binding("watch", "last", "end", "jump", "Go to the last cluster", show=True),
]
