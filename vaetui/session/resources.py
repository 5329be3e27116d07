"""Images, true labels and networks of a session, loaded on first use.

Heavy libraries are imported only then, so that the first frame appears before torch loads.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Generator, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import TYPE_CHECKING

from vaetui.engine.clusters import Indices, Pixels
from vaetui.engine.config import Config
from vaetui.engine.events import Loading, Progress
from vaetui.engine.slow_calls import start_in_background
from vaetui.errors import UserError, make_printable
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    from vaetui.engine.distributed import World
    from vaetui.session.data_split import SessionImages
    from vaetui.session.session_true_labels import SessionTrueLabels
    from vaetui.session.trainer import Trainer

SOURCE_CHECK_TIMEOUT_S = 0.5
"""Seconds to wait for the check of the imported source files; a longer check is reported when it is done."""


class Resources:
    """Images and networks that take time and memory to load; they stay loaded while the session is open."""

    def __init__(self, store: ArtifactStore, repository: SessionRepository, world: World | None = None) -> None:
        """Start without loading anything; the networks are trained by the processes of the `world`."""
        self.store = store
        """The files of the session."""
        self.repository = repository
        """The database of the session."""
        self._world = world
        self._notices: list[str] = []
        self._source_checks: Collection[Future[str | None]] = ()
        self.images: SessionImages | None = None
        """The images; None before they are loaded."""
        self.true_labels: SessionTrueLabels | None = None
        """The true labels, for evaluation only; None before the images are loaded."""
        self.trainer: Trainer | None = None
        """The networks at the newest intact checkpoint; None before they are loaded."""

    def pop_notices(self) -> list[str]:
        """Return the notices on rebuilt or changed images that were not returned before."""
        done, self._source_checks = wait(self._source_checks, SOURCE_CHECK_TIMEOUT_S)
        notices, self._notices = self._notices, []
        for check in done:
            if error := check.exception():
                logging.getLogger(__name__).error("the check of the source files failed", exc_info=error)
            elif change := check.result():
                notices.append(change)
        return [make_printable(notice) for notice in notices]

    def select_training_images(self, indices: Indices) -> Pixels:
        """Return training images by index, [M, H, W]; empty before the images are loaded."""
        if self.images is None:
            import numpy as np

            return np.empty((0, *self.repository.shape[1:]), np.uint8)
        return self.images.train[indices]

    def select_images(self, image_indices: Sequence[int]) -> Pixels:
        """Return images by index in the data set, [M, H, W]; empty before the images are loaded.

        Raises UserError for an image that does not exist.
        """
        import numpy as np

        if self.images is None or not len(image_indices):
            return np.empty((0, *self.repository.shape[1:]), np.uint8)
        count, indices = self.repository.shape[0], np.array(image_indices, np.int64)
        if not 0 <= indices.min() <= indices.max() < count:
            raise UserError(f"The images are numbered from 0 to {count - 1:,}.")
        return self.images.train.all_pixels[indices]

    def load_trainer(self, config: Config) -> Generator[Loading | Progress, None, Trainer]:
        """Load images and networks if necessary and return the trainer.

        Raises UserError for missing or changed images.
        """
        if self.images is None:
            yield Loading("the images")
            from vaetui.data.importing import describe_source_changes
            from vaetui.session.data_loading import load_or_rebuild_images
            from vaetui.session.dataset_location import locate_source_directory

            images, self.true_labels, notice = yield from load_or_rebuild_images(self.store, self.repository)
            directory = locate_source_directory(self.repository.data_source)
            self._source_checks = [start_in_background(partial(describe_source_changes, directory))]
            self._notices += filter(None, [notice])
            self.images = images
        if self.trainer is None:
            yield Loading("PyTorch")
            from vaetui.session.trainer import Trainer

            yield Loading("the networks")
            self.trainer = Trainer(self.store, self.repository, config, self.images, self._world)
        return self.trainer
