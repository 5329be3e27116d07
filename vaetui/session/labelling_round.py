"""One labelling round: its clusters, and the answers in force for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vaetui.engine import rng
from vaetui.engine.answers import (
    Answer,
    ClassAnswer,
    ClusterPath,
    NearestImageAnswer,
    Split,
    effective_answers,
    format_path,
)
from vaetui.engine.classes import ClassList
from vaetui.engine.clusters import (
    MAX_CLUSTERS,
    Cluster,
    ClusterTree,
    Indices,
    LatentVectors,
    find_cluster,
    iter_clusters,
    iter_leaves,
    list_members_at_centre,
    with_children,
)
from vaetui.engine.config import Config, decodes_centres
from vaetui.engine.pseudo_labels import (
    LabelledSet,
    PseudoLabels,
    compute_distance_decay,
    concat_labelled_sets,
    label_by_cluster,
)
from vaetui.errors import UserError
from vaetui.session.digit_keys import add_new_classes, load_digit_keys
from vaetui.session.learned_classes import (
    collect_answered_class_ids,
    find_answered_class_ids,
    find_image_class_ids,
    keep_if_distinguishable,
)
from vaetui.session.round_clusters import RoundClusters
from vaetui.session.undo_stack import UndoStack
from vaetui.session.views import SHOWN_MEMBERS, ClusterView, DigitKeys, MemberOrder, RoundView, describe_step
from vaetui.storage.answer_rows import AnswerRecord
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository


@dataclass(frozen=True, slots=True, eq=False)
class RoundLabels:
    """The labels that one round contributed, with the predictions made before it."""

    labelled_set: LabelledSet
    """The distinct members of the answered clusters that were shown, [M]."""
    predicted_class_ids: NDArray[np.int64]
    """Their predicted classes when the round began, [M]."""
    centre_set: LabelledSet
    """The members of the answered clusters that coincide with the centre, shown or not."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterFigures:
    """What the view of a cluster shows and no answer for a cluster changes."""

    members: Indices
    """The members that the figures belong to."""
    class_counts: tuple[tuple[int, int], ...]
    """(predicted class id, number of members), merged classes not replaced."""
    mean_distance: float
    """Mean distance of the members from the centre."""
    mean_weight: float
    """Mean weight of a member at confidence 1."""


class LabellingRound:
    """One round: its snapshot, and its cluster tree and answers as they are recorded."""

    classes: ClassList
    """The classes; answers of a merged class count for its target."""
    answers: dict[ClusterPath, Answer]
    """The answers in force by cluster."""
    tree: ClusterTree
    """The clusters with the parts of those that are split."""

    def __init__(
        self,
        store: ArtifactStore,
        repository: SessionRepository,
        config: Config,
        round_number: int,
        last_round: int | None = None,
        clusters: RoundClusters | None = None,
    ) -> None:
        """Load a round, with the answers and class edits made up to the end of `last_round`, or with all of them.

        `clusters` are those of the round, if they are loaded already. Raises UserError for files that are lost or do
        not match the recorded answers.
        """
        self.round_number = round_number
        """The round, from 1."""
        self._clusters = clusters or RoundClusters(store, config.cluster.distance_metric, round_number)
        self.snapshot = self._clusters.snapshot
        """The clustering that the round began with."""
        self.distinct_images = self._clusters.distinct_images
        """The distinct ones among the training images."""
        self._last_round = last_round
        self._uses_propagation = config.propagation.method == "graph"
        self._repository = repository
        self._config = config
        self._earlier_answers: list[Answer] | None = None
        self._figures: dict[ClusterPath, ClusterFigures] = {}
        self._digit_keys: DigitKeys | None = None
        self._trained_class_ids: tuple[tuple[int, ...], set[int]] | None = None  # with the merges that they hold for
        self.reload()

    @property
    def embeddings(self) -> LatentVectors:
        """The training images in the space of the graph, [N, E], computed each time."""
        return self._clusters.embeddings

    def select_embeddings(self, indices: Indices) -> LatentVectors:
        """Return the embeddings of some training images, [M, E]."""
        return self._clusters.select_embeddings(indices)

    def reload(self, records: Sequence[AnswerRecord] | None = None) -> None:
        """Derive classes, answers and tree from what is recorded now; `records` are the answers for this round."""
        self.classes = self._repository.load_class_list(self._last_round)
        if records is None:
            records = self._repository.list_answers(self.round_number, self._last_round)
        answers = effective_answers((record.path, record.answer) for record in records)
        self.answers = {path: self._merge_answer_class(answer) for path, answer in answers.items()}
        record_ids = {record.path: record.id for record in records}
        self.tree = self._clusters.roots
        for path in sorted((path for path, answer in self.answers.items() if isinstance(answer, Split)), key=len):
            parts = self._clusters.load_parts(self.find_cluster(path), record_ids[path])
            self.tree = with_children(self.tree, path, parts)

    def forget_earlier_answers(self) -> None:
        """Read the answers of earlier rounds anew for the next view, because one was corrected."""
        self._earlier_answers = None

    def find_cluster(self, path: ClusterPath) -> Cluster:
        """Return the cluster at a path of the current tree. Raises UserError if there is none."""
        try:
            return find_cluster(self.tree, path)
        except KeyError:
            raise UserError(f"There is no cluster {format_path(path)} in this round.") from None

    def has_answer(self, path: ClusterPath) -> bool:
        """Return whether the cluster at a path or a part of it has an answer."""
        return any(other[: len(path)] == path for other in self.answers)

    def require_splittable(self, path: ClusterPath, part_count: int) -> Cluster:
        """Return the cluster at a path.

        Raises UserError for fewer than 2 parts and for fewer distinct images than parts.
        """
        cluster = self.find_cluster(path)
        distinct_members = self._list_distinct_members(cluster)
        if not 2 <= part_count <= MAX_CLUSTERS:
            raise UserError(f"A cluster can be split into 2 to {MAX_CLUSTERS:,} parts.")
        # In a large cluster ten members per part nearly always suffice; sorting all members would block the screen.
        for members in (distinct_members[: 10 * part_count], distinct_members):
            count = len(np.unique(self.select_embeddings(members), axis=0))
            if count >= part_count:
                return cluster
        raise UserError(f"This cluster has {count} different images; it cannot be split into {part_count} parts.")

    def compute_pseudo_labels(self) -> PseudoLabels:
        """Return the label and weight of each training image by the answer of its cluster (equation 2)."""
        return label_by_cluster(self.tree, self.answers, len(self.snapshot.assignments), self._config.cluster.decay)

    def collect_labelled_set(self) -> LabelledSet:
        """Return the distinct images that were shown when a class was chosen: the nearest ones of each cluster."""
        return self._collect_members(lambda cluster: self._list_distinct_members(cluster)[:SHOWN_MEMBERS])

    def collect_labels(self) -> RoundLabels:
        """Return the labelled images with their predicted classes when the round began."""
        labelled_set = self.collect_labelled_set()
        centre_set = self._collect_members(list_members_at_centre)
        return RoundLabels(labelled_set, self._find_predicted_class_ids(labelled_set.indices), centre_set)

    def member_indices(self, path: ClusterPath, order: MemberOrder, count: int) -> Indices:
        """Return at most `count` member indices of a cluster, [<= count]: all distinct images before their copies."""
        members = self.find_cluster(path).members
        if order == "random":
            members = rng.derive_generator(self._config.seed, "members", self.round_number, *path).permutation(members)
        members = members[::-1] if order == "farthest" else members
        if self.distinct_images.has_copies:
            members = members[np.argsort(self._is_copy(members), kind="stable")]
        return members[:count]

    def find_nearest_image(self, path: ClusterPath) -> int:
        """Return the first distinct member of a cluster as an index in the training set."""
        return int(self.member_indices(path, "nearest", 1)[0])

    def compute_purity(self, path: ClusterPath) -> float:
        """Return the share of a cluster's members in their largest predicted class, learned or not; 1 in round 1."""
        if self.round_number == 1:
            return 1.0  # the classifier has not seen any label yet
        class_ids = self._find_predicted_class_ids(self.find_cluster(path).members)
        return float(np.bincount(class_ids).max() / len(class_ids))

    def build_round_view(self, undo_stack: UndoStack | None = None) -> RoundView:
        """Return the current state of the round; `undo_stack` holds the steps made in it, if they are loaded."""
        undo_stack = undo_stack or UndoStack(self._repository, self.round_number)
        has_answer = [cluster.path in self.answers for cluster in iter_leaves(self.tree)]
        answers = [*self._load_earlier_answers(), *self.answers.values()]
        answered_class_ids = collect_answered_class_ids(answers, self.classes)
        answered_class_ids |= find_image_class_ids(self._repository, self.classes)
        learned_class_ids = self._find_learned_class_ids(answered_class_ids)
        last_step, undone_step = undo_stack.last_step, undo_stack.undone_step
        return RoundView(
            round_number=self.round_number,
            round_count=self._config.training.rounds,
            clusters=tuple(
                self._build_cluster_view(cluster, learned_class_ids) for cluster in iter_clusters(self.tree)
            ),
            answered_leaf_count=sum(has_answer),
            leaf_count=len(has_answer),
            unanswered_class_ids=tuple(sorted({*self.classes.active_ids} - answered_class_ids)),
            answer_count=len(answers) + self._repository.count_image_answers(),
            digit_keys=self.find_digit_keys(undo_stack),
            undo_description=describe_step(last_step, self.classes, self.round_number) if last_step else None,
            redo_description=describe_step(undone_step, self.classes, self.round_number) if undone_step else None,
        )

    def find_digit_keys(self, undo_stack: UndoStack) -> DigitKeys:
        """Return the digit keys at the beginning of the round, and those of the classes that were added since."""
        if self._digit_keys is None:
            self._digit_keys = load_digit_keys(self._repository, self.round_number - 1)
        return add_new_classes(self._digit_keys, undo_stack.class_edits)

    def _load_earlier_answers(self) -> list[Answer]:
        """Return the answers in force of the other rounds."""
        if self._earlier_answers is None:
            records = self._repository.list_effective_answers()
            self._earlier_answers = [record.answer for record in records if record.round_number != self.round_number]
        return self._earlier_answers

    def _collect_members(self, select_members: Callable[[Cluster], Indices]) -> LabelledSet:
        """Return some members of each answered cluster, with the class and the confidence of the answer."""
        labelled_sets = []
        for cluster in iter_leaves(self.tree):
            if isinstance(answer := self.answers.get(cluster.path), ClassAnswer):
                members = select_members(cluster)
                class_ids, weights = np.full(len(members), answer.class_id), np.full(len(members), answer.confidence)
                image_counts = np.full(len(members), len(cluster.members) / max(len(members), 1))
                labelled_sets.append(LabelledSet(members, class_ids, weights, image_counts))
        return concat_labelled_sets(labelled_sets)

    def _list_distinct_members(self, cluster: Cluster) -> Indices:
        """Return the first copies of the members, nearest first."""
        return cluster.members[~self._is_copy(cluster.members)]

    def _is_copy(self, members: Indices) -> NDArray[np.bool_]:
        is_copy: NDArray[np.bool_] = self.distinct_images.first_copies[members] != members
        return is_copy

    def _build_cluster_view(self, cluster: Cluster, learned_class_ids: tuple[int, ...]) -> ClusterView:
        has_answer = [leaf.path in self.answers for leaf in iter_leaves(cluster.children)]
        figures = self._figures.get(cluster.path)
        if figures is None or figures.members is not cluster.members:
            figures = self._figures[cluster.path] = self._compute_figures(cluster)
        return ClusterView(
            path=cluster.path,
            picture=cluster.centre_image,
            mean_picture=None if decodes_centres(self._config.network) else cluster.mean_image,
            size=len(cluster.members),
            mean_distance=figures.mean_distance,
            answer=self.answers.get(cluster.path),
            leaf_counts=(sum(has_answer), len(has_answer)) if cluster.children else None,
            class_shares=self._compute_class_shares(figures, learned_class_ids),
            mean_weight=figures.mean_weight,
        )

    def _compute_figures(self, cluster: Cluster) -> ClusterFigures:
        all_counts = np.bincount(self.snapshot.predicted_class_ids[cluster.members])
        class_ids = np.flatnonzero(all_counts)
        counts = all_counts[class_ids]
        mean_weight = 1.0
        if not self._uses_propagation:
            mean_weight = float(compute_distance_decay(cluster.distances, self._config.cluster.decay).mean())
        class_counts = tuple(zip(class_ids.tolist(), counts.tolist(), strict=True))
        return ClusterFigures(cluster.members, class_counts, cluster.mean_distance, mean_weight)

    def _compute_class_shares(
        self, figures: ClusterFigures, learned_class_ids: tuple[int, ...]
    ) -> tuple[tuple[int, float], ...]:
        """Return the learned classes among the predictions, by their share of all members, most frequent first."""
        counts = dict.fromkeys(learned_class_ids, 0)
        for class_id, count in figures.class_counts:
            if (canonical_id := self.classes.canonical[class_id]) in counts:
                counts[canonical_id] += count
        frequent = sorted(counts.items(), key=lambda item: -item[1])
        return tuple((class_id, count / len(figures.members)) for class_id, count in frequent if count)

    def _find_learned_class_ids(self, answered_class_ids: set[int]) -> tuple[int, ...]:
        """Return those of the classes that are named now which the networks had learned when the round began."""
        if self._trained_class_ids is None or self._trained_class_ids[0] != self.classes.canonical:
            trained_class_ids = find_answered_class_ids(self._repository, self.round_number - 1)
            self._trained_class_ids = self.classes.canonical, trained_class_ids
        return keep_if_distinguishable(tuple(sorted(self._trained_class_ids[1] & answered_class_ids)))

    def _find_predicted_class_ids(self, indices: Indices) -> NDArray[np.int64]:
        """Return the classes predicted when the round began, with merged classes replaced by their targets."""
        class_ids: NDArray[np.int64] = np.array(self.classes.canonical)[self.snapshot.predicted_class_ids[indices]]
        return class_ids

    def _merge_answer_class(self, answer: Answer) -> Answer:
        if isinstance(answer, ClassAnswer | NearestImageAnswer):
            if answer.class_id >= len(self.classes):
                self.classes.require_active(answer.class_id)
            return replace(answer, class_id=self.classes.canonical[answer.class_id])
        return answer
