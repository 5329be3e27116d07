"""Pseudo-labels from the answers about clusters and single images, by cluster or over the graph of nearest neighbours.

Heavy libraries are imported on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from vaetui.engine.config import Config
from vaetui.engine.events import Progress
from vaetui.engine.slow_calls import run_in_background
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from vaetui.engine.clusters import Indices, LatentVectors
    from vaetui.engine.duplicates import DistinctImages
    from vaetui.engine.label_propagation import KNNGraph
    from vaetui.engine.pseudo_labels import LabelledSet, PseudoLabels
    from vaetui.session.image_answers import ImageLabelMap
    from vaetui.session.labelling_round import LabellingRound, RoundLabels
    from vaetui.storage.stored_arrays import TrainValSplit

Probabilities: TypeAlias = "NDArray[np.float32]"
"""Class probabilities of all training images, [N, classes]."""


def _find_device(config: Config) -> torch.device | None:
    """Return the device that compares vectors; None for the CPU."""
    if config.device == "cpu":
        return None
    from vaetui.engine.devices import replace_unavailable, select_device  # imports torch

    return select_device(replace_unavailable(config.device))


class LabelPropagator:
    """Propagates answers by the method of the recipe; caches the graph of the last round."""

    def __init__(
        self,
        repository: SessionRepository,
        store: ArtifactStore,
        load_round: Callable[[int, int | None], LabellingRound],
    ) -> None:
        """Propagate the answers of the rounds that `load_round` loads, with the arguments of `LabellingRound`."""
        self._repository = repository
        self._store = store
        self._load_round = load_round
        self._train_val_split: TrainValSplit | None = None
        self._cached_image_labels: dict[int | None, tuple[tuple[object, ...], ImageLabelMap]] = {}
        self._cached_graph: tuple[tuple[int, bool], KNNGraph] | None = None
        self._cached_round_labels: dict[tuple[int, tuple[int, ...], tuple[int, ...]], RoundLabels] = {}

    def propagate_answers(
        self, config: Config, round_number: int, embeddings: LatentVectors | None = None
    ) -> Generator[Progress, None, PseudoLabels]:
        """Return the pseudo-labels of all training images by the answers up to a round; yields progress.

        The graph links images by `embeddings` [N, E], by default those of the round.
        """
        open_round = partial(self._load_round, round_number, round_number)
        labelling_round = yield from run_in_background("opening the round", open_round)
        load_image_labels = partial(self.load_train_image_labels, round_number)
        image_labels = yield from run_in_background("opening the round", load_image_labels)
        distinct_images = labelling_round.distinct_images
        if config.propagation.method == "cluster":
            labels, shown_set = labelling_round.compute_pseudo_labels(), labelling_round.collect_labelled_set()
        else:
            from vaetui.engine.label_propagation import to_pseudo_labels
            from vaetui.engine.pseudo_labels import concat_labelled_sets

            labelled_sets = self._earlier_labelled_sets(round_number, round_number)
            shown_set = concat_labelled_sets([*labelled_sets, labelling_round.collect_labelled_set()])
            graph_key = round_number, embeddings is None
            if embeddings is None:
                embeddings = yield from run_in_background("opening the round", lambda: labelling_round.embeddings)
            else:
                self._cached_graph = None  # it links the images by other embeddings
            probabilities = yield from self._class_probabilities(
                config, graph_key, embeddings, distinct_images, shown_set, round_number
            )
            labels = yield from run_in_background("propagating labels", partial(to_pseudo_labels, probabilities))
            del probabilities
        labels = image_labels.apply_borders(labels, distinct_images.find_copies_of(shown_set.indices))
        return image_labels.apply_answers(labels)

    def label_from_answers(self, config: Config, round_number: int) -> PseudoLabels:
        """Return the labels by answers alone: of whole clusters, or of single images with graph propagation.

        These are the shown images, the images at the centre of an answered cluster, the images with an answer of their
        own, and the copies of all. Borders of classes are not applied; see `find_unlabelled_images`.
        """
        labelling_round, image_labels = self._load_round(round_number, None), self.load_train_image_labels()
        if config.propagation.method == "cluster":
            return image_labels.apply_answers(labelling_round.compute_pseudo_labels())
        from vaetui.engine.pseudo_labels import PseudoLabels, concat_labelled_sets, label_answered_images

        round_labels = [*self._list_earlier_labels(round_number, None), labelling_round.collect_labels()]
        centre_sets = [labels.centre_set for labels in round_labels]
        labelled_sets = [labels.labelled_set for labels in round_labels]
        # A label that a person chose for an image itself replaces one for the centre of its cluster.
        labelled_set = concat_labelled_sets([*centre_sets, *labelled_sets])
        labels = label_answered_images(labelled_set, len(labelling_round.snapshot.assignments))
        copy_first_values = labelling_round.distinct_images.copy_first_values
        labels = PseudoLabels(copy_first_values(labels.class_ids), copy_first_values(labels.weights))
        return image_labels.apply_answers(labels)

    def list_shown_indices(self, config: Config, round_number: int) -> Indices:
        """Return the indices of the images that were shown for the answers behind `label_from_answers`, and copies."""
        import numpy as np

        is_shown = self._find_shown_images(config, self._load_round(round_number, None))
        return np.flatnonzero(is_shown | self.load_train_image_labels().has_class)

    def find_unlabelled_images(
        self, config: Config, round_number: int, class_ids: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return for each training image whether it has no label, [N], though it would be of these classes, [N].

        It was marked as unreadable, or lies beyond the border of that class.
        """
        image_labels = self.load_train_image_labels()
        is_shown = self._find_shown_images(config, self._load_round(round_number, None))
        return image_labels.is_unreadable | image_labels.find_beyond_border(class_ids, is_shown)

    def load_image_labels(self, last_round: int | None = None) -> ImageLabelMap:
        """Return what the answers about single images up to a round, or all, determine for all images, [A]."""
        from vaetui.session.image_answers import load_image_labels, map_image_labels

        records, borders = self._repository.list_image_answers(last_round), self._repository.list_borders(last_round)
        canonical = self._repository.load_class_list(last_round).canonical
        nearest_ids = tuple(action_id for action_id, _ in self._repository.list_nearest_image_answers(last_round))
        key = records, nearest_ids, tuple(border.id for border in borders), canonical
        cached = self._cached_image_labels.get(last_round)
        if cached is None or cached[0][0] is not records or cached[0][1:] != key[1:]:
            image_labels = load_image_labels(self._repository, self._store, last_round)
            cached = key, map_image_labels(image_labels, self.load_split().first_copies)
            self._cached_image_labels = {last_round: cached}
        return cached[1]

    def load_train_image_labels(self, last_round: int | None = None) -> ImageLabelMap:
        """Return what `load_image_labels` returns, for the training images, [N]."""
        return self.load_image_labels(last_round).select(self.load_split().train_indices)

    def find_distinct_images(self, round_number: int) -> NDArray[np.bool_]:
        """Return for each training image whether it is the first one of its copies, [N]."""
        import numpy as np

        first_copies = self._load_round(round_number, None).distinct_images.first_copies
        is_distinct: NDArray[np.bool_] = first_copies == np.arange(len(first_copies))
        return is_distinct

    def load_round_labels(self, round_number: int, last_round: int | None = None) -> RoundLabels:
        """Return the labels of a round, cached per state of its answers and of the class list."""
        action_ids = tuple(record.id for record in self._repository.list_answers(round_number, last_round))
        key = round_number, self._repository.load_class_list(last_round).canonical, action_ids
        if key not in self._cached_round_labels:
            self._cached_round_labels[key] = self._load_round(round_number, last_round).collect_labels()
        return self._cached_round_labels[key]

    def propagate_earlier_answers(
        self, config: Config, round_number: int, embeddings: LatentVectors, distinct_images: DistinctImages
    ) -> Generator[Progress, None, Probabilities]:
        """Propagate the answers before a round over the current `embeddings` [N, z_dim]; yields progress."""
        from vaetui.engine.pseudo_labels import concat_labelled_sets

        # Corrections after the last round were made in this one, if it was added later.
        labelled_set = concat_labelled_sets(self._earlier_labelled_sets(round_number, round_number))
        return (
            yield from self._class_probabilities(
                config, (round_number, True), embeddings, distinct_images, labelled_set, round_number
            )
        )

    def _class_probabilities(
        self,
        config: Config,
        graph_key: tuple[int, bool],
        embeddings: LatentVectors,
        distinct_images: DistinctImages,
        labelled_set: LabelledSet,
        last_round: int,
    ) -> Generator[Progress, None, Probabilities]:
        """Propagate labels of first copies over a graph of the distinct images; copies get equal probabilities.

        `graph_key` is the round, and whether `embeddings` are its own. Answers about single images up to the round
        replace the labels of their clusters.
        """
        import numpy as np

        from vaetui.engine import label_propagation, rng

        if self._cached_graph is None or self._cached_graph[0] != graph_key:
            self._cached_graph = None  # two graphs of many images would take twice the memory
            seed = rng.derive_seed(config.seed, "graph", graph_key[0])
            select = partial(distinct_images.select, embeddings)
            distinct_embeddings = yield from run_in_background("finding nearest neighbours", select)
            graph = yield from label_propagation.build_knn_graph(
                distinct_embeddings, config.propagation, seed, config.threads, _find_device(config)
            )
            self._cached_graph = graph_key, graph
        classes = self._repository.load_class_list(last_round)
        labelled_set = self.load_train_image_labels(last_round).replace_labels(labelled_set, distinct_images)
        # Merged classes are excluded: without labels of their own they would still get a share of the probability.
        active_class_ids, graph = np.array(classes.active_ids), self._cached_graph[1]
        labelled_set = replace(
            labelled_set,
            indices=distinct_images.positions[labelled_set.indices],
            class_ids=np.searchsorted(active_class_ids, labelled_set.class_ids),
        )
        active_probabilities = yield from label_propagation.run_poisson_learning(
            graph, labelled_set, len(active_class_ids), config.propagation.full_weight_images
        )

        def assemble() -> Probabilities:
            kept = label_propagation.keep_labels_of_repeated_images(
                active_probabilities, graph, labelled_set, distinct_images.copy_counts
            )
            if len(active_class_ids) == len(classes):
                return distinct_images.expand(kept)
            probabilities = np.zeros((len(embeddings), len(classes)), np.float32)
            probabilities[:, active_class_ids] = distinct_images.expand(kept)
            return probabilities

        return (yield from run_in_background("propagating labels", assemble))

    def _earlier_labelled_sets(self, round_number: int, last_round: int | None) -> list[LabelledSet]:
        return [labels.labelled_set for labels in self._list_earlier_labels(round_number, last_round)]

    def _list_earlier_labels(self, round_number: int, last_round: int | None) -> list[RoundLabels]:
        return [self.load_round_labels(number, last_round) for number in range(1, round_number)]

    def _find_shown_images(self, config: Config, labelling_round: LabellingRound) -> NDArray[np.bool_]:
        """Return for each training image whether it or a copy was shown for an answer about a cluster, [N]."""
        from vaetui.engine.pseudo_labels import concat_labelled_sets

        labelled_sets = [labelling_round.collect_labelled_set()]
        if config.propagation.method == "graph":
            labelled_sets += self._earlier_labelled_sets(labelling_round.round_number, None)
        return labelling_round.distinct_images.find_copies_of(concat_labelled_sets(labelled_sets).indices)

    def load_split(self) -> TrainValSplit:
        """Return which images are trained on and which are copies, loaded once."""
        if self._train_val_split is None:
            from vaetui.storage import stored_arrays

            self._train_val_split = stored_arrays.load_train_val_split(self._store)
        return self._train_val_split
