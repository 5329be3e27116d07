"""Accuracies that nobody measured, as text that promises no decimals; and texts of which as many are shown as fit."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

NOT_AUDITED = "not audited"
"""Stands beside every expected accuracy: it is computed from the networks alone."""
SEPARATOR = ". "
"""Stands between two texts on a line."""


def round_percent(share: float) -> int:
    """Return an expected share as whole percents from 1 to 99: an expectation never excludes an error."""
    return min(max(round(100 * share), 1), 99)


def format_expected_accuracy(share: float) -> str:
    """Return a text such as "about 75 % (not audited)"."""
    return f"about {round_percent(share)} % ({NOT_AUDITED})"


def format_small_share(share: float) -> str:
    """Return a measured share as whole percents, such as "5 %"; "less than 1 %" for small ones."""
    return f"{round(100 * share)} %" if share >= 0.01 else "less than 1 %"


def fit_texts(alternatives: Sequence[Sequence[str]], max_cells: int) -> str:
    """Return the texts that fit into `max_cells` columns, in order.

    Each text has alternatives, longest first. Texts at the beginning are more important: they get the room first.
    """
    texts: list[str] = []
    used_cells = 0
    for choices in alternatives:
        room = max_cells - used_cells - (cell_len(SEPARATOR) if texts else 0)
        text = next((choice for choice in choices if choice and cell_len(choice) <= room), None)
        if text is not None:
            used_cells = max_cells - room + cell_len(text)
            texts.append(text)
    return SEPARATOR.join(texts)
