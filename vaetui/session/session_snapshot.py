"""The state of a session at one moment, read without its lock while another process may train it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vaetui.engine.config import Config, Device, count_steps_per_epoch, count_validation_images
from vaetui.errors import UserError
from vaetui.session import schedule
from vaetui.session.label_propagator import LabelPropagator
from vaetui.storage import file_names, lock, untrusted_entries
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    from vaetui.engine.networks import Networks
    from vaetui.session.labelling_round import LabellingRound

MAX_CHECKPOINT_BYTES = 2_000_000_000
"""Size limit of a checkpoint before the networks are built, which give a tighter one."""
OPEN_ATTEMPTS = 3
"""How often a session is read: its checkpoints may be replaced between the database and the file."""


class SessionSnapshot:
    """Database and newest checkpoint of a session, as they were when the snapshot was taken.

    The other files are never changed or removed while the session exists, so they are read when needed.
    """

    def __init__(self, directory: Path) -> None:
        """Read the session in a directory; no lock is needed, and no process that holds it waits.

        Raises UserError for a damaged database and an unsupported format.
        """
        untrusted_entries.refuse_untrusted_entries(directory)
        self.directory = directory
        """The session directory."""
        self.name = directory.name
        """The session name."""
        for attempt in range(OPEN_ATTEMPTS):
            self.holder = lock.read_holder(directory)
            """The process that has the session open; None if there is none."""
            self.repository = SessionRepository(directory)
            """The database."""
            self.store = ArtifactStore(directory, self.repository)
            """The other files."""
            self._checkpoint = self._read_newest_checkpoint()
            if self._checkpoint is not None or not self.repository.list_checkpoints() or attempt == OPEN_ATTEMPTS - 1:
                break
            self.repository.close()
        self.config: Config = self.repository.config
        """The configuration, with the current number of classes."""
        self.classes = self.repository.load_class_list()
        """The classes, including merged ones."""
        self.finished_epochs = self.repository.list_epochs()
        """The finished epochs, in order."""
        training, count = self.config.training, self.repository.shape[0]
        self._train_count = count - count_validation_images(training, count)
        self.steps_per_epoch = count_steps_per_epoch(training, self._train_count)
        """Batches in an epoch after the first round."""
        self.propagator = LabelPropagator(self.repository, self.store, self.load_round)
        """Labels by the answers."""

    @property
    def checkpoint_position(self) -> tuple[int, int] | None:
        """Epoch and step of the newest intact checkpoint; None without one."""
        return None if self._checkpoint is None else self._checkpoint[:2]

    @property
    def last_trained_epoch(self) -> int:
        """The last finished epoch that the networks were trained in; less than the last one if checkpoints are lost."""
        epoch, _ = self.checkpoint_position or (0, 0)
        return min(epoch, len(self.finished_epochs))

    @property
    def has_lost_training(self) -> bool:
        """Whether the networks have not completed the last finished epoch, because newer checkpoints are damaged."""
        epoch, position = len(self.finished_epochs), self.checkpoint_position or (0, 0)
        return position < (epoch, count_steps_per_epoch(self.config.training, self._train_count, epoch))

    def load_round(self, round_number: int, last_round: int | None = None) -> LabellingRound:
        """Return a round with its answers; see `LabellingRound`."""
        from vaetui.session.labelling_round import LabellingRound

        return LabellingRound(self.store, self.repository, self.config, round_number, last_round)

    def load_networks(self, device: Device) -> tuple[Networks, Config]:
        """Return the networks of the newest intact checkpoint on a device, and their configuration.

        Raises UserError without a checkpoint, and for one that does not fit the session.
        """
        from vaetui.engine import train_state
        from vaetui.storage import tensors

        if self._checkpoint is None and self.repository.list_checkpoints():
            raise UserError(f"No checkpoint can be read; repair the session with: vaetui check {self.name} --repair")
        if self._checkpoint is None:
            raise UserError(f"{self.name} has no checkpoint yet; the first one is saved after ten seconds of training.")
        epoch, _, content = self._checkpoint
        config = schedule.config_for_epoch(epoch, replace(self.config, device=device), self.repository)
        state = train_state.create_train_state(config, self.repository.input_shape, self.repository.shape[1:])
        if len(content) > train_state.bound_checkpoint_bytes(state):
            raise UserError(f"The newest checkpoint of {self.name} does not fit the networks of the session.")
        train_state.load_checkpoint_arrays(state, tensors.decode_safetensors(content))
        return state.vae.eval(), config

    def close(self) -> None:
        """Release the memory of the database."""
        self.repository.close()

    def _read_newest_checkpoint(self) -> tuple[int, int, bytes] | None:
        """Return epoch, step and content of the newest intact checkpoint; None if none can be read."""
        for epoch, step in self.repository.list_checkpoints():
            with suppress(ArtifactLostError):
                return epoch, step, self.store.read(file_names.checkpoint_name(epoch, step), MAX_CHECKPOINT_BYTES)
        return None
