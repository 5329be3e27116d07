"""What the answers of all rounds come to for every image; it does not know what is trained with it.

Nothing heavy is imported before it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, TypeAlias

from vaetui.engine.config import Config
from vaetui.engine.events import Progressed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vaetui.engine.clusters import Indices, Vectors
    from vaetui.engine.graph import Graph
    from vaetui.engine.seeds import Seeds
    from vaetui.engine.weights import Weights
    from vaetui.session.labelling import Heard, Labelling

Probabilities: TypeAlias = "NDArray[np.float32]"
"""Of each class for each image, [N, classes]."""


class Spreading:
    """Spreads answers as the recipe says; keeps the last graph, which serves before a round is asked and after."""

    def __init__(self, rounds: Callable[[int], Labelling]) -> None:
        """Spread what was said in rounds, which are read by their number when they are needed."""
        self._rounds = rounds
        self._graph: tuple[int, Graph] | None = None
        self._heard: dict[int, Heard] = {}

    def weights(self, config: Config, round: int) -> Generator[Progressed, None, Weights]:
        """Give label and weight of every image by the answers up to that round; yields its progress."""
        labelling = self._rounds(round)
        if config.spread.over == "cluster":
            return labelling.weights()
        from vaetui.engine.graph import settle

        said = [*self._before(round), labelling.seeds()]
        return settle((yield from self._spread(config, round, labelling.places, said)))

    def said(self, config: Config, round: int) -> Weights:
        """Give what the answers themselves say: of whole clusters, or only of the images that a person has seen."""
        if config.spread.over == "cluster":
            return self._rounds(round).weights()
        from vaetui.engine.seeds import joined
        from vaetui.engine.weights import told

        labelling = self._rounds(round)
        return told(joined([*self._before(round), labelling.seeds()]), len(labelling.places))

    def seen(self, config: Config, round: int) -> Indices:
        """Give the images that a person saw as they answered, of which `said` speaks."""
        import numpy as np

        first = 1 if config.spread.over == "neighbours" else round
        return np.concatenate([self._rounds(number).seeds().indices for number in range(first, round + 1)])

    def heard(self, round: int) -> Heard:
        """Give what came of a round that is over, which changes no more: a round is read once."""
        if round not in self._heard:
            self._heard[round] = self._rounds(round).heard()
        return self._heard[round]

    def before(self, config: Config, round: int, places: Vectors) -> Generator[Progressed, None, Probabilities]:
        """Say what the answers before that round say of each image; `places` [N, z_dim] is where the images lie now."""
        return (yield from self._spread(config, round, places, self._before(round)))

    def _spread(
        self, config: Config, round: int, places: Vectors, said: list[Seeds]
    ) -> Generator[Progressed, None, Probabilities]:
        from vaetui.engine import draws, graph
        from vaetui.engine.seeds import joined

        if self._graph is None or self._graph[0] != round:
            seed = draws.integer(config.seed, "graph", round)
            self._graph = round, (yield from graph.connect(places, config.spread, seed, config.threads))
        return (yield from graph.spread(self._graph[1], joined(said), config.network.classes))

    def _before(self, round: int) -> list[Seeds]:
        return [self.heard(number).seeds for number in range(1, round)]
