"""The map of a round: all training images as points in the plane, with their classes and the clusters of the round."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vaetui.engine import rng
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.clusters import iter_leaves
from vaetui.engine.config import Config, find_epoch_before_round
from vaetui.engine.events import ImageMap, MapCluster, MapComputed, Progress
from vaetui.engine.projection import count_confusions, fit_projection, measure_classes
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.slow_calls import run_in_background
from vaetui.errors import UserError
from vaetui.export.label_table import NO_CLASS_ID
from vaetui.session.label_propagator import LabelPropagator
from vaetui.session.labelling_round import LabellingRound
from vaetui.session.labelling_rounds import LabellingRounds
from vaetui.session.learned_classes import find_learned_class_ids
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import EpochPredictions

ACTIVITY = "computing the map"
"""What is reported while a map is computed."""
MAX_MAP_IMAGES = 100_000
"""Most images on a map: a screen has fewer dots, and each key press draws all of them."""


def map_newest_round(
    store: ArtifactStore,
    repository: SessionRepository,
    config: Config,
    propagator: LabelPropagator,
    rounds: LabellingRounds,
    class_ids: Collection[int],
) -> Iterator[MapComputed | Progress]:
    """Yield the map of the current round, else of the last one. Raises UserError before the first round."""
    labelling_round = yield from run_in_background(ACTIVITY, rounds.load_newest)
    if labelling_round is None:
        raise UserError("There is no map before the first round.")
    load_map = partial(load_image_map, store, repository, config, propagator, labelling_round, class_ids)
    yield MapComputed((yield from run_in_background(ACTIVITY, load_map)))


def load_image_map(
    store: ArtifactStore,
    repository: SessionRepository,
    config: Config,
    propagator: LabelPropagator,
    labelling_round: LabellingRound,
    class_ids: Collection[int] = (),
) -> ImageMap:
    """Return the map of a round, which shows the chosen classes apart, or all if none is chosen.

    Images have the class of an answer, else the predicted one; only classes that the networks have learned are
    predicted. Before they have, the members of an answered cluster have its class. Images that were marked as
    unreadable, or lie beyond the border of their class, have none.
    """
    predicted_class_ids = _find_predicted_class_ids(store, repository, config, labelling_round)
    direct_labels = propagator.label_from_answers(config, labelling_round.round_number)
    shown_class_ids = find_image_class_ids(labelling_round, predicted_class_ids, direct_labels)
    is_unlabelled = propagator.find_unlabelled_images(config, labelling_round.round_number, shown_class_ids)
    shown_class_ids[is_unlabelled] = NO_CLASS_ID
    is_learned = predicted_class_ids is not None
    return build_image_map(labelling_round, shown_class_ids, is_learned, class_ids, config.seed)


def find_image_class_ids(
    labelling_round: LabellingRound, predicted_class_ids: NDArray[np.int64] | None, direct_labels: PseudoLabels
) -> NDArray[np.int64]:
    """Return the classes of all training images by answers, else as predicted, [N]; `NO_CLASS_ID` without either.

    Without predictions, all members of an answered cluster have its class.
    """
    if predicted_class_ids is not None:
        class_ids = predicted_class_ids.copy()
    else:
        class_ids = np.full(len(labelling_round.snapshot.assignments), NO_CLASS_ID, np.int64)
        for cluster in iter_leaves(labelling_round.tree):
            answer = labelling_round.answers.get(cluster.path)
            if isinstance(answer, ClassAnswer):
                class_ids[cluster.members] = answer.class_id
    has_answer = direct_labels.weights > 0
    class_ids[has_answer] = direct_labels.class_ids[has_answer]
    return class_ids


def build_image_map(
    labelling_round: LabellingRound,
    class_ids: NDArray[np.int64],
    separates_classes: bool,
    chosen_class_ids: Collection[int],
    seed: int,
) -> ImageMap:
    """Return the map of a round whose images have these classes, [N].

    The projection shows the chosen classes apart, else all classes, or the clusters of the round if `separates_classes`
    is not set.
    """
    clusters = list(iter_leaves(labelling_round.tree))
    cluster_class_ids = [_find_most_frequent(class_ids[cluster.members]) for cluster in clusters]
    groups = class_ids
    if not (separates_classes or chosen_class_ids):
        groups = np.full(len(class_ids), NO_CLASS_ID, np.int64)
        for index, cluster in enumerate(clusters):
            groups[cluster.members] = index
    image_count, round_number = len(class_ids), labelling_round.round_number
    sample = None
    if image_count > MAX_MAP_IMAGES:
        generator = rng.derive_generator(seed, "map", round_number)
        sample = np.sort(generator.choice(image_count, MAX_MAP_IMAGES, replace=False))
        class_ids, groups = class_ids[sample], groups[sample]
    embeddings = labelling_round.embeddings if sample is None else labelling_round.select_embeddings(sample)

    is_fitted = np.isin(groups, list(chosen_class_ids)) if chosen_class_ids else np.ones(len(groups), bool)
    if not is_fitted.any():
        is_fitted[:] = True
    projection = fit_projection(embeddings[is_fitted], groups[is_fitted])
    centres = np.stack([cluster.centre for cluster in clusters])
    positions = projection.apply(centres).tolist()
    confusions: dict[tuple[int, int], int] = {}
    present_ids = tuple(np.unique(class_ids[class_ids >= 0]).tolist())
    if len(present_ids) > 1:
        confusions = count_confusions(embeddings, class_ids, measure_classes(embeddings, class_ids))
    return ImageMap(
        round_number=round_number,
        image_count=image_count,
        points=projection.apply(embeddings),
        class_ids=class_ids,
        clusters=tuple(
            MapCluster(cluster.path, (x, y), labelling_round.answers.get(cluster.path), len(cluster.members), class_id)
            for cluster, (x, y), class_id in zip(clusters, positions, cluster_class_ids, strict=True)
        ),
        separated_class_ids=tuple(chosen_class_ids) or (present_ids if separates_classes else ()),
        confusions=tuple(
            (first, second, count)
            for (first, second), count in sorted(confusions.items(), key=lambda item: (-item[1], item[0]))
        ),
    )


def _find_most_frequent(class_ids: NDArray[np.int64]) -> int:
    values, counts = np.unique(class_ids, return_counts=True)
    return int(values[counts.argmax()])


def _find_predicted_class_ids(
    store: ArtifactStore, repository: SessionRepository, config: Config, labelling_round: LabellingRound
) -> NDArray[np.int64] | None:
    """Return the newest recorded predictions of the training images, [N], `NO_CLASS_ID` for classes not learned.

    None if the networks had not learned two classes.
    """
    epoch = find_epoch_before_round(config.training, labelling_round.round_number)
    predicted_class_ids = labelling_round.snapshot.predicted_class_ids
    last_epoch = len(repository.list_epochs())
    name = file_names.predictions_name(last_epoch)
    if last_epoch > epoch and repository.find_fingerprint(name):
        with suppress(ArtifactLostError):  # the older ones of the round are shown
            predicted_class_ids = stored_arrays.load_arrays(store, name, EpochPredictions).class_ids
            epoch = last_epoch
    learned_class_ids = find_learned_class_ids(config, repository, epoch)
    if not learned_class_ids:
        return None
    class_ids = np.array(repository.load_class_list().canonical)[predicted_class_ids]
    return np.where(np.isin(class_ids, learned_class_ids), class_ids, NO_CLASS_ID)
