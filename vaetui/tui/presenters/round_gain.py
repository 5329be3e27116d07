"""What the last round of answers has gained, in a sentence; it does not know the truth."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.events import EpochEnded
from vaetui.tui.presenters.number_format import percent

HARDLY = 0.01
"""Share of changed labels below which another round is hardly worth a person's time: about as many are wrong then."""

ENOUGH = "another round is hardly worth it"
"""What is said then."""


def gained(epochs: Sequence[EpochEnded]) -> str:
    """Tell what the last finished epoch made of the labels; empty where that was not looked at, or without labels."""
    last = epochs[-1] if epochs else None
    if last is None or last.expected is None or not last.answers:
        return ""
    words = f"by its own confidence the classifier has {percent(last.expected).strip()} % right"
    if last.changed is None:
        return words
    words += f", {percent(last.changed).strip()} % changed in the last epoch"
    return words + (f": {ENOUGH}" if is_enough(epochs) else "")


def is_enough(epochs: Sequence[EpochEnded]) -> bool:
    """Tell whether hardly any label changed in the last finished epoch."""
    return bool(epochs) and epochs[-1].changed is not None and epochs[-1].changed < HARDLY
