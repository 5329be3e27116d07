"""Figures of a fixed width: bars, spans of time, numbers; it does not know what they measure."""

from __future__ import annotations

from rich.text import Text

SPINNER_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
"""The frames of the indicator that something goes on."""


def format_bar(share: float, width: int, style: str = "bold") -> Text:
    """Draw a bar of that many cells, of which a share from 0 to 1 is done."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    full, half = divmod(halves, 2)
    done = "━" * full + "╸" * half
    return Text.assemble((done, style), ("─" * (width - len(done)), "dim"))


def format_duration(seconds: float | None) -> str:
    """Write a span of time in 7 cells: minutes and seconds, from an hour on hours too."""
    if seconds is None:
        return "   -:--"
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{text:>7}"


def format_percent(share: float | None, width: int = 6) -> str:
    """Write a share in that many cells, one decimal, without a sign; a dash where it is not known."""
    return f"{'-':>{width}}" if share is None else f"{100 * share:>{width}.1f}"


def format_number(value: float, width: int = 5) -> str:
    """Write a number above 0 in that many cells, with as many decimals as fit (at most three)."""
    for decimals in (3, 2, 1):
        text = f"{value:.{decimals}f}"
        if len(text) <= width:
            return f"{text:>{width}}"
    return f"{value:>{width}.0f}"


def get_spinner_frame(tick: int) -> str:
    """Give one cell that moves from tick to tick."""
    return SPINNER_FRAMES[tick % len(SPINNER_FRAMES)]
