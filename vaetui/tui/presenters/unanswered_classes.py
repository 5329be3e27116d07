"""The classes without an answer, as a short text; it stands where an estimate of the accuracy would mislead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from vaetui.errors import format_count

MAX_NAMES = 5
"""Most names in one text, wherever there is room for more."""


def format_unanswered_classes(names: Sequence[str], max_cells: int = 72) -> str:
    """Return a text such as "No answer yet for: cat, owl" in at most `max_cells` columns; "" if all have an answer.

    Names that do not fit are counted: "No answer yet for: cat, owl and 3 more".
    """
    if not names:
        return ""
    for count in range(min(len(names), MAX_NAMES), 0, -1):
        rest = f" and {len(names) - count} more" if count < len(names) else ""
        text = f"No answer yet for: {', '.join(names[:count])}{rest}"
        if cell_len(text) <= max_cells:
            return text
    return f"No answer yet for {format_count(len(names), 'class', 'classes')}"


def select_class_names(names: Sequence[str], class_ids: Iterable[int]) -> list[str]:
    """Return the names of the classes with these ids."""
    return [names[class_id] for class_id in class_ids]
