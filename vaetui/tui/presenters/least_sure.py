"""Which of the least sure images of all classes are shown, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vaetui.tui.presenters.layout import THUMBNAIL_CELLS, GridLayout

SMALL_IMAGE_CELLS = (12, 6)
"""Columns and rows of an image where more rows of them fit than of thumbnails."""


def compute_least_sure_layout(width: int, height: int) -> GridLayout | None:
    """Return a grid of images, each with a line for its caption, below a heading; None if not even one row fits."""
    layouts = [
        GridLayout(cells, max((width - 1) // (cells[0] + 1), 1), (height - 1) // (cells[1] + 1))
        for cells in (THUMBNAIL_CELLS, SMALL_IMAGE_CELLS)
    ]
    layout = layouts[0] if layouts[0].rows == layouts[1].rows else layouts[1]
    return layout if layout.rows else None


def choose_least_sure(confidences: Mapping[int, Sequence[float]], capacity: int) -> list[tuple[int, int]]:
    """Return (class id, position) of the images to show, by class and confidence; each class has its least sure one.

    `confidences` has those of each class, ascending. If there are more classes than places, those with the least sure
    images are shown.
    """
    candidates = sorted(
        (position, confidence, class_id)
        for class_id, values in confidences.items()
        for position, confidence in enumerate(values)
    )
    order = list(confidences)
    chosen = [(class_id, position) for position, _, class_id in candidates[:capacity]]
    return sorted(chosen, key=lambda item: (order.index(item[0]), item[1]))
