"""Wrap text to a width in cells, as the screen does."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells


def wrap_text(text: str, max_cells: int) -> list[str]:
    """Return the lines of a text, broken between words; a word that is too long, such as a path, is cut anywhere."""
    lines = [""]
    for word in text.split(" "):
        if not lines[-1]:
            pieces = chop_cells(word, max(max_cells, 2)) or [""]  # no character is wider than two cells
            lines[-1:] = pieces
        elif cell_len(lines[-1]) + 1 + cell_len(word) <= max_cells:
            lines[-1] += f" {word}"
        else:
            lines += chop_cells(word, max(max_cells, 2)) or [""]
    return lines
