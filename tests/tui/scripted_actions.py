"""The answers and class edits of a scripted session, in steps of undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby
from typing import TypeAlias

from vaetui.engine.answers import (
    Answer,
    AnsweredImage,
    ClassAnswer,
    Cleared,
    ClusterPath,
    ImageAnswerOrigin,
    NearestImageAnswer,
    find_answer_class,
    find_effective_indices,
    format_path,
)
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


@dataclass(frozen=True)
class ScriptedImageAnswer:
    """An answer about a single image."""

    step: int
    """The step of undo that it belongs to."""
    image: AnsweredImage
    """The image and its answer."""
    origin: ImageAnswerOrigin
    """Where it was given."""


@dataclass(frozen=True)
class ScriptedBorder:
    """The border of a class."""

    step: int
    """The step of undo that it belongs to."""
    class_id: int
    """The class."""
    image_indices: tuple[int, ...]
    """The images beyond the border."""


ScriptedAction: TypeAlias = ScriptedAnswer | ScriptedEdit | ScriptedImageAnswer | ScriptedBorder
"""A part of a step."""


class ScriptedActions:
    """What a person did in a session, with the rules of a real one, in lists."""

    def __init__(self, classes: ClassList) -> None:
        self.classes = self.initial_classes = classes
        """The classes now, and at the beginning of the round."""
        self.actions: list[ScriptedAction] = []
        """What was done in the round and is not undone, oldest first."""
        self.undone_actions: list[ScriptedAction] = []
        """Undone actions, the one to redo first at the beginning."""
        self.earlier_answers: list[ScriptedAnswer] = []
        """The answers for clusters of ended rounds, oldest first."""
        self.earlier_image_actions: list[ScriptedImageAnswer | ScriptedBorder] = []
        """The answers about images and the borders of ended rounds, oldest first."""

    @property
    def answers(self) -> list[ScriptedAnswer]:
        """The answers of the round that are not undone, oldest first."""
        return [action for action in self.actions if isinstance(action, ScriptedAnswer)]

    @property
    def image_actions(self) -> list[ScriptedImageAnswer | ScriptedBorder]:
        """The answers about images and the borders of all rounds that are not undone, oldest first."""
        own = [action for action in self.actions if isinstance(action, ScriptedImageAnswer | ScriptedBorder)]
        return [*self.earlier_image_actions, *own]

    @property
    def image_answers(self) -> list[ScriptedImageAnswer]:
        """The answers in force about single images, oldest first."""
        answers: dict[int, ScriptedImageAnswer] = {}
        for action in self.image_actions:
            if isinstance(action, ScriptedImageAnswer):
                answers.pop(action.image.image_index, None)
                if not isinstance(action.image.answer, Cleared):
                    answers[action.image.image_index] = action
        return list(answers.values())

    @property
    def pages(self) -> list[list[AnsweredImage]]:
        """The answers in force about single images, by the step in which they were given, oldest first."""
        answers = sorted(self.image_answers, key=lambda action: action.step)
        return [[action.image for action in step] for _, step in groupby(answers, key=lambda action: action.step)]

    @property
    def class_edits(self) -> list[tuple[int, ClassEdit]]:
        """The class edits that are not undone, oldest first, each with the number of answers before it."""
        return [
            (sum(isinstance(other, ScriptedAnswer) for other in self.actions[:index]), action.edit)
            for index, action in enumerate(self.actions)
            if isinstance(action, ScriptedEdit)
        ]

    @property
    def last_step(self) -> list[ScriptedAction]:
        """The step that undo removes."""
        return [action for action in self.actions if action.step == self.actions[-1].step]

    @property
    def undone_step(self) -> list[ScriptedAction]:
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
            if isinstance(answer, ClassAnswer | NearestImageAnswer):
                classes.require_active(answer.class_id)
        changes = [item for item in answers if not isinstance(item[2], Cleared) or self._has_answer(*item[:2])]
        if not changes and not edits:
            return
        step = self._begin_step(extends_last_step)
        self.actions += [ScriptedEdit(step, edit) for edit in edits]
        self.actions += [ScriptedAnswer(step, *item) for item in changes]
        self.classes = classes

    def record_images(self, images: Sequence[AnsweredImage], origin: ImageAnswerOrigin) -> None:
        """Record answers about single images as one step."""
        for image in images:
            if isinstance(image.answer, ClassAnswer):
                self.classes.require_active(image.answer.class_id)
        answered = {action.image.image_index for action in self.image_answers}
        changes = [image for image in images if not isinstance(image.answer, Cleared) or image.image_index in answered]
        if changes:
            step = self._begin_step(False)
            self.actions += [ScriptedImageAnswer(step, image, origin) for image in changes]

    def record_border(self, class_id: int, image_indices: Sequence[int]) -> None:
        """Record the images beyond the border of a class as one step."""
        self.classes.require_active(class_id)
        if image_indices:
            self.actions.append(ScriptedBorder(self._begin_step(False), class_id, tuple(image_indices)))

    def replace_answers(self, round_number: int, answers: Sequence[tuple[ClusterPath, Answer]]) -> None:
        """Replace all actions of the round by answers, each a step."""
        self.undone_actions = []
        self.actions = [
            ScriptedAnswer(step, round_number, path, answer) for step, (path, answer) in enumerate(answers, 1)
        ]

    def undo(self) -> list[ScriptedAction]:
        """Undo the last step and return it."""
        step = self.last_step
        self.actions = self.actions[: len(self.actions) - len(step)]
        self.undone_actions = [*step, *self.undone_actions]
        self._apply_edits()
        return step

    def redo(self) -> list[ScriptedAction]:
        """Redo the step undone last and return it."""
        step = self.undone_step
        self.undone_actions = self.undone_actions[len(step) :]
        self.actions += step
        self._apply_edits()
        return step

    def end_round(self) -> None:
        """Keep the answers of the round, which can no longer be undone."""
        self.earlier_answers += self.answers
        self.earlier_image_actions = self.image_actions
        self.actions, self.undone_actions = [], []
        self.initial_classes = self.classes

    def resolve_answer(self, answer: Answer) -> Answer:
        """Return the answer, with a merged class replaced by its target."""
        if isinstance(answer, ClassAnswer | NearestImageAnswer):
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
        answered |= {answer.class_id for answer in answers if isinstance(answer, NearestImageAnswer)}
        answered |= set(self._count_image_answers()) - {None}
        return tuple(class_id for class_id in self.classes.active_ids if class_id not in answered)

    def count_answers(self) -> int:
        """Count the answers in force: of a page, one for the accepted rest and one for each correction."""
        border_count = sum(isinstance(action, ScriptedBorder) for action in self.image_actions)
        pages = {
            (action.step, action.image.shown_class_id if action.origin == "audit" else None)
            for action in self.image_answers
            if _is_accepted(action)
        }
        corrections = sum(not _is_accepted(action) for action in self.image_answers)
        return len(self.list_effective_answers()) + len(pages) + corrections + border_count

    def count_answers_by_class(self) -> tuple[int, ...]:
        """Count the answers in force by class."""
        answers = [item.answer for item in self.list_effective_answers()]
        class_ids = [find_answer_class(answer) for answer in answers]
        image_counts = self._count_image_answers()
        return tuple(class_ids.count(class_id) + image_counts.get(class_id, 0) for class_id in range(len(self.classes)))

    def _begin_step(self, extends_last_step: bool) -> int:
        """Return the step of the next actions; undone ones can no longer be redone."""
        if extends_last_step and self.actions:
            step = self.actions[-1].step
        else:
            all_actions = (*self.earlier_answers, *self.image_actions, *self.actions, *self.undone_actions)
            step = 1 + max((action.step for action in all_actions), default=0)
        self.undone_actions.clear()
        return step

    def _count_image_answers(self) -> dict[int | None, int]:
        """Return the number of answers about images by class; that of unreadable ones by None."""
        counts: dict[int | None, int] = {}
        accepted_pages = set[tuple[int, int]]()
        for action in self.image_answers:
            answer = action.image.answer
            class_id = self.classes.canonical[answer.class_id] if isinstance(answer, ClassAnswer) else None
            if isinstance(answer, ClassAnswer) and _is_accepted(action):
                if (action.step, answer.class_id) in accepted_pages:
                    continue
                accepted_pages.add((action.step, answer.class_id))
            counts[class_id] = counts.get(class_id, 0) + 1
        return counts

    def _has_answer(self, round_number: int, path: ClusterPath) -> bool:
        answers = self.list_effective_answers()
        return any(item.round_number == round_number and item.path[: len(path)] == path for item in answers)

    def _apply_edits(self) -> None:
        self.classes = reduce(ClassList.with_edit, [edit for _, edit in self.class_edits], self.initial_classes)


def _is_accepted(action: ScriptedImageAnswer) -> bool:
    answer = action.image.answer
    return isinstance(answer, ClassAnswer) and answer.class_id == action.image.shown_class_id


def describe_step(step: Sequence[ScriptedAction], round_number: int) -> str:
    """Return a short description of a step made in a round."""
    images = [action.image for action in step if isinstance(action, ScriptedImageAnswer)]
    if images:
        return f"answer for image {images[0].image_index:,}" if len(images) == 1 else f"page of {len(images)} images"
    answers = [action for action in step if isinstance(action, ScriptedAnswer)]
    if not answers:
        borders = [action for action in step if isinstance(action, ScriptedBorder)]
        return f"border of class {borders[0].class_id}" if borders else "class edit"
    if len({action.path for action in answers}) > 1:
        return f"answers for {len({action.path for action in answers})} clusters"
    prefix = "class edit and " if len(answers) < len(step) else ""
    suffix = "" if answers[-1].round_number == round_number else f" of round {answers[-1].round_number}"
    kind = "the nearest image of " if isinstance(answers[-1].answer, NearestImageAnswer) else ""
    return f"{prefix}answer for {kind}cluster {format_path(answers[-1].path)}{suffix}"
