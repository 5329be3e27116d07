"""The processes that have a session open or train it, in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vaetui.storage import lock, training_run
from vaetui.storage.lock import Holder
from vaetui.storage.training_run import TrainingRun

if TYPE_CHECKING:
    from vaetui.session.views import Phase


@dataclass(frozen=True, slots=True)
class SessionUsers:
    """The process that has a session open for writing, and the training run that serves it."""

    holder: Holder | None
    """The process that holds the lock; None if there is none."""
    training_run: TrainingRun | None
    """The processes that train the session whenever it needs no answers; None if there are none."""

    @property
    def can_be_resumed(self) -> bool:
        """Whether `vaetui resume` opens the session, stops its background training or attaches to its training run."""
        return self.holder is None or self.holder.is_detached or self.is_held_by_run

    @property
    def is_held_by_run(self) -> bool:
        """Whether the first process of the training run has the session open."""
        holder, run = self.holder, self.training_run
        if holder is None or run is None:
            return False
        return not holder.process_id or (holder.host, holder.process_id) == (run.host, run.process_id)

    def is_trained(self, phase: Phase) -> bool:
        """Return whether one of them trains the session in a phase, as far as that can be seen from outside."""
        return phase == "training" and (self.holder is not None or self.training_run is not None)

    def describe(self, phase: Phase) -> str:
        """Return a phrase such as "trained by 2 processes of anna on node1"."""
        run, holder = self.training_run, self.holder
        if run is not None and phase == "training":
            return f"trained by {run}"
        if run is not None and phase == "labelling":
            waiting = f"waiting for answers: {run}"
            return waiting if holder is None or self.is_held_by_run else f"open in {holder}; {waiting}"
        if holder is None:
            return "not open in any process"
        return f"trained in the background by {holder}" if holder.is_detached else f"open in {holder}"


def find_users(directory: Path) -> SessionUsers:
    """Return the processes that use a session now."""
    return SessionUsers(lock.read_holder(directory), training_run.read_training_run(directory))
