"""A session on a copy of its database, to look at while another process may train it."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from vaetui.engine.events import BatchesTrained
from vaetui.engine.slow_calls import exhaust
from vaetui.session.resources import Resources
from vaetui.session.session import Session
from vaetui.storage import file_names, untrusted_entries
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    from vaetui.engine.events import Reconstructed
    from vaetui.session.data_split import SessionImages


class SessionCopy(Session):
    """The state of a session at one moment. Nothing is locked, and nothing can be recorded.

    Files beside the database are read when they are needed; they never change while the session exists.
    """

    def __init__(self, directory: Path) -> None:
        """Read the session in a directory. Raises UserError for a damaged database and an unsupported format."""
        untrusted_entries.refuse_untrusted_entries(directory)
        repository = SessionRepository(directory)
        try:
            super().__init__(Resources(ArtifactStore(directory, repository), repository), None)
        except BaseException:
            repository.close()
            raise
        weakref.finalize(self, repository.close)  # a slow call may read a copy that is no longer shown
        losses = repository.list_losses()
        self.last_loss_position = losses[-1][:2] if losses else (0, 0)
        """Epoch and step of the last recorded losses."""

    @property
    def has_split(self) -> bool:
        """Whether the split of the images is recorded, so that they can be loaded."""
        return self._repository.find_fingerprint(file_names.TRAIN_VAL_SPLIT_NAME) is not None

    def load_images(self) -> SessionImages:
        """Load the images, without labels, test images and vectors.

        Raises UserError if they are missing or have changed.
        """
        from dataclasses import replace

        from vaetui.session.data_split import load_images
        from vaetui.session.dataset_location import locate_session_files

        files = replace(locate_session_files(self._repository), train_labels=None, test_images=None, test_labels=None)
        return exhaust(load_images(self._store, self._repository, files, with_vectors=False))

    def use_images(self, images: SessionImages | None) -> None:
        """Show the members of clusters from these images."""
        self._resources.images = images

    def add_losses(self, events: Iterable[BatchesTrained]) -> None:
        """Add losses that are not recorded yet to the curves."""
        for event in events:
            self._history.add_losses(event)

    def load_reconstructions(self, images: SessionImages) -> Reconstructed | None:
        """Return the validation images and their reconstructions after the last epoch; None if none are stored."""
        from vaetui.engine.events import Reconstructed
        from vaetui.storage import stored_arrays
        from vaetui.storage.artifact_store import ArtifactLostError
        from vaetui.storage.stored_arrays import Reconstructions

        epoch = len(self._history.finished_epochs)
        name = file_names.reconstructions_name(epoch)
        if not self._repository.find_fingerprint(name):
            return None
        try:
            arrays = stored_arrays.load_arrays(self._store, name, Reconstructions)
        except ArtifactLostError:
            return None
        originals = images.validation[: len(arrays.images)]
        return Reconstructed(originals, arrays.images, epoch * self.config.training.evals_per_epoch)

    def close(self) -> None:
        """Release the memory of the database."""
        self._repository.close()
