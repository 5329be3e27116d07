"""Answer one round of a session with a limited number of answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vaetui.engine.answers import ClusterAnswer, ClusterPath, NearestImageAnswer, Unreadable
from vaetui.engine.clusters import Indices
from vaetui.engine.events import Event
from vaetui.errors import UserError
from vaetui.session.session import Session
from vaetui.session.views import ClusterView
from vaetui.simulation.annotator_config import MixedAnswer
from vaetui.simulation.annotators import Annotator, Judgement, LabelNoise
from vaetui.simulation.stopwatch import Stopwatch

MIN_CONFIDENCE = 0.6
"""Judgements below this confidence are not answered with a class; the lowest confidence used in the paper."""


@dataclass(frozen=True, slots=True)
class JudgedCluster:
    """A cluster and the annotator's judgement."""

    view: ClusterView
    judgement: Judgement
    members: Indices
    """The members that the annotator has looked at, nearest first."""
    purity: float
    """Share of the members in the largest predicted class."""

    @property
    def is_confident(self) -> bool:
        """Whether the judgement is certain enough for an answer."""
        return self.judgement.confidence >= MIN_CONFIDENCE

    @property
    def split_priority(self) -> tuple[float, int]:
        """The expected number of images of another class, then the size."""
        return self.view.size * (1 - self.judgement.confidence * self.purity), self.view.size


@dataclass
class BudgetedAnnotator:
    """Answers the current round; every answer and every split costs one answer.

    If `mixed` is "split", the clusters with the highest split priority are split for as long as enough answers remain
    to label every confident cluster. Then the confident clusters are labelled, and the others are marked as unreadable.
    If it is "nearest", the confident clusters are labelled, and of the others the nearest image is named alone.
    """

    session: Session
    annotator: Annotator
    label_noise: LabelNoise
    budget: int
    """Number of answers left."""
    stopwatch: Stopwatch
    mixed: MixedAnswer = "split"
    """What becomes of a cluster whose members do not agree."""
    nearest_count: int = 0
    """Number of nearest images that were named."""
    pictures_shown: int = 0
    """Number of centres and members that the annotator has seen."""

    def answer_round(self) -> Iterator[Event]:
        """Answer the round within the budget; yields the events of the splits."""
        open_clusters = self._judge_clusters(())
        if self.mixed == "nearest":
            self._answer_clusters(open_clusters)
            return
        unsplit_clusters: list[JudgedCluster] = []
        while open_clusters:
            cluster = max(open_clusters, key=lambda candidate: candidate.split_priority)
            open_clusters.remove(cluster)
            confident_count = sum(other.is_confident for other in open_clusters + unsplit_clusters)
            part_count = min(self.session.config.cluster.split_parts, self.budget - confident_count - 1)
            try:
                split_events = self.session.split_cluster(cluster.view.path, part_count)
            except UserError:  # Fewer than two parts, or too few distinct members.
                unsplit_clusters.append(cluster)
                continue
            self.budget -= 1
            with self.stopwatch.measure_part("splitting"):
                events = list(split_events)
            yield from events
            open_clusters += self._judge_clusters(cluster.view.path)
        self._answer_clusters(unsplit_clusters)

    def _answer_clusters(self, clusters: list[JudgedCluster]) -> None:
        """Answer confident clusters first, large ones before small ones, until the budget is used up."""
        with self.stopwatch.measure_part("annotating"):
            clusters = sorted(clusters, key=lambda cluster: (cluster.is_confident, cluster.view.size), reverse=True)
            for cluster in clusters[: self.budget]:
                self.session.record_answer(cluster.view.path, self._choose_answer(cluster))
                self.budget -= 1

    def _choose_answer(self, cluster: JudgedCluster) -> ClusterAnswer:
        if cluster.is_confident:
            return self.label_noise.apply_noise(cluster.judgement)
        if self.mixed == "nearest" and len(cluster.members):
            nearest = self.annotator.judge(cluster.view.picture, cluster.members[:1])
            if nearest.confidence >= MIN_CONFIDENCE:
                self.nearest_count += 1
                return NearestImageAnswer(self.label_noise.apply_noise(nearest).class_id)
        return Unreadable()

    def _judge_clusters(self, parent_path: ClusterPath) -> list[JudgedCluster]:
        """Judge the unanswered children of a cluster; () is the parent of the round's clusters."""
        judged_clusters: list[JudgedCluster] = []
        if not self.budget:
            return judged_clusters
        with self.stopwatch.measure_part("annotating"):
            labelling_round = self.session.require_current_round()
            for view in self.session.round_view().clusters:
                if view.path[:-1] == parent_path and view.answer is None:
                    members = labelling_round.member_indices(view.path, "nearest", self.annotator.member_count)
                    self.pictures_shown += 1 + len(members)
                    judgement = self.annotator.judge(view.picture, members)
                    purity = labelling_round.compute_purity(view.path)
                    judged_clusters.append(JudgedCluster(view, judgement, members, purity))
        return judged_clusters
