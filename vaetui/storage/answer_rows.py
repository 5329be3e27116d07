"""Answers and class edits as rows of their tables, and back."""

from __future__ import annotations

from dataclasses import dataclass

from vaetui.engine.answers import Answer, ClassAnswer, ClusterPath, Split, Unreadable
from vaetui.engine.classes import AddClass, ClassEdit, MergeClass, RenameClass


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """A stored answer or split."""

    id: int
    """Its number in the session, ascending in the order of entry."""
    path: ClusterPath
    """The cluster."""
    answer: Answer
    """The answer."""


@dataclass(frozen=True, slots=True)
class ClassEditRecord:
    """A stored change of the class list."""

    id: int
    """Its number in the session, from the same sequence as those of answers."""
    class_edit: ClassEdit
    """The change."""


def to_answer_columns(answer: Answer) -> tuple[str, int | None, float | None, int | None]:
    """Return the columns kind, class_id, confidence and part_count of an answer."""
    match answer:
        case ClassAnswer(class_id, confidence):
            return "class", class_id, confidence, None
        case Unreadable():
            return "unreadable", None, None, None
        case Split(part_count):
            return "split", None, None, part_count


def parse_answer(kind: str, class_id: int, confidence: float, part_count: int) -> Answer:
    """Return the answer with the columns that `to_answer_columns` returned."""
    if kind == "class":
        return ClassAnswer(class_id, confidence)
    return Split(part_count) if kind == "split" else Unreadable()


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
