"""One labelling round: its clusters, and the answers and class edits recorded for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vaetui.engine import rng
from vaetui.engine.answers import Answer, ClassAnswer, ClusterPath, Split, effective_answers, format_path
from vaetui.engine.classes import ClassEdit, ClassList
from vaetui.engine.clusters import (
    MAX_CLUSTERS,
    Cluster,
    ClusterTree,
    Indices,
    build_clusters,
    find_cluster,
    iter_clusters,
    iter_leaves,
    list_members_at_centre,
    to_metric_space,
    with_children,
)
from vaetui.engine.config import Config
from vaetui.engine.pseudo_labels import (
    LabelledSet,
    PseudoLabels,
    compute_distance_decay,
    concat_labelled_sets,
    label_by_cluster,
)
from vaetui.errors import UserError
from vaetui.session.digit_keys import add_new_classes, assign_digit_keys
from vaetui.session.learned_classes import find_unanswered_class_ids
from vaetui.session.views import SHOWN_MEMBERS, ClusterView, MemberOrder, RoundView, describe_action
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.answer_rows import AnswerRecord, ClassEditRecord
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import RoundSnapshot, SplitSnapshot, TrainValSplit


@dataclass(frozen=True, slots=True, eq=False)
class RoundEvidence:
    """The labels that one round contributed, with the predictions made before it."""

    labelled_set: LabelledSet
    """The distinct members of the answered clusters that were shown, [M]."""
    predicted_class_ids: NDArray[np.int64]
    """Their predicted classes when the round began, [M]."""
    centre_set: LabelledSet
    """The members of the answered clusters that coincide with the centre, shown or not."""


class LabellingRound:
    """One round: its snapshot, its cluster tree and its actions."""

    classes: ClassList
    """The classes; answers of a merged class count for its target."""

    def __init__(
        self,
        store: ArtifactStore,
        repository: SessionRepository,
        config: Config,
        round_number: int,
        last_class_edit_round: int | None = None,
    ) -> None:
        """Load a round, with the class edits up to the end of `last_class_edit_round`, or all of them.

        Raises UserError for files that are lost or do not match the recorded answers.
        """
        self.round_number = round_number
        """The round, from 1."""
        self.snapshot = stored_arrays.load_arrays(store, file_names.round_snapshot_name(round_number), RoundSnapshot)
        """The clustering that the round began with."""
        self.embeddings = to_metric_space(self.snapshot.latents, config.cluster.distance_metric)
        """Latent vectors in the space that k-means clusters, [N, z_dim]."""
        self._last_class_edit_round = last_class_edit_round
        self._uses_propagation = config.propagation.method == "graph"
        self._store = store
        self._repository = repository
        self._config = config
        split = stored_arrays.load_arrays(store, file_names.TRAIN_VAL_SPLIT_NAME, TrainValSplit)
        self.distinct_images = split.select_distinct_training_images()
        """The distinct ones among the training images."""
        self._root_clusters = self._build_clusters(np.arange(len(self.snapshot.assignments)), self.snapshot)
        self._split_children: dict[int, ClusterTree] = {}  # by the id of the split's answer record
        self._actions = repository.list_actions(round_number)
        self._undone_actions = repository.list_actions(round_number, "undone")
        self._validate_actions()
        self._earlier_answer_count = repository.count_answers() - len(self._answer_records)
        answer_counts = repository.count_answers_by_class(round_number - 1)
        self._digit_keys = assign_digit_keys(repository.load_class_list(round_number - 1), answer_counts)
        self._rebuild_from_actions()

    def record_answer(self, path: ClusterPath, answer: Answer, *fingerprints: FileFingerprint) -> None:
        """Record an answer and the files that belong to it; it is on the disk on return.

        Raises UserError for an unknown cluster and an unknown or merged class.
        """
        self.find_cluster(path)
        if isinstance(answer, ClassAnswer):
            self.classes.require_active(answer.class_id)
        self._actions.append(self._repository.record_answer(self.round_number, path, answer, *fingerprints))
        self._undone_actions.clear()
        self._rebuild_from_actions()

    def record_split(self, path: ClusterPath, split_snapshot: SplitSnapshot) -> None:
        """Save the parts of a cluster, then record the split that refers to them."""
        name = file_names.split_snapshot_name(self._repository.next_action_id())
        fingerprint = stored_arrays.save_arrays(self._store, name, split_snapshot)
        self.record_answer(path, Split(len(split_snapshot.centres)), fingerprint)

    def record_class_edit(self, edit: ClassEdit) -> None:
        """Record a class edit; it is on the disk on return. Raises UserError for an invalid edit."""
        self.classes.with_edit(edit)
        self._actions.append(self._repository.record_class_edit(self.round_number, edit))
        self._undone_actions.clear()
        self._rebuild_from_actions()

    def undo(self) -> ClusterPath | None:
        """Undo the last action; return its cluster, () for a class edit, None if there is none."""
        if not self._actions:
            return None
        self._repository.record_undo(action := self._actions[-1])
        self._undone_actions.insert(0, self._actions.pop())
        self._rebuild_from_actions()
        return action.path if isinstance(action, AnswerRecord) else ()

    def redo(self) -> ClusterPath | None:
        """Redo the last undone action; return its cluster, () for a class edit, None if there is none."""
        if not self._undone_actions:
            return None
        self._repository.record_redo(action := self._undone_actions[0])
        self._actions.append(self._undone_actions.pop(0))
        self._rebuild_from_actions()
        return action.path if isinstance(action, AnswerRecord) else ()

    def find_cluster(self, path: ClusterPath) -> Cluster:
        """Return the cluster at a path of the current tree. Raises UserError if there is none."""
        try:
            return find_cluster(self.tree, path)
        except KeyError:
            raise UserError(f"There is no cluster {format_path(path)} in this round.") from None

    def require_splittable(self, path: ClusterPath, part_count: int) -> Cluster:
        """Return the cluster at a path.

        Raises UserError for fewer than 2 parts and for fewer distinct latent vectors than parts.
        """
        cluster = self.find_cluster(path)
        distinct_members = self._list_distinct_members(cluster)
        if not 2 <= part_count <= MAX_CLUSTERS:
            raise UserError(f"A cluster can be split into 2 to {MAX_CLUSTERS:,} parts.")
        # In a large cluster ten members per part nearly always suffice; sorting all members would block the screen.
        for members in (distinct_members[: 10 * part_count], distinct_members):
            count = len(np.unique(self.embeddings[members], axis=0))
            if count >= part_count:
                return cluster
        raise UserError(f"This cluster has {count} different images; it cannot be split into {part_count} parts.")

    def compute_pseudo_labels(self) -> PseudoLabels:
        """Return the label and weight of each training image by the answer of its cluster (equation 2)."""
        return label_by_cluster(self.tree, self.answers, len(self.snapshot.assignments), self._config.cluster.decay)

    def collect_labelled_set(self) -> LabelledSet:
        """Return the distinct images that were shown when a class was chosen: the nearest ones of each cluster."""
        return self._collect_members(lambda cluster: self._list_distinct_members(cluster)[:SHOWN_MEMBERS])

    def collect_evidence(self) -> RoundEvidence:
        """Return the labelled images with their predicted classes when the round began."""
        labelled_set = self.collect_labelled_set()
        centre_set = self._collect_members(list_members_at_centre)
        return RoundEvidence(labelled_set, self._find_predicted_class_ids(labelled_set.indices), centre_set)

    def member_indices(self, path: ClusterPath, order: MemberOrder, count: int) -> Indices:
        """Return at most `count` member indices of a cluster, [<= count]: all distinct images before their copies."""
        members = self.find_cluster(path).members
        if order == "random":
            members = rng.derive_generator(self._config.seed, "members", self.round_number, *path).permutation(members)
        members = members[::-1] if order == "farthest" else members
        if self.distinct_images.has_copies:
            members = members[np.argsort(self._is_copy(members), kind="stable")]
        return members[:count]

    def build_round_view(self) -> RoundView:
        """Return the current state of the round."""
        has_answer = [cluster.path in self.answers for cluster in iter_leaves(self.tree)]
        edits = [action.class_edit for action in self._actions if isinstance(action, ClassEditRecord)]
        return RoundView(
            round_number=self.round_number,
            round_count=self._config.training.rounds,
            clusters=tuple(self._build_cluster_view(cluster) for cluster in iter_clusters(self.tree)),
            answered_leaf_count=sum(has_answer),
            leaf_count=len(has_answer),
            unanswered_class_ids=find_unanswered_class_ids(self._repository),
            answer_count=self._earlier_answer_count + len(self._answer_records),
            digit_keys=add_new_classes(self._digit_keys, edits),
            undo_description=describe_action(self._actions[-1], self.classes) if self._actions else None,
            redo_description=describe_action(self._undone_actions[0], self.classes) if self._undone_actions else None,
        )

    @property
    def _answer_records(self) -> list[AnswerRecord]:
        return [action for action in self._actions if isinstance(action, AnswerRecord)]

    def _collect_members(self, select_members: Callable[[Cluster], Indices]) -> LabelledSet:
        """Return some members of each answered cluster, with the class and the confidence of the answer."""
        labelled_sets = []
        for cluster in iter_leaves(self.tree):
            if isinstance(answer := self.answers.get(cluster.path), ClassAnswer):
                members = select_members(cluster)
                class_ids, weights = np.full(len(members), answer.class_id), np.full(len(members), answer.confidence)
                labelled_sets.append(LabelledSet(members, class_ids, weights))
        return concat_labelled_sets(labelled_sets)

    def _list_distinct_members(self, cluster: Cluster) -> Indices:
        """Return the first copies of the members, nearest first."""
        return cluster.members[~self._is_copy(cluster.members)]

    def _is_copy(self, members: Indices) -> NDArray[np.bool_]:
        is_copy: NDArray[np.bool_] = self.distinct_images.first_copies[members] != members
        return is_copy

    def _build_cluster_view(self, cluster: Cluster) -> ClusterView:
        has_answer = [leaf.path in self.answers for leaf in iter_leaves(cluster.children)]
        mean_weight = 1.0
        if not self._uses_propagation:
            mean_weight = float(compute_distance_decay(cluster.distances, self._config.cluster.decay).mean())
        return ClusterView(
            path=cluster.path,
            picture=cluster.centre_image,
            size=len(cluster.members),
            mean_distance=cluster.mean_distance,
            answer=self.answers.get(cluster.path),
            leaf_counts=(sum(has_answer), len(has_answer)) if cluster.children else None,
            class_shares=self._compute_class_shares(cluster),
            mean_weight=mean_weight,
        )

    def _compute_class_shares(self, cluster: Cluster) -> tuple[tuple[int, float], ...]:
        if self.round_number == 1:
            return ()  # the classifier has not seen any label yet
        class_ids, counts = np.unique(self._find_predicted_class_ids(cluster.members), return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return tuple((int(class_ids[index]), float(counts[index] / counts.sum())) for index in order)

    def _find_predicted_class_ids(self, indices: Indices) -> NDArray[np.int64]:
        """Return the classes predicted when the round began, with merged classes replaced by their targets."""
        class_ids: NDArray[np.int64] = np.array(self.classes.canonical)[self.snapshot.predicted_class_ids[indices]]
        return class_ids

    def _rebuild_from_actions(self) -> None:
        """Derive classes, answers and tree from the recorded actions."""
        self.classes = self._repository.load_class_list(self._last_class_edit_round)
        records = self._answer_records
        self.answers = effective_answers((record.path, self._merge_answer_class(record.answer)) for record in records)
        record_ids = {record.path: record.id for record in records}
        self.tree = self._root_clusters
        for path in sorted((path for path, answer in self.answers.items() if isinstance(answer, Split)), key=len):
            self.tree = with_children(self.tree, path, self._load_children(path, record_ids[path]))

    def _merge_answer_class(self, answer: Answer) -> Answer:
        if isinstance(answer, ClassAnswer):
            return replace(answer, class_id=self.classes.canonical[answer.class_id])
        return answer

    def _validate_actions(self) -> None:
        """Raise UserError if an answer names a class that did not exist then, or a class edit is invalid."""
        classes = self._repository.load_class_list(self.round_number - 1)
        for action in (*self._actions, *self._undone_actions):
            if isinstance(action, ClassEditRecord):
                classes = classes.with_edit(action.class_edit)
            elif isinstance(action.answer, ClassAnswer) and action.answer.class_id >= len(classes):
                classes.require_active(action.answer.class_id)

    def _load_children(self, path: ClusterPath, answer_id: int) -> ClusterTree:
        if answer_id not in self._split_children:
            members, name = self.find_cluster(path).members, file_names.split_snapshot_name(answer_id)
            split_snapshot = stored_arrays.load_arrays(self._store, name, SplitSnapshot, M=len(members))
            self._split_children[answer_id] = self._build_clusters(members, split_snapshot, path)
        return self._split_children[answer_id]

    def _build_clusters(
        self, members: Indices, snapshot: RoundSnapshot | SplitSnapshot, path: ClusterPath = ()
    ) -> ClusterTree:
        assignments, centres = snapshot.assignments, snapshot.centres
        return build_clusters(self.embeddings, members, assignments, centres, snapshot.decoded_centres, path)
