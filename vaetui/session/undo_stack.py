"""The steps that a person took in one round, the last of which can be undone and redone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vaetui.engine.answers import find_answer_class
from vaetui.engine.classes import ClassEdit
from vaetui.storage.answer_log import ImageWithOrigin, RoundAnswer, UserAction
from vaetui.storage.answer_rows import AnswerRecord, BorderRecord, ClassEditRecord
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.repository import SessionRepository


class UndoStack:
    """The steps made in one round: answers for its clusters and about single images, corrections, and class edits."""

    def __init__(self, repository: SessionRepository, made_in_round: int) -> None:
        """Load the steps made in a round; one more than all rounds stands for the time after the last one.

        Raises UserError if an answer names a class that did not exist then, or a class edit is invalid.
        """
        self._repository = repository
        self._made_in_round = made_in_round
        self._actions = repository.list_actions(made_in_round)
        self._undone_actions = repository.list_actions(made_in_round, "undone")
        self._validate()

    @property
    def last_step(self) -> list[UserAction]:
        """The actions of the step that undo removes, oldest first; empty if there is none."""
        return [action for action in self._actions if action.step_id == self._actions[-1].step_id]

    @property
    def undone_step(self) -> list[UserAction]:
        """The actions of the step that redo restores, oldest first; empty if there is none."""
        return [action for action in self._undone_actions if action.step_id == self._undone_actions[0].step_id]

    @property
    def answers(self) -> list[AnswerRecord]:
        """The answers for clusters made in the round that are not undone, oldest first."""
        return [action for action in self._actions if isinstance(action, AnswerRecord)]

    @property
    def class_edits(self) -> list[ClassEdit]:
        """The class edits made in the round, oldest first."""
        return [action.class_edit for action in self._actions if isinstance(action, ClassEditRecord)]

    def record(
        self,
        answers: Sequence[RoundAnswer] = (),
        class_edits: Sequence[ClassEdit] = (),
        images: Sequence[ImageWithOrigin] = (),
        borders: Sequence[tuple[int, int]] = (),
        *,
        extends_last_step: bool = False,
        fingerprints: Iterable[FileFingerprint] = (),
    ) -> list[UserAction]:
        """Record class edits and then answers as one step, or as part of the last one, and return the new actions.

        `borders` are as for `AnswerLog.record_step`. All are on the disk on return. Undone steps can no longer be
        redone.
        """
        extended_step_id = self._actions[-1].step_id if extends_last_step and self._actions else None
        actions = self._repository.record_step(
            self._made_in_round,
            answers,
            class_edits,
            images,
            borders,
            extended_step_id=extended_step_id,
            fingerprints=fingerprints,
        )
        self._actions += actions
        self._undone_actions.clear()
        return actions

    def undo(self) -> list[UserAction]:
        """Undo the last step and return its actions; empty if there is none."""
        step = self.last_step
        if step:
            self._repository.record_undo(step[0].step_id)
            self._actions = [action for action in self._actions if action.step_id != step[0].step_id]
            self._undone_actions = [*step, *self._undone_actions]
        return step

    def redo(self) -> list[UserAction]:
        """Redo the step undone last and return its actions; empty if there is none."""
        step = self.undone_step
        if step:
            self._repository.record_redo(step[0].step_id)
            self._undone_actions = [action for action in self._undone_actions if action.step_id != step[0].step_id]
            self._actions += step
        return step

    def _validate(self) -> None:
        classes = self._repository.load_class_list(self._made_in_round - 1)
        for action in (*self._actions, *self._undone_actions):
            if isinstance(action, ClassEditRecord):
                classes = classes.with_edit(action.class_edit)
                continue
            if isinstance(action, BorderRecord):
                class_id = action.class_id
            else:
                answer = action.answer if isinstance(action, AnswerRecord) else action.image.answer
                class_id = find_answer_class(answer) or 0
            if class_id >= len(classes):
                classes.require_active(class_id)
