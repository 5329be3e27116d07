"""Images, truths and networks of a session, loaded when they are first needed; it does not know what is done with them.

Nothing heavy is imported before that, so that a screen can be painted first.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from concurrent.futures import Future, wait
from functools import partial
from typing import TYPE_CHECKING

from vaetui.engine.clusters import Indices, Pixels
from vaetui.engine.config import Config
from vaetui.engine.events import Loading, Progress
from vaetui.errors import sanitize
from vaetui.session.side_thread import run_in_thread
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    from vaetui.session.data_split import SessionImages
    from vaetui.session.session_labels import SessionLabels
    from vaetui.session.trainer import Trainer

SOURCE_CHECK_TIMEOUT_S = 0.5
"""Seconds that a look at the files the images were made of is waited for; of many files it is told when it is over."""


class Resources:
    """What takes time and memory to load, once for as long as the session is open."""

    def __init__(self, store: ArtifactStore, repository: SessionRepository) -> None:
        """Begin empty."""
        self._store = store
        self._repository = repository
        self._notices: list[str] = []
        self._source_checks: Collection[Future[str | None]] = ()
        self.images: SessionImages | None = None
        """The images."""
        self.true_labels: SessionLabels | None = None
        """The true classes, which nothing here learns from."""
        self.trainer: Trainer | None = None
        """The networks, as the last whole checkpoint left them."""

    def notices(self) -> list[str]:
        """Give what a person should know of the images, once."""
        done, self._source_checks = wait(self._source_checks, SOURCE_CHECK_TIMEOUT_S)
        told = [*self._notices, *filter(None, (looked.result() for looked in done if not looked.exception()))]
        self._notices = []
        return [sanitize(words) for words in told]

    def select_images(self, indices: Indices) -> Pixels:
        """Give some of the images that are trained on, [M, H, W]; none before they are loaded."""
        if self.images is None:
            import numpy as np

            return np.empty((0, *self._repository.shape[1:]), np.uint8)
        return self.images.train[indices]

    def load_trainer(self, config: Config) -> Generator[Loading | Progress, None, Trainer]:
        """Load what is not there yet, and give the networks.

        Raises Trouble for images that are gone or changed.
        """
        if self.images is None:
            yield Loading("the images")
            from vaetui.data.importing import describe_changes
            from vaetui.session.data_loading import load_or_rebuild
            from vaetui.session.data_source import source_directory

            data, self.true_labels, mended = yield from load_or_rebuild(self._store, self._repository)
            self._source_checks = [
                run_in_thread(partial(describe_changes, source_directory(self._repository.data_source)))
            ]
            self._notices += filter(None, [mended])
            self.images = data
        if self.trainer is None:
            yield Loading("PyTorch")
            from vaetui.session.trainer import Trainer

            yield Loading("the networks")
            self.trainer = Trainer(self._store, self._repository, config, self.images)
        return self.trainer
