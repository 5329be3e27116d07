"""One colour for each class, shown beside its name and never instead of it."""

from __future__ import annotations

CLASS_COLOURS = (
    *("#d70000", "#005fff", "#008700", "#d700d7", "#875f00", "#0087af"),
    *("#875fd7", "#d70087", "#af5f5f", "#5f875f", "#5f5f87", "#8700ff"),
)
"""Colours with a contrast of at least 3 to the dark and to the light background, all in the palette of 256 colours."""
CLASS_MARK = "■"
"""The character that shows the colour of a class."""
NEAREST_IMAGE_MARK = "□"
"""Stands in its place where only the nearest image of a cluster has the class."""


def get_class_style(class_id: int) -> str:
    """Return the Rich style of a class; classes beyond the number of colours share them."""
    return CLASS_COLOURS[class_id % len(CLASS_COLOURS)]
