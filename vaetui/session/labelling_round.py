"""The round being asked: what was said in it and what stands; it knows no networks."""

from __future__ import annotations

from dataclasses import replace

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
    iter_leaves,
    to_metric_space,
    walk,
    with_children,
)
from vaetui.engine.config import Config
from vaetui.engine.pseudo_labels import PseudoLabels, distance_decay, label_by_cluster
from vaetui.engine.seeds import LabelledSet, concat_labelled_sets
from vaetui.errors import UserError
from vaetui.session.acts import describe_action
from vaetui.session.digit_keys import add_new_classes, assign_digit_keys
from vaetui.session.label_propagator import RoundEvidence
from vaetui.session.views import SHOWN_MEMBERS, ClusterView, MemberOrder, RoundView
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.answer_rows import AnswerRecord
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.namings import ClassEditRecord
from vaetui.storage.repository import MAX_ROUND_NUMBER, SessionRepository
from vaetui.storage.round_snapshots import RoundSnapshot, SplitSnapshot

SAMPLED_MEMBERS_PER_PART = 10
"""Times as many members as parts, among which so many differ as a rule."""


class LabellingRound:
    """One round: its photograph, its tree, what was said."""

    classes: ClassList
    """What classes there are; what was said of one that was merged counts as the other."""

    def __init__(
        self,
        store: ArtifactStore,
        repository: SessionRepository,
        config: Config,
        round_number: int,
        last_round: int = MAX_ROUND_NUMBER,
    ) -> None:
        """Read a round as it was left, with the classes as they are or as they were at the end of the round `last`.

        Raises Trouble for files that are lost or do not fit what was said.
        """
        self.round_number = round_number
        self._last_round = last_round
        self._uses_propagation = config.propagation.method == "neighbours"
        self._store = store
        self._repository = repository
        self._config = config
        self.snapshot = round_snapshots.load(store, file_names.round_snapshot_name(round_number), RoundSnapshot)
        photograph = self.snapshot
        self.embeddings = to_metric_space(photograph.latents, config.cluster.distance_metric)
        """Where every image lies, [N, z_dim]."""
        everyone = np.arange(len(photograph.assignments))
        self._root_clusters = build_clusters(
            self.embeddings, everyone, photograph.assignments, photograph.centres, photograph.decoded_centres
        )
        self._split_children: dict[
            int, ClusterTree
        ] = {}  # the children that each split made, by the number of its saying
        self._actions = repository.list_actions(round_number, "stands")
        self._undone_actions = repository.list_actions(round_number, "undone")
        self._validate_actions()
        self._earlier_answer_count = repository.count_answers() - len(self._answer_records)
        self._digit_keys = assign_digit_keys(
            repository.load_class_list(round_number - 1), repository.answer_counts(round_number - 1)
        )
        self._refresh()

    def record_answer(self, path: ClusterPath, answer: Answer, *fingerprints: FileFingerprint) -> None:
        """Record an answer, with the files that belong to it; it is on the disk when this returns.

        Raises Trouble for a cluster that is not there and a class that there is not, or not any more.
        """
        self.find_cluster(path)
        if isinstance(answer, ClassAnswer):
            self.classes.require_active(answer.class_id)
        self._actions.append(self._repository.record_answer(self.round_number, path, answer, *fingerprints))
        self._undone_actions.clear()
        self._refresh()

    def record_split(self, path: ClusterPath, split_snapshot: SplitSnapshot) -> None:
        """Record that a cluster was cut into parts: first the parts, then the fact that names them."""
        stamp = round_snapshots.save(
            self._store, file_names.split_snapshot_name(self._repository.next_action_id()), split_snapshot
        )
        self.record_answer(path, Split(len(split_snapshot.centres)), stamp)

    def record_class_edit(self, edit: ClassEdit) -> None:
        """Record what was done to the classes; it is on the disk when this returns.

        Raises Trouble for what cannot be done.
        """
        self.classes.apply(edit)
        self._actions.append(self._repository.record_class_edit(self.round_number, edit))
        self._undone_actions.clear()
        self._refresh()

    def undo(self) -> ClusterPath | None:
        """Take back the last act, and give its cluster, () for one on the classes; None where there is none."""
        if not self._actions:
            return None
        self._repository.undo(self._actions[-1])
        act = self._actions.pop()
        self._undone_actions.insert(0, act)
        self._refresh()
        return act.path if isinstance(act, AnswerRecord) else ()

    def redo(self) -> ClusterPath | None:
        """Let the act that was taken back last stand again, and give its cluster, likewise."""
        if not self._undone_actions:
            return None
        self._repository.redo(self._undone_actions[0])
        act = self._undone_actions.pop(0)
        self._actions.append(act)
        self._refresh()
        return act.path if isinstance(act, AnswerRecord) else ()

    def find_cluster(self, path: ClusterPath) -> Cluster:
        """Give the cluster at that path as the round stands.

        Raises Trouble where there is none.
        """
        try:
            return find_cluster(self.tree, path)
        except KeyError:
            raise UserError(f"There is no centre {format_path(path)} in this round.") from None

    def require_splittable(self, path: ClusterPath, part_count: int) -> Cluster:
        """Give the cluster at that path if it can be cut into so many parts.

        Raises Trouble for fewer than 2 parts, and for fewer members that differ in the latent space than parts.
        """
        cluster = self.find_cluster(path)
        if not 2 <= part_count <= MAX_CLUSTERS:
            raise UserError(f"A centre can be split into 2 to {MAX_CLUSTERS:,} parts.")
        # Of a large cluster the first members nearly always differ: sorting all would keep the screen waiting.
        different = 0
        for some in (cluster.members[: SAMPLED_MEMBERS_PER_PART * part_count], cluster.members):
            different = different if different >= part_count else len(np.unique(self.embeddings[some], axis=0))
        if different < part_count:
            raise UserError(
                f"This centre stands for {different} different images; they cannot become {part_count} parts."
            )
        return cluster

    def pseudo_labels(self) -> PseudoLabels:
        """Spread what stands to every training image (eq. 2)."""
        return label_by_cluster(self.tree, self.answers, len(self.snapshot.assignments), self._config.cluster.decay)

    def labelled_set(self) -> LabelledSet:
        """Give the images that a person has seen named: the nearest members of each answered cluster."""
        found = [
            LabelledSet(
                shown := cluster.members[:SHOWN_MEMBERS],
                np.full(len(shown), answer.class_id),
                np.full(len(shown), answer.confidence),
            )
            for cluster in iter_leaves(self.tree)
            if isinstance(answer := self.answers.get(cluster.path), ClassAnswer)
        ]
        return concat_labelled_sets(found)

    def evidence(self) -> RoundEvidence:
        """Give those images with what the classifier had called them when the round began."""
        seeds = self.labelled_set()
        return RoundEvidence(seeds, self._predicted_classes(seeds.indices))

    def members(self, path: ClusterPath, order: MemberOrder, count: int) -> Indices:
        """Choose some members of a cluster, at most `count`: nearest first, farthest first, or any."""
        members = self.find_cluster(path).members
        if order == "nearest":
            return members[:count]
        if order == "farthest":
            return members[::-1][:count]
        draw = rng.derive_generator(self._config.seed, "members", self.round_number, *path)
        return draw.permutation(members)[:count]

    def round_view(self) -> RoundView:
        """Show the round as it stands."""
        open_or_answered = [cluster.path in self.answers for cluster in iter_leaves(self.tree)]
        return RoundView(
            round_number=self.round_number,
            rounds=self._config.training.rounds,
            clusters=tuple(self._cluster_view(cluster) for cluster in walk(self.tree)),
            answered_leaf_count=sum(open_or_answered),
            leaf_count=len(open_or_answered),
            label_coverage=self._label_coverage(),
            answer_count=self._earlier_answer_count + len(self._answer_records),
            digit_keys=add_new_classes(
                self._digit_keys, [act.class_edit for act in self._actions if isinstance(act, ClassEditRecord)]
            ),
            undo_description=describe_action(self._actions[-1], self.classes) if self._actions else None,
            redo_description=describe_action(self._undone_actions[0], self.classes) if self._undone_actions else None,
        )

    @property
    def _answer_records(self) -> list[AnswerRecord]:
        """What stands said of clusters, oldest first."""
        return [act for act in self._actions if isinstance(act, AnswerRecord)]

    def _cluster_view(self, cluster: Cluster) -> ClusterView:
        below = [leaf.path in self.answers for leaf in iter_leaves(cluster.children)]
        return ClusterView(
            path=cluster.path,
            picture=cluster.centre_image,
            size=len(cluster.members),
            mean_distance=cluster.mean_distance,
            answer=self.answers.get(cluster.path),
            leaf_counts=(sum(below), len(below)) if cluster.children else None,
            class_shares=self._class_shares(cluster),
            mean_weight=1.0
            if self._uses_propagation
            else float(distance_decay(cluster.distances, self._config.cluster.decay).mean()),
        )

    def _label_coverage(self) -> float:
        """Tell what share of all images has a label: from the first answer on all, where answers spread."""
        if self._uses_propagation:
            return float(
                self._earlier_answer_count > 0
                or any(isinstance(answer, ClassAnswer) for answer in self.answers.values())
            )
        return self.pseudo_labels().label_coverage

    def _class_shares(self, cluster: Cluster) -> tuple[tuple[int, float], ...]:
        if self.round_number == 1:
            return ()  # the classifier has seen no label yet
        kinds, counts = np.unique(self._predicted_classes(cluster.members), return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return tuple((int(kinds[at]), float(counts[at] / counts.sum())) for at in order)

    def _predicted_classes(self, indices: Indices) -> NDArray[np.int64]:
        """Give what the classifier called these images when the round began, as the classes count now."""
        counted: NDArray[np.int64] = np.array(self.classes.canonical)[self.snapshot.predicted_class_ids[indices]]
        return counted

    def _refresh(self) -> None:
        """Derive what stands and the tree from what was said."""
        self.classes = self._repository.load_class_list(self._last_round)
        self.answers = effective_answers(
            (saying.path, self._canonical_answer(saying.answer)) for saying in self._answer_records
        )
        numbers = {saying.path: saying.id for saying in self._answer_records}
        self.tree = self._root_clusters
        for path in sorted((path for path, answer in self.answers.items() if isinstance(answer, Split)), key=len):
            self.tree = with_children(self.tree, path, self._load_children(path, numbers[path]))

    def _canonical_answer(self, answer: Answer) -> Answer:
        """Give an answer with the class that it counts as."""
        return (
            replace(answer, class_id=self.classes.canonical[answer.class_id])
            if isinstance(answer, ClassAnswer)
            else answer
        )

    def _validate_actions(self) -> None:
        """Refuse answers with a class that there was not, and what could not be done to the classes, with Trouble."""
        classes = self._repository.load_class_list(self.round_number - 1)
        for act in (*self._actions, *self._undone_actions):
            if isinstance(act, ClassEditRecord):
                classes = classes.apply(act.class_edit)
            elif isinstance(act.answer, ClassAnswer) and act.answer.class_id >= len(classes):
                classes.require_active(act.answer.class_id)

    def _load_children(self, path: ClusterPath, answer_id: int) -> ClusterTree:
        if answer_id not in self._split_children:
            members = self.find_cluster(path).members
            part = round_snapshots.load(
                self._store, file_names.split_snapshot_name(answer_id), SplitSnapshot, M=len(members)
            )
            self._split_children[answer_id] = build_clusters(
                self.embeddings, members, part.assignments, part.centres, part.decoded_centres, path
            )
        return self._split_children[answer_id]
