"""What the answers of all rounds come to for every image; it does not know what is trained with it.

Nothing heavy is imported before it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from vaetui.engine.config import Config
from vaetui.engine.events import Progressed
from vaetui.storage.repository import LAST, Facts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vaetui.engine.clusters import Indices, Vectors
    from vaetui.engine.label_propagation import Graph
    from vaetui.engine.pseudo_labels import Weights
    from vaetui.engine.seeds import Seeds
    from vaetui.session.labelling_round import Labelling

Probabilities: TypeAlias = "NDArray[np.float32]"
"""Of each class for each image, [N, classes]."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What came of a round that is over, without what it was asked of."""

    seeds: Seeds
    """The images that a person has seen named, [M]."""
    called: NDArray[np.int64]
    """What the classifier had called them before, [M]."""


class Spreading:
    """Spreads answers as the recipe says; keeps the last graph, which serves before a round is asked and after."""

    def __init__(self, facts: Facts, rounds: Callable[[int, int], Labelling]) -> None:
        """Spread what was said in rounds, which are read when they are needed.

        They are asked for by their number and by that of the last round in which classes changed; see `Labelling`.
        """
        self._facts = facts
        self._rounds = rounds
        self._graph: tuple[int, Graph] | None = None
        self._heard: dict[tuple[int, tuple[int, ...]], Heard] = {}

    def weights(self, config: Config, round: int) -> Generator[Progressed, None, Weights]:
        """Give label and weight of every image by the answers up to that round; yields its progress."""
        labelling = self._rounds(round, round)
        if config.spread.over == "cluster":
            return labelling.weights()
        from vaetui.engine.label_propagation import settle

        said = [*self._before(round, round), labelling.seeds()]
        return settle((yield from self._spread(config, round, labelling.places, said, round)))

    def said(self, config: Config, round: int) -> Weights:
        """Give what the answers themselves say: of whole clusters, or only of the images that a person has seen."""
        labelling = self._rounds(round, LAST)
        if config.spread.over == "cluster":
            return labelling.weights()
        from vaetui.engine.pseudo_labels import told
        from vaetui.engine.seeds import joined

        return told(joined([*self._before(round, LAST), labelling.seeds()]), len(labelling.places))

    def seen(self, config: Config, round: int) -> Indices:
        """Give the images that a person saw as they answered, of which `said` speaks."""
        import numpy as np

        before = self._before(round, LAST) if config.spread.over == "neighbours" else []
        return np.concatenate([seeds.indices for seeds in (*before, self._rounds(round, LAST).seeds())])

    def heard(self, round: int, last: int = LAST) -> Heard:
        """Give what came of a round that is over, which is read once for the classes as they were."""
        known = round, self._facts.classes(last).roots
        if known not in self._heard:
            self._heard[known] = self._rounds(round, last).heard()
        return self._heard[known]

    def before(self, config: Config, round: int, places: Vectors) -> Generator[Progressed, None, Probabilities]:
        """Say what the answers before that round say of each image; `places` [N, z_dim] is where the images lie now."""
        said = self._before(round, round - 1)
        return (yield from self._spread(config, round, places, said, round - 1))

    def _spread(
        self, config: Config, round: int, places: Vectors, said: list[Seeds], last: int
    ) -> Generator[Progressed, None, Probabilities]:
        import numpy as np

        from vaetui.engine import label_propagation, rng
        from vaetui.engine.seeds import joined

        if self._graph is None or self._graph[0] != round:
            seed = rng.integer(config.seed, "graph", round)
            self._graph = round, (yield from label_propagation.connect(places, config.spread, seed, config.threads))
        classes, seeds = self._facts.classes(last), joined(said)
        # Those that were merged take no part: a class that nobody can be would still take its share of doubt.
        kinds = np.array(classes.offered)
        seeds = replace(seeds, labels=np.searchsorted(kinds, seeds.labels))
        found = yield from label_propagation.spread(self._graph[1], seeds, len(kinds))
        if len(kinds) == len(classes):
            return found
        everyone = np.zeros((len(found), len(classes)), np.float32)
        everyone[:, kinds] = found
        return everyone

    def _before(self, round: int, last: int) -> list[Seeds]:
        return [self.heard(number, last).seeds for number in range(1, round)]
