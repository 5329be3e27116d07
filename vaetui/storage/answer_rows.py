"""One answer or split as a row of a table; it does not know the table."""

from __future__ import annotations

from dataclasses import dataclass

from vaetui.engine.answers import Answer, ClassAnswer, ClusterPath, Split, Unreadable


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """One answer or split, as it was said."""

    id: int
    """Its number in the session, ascending."""
    path: ClusterPath
    """The cluster."""
    answer: Answer
    """What was said."""


def answer_columns(answer: Answer) -> tuple[str, int | None, float | None, int | None]:
    """Flatten an answer: kind, label, confidence, parts."""
    match answer:
        case ClassAnswer(label, confidence):
            return "label", label, confidence, None
        case Unreadable():
            return "unreadable", None, None, None
        case Split(parts):
            return "split", None, None, parts


def parse_answer(kind: str, class_id: int, confidence: float, part_count: int) -> Answer:
    """Read what `columns` flattened."""
    if kind == "label":
        return ClassAnswer(class_id, confidence)
    return Split(part_count) if kind == "split" else Unreadable()
