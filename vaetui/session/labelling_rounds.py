"""The rounds of a session with their answers; the clusters of a few stay in memory while rounds are answered."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING

from vaetui.engine.config import Config
from vaetui.engine.events import Progress
from vaetui.engine.slow_calls import run_in_background
from vaetui.errors import UserError
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    from vaetui.session.labelling_round import LabellingRound
    from vaetui.session.round_clusters import RoundClustersCache


class LabellingRounds:
    """Loads rounds; heavy libraries are imported only then."""

    def __init__(self, store: ArtifactStore, repository: SessionRepository, load_config: Callable[[], Config]) -> None:
        """Load nothing yet; `load_config` returns the present configuration."""
        self.keeps_clusters = False
        """Whether clusters stay in memory; while networks are trained, memory is worth more than the time to load."""
        self.current: LabellingRound | None = None
        """The round that waits for answers."""
        self._store = store
        self._repository = repository
        self._load_config = load_config
        self._cache: RoundClustersCache | None = None

    def load(self, round_number: int, last_round: int | None = None) -> LabellingRound:
        """Return a round, with the answers and class edits made up to the end of `last_round`, or with all of them."""
        from vaetui.session.labelling_round import LabellingRound
        from vaetui.session.round_clusters import RoundClustersCache

        config, clusters = self._load_config(), None
        if self.keeps_clusters:
            cache = self._cache  # another thread may begin to train meanwhile
            if cache is None:
                cache = self._cache = RoundClustersCache(self._store, config.cluster.distance_metric)
            clusters = cache.load(round_number)
        return LabellingRound(self._store, self._repository, config, round_number, last_round, clusters)

    def prepare(self, round_number: int) -> Generator[Progress, None, None]:
        """Load the clusters of a round that waits for answers, so that `load` is quick afterwards; yields Progress."""
        self.keeps_clusters = True
        yield from run_in_background("opening the round", partial(self.load, round_number))

    def find(self, round_number: int) -> LabellingRound:
        """Return a round by its number, with all answers. Raises UserError if there is none."""
        if self.current is not None and self.current.round_number == round_number:
            return self.current
        if round_number not in [number for number, _, _ in self._repository.list_rounds()]:
            raise UserError(f"There is no round {round_number}.")
        return self.load(round_number)

    def load_newest(self) -> LabellingRound | None:
        """Return the round that waits for answers, else the last one; None before the first."""
        if self.current is not None:
            return self.current
        rounds = self._repository.list_rounds()
        return self.load(rounds[-1][0]) if rounds else None

    def drop_clusters(self) -> None:
        """Release the memory of all clusters but those of the current round."""
        self.keeps_clusters, self._cache = False, None
