"""Who answers: always the same to the same question, however often it is asked; it knows no process."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.soak.record import Act, Moved, Record, Said
from vaetui.engine.answers import Answer, ClassAnswer, ClusterPath, Split, Unreadable

REGRETTED = {(1, (0,)), (1, (0, 1)), (1, (2,)), (2, (2,))}
"""Answers that are taken back once; in the first round they are brought back, in the second given anew."""


@dataclass(slots=True)
class Script:
    """Answers centre after centre, with an undo and a redo here and there."""

    record: Record
    regretted: set[tuple[int, ClusterPath]] = field(default_factory=set)

    def act(self, round: int, path: ClusterPath, open: bool) -> Act | None:
        """Tell what is said at a centre that is open or answered; None passes on to the next."""
        undone = self.record.standing(round, "undone")
        if undone and round == 1:
            return Moved(round, "redo", undone[0].path)
        said = self.record.standing(round)
        if said and (last := (round, said[-1].path)) in REGRETTED - self.regretted:
            self.regretted.add(last)
            return Moved(round, "undo", said[-1].path)
        return Said(round, path, answer(round, path)) if open else None


def answer(round: int, path: ClusterPath) -> Answer:
    """Say what is seen at a centre."""
    if path == (0,) and round == 1:
        return Split(3)
    if path == (1,) and round == 2:
        return Split(2)
    if path == (3,):
        return Unreadable()
    return ClassAnswer((sum(path) + round) % 10, (5 + (sum(path) + len(path)) % 6) / 10)
