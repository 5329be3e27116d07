"""Numbers, durations and bars as text of fixed width."""

from __future__ import annotations

from rich.text import Text


def format_bar(share: float, width: int, style: str = "bold") -> Text:
    """Return a bar of `width` cells, filled up to `share` (0 to 1)."""
    half_cells = round(min(max(share, 0.0), 1.0) * width * 2)
    full_cells, has_half_cell = divmod(half_cells, 2)
    filled = "━" * full_cells + "╸" * has_half_cell
    return Text.assemble((filled, style), ("─" * (width - len(filled)), "dim"))


def format_progress_bar(share: float, width: int) -> Text:
    """Return a bar of `width` cells, followed by the share in percent."""
    return format_bar(share, width).append(f" {100 * share:3.0f} %")


DURATION_CELLS = 9
"""Columns of a duration: a space before the longest one, so that it never touches the text before it."""
MAX_DURATION_S = 100 * 3600 - 1
"""The longest duration with all its digits; longer ones are shown as more than 99 hours."""


def format_duration(seconds: float | None) -> str:
    """Return the duration right-aligned in `DURATION_CELLS`, as m:ss or h:mm:ss; "-:--" for None."""
    if seconds is None:
        text = "-:--"
    elif seconds >= MAX_DURATION_S + 0.5:  # infinity too
        text = "> 99 h"
    else:
        minutes, rest = divmod(round(max(seconds, 0.0)), 60)
        hours, minutes = divmod(minutes, 60)
        text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{text:>{DURATION_CELLS}}"


def format_percent(share: float | None, width: int = 6) -> str:
    """Return the share in percent with one decimal and without a sign; a dash for None."""
    return f"{'-':>{width}}" if share is None else f"{100 * share:>{width}.1f}"


def format_number(value: float, width: int = 5) -> str:
    """Return a non-negative number with as many decimals as fit, at most three."""
    for decimals in (3, 2, 1):
        text = f"{value:.{decimals}f}"
        if len(text) <= width:
            return f"{text:>{width}}"
    return f"{value:>{width}.0f}"
