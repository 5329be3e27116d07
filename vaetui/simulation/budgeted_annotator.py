"""A round of answers within a budget, as a person would give them; it does not know who has the opinions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vaetui.engine.answers import Path, Unreadable
from vaetui.engine.events import Event
from vaetui.errors import Trouble
from vaetui.session.session import Session
from vaetui.session.views import Tile
from vaetui.simulation.annotators import Annotator, Fingers, Opinion
from vaetui.simulation.stopwatch import Stopwatch

SURE = 0.6
"""The least share of an opinion that is typed; below it nothing is. The paper's confidences began there."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A cluster that was looked at."""

    tile: Tile
    """As the screen shows it."""
    opinion: Opinion
    """What the annotator makes of it."""

    @property
    def sure(self) -> bool:
        """Tell whether the opinion may be typed."""
        return self.opinion.share >= SURE

    @property
    def doubt(self) -> tuple[float, int]:
        """Say how much a split would clear up: the images that may be of another class, and else the size.

        That is what the screen tells: what was seen, and what share of the members the classifier calls alike.
        """
        alike = self.tile.votes[0][1] if self.tile.votes else 1.0
        return self.tile.size * (1 - self.opinion.share * alike), self.tile.size


@dataclass
class Round:
    """Answers the round that a session asks; every label, split and "unreadable" counts.

    As many answers as plain clusters need are set aside for their labels; the others split what is most in doubt.
    What is doubtful to the end is unreadable.
    """

    session: Session
    """The session that asks."""
    annotator: Annotator
    """Who has opinions."""
    fingers: Fingers
    """Who types them."""
    budget: int
    """Answers that may still be given."""
    watch: Stopwatch
    """What counts the time."""
    pictures: int = 0
    """Pictures looked at so far: centres and members."""

    def answer(self) -> Iterator[Event]:
        """Answer as much as the budget allows; yields the events of the splits."""
        looked = self._look(())
        final: list[Looked] = []
        while looked:
            most = max(looked, key=lambda one: one.doubt)
            looked.remove(most)
            spare = self.budget - sum(one.sure for one in looked + final) - 1
            parts = min(self.session.config.cluster.parts, spare)
            try:
                events = self.session.split(most.tile.path, parts)
            except Trouble:  # one part is no split, and there may be too few different members
                final.append(most)
                continue
            self.budget -= 1
            with self.watch.part("splitting"):
                parted = list(events)
            yield from parted
            looked += self._look(most.tile.path)
        with self.watch.part("annotating"):
            for one in sorted(final, key=lambda one: (one.sure, one.tile.size), reverse=True)[: self.budget]:
                self.session.answer(one.tile.path, self.fingers.type(one.opinion) if one.sure else Unreadable())
                self.budget -= 1

    def _look(self, above: Path) -> list[Looked]:
        """Look at the clusters that stand open below that one."""
        looked = []
        with self.watch.part("annotating"):
            for tile in self.session.board().tiles if self.budget else ():
                if tile.path[:-1] == above and tile.answer is None:
                    nearest = self.session.asked().members(tile.path, "nearest", self.annotator.members)
                    self.pictures += 1 + len(nearest)
                    looked.append(Looked(tile, self.annotator.judge(tile.picture, nearest)))
        return looked
