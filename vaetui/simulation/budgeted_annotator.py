"""A round of answers within a budget, as a person would give them; it does not know who has the opinions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vaetui.engine.answers import ClusterPath, Unreadable
from vaetui.engine.events import Event
from vaetui.errors import UserError
from vaetui.session.session import Session
from vaetui.session.views import ClusterView
from vaetui.simulation.annotators import Annotator, Judgement, LabelNoise
from vaetui.simulation.stopwatch import Stopwatch

MIN_CONFIDENCE = 0.6
"""The least share of an opinion that is typed; below it nothing is. The paper's confidences began there."""


@dataclass(frozen=True, slots=True)
class JudgedCluster:
    """A cluster that was looked at."""

    cluster_view: ClusterView
    """As the screen shows it."""
    judgement: Judgement
    """What the annotator makes of it."""

    @property
    def is_confident(self) -> bool:
        """Tell whether the opinion may be typed."""
        return self.judgement.confidence >= MIN_CONFIDENCE

    @property
    def split_priority(self) -> tuple[float, int]:
        """Say how much a split would clear up: the images that may be of another class, and else the size.

        That is what the screen tells: what was seen, and what share of the members the classifier calls alike.
        """
        alike = self.cluster_view.class_shares[0][1] if self.cluster_view.class_shares else 1.0
        return self.cluster_view.size * (1 - self.judgement.confidence * alike), self.cluster_view.size


@dataclass
class BudgetedAnnotator:
    """Answers the round that a session asks; every label, split and "unreadable" counts.

    As many answers as plain clusters need are set aside for their labels; the others split what is most in doubt.
    What is doubtful to the end is unreadable.
    """

    session: Session
    """The session that asks."""
    annotator: Annotator
    """Who has opinions."""
    label_noise: LabelNoise
    """Who types them."""
    budget: int
    """Answers that may still be given."""
    stopwatch: Stopwatch
    """What counts the time."""
    pictures_shown: int = 0
    """Pictures looked at so far: centres and members."""

    def answer_round(self) -> Iterator[Event]:
        """Answer as much as the budget allows; yields the events of the splits."""
        looked = self._judge_clusters(())
        final: list[JudgedCluster] = []
        while looked:
            most = max(looked, key=lambda one: one.split_priority)
            looked.remove(most)
            spare = self.budget - sum(one.is_confident for one in looked + final) - 1
            parts = min(self.session.config.cluster.split_parts, spare)
            try:
                events = self.session.split(most.cluster_view.path, parts)
            except UserError:  # one part is no split, and there may be too few different members
                final.append(most)
                continue
            self.budget -= 1
            with self.stopwatch.measure("splitting"):
                parted = list(events)
            yield from parted
            looked += self._judge_clusters(most.cluster_view.path)
        with self.stopwatch.measure("annotating"):
            for one in sorted(final, key=lambda one: (one.is_confident, one.cluster_view.size), reverse=True)[
                : self.budget
            ]:
                self.session.answer(
                    one.cluster_view.path,
                    self.label_noise.make_answer(one.judgement) if one.is_confident else Unreadable(),
                )
                self.budget -= 1

    def _judge_clusters(self, parent_path: ClusterPath) -> list[JudgedCluster]:
        """Look at the clusters that stand open below that one."""
        looked = []
        with self.stopwatch.measure("annotating"):
            for tile in self.session.round_view().clusters if self.budget else ():
                if tile.path[:-1] == parent_path and tile.answer is None:
                    nearest = self.session.current_round().members(tile.path, "nearest", self.annotator.member_count)
                    self.pictures_shown += 1 + len(nearest)
                    looked.append(JudgedCluster(tile, self.annotator.judge(tile.picture, nearest)))
        return looked
