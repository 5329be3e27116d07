"""The answers and class edits of a scripted session, in steps of undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from vaetui.engine.answers import Answer, ClassAnswer, Cleared, ClusterPath, find_effective_indices, format_path
from vaetui.engine.classes import ClassEdit, ClassList


@dataclass(frozen=True)
class ScriptedAnswer:
    """An answer for a cluster of some round."""

    step: int
    """The step of undo that it belongs to."""
    round_number: int
    """The round of the cluster."""
    path: ClusterPath
    """The cluster."""
    answer: Answer
    """The answer."""


@dataclass(frozen=True)
class ScriptedEdit:
    """A class edit."""

    step: int
    """The step of undo that it belongs to."""
    edit: ClassEdit
    """The edit."""


class ScriptedActions:
    """What a person did in a session, with the rules of a real one, in lists."""

    def __init__(self, classes: ClassList) -> None:
        self.classes = self.initial_classes = classes
        """The classes now, and at the beginning of the round."""
        self.actions: list[ScriptedAnswer | ScriptedEdit] = []
        """The answers and class edits of the round that are not undone, oldest first."""
        self.undone_actions: list[ScriptedAnswer | ScriptedEdit] = []
        """Undone answers and class edits, the one to redo first at the beginning."""
        self.earlier_answers: list[ScriptedAnswer] = []
        """The answers of ended rounds, oldest first."""

    @property
    def answers(self) -> list[ScriptedAnswer]:
        """The answers of the round that are not undone, oldest first."""
        return [action for action in self.actions if isinstance(action, ScriptedAnswer)]

    @property
    def class_edits(self) -> list[tuple[int, ClassEdit]]:
        """The class edits that are not undone, oldest first, each with the number of answers before it."""
        return [
            (sum(isinstance(other, ScriptedAnswer) for other in self.actions[:index]), action.edit)
            for index, action in enumerate(self.actions)
            if isinstance(action, ScriptedEdit)
        ]

    @property
    def last_step(self) -> list[ScriptedAnswer | ScriptedEdit]:
        """The step that undo removes."""
        return [action for action in self.actions if action.step == self.actions[-1].step]

    @property
    def undone_step(self) -> list[ScriptedAnswer | ScriptedEdit]:
        """The step that redo restores."""
        return [action for action in self.undone_actions if action.step == self.undone_actions[0].step]

    def record(
        self,
        answers: Sequence[tuple[int, ClusterPath, Answer]],
        edits: Sequence[ClassEdit] = (),
        extends_last_step: bool = False,
    ) -> None:
        """Record class edits and answers as one step, or as part of the last one."""
        classes = reduce(ClassList.with_edit, edits, self.classes)
        for *_, answer in answers:
            if isinstance(answer, ClassAnswer):
                classes.require_active(answer.class_id)
        changes = [item for item in answers if not isinstance(item[2], Cleared) or self._has_answer(*item[:2])]
        if not changes and not edits:
            return
        earlier_actions = (*self.earlier_answers, *self.actions, *self.undone_actions)
        step = 1 + max((action.step for action in earlier_actions), default=0)
        if extends_last_step and self.actions:
            step = self.actions[-1].step
        self.undone_actions.clear()
        self.actions += [ScriptedEdit(step, edit) for edit in edits]
        self.actions += [ScriptedAnswer(step, *item) for item in changes]
        self.classes = classes

    def replace_answers(self, round_number: int, answers: Sequence[tuple[ClusterPath, Answer]]) -> None:
        """Replace all actions of the round by answers, each a step."""
        self.undone_actions = []
        self.actions = [
            ScriptedAnswer(step, round_number, path, answer) for step, (path, answer) in enumerate(answers, 1)
        ]

    def undo(self) -> list[ScriptedAnswer | ScriptedEdit]:
        """Undo the last step and return it."""
        step = self.last_step
        self.actions = self.actions[: len(self.actions) - len(step)]
        self.undone_actions = [*step, *self.undone_actions]
        self._apply_edits()
        return step

    def redo(self) -> list[ScriptedAnswer | ScriptedEdit]:
        """Redo the step undone last and return it."""
        step = self.undone_step
        self.undone_actions = self.undone_actions[len(step) :]
        self.actions += step
        self._apply_edits()
        return step

    def end_round(self) -> None:
        """Keep the answers of the round, which can no longer be undone."""
        self.earlier_answers += self.answers
        self.actions, self.undone_actions = [], []
        self.initial_classes = self.classes

    def resolve_answer(self, answer: Answer) -> Answer:
        """Return the answer, with a merged class replaced by its target."""
        if isinstance(answer, ClassAnswer):
            return replace(answer, class_id=self.classes.canonical[answer.class_id])
        return answer

    def list_effective_answers(self) -> list[ScriptedAnswer]:
        """Return the answers in force of all rounds, oldest first."""
        answers = [*self.earlier_answers, *self.answers]
        # The round as the first index of the path keeps the clusters of different rounds apart.
        indices = find_effective_indices([((item.round_number, *item.path), item.answer) for item in answers])
        return [replace(answers[index], answer=self.resolve_answer(answers[index].answer)) for index in indices]

    def list_unanswered_class_ids(self) -> tuple[int, ...]:
        """Return the active classes that no answer names with a confidence above 0."""
        answers = [item.answer for item in self.list_effective_answers()]
        answered = {answer.class_id for answer in answers if isinstance(answer, ClassAnswer) and answer.confidence > 0}
        return tuple(class_id for class_id in self.classes.active_ids if class_id not in answered)

    def count_answers(self) -> int:
        """Count the answers in force."""
        return len(self.list_effective_answers())

    def count_answers_by_class(self) -> tuple[int, ...]:
        """Count the answers in force by class."""
        answers = [item.answer for item in self.list_effective_answers()]
        class_ids = [answer.class_id for answer in answers if isinstance(answer, ClassAnswer)]
        return tuple(class_ids.count(class_id) for class_id in range(len(self.classes)))

    def _has_answer(self, round_number: int, path: ClusterPath) -> bool:
        answers = self.list_effective_answers()
        return any(item.round_number == round_number and item.path[: len(path)] == path for item in answers)

    def _apply_edits(self) -> None:
        self.classes = reduce(ClassList.with_edit, [edit for _, edit in self.class_edits], self.initial_classes)


def describe_step(step: Sequence[ScriptedAnswer | ScriptedEdit], round_number: int) -> str:
    """Return a short description of a step made in a round."""
    answers = [action for action in step if isinstance(action, ScriptedAnswer)]
    if not answers:
        return "class edit"
    if len({action.path for action in answers}) > 1:
        return f"answers for {len({action.path for action in answers})} clusters"
    prefix = "class edit and " if len(answers) < len(step) else ""
    suffix = "" if answers[-1].round_number == round_number else f" of round {answers[-1].round_number}"
    return f"{prefix}answer for cluster {format_path(answers[-1].path)}{suffix}"
