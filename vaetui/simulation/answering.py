"""A round of answers within a budget, as a person would give them; it does not know who has the opinions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vaetui.engine.answers import Path, Unreadable
from vaetui.engine.events import Event
from vaetui.session.board import Tile
from vaetui.session.session import Session
from vaetui.simulation.annotators import Annotator, Fingers, Opinion
from vaetui.trouble import Trouble

SURE = 0.6
"""The least share of an opinion that is typed; below it a cluster is split. The paper's confidences began there."""


@dataclass
class Round:
    """Answers the round that a session asks: labels first, then splits, the largest doubtful cluster first.

    Every label, split and "unreadable" counts. What is doubtful and cannot be split within the budget is unreadable.
    """

    session: Session
    """The session that asks."""
    annotator: Annotator
    """Who has opinions."""
    fingers: Fingers
    """Who types them."""
    budget: int
    """Answers that may still be given."""
    pictures: int = 0
    """Pictures looked at so far: centres and members."""

    def answer(self) -> Iterator[Event]:
        """Answer as much as the budget allows; yields the events of the splits."""
        doubtful = self._go_through(list(self._open(())))
        while doubtful and self.budget:
            tile = max(doubtful, key=lambda tile: (tile.size, [-part for part in tile.path]))
            doubtful.remove(tile)
            parts = min(self.session.config.cluster.parts, self.budget - 1)
            self.budget -= 1
            try:
                yield from self.session.split(tile.path, parts)
            except Trouble:  # one part is no split, and there may be too few different members
                self.session.answer(tile.path, Unreadable())
            else:
                doubtful += self._go_through(list(self._open(tile.path)))

    def _go_through(self, tiles: list[Tile]) -> list[Tile]:
        """Answer what is plain, and give what is not; what the budget does not allow stays open."""
        doubtful = []
        for tile in tiles:
            if not self.budget:
                break
            opinion = self._judge(tile)
            if opinion.share >= SURE:
                self.session.answer(tile.path, self.fingers.type(opinion))
                self.budget -= 1
            else:
                doubtful.append(tile)
        return doubtful

    def _judge(self, tile: Tile) -> Opinion:
        nearest = self.session.asked().members(tile.path, "nearest", self.annotator.members)
        self.pictures += 1 + len(nearest)
        return self.annotator.judge(tile.picture, nearest)

    def _open(self, above: Path) -> Iterator[Tile]:
        for tile in self.session.board().tiles:
            if tile.path[:-1] == above and tile.answer is None:
                yield tile
