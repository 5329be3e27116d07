"""Answers, borders and class edits as rows of their tables, and back."""

from __future__ import annotations

from dataclasses import dataclass

from vaetui.engine.answers import (
    Answer,
    AnsweredImage,
    ClassAnswer,
    Cleared,
    ClusterPath,
    ImageAnswer,
    ImageAnswerOrigin,
    NearestImageAnswer,
    Split,
    Unreadable,
)
from vaetui.engine.classes import AddClass, ClassEdit, MergeClass, RenameClass


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """A stored answer or split."""

    id: int
    """Its number in the session, ascending in the order of entry."""
    step_id: int
    """The id of the first action of its step; undo and redo change all actions of a step."""
    round_number: int
    """The round of the cluster."""
    made_in_round: int
    """The round in which the answer was recorded, one more than all rounds after the last one."""
    path: ClusterPath
    """The cluster."""
    answer: Answer
    """The answer."""
    created_at: float
    """When it was recorded, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class ClassEditRecord:
    """A stored change of the class list."""

    id: int
    """Its number in the session, from the same sequence as those of answers."""
    step_id: int
    """The id of the first action of its step."""
    class_edit: ClassEdit
    """The change."""


@dataclass(frozen=True, slots=True)
class ImageAnswerRecord:
    """A stored answer about a single image."""

    id: int
    """Its number in the session, from the same sequence as those of answers."""
    step_id: int
    """The id of the first action of its step."""
    made_in_round: int
    """The round in which it was recorded, one more than all rounds after the last one."""
    image: AnsweredImage
    """The image and its answer."""
    origin: ImageAnswerOrigin
    """Where it was given."""
    created_at: float
    """When it was recorded, in seconds since 1970."""

    @property
    def is_accepted(self) -> bool:
        """Whether the answer is the label that was shown."""
        answer = self.image.answer
        return isinstance(answer, ClassAnswer) and answer.class_id == self.image.shown_class_id


@dataclass(frozen=True, slots=True)
class BorderRecord:
    """A stored border of a class; a file contains the images beyond it."""

    id: int
    """Its number in the session, from the same sequence as those of answers."""
    step_id: int
    """The id of the first action of its step."""
    made_in_round: int
    """The round in which it was recorded, one more than all rounds after the last one."""
    class_id: int
    """The class."""
    image_count: int
    """Number of images beyond the border."""
    created_at: float
    """When it was recorded, in seconds since 1970."""


def to_answer_columns(answer: Answer) -> tuple[str, int | None, float | None, int | None, int | None]:
    """Return the columns kind, class_id, confidence, part_count and image_index of an answer."""
    match answer:
        case ClassAnswer(class_id, confidence):
            return "class", class_id, confidence, None, None
        case NearestImageAnswer(class_id, image_index):
            return "nearest", class_id, None, None, image_index
        case Unreadable():
            return "unreadable", None, None, None, None
        case Split(part_count):
            return "split", None, None, part_count, None
        case Cleared():
            return "cleared", None, None, None, None


def parse_answer(kind: str, class_id: int, confidence: float, part_count: int, image_index: int) -> Answer:
    """Return the answer with the columns that `to_answer_columns` returned."""
    match kind:
        case "class":
            return ClassAnswer(class_id, confidence)
        case "nearest":
            return NearestImageAnswer(class_id, image_index)
        case "split":
            return Split(part_count)
        case "cleared":
            return Cleared()
    return Unreadable()


def to_image_answer_columns(answer: ImageAnswer) -> tuple[str, int | None]:
    """Return the columns kind and class_id of an answer about an image."""
    match answer:
        case ClassAnswer(class_id):
            return "class", class_id
        case Unreadable():
            return "unreadable", None
        case Cleared():
            return "cleared", None


def parse_image_answer(kind: str, class_id: int) -> ImageAnswer:
    """Return the answer with the columns that `to_image_answer_columns` returned."""
    if kind == "class":
        return ClassAnswer(class_id)
    return Unreadable() if kind == "unreadable" else Cleared()


def to_class_edit_columns(class_edit: ClassEdit) -> tuple[str, int, str | None, int | None]:
    """Return the columns kind, class_id, class_name and target_class_id of a class edit."""
    match class_edit:
        case AddClass(class_id, class_name):
            return "add", class_id, class_name, None
        case RenameClass(class_id, class_name):
            return "rename", class_id, class_name, None
        case MergeClass(class_id, target_class_id):
            return "merge", class_id, None, target_class_id


def parse_class_edit(kind: str, class_id: int, class_name: str, target_class_id: int) -> ClassEdit:
    """Return the class edit with the columns that `to_class_edit_columns` returned."""
    if kind == "merge":
        return MergeClass(class_id, target_class_id)
    return AddClass(class_id, class_name) if kind == "add" else RenameClass(class_id, class_name)
