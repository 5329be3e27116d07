"""One answer or split as a row of a table; it does not know the table."""

from __future__ import annotations

from dataclasses import dataclass

from vaetui.engine.answers import Answer, Label, Path, Split, Unreadable


@dataclass(frozen=True, slots=True)
class Saying:
    """One answer or split, as it was said."""

    id: int
    """Its number in the session, ascending."""
    path: Path
    """The cluster."""
    answer: Answer
    """What was said."""


def columns(answer: Answer) -> tuple[str, int | None, float | None, int | None]:
    """Flatten an answer: kind, label, confidence, parts."""
    match answer:
        case Label(label, confidence):
            return "label", label, confidence, None
        case Unreadable():
            return "unreadable", None, None, None
        case Split(parts):
            return "split", None, None, parts


def read(kind: str, label: int, confidence: float, parts: int) -> Answer:
    """Read what `columns` flattened."""
    if kind == "label":
        return Label(label, confidence)
    return Split(parts) if kind == "split" else Unreadable()
