"""A scripted user who always answers a cluster in the same way, however often it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.soak.expected_answers import ExpectedAnswers, GiveAnswer, UndoOrRedo, UserAction
from vaetui.engine.answers import Answer, ClassAnswer, ClusterPath, Split, Unreadable

UNDONE_ONCE = {(1, (0,)), (1, (0, 1)), (1, (2,)), (2, (2,))}
"""Answers, as (round, cluster), that are undone once; in round 1 they are redone, in round 2 given again."""


@dataclass(slots=True)
class AnswerScript:
    """Answers cluster after cluster, with an undo and a redo in between."""

    expected: ExpectedAnswers
    """What the session must store."""
    undone: set[tuple[int, ClusterPath]] = field(default_factory=set)
    """Answers that were undone already."""

    def next_action(self, round_number: int, path: ClusterPath, is_unanswered: bool) -> UserAction | None:
        """Return the action at a cluster; None to go to the next cluster."""
        undone = self.expected.select(round_number, "undone")
        if undone and round_number == 1:
            return UndoOrRedo(round_number, "redo", undone[0].path)
        active = self.expected.select(round_number)
        if active and (last := (round_number, active[-1].path)) in UNDONE_ONCE - self.undone:
            self.undone.add(last)
            return UndoOrRedo(round_number, "undo", active[-1].path)
        return GiveAnswer(round_number, path, choose_answer(round_number, path)) if is_unanswered else None


def choose_answer(round_number: int, path: ClusterPath) -> Answer:
    """Return the answer to a cluster, which depends on its position only."""
    if path == (0,) and round_number == 1:
        return Split(3)
    if path == (1,) and round_number == 2:
        return Split(2)
    if path == (3,):
        return Unreadable()
    return ClassAnswer((sum(path) + round_number) % 10, (5 + (sum(path) + len(path)) % 6) / 10)
