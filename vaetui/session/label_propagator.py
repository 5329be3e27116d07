"""What the answers of all rounds come to for every image; it does not know what is trained with it.

Nothing heavy is imported before it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from vaetui.engine.config import Config
from vaetui.engine.events import Progress
from vaetui.storage.repository import MAX_ROUND_NUMBER, SessionRepository

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vaetui.engine.clusters import Indices, LatentVectors
    from vaetui.engine.label_propagation import KNNGraph
    from vaetui.engine.pseudo_labels import PseudoLabels
    from vaetui.engine.seeds import LabelledSet
    from vaetui.session.labelling_round import LabellingRound

Probabilities: TypeAlias = "NDArray[np.float32]"
"""Of each class for each image, [N, classes]."""


@dataclass(frozen=True, slots=True, eq=False)
class RoundEvidence:
    """What came of a round that is over, without what it was asked of."""

    labelled_set: LabelledSet
    """The images that a person has seen named, [M]."""
    predicted: NDArray[np.int64]
    """What the classifier had called them before, [M]."""


class LabelPropagator:
    """Spreads answers as the recipe says; keeps the last graph, which serves before a round is asked and after."""

    def __init__(self, repository: SessionRepository, load_round: Callable[[int, int], LabellingRound]) -> None:
        """Spread what was said in rounds, which are read when they are needed.

        They are asked for by their number and by that of the last round in which classes changed; see `Labelling`.
        """
        self._repository = repository
        self._load_round = load_round
        self._cached_graph: tuple[int, KNNGraph] | None = None
        self._cached_evidence: dict[tuple[int, tuple[int, ...]], RoundEvidence] = {}

    def propagate(self, config: Config, round_number: int) -> Generator[Progress, None, PseudoLabels]:
        """Give label and weight of every image by the answers up to that round; yields its progress."""
        labelling = self._load_round(round_number, round_number)
        if config.propagation.method == "cluster":
            return labelling.pseudo_labels()
        from vaetui.engine.label_propagation import to_pseudo_labels

        said = [*self._earlier_labelled_sets(round_number, round_number), labelling.labelled_set()]
        return to_pseudo_labels(
            (yield from self._class_probabilities(config, round_number, labelling.embeddings, said, round_number))
        )

    def direct_labels(self, config: Config, round_number: int) -> PseudoLabels:
        """Give what the answers themselves say: of whole clusters, or only of the images that a person has seen."""
        labelling = self._load_round(round_number, MAX_ROUND_NUMBER)
        if config.propagation.method == "cluster":
            return labelling.pseudo_labels()
        from vaetui.engine.pseudo_labels import direct_labels
        from vaetui.engine.seeds import concat_labelled_sets

        return direct_labels(
            concat_labelled_sets(
                [*self._earlier_labelled_sets(round_number, MAX_ROUND_NUMBER), labelling.labelled_set()]
            ),
            len(labelling.embeddings),
        )

    def shown_images(self, config: Config, round_number: int) -> Indices:
        """Give the images that a person saw as they answered, of which `said` speaks."""
        import numpy as np

        before = (
            self._earlier_labelled_sets(round_number, MAX_ROUND_NUMBER)
            if config.propagation.method == "neighbours"
            else []
        )
        return np.concatenate(
            [seeds.indices for seeds in (*before, self._load_round(round_number, MAX_ROUND_NUMBER).labelled_set())]
        )

    def round_evidence(self, round_number: int, last_round: int = MAX_ROUND_NUMBER) -> RoundEvidence:
        """Give what came of a round that is over, which is read once for the classes as they were."""
        known = round_number, self._repository.load_class_list(last_round).canonical
        if known not in self._cached_evidence:
            self._cached_evidence[known] = self._load_round(round_number, last_round).evidence()
        return self._cached_evidence[known]

    def prior_probabilities(
        self, config: Config, round_number: int, embeddings: LatentVectors
    ) -> Generator[Progress, None, Probabilities]:
        """Say what the answers before that round say of each image; `places` [N, z_dim] is where the images lie now."""
        said = self._earlier_labelled_sets(round_number, round_number - 1)
        return (yield from self._class_probabilities(config, round_number, embeddings, said, round_number - 1))

    def _class_probabilities(
        self,
        config: Config,
        round_number: int,
        embeddings: LatentVectors,
        labelled_sets: list[LabelledSet],
        last_round: int,
    ) -> Generator[Progress, None, Probabilities]:
        import numpy as np

        from vaetui.engine import label_propagation, rng
        from vaetui.engine.seeds import concat_labelled_sets

        if self._cached_graph is None or self._cached_graph[0] != round_number:
            seed = rng.derive_seed(config.seed, "graph", round_number)
            self._cached_graph = (
                round_number,
                (yield from label_propagation.build_knn_graph(embeddings, config.propagation, seed, config.threads)),
            )
        classes, seeds = self._repository.load_class_list(last_round), concat_labelled_sets(labelled_sets)
        # Those that were merged take no part: a class that nobody can be would still take its share of doubt.
        kinds = np.array(classes.active)
        seeds = replace(seeds, class_ids=np.searchsorted(kinds, seeds.class_ids))
        found = yield from label_propagation.poisson_learning(self._cached_graph[1], seeds, len(kinds))
        if len(kinds) == len(classes):
            return found
        everyone = np.zeros((len(found), len(classes)), np.float32)
        everyone[:, kinds] = found
        return everyone

    def _earlier_labelled_sets(self, round_number: int, last_round: int) -> list[LabelledSet]:
        return [self.round_evidence(number, last_round).labelled_set for number in range(1, round_number)]
