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
from vaetui.engine.events import Loading, Progressed
from vaetui.errors import visible
from vaetui.session.side_thread import aside
from vaetui.storage.artifact_store import Vault
from vaetui.storage.repository import Facts

if TYPE_CHECKING:
    from vaetui.session.data_split import Data
    from vaetui.session.session_labels import Truths
    from vaetui.session.trainer import Learning

PATIENCE = 0.5
"""Seconds that a look at the files the images were made of is waited for; of many files it is told when it is over."""


class Workshop:
    """What takes time and memory to load, once for as long as the session is open."""

    def __init__(self, vault: Vault, facts: Facts) -> None:
        """Begin empty."""
        self._vault = vault
        self._facts = facts
        self._news: list[str] = []
        self._looking: Collection[Future[str | None]] = ()
        self.data: Data | None = None
        """The images."""
        self.truths: Truths | None = None
        """The true classes, which nothing here learns from."""
        self.learning: Learning | None = None
        """The networks, as the last whole checkpoint left them."""

    def news(self) -> list[str]:
        """Give what a person should know of the images, once."""
        done, self._looking = wait(self._looking, PATIENCE)
        told = [*self._news, *filter(None, (looked.result() for looked in done if not looked.exception()))]
        self._news = []
        return [visible(words) for words in told]

    def pictures(self, indices: Indices) -> Pixels:
        """Give some of the images that are trained on, [M, H, W]; none before they are loaded."""
        if self.data is None:
            import numpy as np

            return np.empty((0, *self._facts.shape[1:]), np.uint8)
        return self.data.train[indices]

    def opened(self, config: Config) -> Generator[Loading | Progressed, None, Learning]:
        """Load what is not there yet, and give the networks.

        Raises Trouble for images that are gone or changed.
        """
        if self.data is None:
            yield Loading("the images")
            from vaetui.data.importing import changes
            from vaetui.session.data_loading import supply
            from vaetui.session.data_source import directory

            data, self.truths, mended = yield from supply(self._vault, self._facts)
            self._looking = [aside(partial(changes, directory(self._facts.data)))]
            self._news += filter(None, [mended])
            self.data = data
        if self.learning is None:
            yield Loading("PyTorch")
            from vaetui.session.trainer import Learning

            yield Loading("the networks")
            self.learning = Learning(self._vault, self._facts, config, self.data)
        return self.learning
