"""Where a run is, in the same words on the screens and in the output of `show` and `sessions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaetui.errors import format_count

if TYPE_CHECKING:
    from vaetui.session.views import Phase  # its imports would delay `--help`


def format_epoch(epoch: int, epoch_count: int) -> str:
    """Return the number of an epoch, such as "epoch 2 of 5"."""
    return f"epoch {epoch} of {epoch_count}"


def format_round(round_number: int, round_count: int) -> str:
    """Return the number of a round, such as "round 2 of 4"."""
    return f"round {round_number} of {round_count}"


def format_next_phase(next_round: int | None, round_count: int) -> str:
    """Return what follows training: the next round, or the summary if there is none."""
    return format_round(next_round, round_count) if next_round else "summary"


def format_position(phase: Phase, epoch: int, epoch_count: int, next_round: int | None, round_count: int) -> str:
    """Return the position in a run.

    `epoch` is the one that is trained, or the last finished one while none is; `next_round` is the current or next
    round, None or 0 after the last one.
    """
    if phase == "training":
        return f"{format_epoch(epoch, epoch_count)}, next: {format_next_phase(next_round, round_count)}"
    if phase == "labelling" and next_round:
        return format_round(next_round, round_count)
    return f"{format_count(round_count, 'round')}, {format_count(epoch_count, 'epoch')}"
