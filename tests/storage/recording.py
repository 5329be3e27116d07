"""Record single answers and class edits, each as a step in the round of its cluster."""

from __future__ import annotations

from vaetui.engine.answers import Answer, ClusterPath
from vaetui.engine.classes import ClassEdit
from vaetui.storage.answer_rows import AnswerRecord, ClassEditRecord
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.repository import SessionRepository


def record_answer(
    repository: SessionRepository,
    round_number: int,
    path: ClusterPath,
    answer: Answer,
    *fingerprints: FileFingerprint,
) -> AnswerRecord:
    """Record an answer and the files that belong to it."""
    (action,) = repository.record_step(round_number, [(round_number, path, answer)], fingerprints=fingerprints)
    assert isinstance(action, AnswerRecord)
    return action


def record_class_edit(repository: SessionRepository, round_number: int, class_edit: ClassEdit) -> ClassEditRecord:
    """Record a class edit."""
    (action,) = repository.record_step(round_number, class_edits=[class_edit])
    assert isinstance(action, ClassEditRecord)
    return action
