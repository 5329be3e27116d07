"""Short texts in pieces with styles, such as the answer of a cluster with the colour of its class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from rich.cells import cell_len
from rich.text import Text

from vaetui.engine.answers import ClassAnswer, NearestImageAnswer, Unreadable
from vaetui.engine.classes import ClassList
from vaetui.session.views import ClusterView
from vaetui.tui.presenters.class_colours import CLASS_MARK, NEAREST_IMAGE_MARK, get_class_style
from vaetui.tui.presenters.cluster_text import (
    MAX_CLASS_NAME_CELLS,
    format_cluster_name,
    format_confidence,
    format_guess,
    truncate_class_name,
)

Piece: TypeAlias = tuple[str, str]
"""A text and its style: "" for the default, "focus", "open", "dim", "strong", or a Rich style such as a colour."""

RICH_STYLES = {"focus": "bold", "open": "bold reverse", "dim": "dim", "strong": "bold"}
"""The Rich style of each named style, where the colours of the theme are not needed."""
MIN_GUESS_CELLS = 8
"""Cells of a guess that says anything, such as "9 · 63 %"."""


def format_class(
    class_id: int,
    classes: ClassList,
    max_cells: int = MAX_CLASS_NAME_CELLS,
    gap: str = " ",
    mark: str = CLASS_MARK,
) -> tuple[Piece, ...]:
    """Return the mark of a class in its colour and its name after `gap`, truncated to `max_cells` in total."""
    name = truncate_class_name(class_id, classes, max(max_cells - len(mark + gap), 1))
    return (mark, get_class_style(class_id)), (f"{gap}{name}", "")


def format_answer_pieces(
    cluster: ClusterView, classes: ClassList, max_cells: int = MAX_CLASS_NAME_CELLS, gap: str = " "
) -> tuple[Piece, ...]:
    """Return the answer in at most `max_cells`, or nothing without one; a long class name is truncated.

    "■ cat" is the class cat, "■ cat .8" the same with confidence 0.8, "□ cat" that of the nearest image alone, "–"
    unreadable, "⟨2/4⟩" split with 2 of 4 parts answered.
    """
    if cluster.leaf_counts is not None:
        return ((f"⟨{cluster.leaf_counts[0]}/{cluster.leaf_counts[1]}⟩", ""),)
    match cluster.answer:
        case ClassAnswer(class_id, confidence):
            suffix = format_confidence(confidence)
            return *format_class(class_id, classes, max_cells - len(suffix), gap), (suffix, "dim")
        case NearestImageAnswer(class_id):
            return format_class(class_id, classes, max_cells, gap, NEAREST_IMAGE_MARK)
        case Unreadable():
            text = "– unreadable"
            return ((text if len(text) <= max_cells else "–", "dim"),)
    return ()


def format_tile_caption(cluster: ClusterView, classes: ClassList, max_cells: int) -> tuple[Piece, ...]:
    """Return the name of a cluster with its answer, or highlighted with "?" and the guess if it has none."""
    name = format_cluster_name(cluster)
    if cluster.answer is None and cluster.leaf_counts is None:
        mark = f" {name} ? "
        rest = max_cells - len(mark) - 1
        guess = format_guess(cluster, classes, rest) if rest >= MIN_GUESS_CELLS else ""
        return (mark, "open"), (f" {guess}" if guess and cell_len(guess) <= rest else "", "dim")
    style = "dim" if isinstance(cluster.answer, Unreadable) else ""
    return (f" {name} ", style), *format_answer_pieces(cluster, classes, max_cells - len(name) - 2)


def format_list_entry(
    cluster: ClusterView, classes: ClassList, name_cells: int = 0, answer_cells: int = 10
) -> tuple[Piece, ...]:
    """Return the name of a cluster, right-aligned in `name_cells`, with its answer in at most `answer_cells`."""
    name = f"{format_cluster_name(cluster):>{name_cells}} "
    if cluster.answer is None and cluster.leaf_counts is None:
        return ((f"{name}?", "strong"),)
    if isinstance(cluster.answer, Unreadable):
        return ((f"{name}–", "dim"),)
    return (name, ""), *format_answer_pieces(cluster, classes, answer_cells, gap="")


def count_cells(pieces: Iterable[Piece]) -> int:
    """Return the width of the pieces of a text."""
    return sum(cell_len(text) for text, _ in pieces)


def to_text(pieces: Iterable[Piece], base_style: str = "") -> Text:
    """Return the pieces as a Rich text in a base style."""
    text = Text(style=base_style)
    for content, style in pieces:
        text.append(content, RICH_STYLES.get(style, style))
    return text
