"""The place of this process among those that train together, as torchrun and Slurm scripts pass it in variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from vaetui.errors import UserError

MAX_WORLD_SIZE = 10_000
"""Most processes of a run."""
LOST_RANK_TEXT = "was lost: it was killed, it failed, or its machine cannot be reached."
"""The predicate of the sentence with which the other processes report the end of one."""
RESTART_ADVICE = "Start the run again to go on."
"""What to do about it, where vaetui has not started the processes."""


class CommonError(UserError):
    """A problem that every process raises, so that only the first one reports it."""


@dataclass(frozen=True, slots=True)
class RankEnvironment:
    """The place of this process among all."""

    rank: int = 0
    """The number of this process, from 0."""
    size: int = 1
    """The number of processes."""
    local_rank: int = 0
    """The number of this process on its machine, from 0, which chooses its GPU."""
    local_size: int = 1
    """The number of processes on this machine."""


def read_rank_environment(variables: Mapping[str, str] = os.environ) -> RankEnvironment:
    """Return the place of this process; one process without the variables. Raises UserError for invalid ones."""
    if "RANK" not in variables and "WORLD_SIZE" not in variables:
        return RankEnvironment()
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        if not variables.get(name):
            raise UserError(f"RANK and WORLD_SIZE need {name}, too. Start the processes with torchrun, or set it.")
    size = _read_number(variables, "WORLD_SIZE", 1, MAX_WORLD_SIZE)
    rank = _read_number(variables, "RANK", 0, size - 1)
    _read_number(variables, "MASTER_PORT", 1, 65_535)
    local_size = _read_number(variables, "LOCAL_WORLD_SIZE", 1, size, default=1)
    local_rank = _read_number(variables, "LOCAL_RANK", 0, size - 1, default=0)
    return RankEnvironment(rank, size, local_rank, max(local_size, local_rank + 1))


def _read_number(variables: Mapping[str, str], name: str, minimum: int, maximum: int, default: int = -1) -> int:
    text = variables.get(name, "")
    if not text and default >= 0:
        return default
    if not (text.isascii() and text.isdigit() and minimum <= int(text[:9]) <= maximum):
        raise UserError(f"{name}={text} is not a whole number from {minimum} to {maximum}.")
    return int(text)
