"""Lay out headings with rows of two columns."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

MIN_LEFT_CELLS = 18
"""Cells of the left column, so that sections below one another are aligned."""
MIN_RIGHT_CELLS = 20
"""Cells of the right column at least, in a terminal that is too narrow for both."""
INDENT = "  "
_CONSOLE = Console(file=io.StringIO())  # for wrapping only


def format_section(heading: str, rows: Iterable[tuple[str, str]]) -> Group:
    """Return a heading above rows of a bold left and a wrapped right text, for any width."""
    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=MIN_LEFT_CELLS, no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for left, right in rows:
        table.add_row(Text(f"  {left}"), Text(right))
    return Group(Text(heading, style="bold underline"), table, Text())


def format_wrapped_section(heading: str, rows: Sequence[tuple[str, str]], width: int) -> Text:
    """Return a heading above rows of a bold left and a wrapped right text, in lines of `width` cells.

    The lines are broken here and not by a table of Rich, which takes longer than everything else that a key does.
    """
    text = Text.assemble((f"{heading}\n", "bold underline"))
    left_cells = max(MIN_LEFT_CELLS, *(cell_len(INDENT + left) for left, _ in rows))
    for left, right in rows:
        lines = wrap_text(right, max(width - left_cells - 1, MIN_RIGHT_CELLS))
        padding = " " * (left_cells - cell_len(INDENT + left) + 1)
        text.append(INDENT + left, "bold").append(f"{padding}{lines[0]}\n")
        for line in lines[1:]:
            text.append(f"{' ' * (left_cells + 1)}{line}\n")
    return text.append("\n")


def format_paragraph(heading: str, sentences: Iterable[str], width: int) -> Text:
    """Return a heading above a paragraph in lines of `width` cells."""
    text = Text.assemble((f"{heading}\n", "bold underline"))
    for line in wrap_text(" ".join(sentences), width - 2 * len(INDENT)):
        text.append(f"{INDENT}{line}\n")
    return text.append("\n")


def wrap_text(text: str, width: int) -> list[str]:
    """Return the lines of a text of any characters, at least one; line breaks in it are kept."""
    return [line for paragraph in text.split("\n") for line in _wrap_paragraph(paragraph, width)]


def _wrap_paragraph(text: str, width: int) -> list[str]:
    if text.isascii():
        return textwrap.wrap(text, width) or [""]
    # Characters may be two cells wide.
    return [line.plain.rstrip() for line in Text(text).wrap(_CONSOLE, width, overflow="fold")] or [""]
